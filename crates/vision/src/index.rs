//! Sightings: people and vehicles of a file, from when each came to when it went, with colours by part and what they carry.

use crate::colour::{Light, Shares};
use crate::frames::{Decoder, Limits, Source};
use crate::read::is_picture;
use crate::{Kind, Objects, Picture, Rect, Thing, Towers, VisionError};
use canvass_footage::{Colour, Embedding, Part, Sighting};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

/// Boxes fainter than this are not looked at.
pub(crate) const LEAST: f32 = 0.3;
/// Things with a person are taken from this score on: they are small.
const LEAST_WITH: f32 = 0.25;
/// Who is not seen for this long has gone.
const GONE: Duration = Duration::from_millis(2500);
/// The most that are followed at a time.
const MOST: usize = 64;
/// A person or vehicle seen in fewer frames of a video is a mistake, unless very sure.
const FEWEST: u32 = 2;
/// The score of a single look that is believed.
const SURE: f32 = 0.6;
/// The score that a person's best look in a video must have: posts and bushes that look like people stay just above
/// [`LEAST`] for as long as they are in view.
const SURE_PERSON: f32 = 0.45;
/// The same of vehicles, which are less often taken for something else.
const SURE_VEHICLE: f32 = 0.37;
/// Pictures wider than this are looked at in two halves as well: the network sees 416 pixels.
const WIDE: u32 = 420;
/// A thing that ends so near to where a half was cut off, in pixels, is cut off itself.
const CUT_OFF: f32 = 2.0;

/// What is kept of a look for the towers: its longer side, in pixels.
const KEPT_SIDE: u32 = 384;
/// How much of what is around a thing is kept with it.
const KEPT_AROUND: f32 = 0.06;

/// How files are indexed.
#[derive(Debug, Clone, PartialEq)]
pub struct IndexOptions {
    /// What decoding may take, and how many frames of a second are looked at.
    pub limits: Limits,
}

impl Default for IndexOptions {
    fn default() -> Self {
        Self { limits: Limits { frames_a_second: 3, most_width: 1920, ..Limits::default() } }
    }
}

/// The models that look through footage.
pub struct Eyes {
    /// Finds people, vehicles and things.
    pub objects: Objects,
    /// Tell what each looks like in numbers; none where the operator brought none.
    pub towers: Option<Towers>,
}

/// Finds who and what is seen in a picture or video; `tell` hears how far a video was looked at.
pub fn index_file(
    eyes: &mut Eyes,
    path: &Path,
    options: &IndexOptions,
    tell: &mut dyn FnMut(Duration),
) -> Result<Vec<Sighting>, VisionError> {
    let mut follower = Follower::default();
    if is_picture(path)? {
        let picture = Picture::open(path)?;
        follower.see(eyes, &picture, Duration::ZERO)?;
        return follower.finish(eyes, 1);
    }
    let mut decoder = Decoder::open(Source::File(path.to_owned()), &options.limits)?;
    let mut frames = 0;
    while let Some(frame) = decoder.next_frame()? {
        follower.see(eyes, &frame.picture, frame.time)?;
        frames += 1;
        tell(frame.time);
    }
    follower.finish(eyes, if frames > FEWEST { FEWEST } else { 1 })
}

/// One person or vehicle that is followed.
#[derive(Debug)]
struct Live {
    kinds: BTreeMap<Kind, f32>,
    rect: Rect,
    first: Duration,
    last: Duration,
    frames: u32,
    best: (f32, Duration, Rect),
    /// The highest score of any look.
    peak: f32,
    colours: BTreeMap<Part, (f32, BTreeMap<Colour, f32>)>,
    with: BTreeMap<Kind, u32>,
    /// What is around it where it was seen best; only where cuts are wanted.
    cut: Option<Picture>,
    /// How it looked best, until the towers have seen it.
    look: Option<Picture>,
    embedding: Option<Embedding>,
}

#[derive(Debug, Default)]
struct Follower {
    live: Vec<Live>,
    ended: Vec<Live>,
    /// Whether a cut of the best look is kept.
    cuts: bool,
}

/// A person or vehicle that a camera saw, with a cut of the frame in which it was seen best.
#[derive(Debug)]
pub struct Seen {
    /// What was seen; its moments are seconds since the frames' zero.
    pub sighting: Sighting,
    /// It and what is around it.
    pub cut: Option<Picture>,
}

/// Follows people and vehicles through the frames of a camera for as long as it runs. Each is told once it has gone, or stayed
/// so long that what comes after is told by itself.
#[derive(Debug)]
pub struct Watch {
    follower: Follower,
    stays: Duration,
}

impl Watch {
    /// Begins. What stays in view is told after so long.
    #[must_use]
    pub fn new(stays: Duration) -> Self {
        Self { follower: Follower { cuts: true, ..Follower::default() }, stays }
    }

    /// Looks at a frame; gives who and what has gone since the last one.
    ///
    /// # Errors
    /// As the networks'.
    pub fn see(
        &mut self,
        eyes: &mut Eyes,
        picture: &Picture,
        time: Duration,
    ) -> Result<Vec<Seen>, VisionError> {
        self.follower.see(eyes, picture, time)?;
        self.until(eyes.towers.as_mut(), time)
    }

    /// Who and what has gone by then, where no frame comes.
    ///
    /// # Errors
    /// As the networks'.
    pub fn until(
        &mut self,
        mut towers: Option<&mut Towers>,
        time: Duration,
    ) -> Result<Vec<Seen>, VisionError> {
        let stays = self.stays;
        let over =
            |live: &Live| time.saturating_sub(live.last) > GONE || time.saturating_sub(live.first) >= stays;
        let (over, live): (Vec<Live>, Vec<Live>) =
            std::mem::take(&mut self.follower.live).into_iter().partition(over);
        self.follower.live = live;
        let mut ended = std::mem::take(&mut self.follower.ended);
        for live in over {
            ended.push(live.compared(towers.as_deref_mut(), FEWEST)?);
        }
        Ok(told(ended))
    }

    /// The end: who and what was in view.
    ///
    /// # Errors
    /// As the networks'.
    pub fn end(mut self, mut towers: Option<&mut Towers>) -> Result<Vec<Seen>, VisionError> {
        let mut ended = std::mem::take(&mut self.follower.ended);
        for live in std::mem::take(&mut self.follower.live) {
            ended.push(live.compared(towers.as_deref_mut(), FEWEST)?);
        }
        Ok(told(ended))
    }
}

fn told(ended: Vec<Live>) -> Vec<Seen> {
    let believed = ended.into_iter().filter(|live| live.is_believed(FEWEST));
    believed
        .filter_map(|mut live| {
            let cut = live.cut.take();
            Some(Seen { sighting: live.into_sighting()?, cut })
        })
        .collect()
}

impl Follower {
    fn see(&mut self, eyes: &mut Eyes, picture: &Picture, time: Duration) -> Result<(), VisionError> {
        let (gone, stay): (Vec<Live>, Vec<Live>) = std::mem::take(&mut self.live)
            .into_iter()
            .partition(|live| time.saturating_sub(live.last) > GONE);
        self.live = stay;
        for live in gone {
            self.ended.push(live.compared(eyes.towers.as_mut(), FEWEST)?);
        }
        let things = look(&mut eyes.objects, picture)?;
        let light = Light::of(picture);
        let mut taken = vec![false; self.live.len()];
        for thing in things.iter().filter(|thing| !thing.kind.is_carried() && thing.score >= LEAST) {
            // A bicycle with somebody on it belongs to them; one that stands alone is a sighting.
            let ridden = |person: &Thing| person.kind == Kind::Person && rides(&person.rect, thing);
            if thing.kind == Kind::Bicycle && things.iter().any(ridden) {
                continue;
            }
            let best = (0..self.live.len())
                .filter(|at| taken.get(*at) == Some(&false))
                .filter_map(|at| Some((at, self.live.get(at)?.nearness(thing)?)))
                .max_by(|a, b| a.1.total_cmp(&b.1));
            let at = match best {
                Some((at, _)) => at,
                None if self.live.len() < MOST => {
                    self.live.push(Live::new(thing, time));
                    taken.push(false);
                    self.live.len() - 1
                }
                None => continue,
            };
            if let (Some(live), Some(taken)) = (self.live.get_mut(at), taken.get_mut(at)) {
                *taken = true;
                let best = live.follow(thing, time, (picture, light), &things);
                if best && eyes.towers.is_some() {
                    live.look = kept(picture, &thing.rect)?;
                }
                if best && self.cuts {
                    live.cut = picture.part(&around(&thing.rect));
                }
            }
        }
        Ok(())
    }

    fn finish(mut self, eyes: &mut Eyes, fewest: u32) -> Result<Vec<Sighting>, VisionError> {
        for live in self.live {
            self.ended.push(live.compared(eyes.towers.as_mut(), fewest)?);
        }
        let believed = self.ended.into_iter().filter(|live| live.is_believed(fewest));
        let mut all: Vec<Sighting> = believed.filter_map(Live::into_sighting).collect();
        all.sort_by(|a, b| a.start.total_cmp(&b.start));
        Ok(all)
    }
}

/// A box with a tenth of it on each side.
fn around(rect: &Rect) -> Rect {
    Rect::new(rect.x - rect.w * 0.1, rect.y - rect.h * 0.1, rect.w * 1.2, rect.h * 1.2)
}

/// A thing with a little of what is around it, no larger than the towers need.
fn kept(picture: &Picture, rect: &Rect) -> Result<Option<Picture>, VisionError> {
    let (dx, dy) = (rect.w * KEPT_AROUND, rect.h * KEPT_AROUND);
    let around = Rect::new(rect.x - dx, rect.y - dy, rect.w + dx * 2.0, rect.h + dy * 2.0);
    let Some(part) = picture.part(&around) else { return Ok(None) };
    let longest = part.width().max(part.height());
    if longest <= KEPT_SIDE {
        return Ok(Some(part));
    }
    let side = |length: u32| (u64::from(length) * u64::from(KEPT_SIDE) / u64::from(longest)).max(1) as u32;
    part.scaled(side(part.width()), side(part.height())).map(Some)
}

/// What a picture shows; wide ones are looked at whole and in two halves, in which things are twice as large.
pub(crate) fn look(objects: &mut Objects, picture: &Picture) -> Result<Vec<Thing>, VisionError> {
    let mut all = objects.find(picture, LEAST_WITH)?;
    if picture.width() >= WIDE && picture.width() > picture.height() {
        let (w, h) = (picture.width() as f32, picture.height() as f32);
        let half = (w * 0.56).max(h);
        for x in [0.0, w - half] {
            let part = Rect::new(x, 0.0, half, h);
            let found = objects.find_in(picture, &part, LEAST_WITH)?;
            all.extend(found.into_iter().filter(|thing| is_whole(&thing.rect, &part, w)));
        }
        all = crate::objects::unique(all);
    }
    Ok(all)
}

/// Whether a thing in a part of a picture does not end where the part was cut off: the rest of it is in the other one.
fn is_whole(thing: &Rect, part: &Rect, width: f32) -> bool {
    let left = part.x < 1.0 || thing.x > part.x + CUT_OFF;
    let right = part.x + part.w > width - 1.0 || thing.x + thing.w < part.x + part.w - CUT_OFF;
    left && right
}

/// Whether something is right below or at a person, about as large as they are.
fn rides(person: &Rect, thing: &Thing) -> bool {
    let (b, c) = (thing.rect, thing.rect.centre());
    let middle = person.centre();
    b.shared(person) > 0.15 * b.area().min(person.area())
        && c.y > middle.y - person.h * 0.1
        && (c.x - middle.x).abs() < person.w.max(b.w) * 0.6
        && b.w > person.w * 0.4
}

/// Whether a person has a thing at or beside them.
pub(crate) fn has(person: &Rect, thing: &Thing) -> bool {
    if matches!(thing.kind, Kind::Bicycle | Kind::Motorcycle | Kind::Skateboard) {
        return rides(person, thing);
    }
    let c = thing.rect.centre();
    let beside = if thing.kind == Kind::Dog { 1.2 } else { 0.35 };
    let x = c.x > person.x - person.w * beside && c.x < person.x + person.w * (1.0 + beside);
    let y = c.y > person.y - person.h * 0.15 && c.y < person.y + person.h * 1.1;
    x && y && thing.rect.area() < person.area() * 1.2
}

impl Live {
    fn new(thing: &Thing, time: Duration) -> Self {
        Self {
            kinds: BTreeMap::new(),
            rect: thing.rect,
            first: time,
            last: time,
            frames: 0,
            best: (0.0, time, thing.rect),
            peak: 0.0,
            colours: BTreeMap::new(),
            with: BTreeMap::new(),
            cut: None,
            look: None,
            embedding: None,
        }
    }

    /// With what the towers make of its best look, where it will be believed.
    fn compared(mut self, towers: Option<&mut Towers>, fewest: u32) -> Result<Self, VisionError> {
        let look = self.look.take();
        if let (Some(towers), Some(look)) = (towers, look)
            && self.is_believed(fewest)
        {
            self.embedding = Some(towers.picture(&look)?);
        }
        Ok(self)
    }

    /// Whether it is no mistake of the network's, in a video of which each must be seen in so many frames.
    fn is_believed(&self, fewest: u32) -> bool {
        let often = self.frames >= fewest || self.best.0 >= SURE;
        let least = if self.is_person() { SURE_PERSON } else { SURE_VEHICLE };
        often && (fewest < FEWEST || self.peak >= least)
    }

    fn is_person(&self) -> bool {
        self.kinds.contains_key(&Kind::Person)
    }

    /// How likely a thing is this one; none where it can't be.
    fn nearness(&self, thing: &Thing) -> Option<f32> {
        if self.frames > 0 && self.is_person() != (thing.kind == Kind::Person) {
            return None;
        }
        let overlap = self.rect.overlap(&thing.rect);
        let (a, b) = (self.rect.centre(), thing.rect.centre());
        let size = self.rect.h.max(thing.rect.h).max(1.0);
        let ratio = size / self.rect.h.min(thing.rect.h).max(1.0);
        let far = (a.x - b.x).hypot(a.y - b.y) / size;
        (overlap > 0.1 || far < 0.6 && ratio < 1.6).then_some(overlap - far * 0.3)
    }

    /// Takes it as this one in the next frame; tells whether it was never seen better.
    fn follow(
        &mut self,
        thing: &Thing,
        time: Duration,
        (picture, light): (&Picture, Light),
        things: &[Thing],
    ) -> bool {
        (self.rect, self.last) = (thing.rect, time);
        self.frames += 1;
        self.peak = self.peak.max(thing.score);
        *self.kinds.entry(thing.kind).or_default() += thing.score;
        let size = (thing.rect.area() / (picture.width() as f32 * picture.height() as f32)).sqrt();
        let worth = thing.score * (0.3 + size);
        let best = worth > self.best.0 * 0.999 || self.frames == 1;
        if best {
            self.best = (worth, time, thing.rect);
        }
        for (part, shares) in parts(thing, picture, light) {
            let (weight, sums) = self.colours.entry(part).or_default();
            *weight += worth;
            for colour in Colour::ALL {
                *sums.entry(*colour).or_default() += shares.share(*colour) * worth;
            }
        }
        if thing.kind == Kind::Person {
            let mut seen: Vec<Kind> = things
                .iter()
                .filter(|other| other.kind.is_carried() || other.kind.is_vehicle())
                .filter(|other| !matches!(other.kind, Kind::Car | Kind::Bus | Kind::Truck))
                .filter(|other| has(&thing.rect, other))
                .map(|other| other.kind)
                .collect();
            seen.sort_unstable();
            seen.dedup();
            for kind in seen {
                *self.with.entry(kind).or_default() += 1;
            }
        }
        best
    }

    fn into_sighting(self) -> Option<Sighting> {
        let (kind, sum) = self.kinds.iter().max_by(|a, b| a.1.total_cmp(b.1))?;
        let rounded = |share: f32| (share * 1000.0).round() / 1000.0;
        let colours = self.colours.into_iter().map(|(part, (weight, sums))| {
            let shares = sums.into_iter().map(|(colour, sum)| (colour, rounded(sum / weight.max(1e-6))));
            (part, shares.filter(|(_, share)| *share >= 0.01).collect())
        });
        let rect = self.best.2;
        Some(Sighting {
            kind: *kind,
            score: rounded(sum / self.frames.max(1) as f32),
            start: self.first.as_secs_f64(),
            end: self.last.as_secs_f64(),
            best: self.best.1.as_secs_f64(),
            rect: [rect.x, rect.y, rect.w, rect.h].map(|side| side.round() as i64),
            frames: self.frames,
            colours: colours.collect(),
            with: self
                .with
                .into_iter()
                .map(|(kind, count)| (kind, rounded(count as f32 / self.frames.max(1) as f32)))
                .collect(),
            embedding: self.embedding,
        })
    }
}

/// The colours of a thing's parts, as far as they are in the picture.
pub(crate) fn parts(thing: &Thing, picture: &Picture, light: Light) -> Vec<(Part, Shares)> {
    let b = thing.rect;
    let at = |x: f32, y: f32, w: f32, h: f32| Rect::new(b.x + b.w * x, b.y + b.h * y, b.w * w, b.h * h);
    if thing.kind != Kind::Person {
        let body = Shares::of_body(picture, light, &b, None);
        return body.map(|shares| (Part::Body, shares)).into_iter().collect();
    }
    // Who stands whole is at least twice as high as wide; less than that is cut off at the waist or sits.
    let cut = b.h < b.w * 1.5 || b.y + b.h > picture.height() as f32 - 3.0 && b.h < b.w * 2.0;
    // Below the shoulders: above them long hair covers what is worn.
    let patches = if cut {
        vec![(Part::Upper, at(0.25, 0.4, 0.5, 0.45))]
    } else {
        vec![(Part::Upper, at(0.28, 0.27, 0.44, 0.2)), (Part::Lower, at(0.3, 0.54, 0.4, 0.28))]
    };
    let told = |(part, patch)| Some((part, Shares::of(picture, light, &[patch])?));
    patches.into_iter().filter_map(told).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn thing(kind: Kind, rect: Rect) -> Thing {
        Thing { kind, rect, score: 0.7 }
    }

    /// A person of two colours on grey.
    fn figure(upper: [u8; 3], lower: [u8; 3]) -> Picture {
        let mut rgb = vec![128u8; 300 * 300 * 3];
        for y in 50..250usize {
            for x in 110..190usize {
                let colour = if y < 145 { upper } else { lower };
                rgb[(y * 300 + x) * 3..][..3].copy_from_slice(&colour);
            }
        }
        Picture::new(300, 300, rgb).unwrap()
    }

    fn main_colour(sighting: &Sighting, part: Part) -> Colour {
        *sighting.colours[&part].iter().max_by(|a, b| a.1.total_cmp(b.1)).unwrap().0
    }

    #[test]
    fn colours_are_those_of_the_parts() {
        let picture = figure([30, 60, 200], [200, 20, 30]);
        let person = thing(Kind::Person, Rect::new(110.0, 50.0, 80.0, 200.0));
        let bag = thing(Kind::Backpack, Rect::new(100.0, 80.0, 40.0, 60.0));
        let mut live = Live::new(&person, Duration::ZERO);
        for second in 0..4 {
            let best =
                live.follow(&person, Duration::from_secs(second), (&picture, Light::DAY), &[person, bag]);
            assert!(best, "as well as ever");
        }
        let sighting = live.into_sighting().unwrap();
        assert_eq!(main_colour(&sighting, Part::Upper), Colour::Blue);
        assert_eq!(main_colour(&sighting, Part::Lower), Colour::Red);
        assert_eq!(sighting.with.get(&Kind::Backpack), Some(&1.0));
        assert_eq!((sighting.kind, sighting.frames, sighting.end), (Kind::Person, 4, 3.0));
    }

    #[test]
    fn what_is_believed_gets_a_look() {
        let mut towers = crate::tests::tiny_towers();
        let red = figure([220, 10, 10], [220, 10, 10]);
        let person = thing(Kind::Person, Rect::new(110.0, 50.0, 80.0, 200.0));
        let seen = |frames: u32| {
            let mut live = Live::new(&person, Duration::ZERO);
            for second in 0..frames {
                live.follow(&person, Duration::from_secs(second.into()), (&red, Light::DAY), &[]);
            }
            live.look = kept(&red, &person.rect).unwrap();
            live
        };
        let kept = seen(1).look.unwrap();
        assert_eq!((kept.width(), kept.height()), (90, 224), "with a little of what is around it");
        let believed = seen(3).compared(Some(&mut towers), FEWEST).unwrap().into_sighting().unwrap();
        let look = believed.embedding.unwrap();
        let [of_red, of_blue] = ["red car", "blue car"].map(|text| towers.text(text).unwrap());
        assert!(look.cosine(&of_red) > look.cosine(&of_blue));
        assert_eq!((look.model.as_str(), look.version.as_str()), ("towers", "1"));
        assert!(seen(1).compared(Some(&mut towers), FEWEST).unwrap().embedding.is_none(), "seen once");
        assert!(seen(3).compared(None, FEWEST).unwrap().embedding.is_none(), "no towers");
    }

    #[test]
    fn what_never_looks_much_like_a_person_is_none() {
        let picture = figure([30, 60, 200], [200, 20, 30]);
        let seen = |kind: Kind, scores: &[f32]| {
            let rect = Rect::new(110.0, 50.0, 80.0, 200.0);
            let mut live = Live::new(&thing(kind, rect), Duration::ZERO);
            for score in scores {
                let thing = Thing { kind, rect, score: *score };
                live.follow(&thing, Duration::ZERO, (&picture, Light::DAY), &[]);
            }
            live
        };
        assert!(!seen(Kind::Person, &[0.34, 0.36, 0.33, 0.4]).is_believed(FEWEST), "a post");
        assert!(seen(Kind::Person, &[0.34, 0.36, 0.5, 0.31]).is_believed(FEWEST), "somebody behind a car");
        assert!(seen(Kind::Car, &[0.34, 0.4]).is_believed(FEWEST));
        assert!(!seen(Kind::Car, &[0.34, 0.35]).is_believed(FEWEST), "a window");
        assert!(seen(Kind::Person, &[0.34]).is_believed(1), "all that a picture shows");
    }

    #[test]
    fn what_a_half_cuts_off_is_left_to_the_other() {
        let (left, right) = (Rect::new(0.0, 0.0, 430.0, 432.0), Rect::new(338.0, 0.0, 430.0, 432.0));
        assert!(is_whole(&Rect::new(0.0, 10.0, 60.0, 90.0), &left, 768.0), "at the picture's own edge");
        assert!(!is_whole(&Rect::new(380.0, 10.0, 49.5, 90.0), &left, 768.0));
        assert!(is_whole(&Rect::new(380.0, 10.0, 49.5, 90.0), &right, 768.0));
        assert!(!is_whole(&Rect::new(338.0, 10.0, 40.0, 90.0), &right, 768.0));
    }

    #[test]
    fn a_person_is_never_followed_into_a_car() {
        let person = thing(Kind::Person, Rect::new(0.0, 0.0, 50.0, 100.0));
        let mut live = Live::new(&person, Duration::ZERO);
        live.follow(&person, Duration::ZERO, (&figure([0; 3], [0; 3]), Light::DAY), &[]);
        assert!(live.nearness(&thing(Kind::Car, person.rect)).is_none());
        assert!(live.nearness(&thing(Kind::Person, Rect::new(10.0, 0.0, 50.0, 100.0))).is_some());
        assert!(live.nearness(&thing(Kind::Person, Rect::new(200.0, 0.0, 50.0, 100.0))).is_none());
    }

    #[test]
    fn a_camera_tells_who_has_gone_and_who_stays_long() {
        let picture = figure([30, 60, 200], [200, 20, 30]);
        let person = thing(Kind::Person, Rect::new(110.0, 50.0, 80.0, 200.0));
        let mut watch = Watch::new(Duration::from_secs(60));
        let live = |first: u64, last: u64| {
            let mut live = Live::new(&person, Duration::from_secs(first));
            for second in [first, last] {
                live.follow(&person, Duration::from_secs(second), (&picture, Light::DAY), &[]);
            }
            live.cut = picture.part(&around(&person.rect));
            live
        };
        watch.follower.live = vec![live(0, 2), live(0, 58), live(50, 59)];
        let gone = watch.until(None, Duration::from_secs(59)).unwrap();
        assert_eq!(gone.iter().map(|seen| seen.sighting.end).collect::<Vec<_>>(), [2.0]);
        assert!(gone[0].cut.as_ref().is_some_and(|cut| cut.width() == 96));
        let stayed = watch.until(None, Duration::from_secs(60)).unwrap();
        assert_eq!(stayed.iter().map(|seen| seen.sighting.end).collect::<Vec<_>>(), [58.0]);
        assert_eq!(watch.end(None).unwrap().len(), 1);
    }

    #[test]
    fn a_bicycle_below_a_person_is_ridden() {
        let person = Rect::new(100.0, 50.0, 50.0, 120.0);
        assert!(has(&person, &thing(Kind::Bicycle, Rect::new(80.0, 110.0, 90.0, 70.0))));
        assert!(!has(&person, &thing(Kind::Bicycle, Rect::new(300.0, 110.0, 90.0, 70.0))));
    }
}
