//! Plates through the frames of a video: which box is which plate, and what its frames agree on.

use crate::{Colour, Found, Picture, Plate, PlateText, Point, Rect, Region, VehicleType};
use std::collections::BTreeMap;
use std::time::Duration;

/// A plate that is not seen for this long has gone.
const GONE: Duration = Duration::from_millis(1200);
/// Readings after which a plate is read again only when it shows larger.
const ENOUGH: usize = 8;
/// How often the vehicle of a track is looked for.
const MOST_LOOKS: usize = 4;
/// The most plates followed at a time.
const MOST: usize = 128;
/// Two tracks of one text within this time are one.
const SAME_PLATE: Duration = Duration::from_secs(4);

/// One plate's way through a video.
#[derive(Debug, Clone)]
pub struct Track {
    /// Counted from 1 within the video.
    pub id: u64,
    /// When it was first seen.
    pub first: Duration,
    /// When it was last seen.
    pub last: Duration,
    /// When it was seen best.
    pub best: Duration,
    /// Where it was then.
    pub rect: Rect,
    /// Frames in which it was found.
    pub frames: usize,
    /// Frames in which it was read.
    pub readings: usize,
    /// What the frames agree on.
    pub text: PlateText,
    /// How likely that is right.
    pub confidence: f32,
    /// The place that issued it.
    pub region: Option<Region>,
    /// The kind of vehicle that it is on, as most looks have it.
    pub vehicle: Option<VehicleType>,
    /// The vehicle's colour, as most looks have it.
    pub colour: Option<Colour>,
    /// The plate with some of what is around it, from when it was seen best.
    pub crop: Option<Picture>,
}

#[derive(Debug, Clone)]
struct Live {
    id: u64,
    first: Duration,
    last: Duration,
    rect: Rect,
    speed: Point,
    frames: usize,
    readings: usize,
    score: f32,
    votes: BTreeMap<PlateText, Vote>,
    vehicles: BTreeMap<VehicleType, f32>,
    colours: BTreeMap<Colour, f32>,
    looks: usize,
    looked_at: f32,
    best: Option<Best>,
    /// It was told while it stayed.
    told: bool,
}

#[derive(Debug, Clone, Default)]
struct Vote {
    weight: f32,
    most: f32,
    times: usize,
    region: Option<Region>,
}

#[derive(Debug, Clone)]
struct Best {
    confidence: f32,
    size: f32,
    time: Duration,
    rect: Rect,
    crop: Option<Picture>,
}

/// Follows plates from frame to frame.
#[derive(Debug, Default)]
pub struct Tracker {
    live: Vec<Live>,
    ended: Vec<Track>,
    count: u64,
}

impl Tracker {
    /// A tracker that follows nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the boxes of one frame, and returns for each the number of its track and whether it is worth reading.
    pub fn assign(&mut self, time: Duration, boxes: &[Found]) -> Vec<(u64, bool)> {
        self.retire(time);
        let mut pairs: Vec<(f32, usize, usize)> = Vec::new();
        for (i, live) in self.live.iter().enumerate() {
            let expected = live.expected(time);
            for (j, found) in boxes.iter().enumerate() {
                if let Some(cost) = distance(&expected, &found.rect) {
                    pairs.push((cost, i, j));
                }
            }
        }
        pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut of_box: Vec<Option<usize>> = vec![None; boxes.len()];
        let mut taken = vec![false; self.live.len()];
        for (_, i, j) in pairs {
            if let (Some(slot @ None), Some(taken @ false)) = (of_box.get_mut(j), taken.get_mut(i)) {
                (*slot, *taken) = (Some(i), true);
            }
        }
        let mut result = Vec::with_capacity(boxes.len());
        for (found, track) in boxes.iter().zip(of_box) {
            let full = self.live.len() >= MOST;
            match track.and_then(|i| self.live.get_mut(i)) {
                Some(live) => {
                    live.follow(time, found);
                    result.push((live.id, live.wants(found)));
                }
                None if !full => {
                    self.count += 1;
                    self.live.push(Live::new(self.count, time, found));
                    result.push((self.count, true));
                }
                None => result.push((0, false)),
            }
        }
        result
    }

    /// Nothing moved: what is followed is still where it was.
    pub fn hold(&mut self, time: Duration) {
        self.retire(time);
        for live in &mut self.live {
            live.last = time;
            live.speed = Point::default();
        }
    }

    /// Whether the vehicle of a track is worth looking for in this frame; it is then counted as looked for.
    pub fn wants_vehicle(&mut self, id: u64, plate: &Plate) -> bool {
        let Some(live) = self.live.iter_mut().find(|live| live.id == id) else { return false };
        let nearer = plate.rect.w > live.looked_at * 1.2;
        let wanted = nearer && live.looks < MOST_LOOKS;
        if wanted {
            (live.looks, live.looked_at) = (live.looks + 1, plate.rect.w);
        }
        wanted
    }

    /// What one frame says about a track.
    pub fn vote(&mut self, id: u64, time: Duration, plate: &Plate, picture: &Picture) {
        let Some(live) = self.live.iter_mut().find(|live| live.id == id) else { return };
        live.readings += 1;
        if let Some(colour) = plate.colour {
            // What is around a plate tells less of a vehicle than the vehicle does.
            *live.colours.entry(colour).or_default() += if plate.vehicle.is_some() { 10.0 } else { 1.0 };
        }
        if let Some(vehicle) = &plate.vehicle
            && let Some(kind) = vehicle.kind.vehicle_type()
        {
            *live.vehicles.entry(kind).or_default() += vehicle.score;
        }
        let guess = &plate.guess;
        let all = std::iter::once((guess.text, guess.confidence)).chain(guess.others.iter().copied());
        for (text, confidence) in all.take(4) {
            if live.votes.len() < 64 || live.votes.contains_key(&text) {
                let vote = live.votes.entry(text).or_default();
                vote.weight += confidence;
                vote.most = vote.most.max(confidence);
                vote.times += 1;
                if text == guess.text {
                    vote.region = guess.region.or(vote.region);
                }
            }
        }
        let size = plate.rect.w;
        let better = live.best.as_ref().is_none_or(|best| {
            guess.confidence > best.confidence + 0.02
                || (guess.confidence > best.confidence - 0.02 && size > best.size)
        });
        if better {
            let b = plate.quad.bounds();
            let wide = Rect::new(b.x - b.w * 0.35, b.y - b.h * 0.6, b.w * 1.7, b.h * 2.2);
            live.best = Some(Best {
                confidence: guess.confidence,
                size,
                time,
                rect: plate.rect,
                crop: picture.part(&wide),
            });
        }
    }

    /// The tracks that have ended since this was last asked.
    pub fn finished(&mut self) -> Vec<Track> {
        std::mem::take(&mut self.ended)
    }

    /// Ends all tracks.
    pub fn finish(&mut self) -> Vec<Track> {
        let live = std::mem::take(&mut self.live);
        self.ended.extend(live.into_iter().filter_map(Live::into_track));
        self.finished()
    }

    /// Tracks that have been followed for so long and were not told yet; they are told by this, and not when they end.
    pub(crate) fn staying(&mut self, after: Option<Duration>) -> Vec<Track> {
        let Some(after) = after else { return Vec::new() };
        let long = |live: &&mut Live| !live.told && live.last.saturating_sub(live.first) >= after;
        let mut staying = Vec::new();
        for live in self.live.iter_mut().filter(long) {
            live.told = live.best.is_some();
            staying.extend(live.clone().track());
        }
        staying
    }

    /// Whether a track that is followed now, or one that begins now, may turn out to be this one.
    pub(crate) fn may_join(&self, track: &Track, now: Duration) -> bool {
        now.saturating_sub(track.last) <= SAME_PLATE
            || self.live.iter().any(|live| {
                !live.told
                    && live.first.saturating_sub(track.last) <= SAME_PLATE
                    && live.leading().is_some_and(|(text, _)| *text == track.text)
            })
    }

    /// Ends what was not seen for a while.
    pub(crate) fn retire(&mut self, time: Duration) {
        let (stay, gone) = std::mem::take(&mut self.live)
            .into_iter()
            .partition(|live: &Live| time.saturating_sub(live.last) <= GONE);
        self.live = stay;
        self.ended.extend(gone.into_iter().filter_map(Live::into_track));
    }
}

/// How far a box is from where it was expected, in its own widths; none when it can't be the same plate.
fn distance(expected: &Rect, found: &Rect) -> Option<f32> {
    let (a, b) = (expected.centre(), found.centre());
    let widest = expected.w.max(found.w).max(1.0);
    let ratio = widest / expected.w.min(found.w).max(1.0);
    let far = (a.x - b.x).hypot(a.y - b.y) / widest;
    (ratio < 2.2 && far < 1.1).then_some(far + (ratio - 1.0) * 0.3)
}

impl Live {
    fn new(id: u64, time: Duration, found: &Found) -> Self {
        Self {
            id,
            first: time,
            last: time,
            rect: found.rect,
            speed: Point::default(),
            frames: 1,
            readings: 0,
            score: found.score,
            votes: BTreeMap::new(),
            vehicles: BTreeMap::new(),
            colours: BTreeMap::new(),
            looks: 0,
            looked_at: 0.0,
            best: None,
            told: false,
        }
    }

    fn expected(&self, time: Duration) -> Rect {
        let seconds = time.saturating_sub(self.last).as_secs_f32();
        Rect { x: self.rect.x + self.speed.x * seconds, y: self.rect.y + self.speed.y * seconds, ..self.rect }
    }

    fn follow(&mut self, time: Duration, found: &Found) {
        let seconds = time.saturating_sub(self.last).as_secs_f32();
        if seconds > 0.0 {
            let (a, b) = (self.rect.centre(), found.rect.centre());
            self.speed = Point::new((b.x - a.x) / seconds, (b.y - a.y) / seconds);
        }
        (self.last, self.rect) = (time, found.rect);
        self.frames += 1;
        self.score = self.score.max(found.score);
    }

    fn wants(&self, found: &Found) -> bool {
        let sure = self.votes.values().any(|vote| vote.times >= 3 && vote.weight > 2.85);
        let most = if sure { 3 } else { ENOUGH };
        self.readings < most || self.best.as_ref().is_some_and(|best| found.rect.w > best.size * 1.25)
    }

    /// What most of its frames say.
    fn leading(&self) -> Option<(&PlateText, &Vote)> {
        self.votes.iter().max_by(|a, b| a.1.weight.total_cmp(&b.1.weight))
    }

    /// How it ends: none when it was told before, or never read.
    fn into_track(self) -> Option<Track> {
        if self.told { None } else { self.track() }
    }

    fn track(self) -> Option<Track> {
        let (text, vote) = self.leading()?;
        let (text, vote) = (*text, vote.clone());
        let best = self.best?;
        let all: f32 = self.votes.values().map(|vote| vote.weight).sum();
        // One glance at something that is hardly a plate counts for little.
        let seen = if self.frames < 2 && self.score < 0.5 { 0.5 } else { 1.0 };
        let confidence = vote.weight / all.max(f32::EPSILON) * vote.most * seen;
        Some(Track {
            id: self.id,
            first: self.first,
            last: self.last,
            best: best.time,
            rect: best.rect,
            frames: self.frames,
            readings: self.readings,
            text,
            confidence,
            region: vote.region,
            vehicle: most(&self.vehicles),
            colour: most(&self.colours),
            crop: best.crop,
        })
    }
}

fn most<T: Copy + Ord>(weights: &BTreeMap<T, f32>) -> Option<T> {
    weights.iter().max_by(|a, b| a.1.total_cmp(b.1)).map(|(item, _)| *item)
}

/// Joins tracks of one plate that lost it for a moment: `next` is taken up by one of `kept`, or handed back.
pub(crate) fn join(kept: &mut [Track], next: Track) -> Option<Track> {
    let same = |track: &&mut Track| {
        track.text == next.text
            && next.first.saturating_sub(track.last) <= SAME_PLATE
            && track.first.saturating_sub(next.last) <= SAME_PLATE
    };
    let Some(track) = kept.iter_mut().rev().find(same) else { return Some(next) };
    (track.first, track.last) = (track.first.min(next.first), track.last.max(next.last));
    track.frames += next.frames;
    track.readings += next.readings;
    if next.confidence > track.confidence {
        (track.confidence, track.best, track.rect, track.crop) =
            (next.confidence, next.best, next.rect, next.crop);
        track.region = next.region.or(track.region);
        track.vehicle = next.vehicle.or(track.vehicle);
        track.colour = next.colour.or(track.colour);
    }
    None
}
