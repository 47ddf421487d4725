//! What each stage costs, how many frames a second are searched, and whether memory stays flat.

use super::{Label, Stage};
use crate::read::read_video;
use crate::{Finder, Picture, PlateText, Quad, ReadOptions, Rect, VisionError};
use std::path::Path;
use std::time::Duration;

/// What each stage of a picture of 1280 × 720 pixels costs.
pub(super) fn stages(
    finder: &mut Finder,
    labels: &[Label],
    now: &dyn Fn() -> Duration,
) -> Result<Vec<Stage>, VisionError> {
    let Some(label) = labels.iter().find(|label| label.rect.is_some()) else { return Ok(Vec::new()) };
    let picture = Picture::open(&label.file)?.scaled(1280, 720)?;
    let mut stages = Vec::new();
    let mut measure =
        |name: &str, what: &mut dyn FnMut() -> Result<(), VisionError>| -> Result<(), VisionError> {
            what()?;
            let mut times = Vec::new();
            for _ in 0..9 {
                let start = now();
                what()?;
                times.push((now() - start).as_secs_f64() * 1000.0);
            }
            times.sort_by(f64::total_cmp);
            let median_ms = times.get(times.len() / 2).copied().unwrap_or(0.0);
            stages.push(Stage { name: name.to_owned(), times: times.len(), median_ms });
            Ok(())
        };
    let jpeg = picture.jpeg(90)?;
    measure("decode JPEG 1280×720", &mut || Picture::decode(&jpeg, "bench").map(drop))?;
    measure("scale to 640", &mut || picture.scaled(640, 360).map(drop))?;
    for width in [640, 960, 1280] {
        measure(&format!("detect at {width}"), &mut || finder.boxes(&picture, width).map(drop))?;
    }
    let mut out = Vec::new();
    let quad: Quad = Rect::new(500.0, 300.0, 120.0, 40.0).corners();
    measure("straighten one cut-out", &mut || {
        out.clear();
        picture.straighten(&quad, 192, 64, &mut out);
        Ok(())
    })?;
    let rect = quad.bounds();
    measure("read one plate, four looks", &mut || finder.reader().read_part(&picture, &rect).map(drop))?;
    measure("a whole picture", &mut || finder.find(&picture).map(drop))?;
    Ok(stages)
}

/// What looking at a video took.
#[derive(Debug, Clone, PartialEq)]
pub struct Speed {
    /// Frames, every one of them.
    pub frames: u32,
    /// From container to readings.
    pub time: Duration,
    /// The plates that were read.
    pub plates: Vec<PlateText>,
}

/// Looks at every frame of a video; what did not change is searched again only when `whole`.
pub fn speed(
    finder: &mut Finder,
    path: &Path,
    whole: bool,
    now: &dyn Fn() -> Duration,
) -> Result<Speed, VisionError> {
    let start = now();
    let mut frames = 0;
    let plates = every_frame(finder, path, whole, &mut || {
        frames += 1;
        true
    })?;
    Ok(Speed { frames, time: (now() - start).max(Duration::from_nanos(1)), plates })
}

/// Looks at each frame until the video ends or `go_on` says no: the plates that were read.
fn every_frame(
    finder: &mut Finder,
    path: &Path,
    whole: bool,
    go_on: &mut dyn FnMut() -> bool,
) -> Result<Vec<PlateText>, VisionError> {
    let mut options = ReadOptions { only_changes: !whole, ..ReadOptions::default() };
    options.limits.frames_a_second = 0;
    let mut plates = Vec::new();
    read_video(finder, path, &options, &mut |settled, until| {
        plates.extend(settled.iter().map(|reading| reading.plate));
        until.is_none() || go_on()
    })?;
    Ok(plates)
}

/// What a long run took.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Soak {
    /// Frames.
    pub frames: u64,
    /// The mean of the memory in each quarter of the run, in MiB.
    pub quarters: [f64; 4],
}

impl Soak {
    /// How much more the last quarter took than the second, as a share: what a leak would show.
    pub fn growth(&self) -> f64 {
        let [_, second, _, last] = self.quarters;
        if second > 0.0 { last / second - 1.0 } else { 0.0 }
    }
}

/// Searches a video again and again for some time; `memory` tells how many MiB the process has now.
pub fn soak(
    finder: &mut Finder,
    path: &Path,
    time: Duration,
    now: &dyn Fn() -> Duration,
    memory: &dyn Fn() -> f64,
) -> Result<Soak, VisionError> {
    let start = now();
    let mut sums = [(0.0, 0u32); 4];
    let mut frames = 0;
    while now() - start < time {
        let before = frames;
        every_frame(finder, path, false, &mut || {
            frames += 1;
            let share = (now() - start).as_secs_f64() / time.as_secs_f64().max(1e-9);
            if let Some((sum, count)) = sums.get_mut((share * 4.0) as usize) {
                (*sum, *count) = (*sum + memory(), *count + 1);
            }
            share < 1.0
        })?;
        if frames == before {
            return Err(VisionError::frames(
                path.display().to_string(),
                "it has no frames; give another video",
            ));
        }
    }
    Ok(Soak { frames, quarters: sums.map(|(sum, count)| sum / f64::from(count.max(1))) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growth_is_from_the_second_quarter_to_the_last() {
        let soak = Soak { frames: 9, quarters: [90.0, 100.0, 105.0, 110.0] };
        assert!((soak.growth() - 0.1).abs() < 1e-9);
        assert!(Soak::default().growth().abs() < 1e-9);
    }
}
