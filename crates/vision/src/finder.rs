//! Plates of one picture: finding, straightening, reading.

use crate::ahead::{Pool, Searched, search_ahead};
use crate::change::{Look, Planner};
use crate::colour::{Scene, around, of_vehicle};
use crate::detect::unique;
use crate::frames::Decoder;
use crate::{
    Colour, Detector, Driver, Files, Found, Guess, Models, Objects, Picture, Point, Quad, Reader, Rect,
    Thing, VisionError,
};

/// Plates of one picture whose vehicles are looked for.
const MOST_VEHICLES: usize = 12;
/// Vehicles fainter than this are not searched for plates.
const LEAST_VEHICLE: f32 = 0.3;
/// The width to which a vehicle is scaled for that, in pixels.
const VEHICLE_WIDTH: u32 = 640;

/// How a picture is searched.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// The widths at which every picture is searched; none over 640 is more than half as wide again as the picture.
    pub widths: Vec<u32>,
    /// The widths that are tried when nothing was found.
    pub more_widths: Vec<u32>,
    /// Boxes are taken from this score on.
    pub least_score: f32,
    /// Fainter boxes, from this score on, are taken when what they say is read with some certainty.
    pub faint_score: f32,
    /// The least confidence of a reading in a faint box.
    pub faint_confidence: f32,
    /// The least confidence of any reading.
    pub least_confidence: f32,
    /// Threads of one network.
    pub threads: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            widths: vec![640, 1280],
            more_widths: vec![320, 480, 1280, 1600],
            least_score: 0.3,
            faint_score: 0.1,
            faint_confidence: 0.3,
            least_confidence: 0.05,
            threads: std::thread::available_parallelism().map_or(1, |n| n.get().min(4)),
        }
    }
}

/// A plate in a picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Plate {
    /// Its box, in the picture's pixels.
    pub rect: Rect,
    /// Its corners.
    pub quad: Quad,
    /// What it says.
    pub guess: Guess,
    /// How sure the detector is that it is a plate.
    pub score: f32,
    /// The vehicle that it is on, once that was looked for.
    pub vehicle: Option<Thing>,
    /// The colour of that vehicle, else of what is around the plate: an estimate.
    pub colour: Option<Colour>,
}

/// Finds and reads plates.
pub struct Finder {
    detector: Detector,
    /// Detectors for frames side by side, once they were needed, each with one thread.
    pool: Option<Pool>,
    kept: (Driver, Files),
    reader: Reader,
    objects: Objects,
    settings: Settings,
}

impl Finder {
    /// A finder on the models of a folder, with the driver that is there.
    pub fn new(models: &Models, driver: &Driver, settings: Settings) -> Result<Self, VisionError> {
        let files = models.files("plate-detector")?;
        let detector = Detector::new(driver, &files, settings.threads)?;
        let reader = Reader::new(driver, &models.files("plate-reader")?, settings.threads)?;
        let objects = Objects::new(driver, models.bytes("objects")?, settings.threads)?;
        Ok(Self { detector, pool: None, kept: (driver.clone(), files), reader, objects, settings })
    }

    /// The settings.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The detector.
    pub fn detector(&mut self) -> &mut Detector {
        &mut self.detector
    }

    /// The reader.
    pub fn reader(&mut self) -> &mut Reader {
        &mut self.reader
    }

    /// What finds people and vehicles.
    pub fn objects(&mut self) -> &mut Objects {
        &mut self.objects
    }

    /// The plates of a picture, surest first, with the vehicles that they are on.
    pub fn find(&mut self, picture: &Picture) -> Result<Vec<Plate>, VisionError> {
        // Blown up, small pictures show only parts of plates.
        let most = (picture.width() * 3 / 2).max(640);
        let widths: Vec<u32> = self.settings.widths.iter().copied().filter(|width| *width <= most).collect();
        let mut found = self.detector.at_widths(picture, &widths, self.settings.faint_score)?;
        let scene = Scene::new(picture);
        let mut plates = self.read_all(&scene, &found)?;
        if plates.is_empty() {
            let more = self.settings.more_widths.clone();
            found.extend(self.detector.at_widths(picture, &more, self.settings.faint_score)?);
            plates = self.read_all(&scene, &unique(found.clone()))?;
        }
        if plates.is_empty() {
            found.extend(self.in_vehicles(picture)?);
            plates = self.read_all(&scene, &unique(found))?;
        }
        for plate in plates.iter_mut().take(MOST_VEHICLES) {
            self.look_at_vehicle(&scene, plate)?;
        }
        Ok(plates)
    }

    /// Looks for the vehicle that a plate is on, and its colour.
    pub(crate) fn look_at_vehicle(
        &mut self,
        scene: &Scene<'_>,
        plate: &mut Plate,
    ) -> Result<(), VisionError> {
        plate.vehicle = self.objects.vehicle_of(scene.picture, &plate.rect)?;
        if let Some(vehicle) = &plate.vehicle {
            plate.colour =
                of_vehicle(scene.picture, scene.light(), &vehicle.rect, Some(&plate.quad)).or(plate.colour);
        }
        Ok(())
    }

    /// Boxes at one width, faint ones too: what [`Tracker`](crate::Tracker) is fed with.
    pub fn boxes(&mut self, picture: &Picture, width: u32) -> Result<Vec<Found>, VisionError> {
        self.detector.at_width(picture, width, self.settings.faint_score)
    }

    /// What a look says, searched with all threads.
    pub(crate) fn search(
        &mut self,
        picture: &Picture,
        look: Look,
    ) -> Result<(Look, Vec<Found>), VisionError> {
        look.search(&mut self.detector, picture, self.settings.faint_score)
    }

    /// Searches the frames of a recording side by side, as many as there are threads, as `planner` chooses; `take` gets them in
    /// order, and says whether to go on.
    pub(crate) fn side_by_side(
        &mut self,
        decoder: &mut Decoder,
        planner: &mut Planner,
        take: &mut dyn FnMut(&mut Self, Searched) -> Result<bool, VisionError>,
    ) -> Result<(), VisionError> {
        let pool = match self.pool.take() {
            Some(pool) => pool,
            None => {
                let (driver, files) = &self.kept;
                let one = |_| Detector::new(driver, files, 1);
                Pool::new((0..self.settings.threads.max(1)).map(one).collect::<Result<_, _>>()?)
            }
        };
        let least = self.settings.faint_score;
        let done = search_ahead(&pool, least, decoder, planner, &mut |searched| take(self, searched));
        self.pool = Some(pool);
        done
    }

    /// Reads one box; none when it says nothing that counts.
    pub(crate) fn read(&mut self, scene: &Scene<'_>, found: &Found) -> Result<Option<Plate>, VisionError> {
        let Some(guess) = self.reader.read(scene.picture, found)? else { return Ok(None) };
        let settings = &self.settings;
        let least = if found.score >= settings.least_score {
            settings.least_confidence
        } else {
            settings.faint_confidence
        };
        if guess.confidence < least || guess.text.characters() < 3 {
            return Ok(None);
        }
        let colour = around(scene.picture, scene.light(), &found.quad);
        Ok(Some(Plate {
            rect: found.rect,
            quad: found.quad,
            guess,
            score: found.score,
            vehicle: None,
            colour,
        }))
    }

    /// Boxes within the vehicles of a picture, each blown up: plates that are too small in the whole.
    fn in_vehicles(&mut self, picture: &Picture) -> Result<Vec<Found>, VisionError> {
        let things = self.objects.find(picture, LEAST_VEHICLE)?;
        let mut found = Vec::new();
        for vehicle in things.iter().filter(|thing| thing.kind.is_vehicle()).take(MOST_VEHICLES / 2) {
            let v = vehicle.rect;
            let around = Rect::new(v.x - v.w * 0.1, v.y, v.w * 1.2, v.h * 1.15);
            let around = around.within(picture.width(), picture.height());
            let Some(part) = picture.part(&around) else { continue };
            let (left, top) = (around.x.floor(), around.y.floor());
            for one in self.detector.at_width(&part, VEHICLE_WIDTH, self.settings.faint_score)? {
                let rect = Rect { x: one.rect.x + left, y: one.rect.y + top, ..one.rect };
                let quad = Quad(one.quad.0.map(|point| Point::new(point.x + left, point.y + top)));
                found.push(Found { rect, quad, ..one });
            }
        }
        Ok(found)
    }

    fn read_all(&mut self, scene: &Scene<'_>, found: &[Found]) -> Result<Vec<Plate>, VisionError> {
        let mut plates: Vec<Plate> = Vec::new();
        for one in found.iter().take(24) {
            let Some(plate) = self.read(scene, one)? else { continue };
            // A box within another that says the same, or says less surely, is the same plate.
            match plates.iter_mut().find(|other| other.rect.inside(&plate.rect) > 0.6) {
                Some(other) if other.guess.confidence < plate.guess.confidence => *other = plate,
                Some(_) => {}
                None => plates.push(plate),
            }
        }
        plates.sort_by(|a, b| b.guess.confidence.total_cmp(&a.guess.confidence));
        Ok(plates)
    }
}
