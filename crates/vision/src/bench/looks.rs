//! Colours, kinds and what people carry, against what somebody saw in the same pictures.

use super::report::{Attribute, table};
use crate::colour::{self, Light};
use crate::frames::{Decoder, Limits, Source};
use crate::index::{LEAST, has, look, parts};
use crate::{Colour, Finder, Kind, Objects, Picture, Rect, Thing, VisionError};
use canvass_footage::Part;
use std::path::Path;
use std::time::Duration;

/// How much a labelled box may be off.
const OFF: f32 = 1.4;
/// Heights of people at which a new row begins, in pixels.
const HEIGHTS: [(f32, &str); 4] =
    [(150.0, "150 px and more"), (90.0, "90 to 149 px"), (70.0, "70 to 89 px"), (0.0, "under 70 px")];
/// Light that a picture is put into: its name, what it leaves of red, green and blue.
const LIGHTS: [(&str, [f32; 3]); 3] = [
    ("as recorded", [1.0, 1.0, 1.0]),
    ("dimmed to 40 %", [0.4, 0.4, 0.4]),
    ("under a yellow lamp", [0.75, 0.6, 0.35]),
];

/// Counts by group and value, in the order in which they first came.
#[derive(Debug, Default)]
pub(super) struct Counts(pub(super) Vec<Attribute>);

impl Counts {
    pub(super) fn add(&mut self, group: &str, value: &str, right: bool) {
        let at = self.0.iter().position(|row| row.group == group && row.value == value);
        let at = at.unwrap_or_else(|| {
            let (group, value) = (group.to_owned(), value.to_owned());
            self.0.push(Attribute { group, value, cases: 0, right: 0 });
            self.0.len() - 1
        });
        if let Some(row) = self.0.get_mut(at) {
            row.cases += 1;
            row.right += usize::from(right);
        }
    }
}

impl Counts {
    /// The rows, those of one group together, groups in the order in which they first came.
    pub(super) fn by_group(self) -> Vec<Attribute> {
        let mut groups: Vec<String> = Vec::new();
        for row in &self.0 {
            if !groups.contains(&row.group) {
                groups.push(row.group.clone());
            }
        }
        let mut rows = self.0;
        rows.sort_by_key(|row| groups.iter().position(|group| *group == row.group));
        rows
    }
}

/// Whether a word is one of those of a label; the label's first word names its row.
fn is_one(label: &str, word: &str) -> bool {
    label.split('|').any(|each| each == word)
}

fn first(label: &str) -> &str {
    label.split('|').next().unwrap_or(label)
}

/// The vehicles of the labelled photos, as reading plates tells them.
pub(super) fn vehicles(
    finder: &mut Finder,
    labels: &[super::Label],
    truth: &Path,
    counts: &mut Counts,
) -> Result<(), VisionError> {
    for row in table(truth, 4)? {
        let [set, file, kind, colour] = row.as_slice() else { continue };
        let ends = |label: &&super::Label| label.set == *set && label.file.ends_with(file);
        let Some(label) = labels.iter().find(ends) else { continue };
        let Some(rect) = label.rect else { continue };
        let picture = Picture::open(&label.file)?;
        let plates = finder.find(&picture)?;
        let plate = plates.into_iter().find(|plate| plate.rect.inside(&rect) > 0.5);
        let vehicle = plate.as_ref().and_then(|plate| plate.vehicle);
        let told = vehicle.map_or("", |vehicle| vehicle.kind.as_str());
        counts.add("kind of vehicle", first(kind), is_one(kind, told));
        if colour != "-" {
            let found = plate.and_then(|plate| plate.colour).map(|colour| format!("{colour:?}"));
            counts.add("colour of vehicle", first(colour), is_one(colour, found.as_deref().unwrap_or("")));
        }
    }
    Ok(())
}

/// One person of the labels.
struct Labelled {
    time: Duration,
    rect: Rect,
    upper: String,
    lower: String,
    with: String,
}

/// The people of the labelled clips, a look at one frame each, in several lights.
pub(super) fn people(
    objects: &mut Objects,
    clips: &[std::path::PathBuf],
    truth: &Path,
    counts: &mut Counts,
) -> Result<(), VisionError> {
    let rows = table(truth, 6)?;
    for clip in clips {
        let name = clip.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let labels: Vec<Labelled> = rows
            .iter()
            .filter(|row| row.first().is_some_and(|first| first == name))
            .filter_map(|row| labelled(row))
            .collect();
        let mut times: Vec<Duration> = labels.iter().map(|label| label.time).collect();
        times.sort_unstable();
        times.dedup();
        for (time, frame) in frames(clip, &times)? {
            for (light, leaves) in LIGHTS {
                let lit = in_light(&frame, leaves);
                let things = look(objects, &lit)?;
                for label in labels.iter().filter(|label| label.time == time) {
                    person(label, &lit, &things, light, counts);
                }
            }
        }
    }
    Ok(())
}

fn labelled(row: &[String]) -> Option<Labelled> {
    let [_, time, rect, upper, lower, with] = row else { return None };
    let sides: Vec<f32> = rect.split(',').filter_map(|side| side.parse().ok()).collect();
    let &[x, y, w, h] = sides.as_slice() else { return None };
    let time = Duration::try_from_secs_f64(time.parse().ok()?).ok()?;
    let (upper, lower, with) = (upper.clone(), lower.clone(), with.clone());
    Some(Labelled { time, rect: Rect::new(x, y, w, h), upper, lower, with })
}

/// The frames of a clip at some times: each the first at or after it.
fn frames(clip: &Path, times: &[Duration]) -> Result<Vec<(Duration, Picture)>, VisionError> {
    let limits = Limits { frames_a_second: 0, ..Limits::default() };
    let mut decoder = Decoder::open(Source::File(clip.to_owned()), &limits)?;
    let mut found = Vec::new();
    let mut wanted = times.iter().copied().peekable();
    while let Some(&time) = wanted.peek() {
        let Some(frame) = decoder.next_frame()? else { break };
        if frame.time + Duration::from_millis(5) >= time {
            found.push((time, frame.picture));
            wanted.next();
        }
    }
    Ok(found)
}

fn in_light(picture: &Picture, leaves: [f32; 3]) -> Picture {
    let rgb = picture.rgb().iter().zip(leaves.iter().cycle());
    let rgb = rgb.map(|(&byte, leaves)| (f32::from(byte) * leaves).round().min(255.0) as u8).collect();
    Picture::new(picture.width(), picture.height(), rgb).unwrap_or_else(|| picture.clone())
}

fn person(label: &Labelled, picture: &Picture, things: &[Thing], light: &str, counts: &mut Counts) {
    let wide = label.rect.corners().grown(OFF, OFF).bounds();
    let near = |thing: &&Thing| {
        let middle = thing.rect.centre();
        let inside = middle.x > wide.x
            && middle.x < wide.x + wide.w
            && middle.y > wide.y
            && middle.y < wide.y + wide.h;
        thing.kind == Kind::Person && thing.score >= LEAST && inside && thing.rect.overlap(&label.rect) > 0.2
    };
    let found = things
        .iter()
        .filter(near)
        .max_by(|a, b| a.rect.overlap(&label.rect).total_cmp(&b.rect.overlap(&label.rect)));
    let recorded = light == "as recorded";
    let height = HEIGHTS.iter().find(|(from, _)| label.rect.h >= *from).map_or("", |(_, name)| name);
    counts.add("person found, by light", light, found.is_some());
    if recorded {
        counts.add("person found, by height in the picture", height, found.is_some());
    }
    let Some(found) = found else { return };
    let seen = parts(found, picture, Light::of(picture));
    for (part, wanted, group) in [
        (Part::Upper, &label.upper, "colour worn above the waist"),
        (Part::Lower, &label.lower, "colour worn below the waist"),
    ] {
        if wanted == "-" {
            continue;
        }
        let main = seen.iter().find(|(of, _)| *of == part).and_then(|(_, shares)| shares.main());
        let right = main.is_some_and(|(colour, _)| is_one(wanted, &format!("{colour:?}")));
        counts.add("colour of clothes, by light", light, right);
        if recorded {
            counts.add(group, first(wanted), right);
            counts.add("colour of clothes, by height in the picture", height, right);
        }
    }
    if recorded && label.with != "-" {
        let with: Vec<Kind> = things
            .iter()
            .filter(|other| other.kind.is_carried() || other.kind == Kind::Bicycle)
            .filter(|other| has(&found.rect, other))
            .map(|other| other.kind)
            .collect();
        let right = match label.with.as_str() {
            "none" => with.is_empty(),
            wanted => with.iter().any(|kind| is_one(wanted, kind.as_str())),
        };
        counts.add("carried or ridden", &label.with, right);
    }
}

/// Paints that people would call by one name, in sRGB.
const PAINTS: [(Colour, [[u8; 3]; 3]); 11] = [
    (Colour::Black, [[12, 12, 14], [30, 30, 32], [45, 44, 46]]),
    (Colour::Grey, [[110, 110, 112], [140, 142, 140], [90, 92, 96]]),
    (Colour::White, [[235, 235, 232], [250, 250, 250], [220, 222, 224]]),
    (Colour::Red, [[200, 25, 30], [160, 20, 28], [225, 50, 45]]),
    (Colour::Orange, [[240, 120, 20], [225, 105, 30], [250, 140, 45]]),
    (Colour::Yellow, [[245, 215, 40], [230, 200, 30], [250, 230, 90]]),
    (Colour::Green, [[30, 130, 60], [60, 150, 70], [25, 90, 45]]),
    (Colour::Blue, [[30, 60, 180], [40, 90, 200], [25, 40, 110]]),
    (Colour::Purple, [[110, 40, 140], [130, 60, 160], [90, 40, 120]]),
    (Colour::Pink, [[240, 150, 180], [235, 120, 165], [250, 180, 200]]),
    (Colour::Brown, [[100, 60, 30], [120, 75, 45], [80, 50, 30]]),
];

/// Patches painted by us, so that the colour is known: folds of cloth make a fifth of it darker.
pub(super) fn painted(counts: &mut Counts) {
    for (colour, paints) in PAINTS {
        for paint in paints {
            for (light, leaves) in LIGHTS {
                let fold = |at: usize| if at.is_multiple_of(5) { 0.6 } else { 1.0 };
                let pixel = |at: usize| paint.map(|byte| (f32::from(byte) * fold(at)) as u8);
                let rgb: Vec<u8> = (0..60 * 60).flat_map(|at| pixel(at / 7)).collect();
                let Some(picture) = Picture::new(60, 60, rgb) else { continue };
                let lit = in_light(&picture, leaves);
                let main = colour::of(&lit, Light::DAY, &[Rect::new(4.0, 4.0, 52.0, 52.0)]);
                let right = main.is_some_and(|(told, _)| told == colour);
                counts.add("painted patch, by light", light, right);
                if light == "as recorded" {
                    counts.add("painted patch", &format!("{colour:?}"), right);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_take_what_people_would_say() {
        assert!(is_one("White|Grey", "Grey") && !is_one("White|Grey", "Gr") && !is_one("White", ""));
        assert_eq!(first("White|Grey"), "White");
    }

    #[test]
    fn rows_of_a_group_stand_together() {
        let mut counts = Counts::default();
        for (group, value) in [("kind", "car"), ("colour", "red"), ("kind", "bus"), ("kind", "car")] {
            counts.add(group, value, true);
        }
        let rows = counts.by_group();
        let told: Vec<_> = rows.iter().map(|row| (row.value.as_str(), row.cases)).collect();
        assert_eq!(told, [("car", 2), ("bus", 1), ("red", 1)]);
    }

    #[test]
    fn painted_patches_are_named_in_daylight() {
        let mut counts = Counts::default();
        painted(&mut counts);
        let day = counts.0.iter().filter(|row| row.group == "painted patch");
        let (cases, right) = day.fold((0, 0), |sum, row| (sum.0 + row.cases, sum.1 + row.right));
        assert_eq!(cases, 33);
        assert!(right >= 28, "{right} of {cases}: {:?}", counts.0);
    }

    #[test]
    fn rows_of_labels_are_read() {
        let row = |text: &str| text.split('\t').map(str::to_owned).collect::<Vec<_>>();
        let good = labelled(&row("a.mp4\t2.5\t1,2,3,4\tRed\t-\tnone")).unwrap();
        assert_eq!((good.time, good.rect), (Duration::from_millis(2500), Rect::new(1.0, 2.0, 3.0, 4.0)));
        assert!(labelled(&row("a.mp4\tx\t1,2,3,4\tRed\t-\tnone")).is_none());
        assert!(labelled(&row("a.mp4\t1\t1,2,3\tRed\t-\tnone")).is_none());
    }
}
