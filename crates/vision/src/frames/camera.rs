//! A camera that is read for as long as anyone wants: reconnects, waits longer after each failure, keeps only the newest frames.

use super::{Decoder, Frame, Limits, Queue, Source};
use crate::VisionError;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// How long to wait before connecting again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry {
    /// After the first failure; doubled with each that follows.
    pub first: Duration,
    /// Never longer than this.
    pub most: Duration,
}

impl Default for Retry {
    fn default() -> Self {
        Self { first: Duration::from_secs(1), most: Duration::from_secs(60) }
    }
}

impl Retry {
    /// The wait after so many failures in a row.
    pub fn after(&self, failures: u32) -> Duration {
        let times = 1u32 << failures.saturating_sub(1).min(16);
        self.first.saturating_mul(times).min(self.most)
    }
}

/// Tells the time, as time since a moment of the caller's choosing.
pub type Clock = Box<dyn Fn() -> Duration + Send>;

/// A frame whose time is this far from the clock, in microseconds, has its connection's times set anew.
const APART: u64 = 2_000_000;

/// How a camera is doing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct State {
    /// Connections that were made and gave at least one frame.
    pub connections: u64,
    /// Failures since the last frame.
    pub failures: u32,
    /// Frames that came.
    pub frames: u64,
    /// Frames that were forgotten because nobody took them in time.
    pub dropped: u64,
    /// Frames whose time, as the camera told it, did not move on.
    pub times_corrected: u64,
    /// The last failure in words.
    pub last_error: Option<String>,
}

/// A camera being read by a thread of its own, which ends with this value.
#[derive(Debug)]
pub struct Camera {
    queue: Queue<Frame>,
    state: Arc<Mutex<State>>,
    stop: Queue<()>,
    thread: Option<JoinHandle<()>>,
}

impl Camera {
    /// Starts reading `address`; at most `waiting` frames are kept. The time of a frame is `clock`'s at which it came, as far
    /// as the camera's own count goes with it; it never runs backwards.
    pub fn start(
        address: &str,
        limits: Limits,
        retry: Retry,
        waiting: usize,
        clock: Clock,
    ) -> Result<Self, VisionError> {
        if !(address.starts_with("rtsp://") || address.starts_with("rtsps://")) {
            let name = Source::Camera(address.to_owned()).name();
            return Err(VisionError::frames(name, "a camera's address begins with rtsp:// or rtsps://"));
        }
        let (queue, stop) = (Queue::new(waiting), Queue::new(1));
        let state = Arc::new(Mutex::new(State::default()));
        let source = Source::Camera(address.to_owned());
        let line = Line {
            source,
            limits,
            retry,
            to: queue.clone(),
            state: state.clone(),
            stop: stop.clone(),
            clock,
        };
        let thread = thread::spawn(move || line.follow());
        Ok(Self { queue, state, stop, thread: Some(thread) })
    }

    /// The oldest frame that is kept, waiting up to `patience` for one.
    pub fn next_frame(&self, patience: Duration) -> Option<Frame> {
        self.queue.pop(patience)
    }

    /// How it is doing.
    pub fn state(&self) -> State {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner).clone();
        state.dropped = self.queue.dropped();
        state
    }
}

impl Drop for Camera {
    fn drop(&mut self) {
        self.stop.close();
        self.queue.close();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// What the thread has.
struct Line {
    source: Source,
    limits: Limits,
    retry: Retry,
    to: Queue<Frame>,
    state: Arc<Mutex<State>>,
    stop: Queue<()>,
    clock: Clock,
}

/// Where frames stand in time: numbers and times over all connections.
#[derive(Default)]
struct Place {
    number: u64,
    /// What is added to a connection's own times, in microseconds; none before its first frame.
    base: Option<i64>,
    /// The earliest that the next frame may be.
    next: Duration,
}

impl Place {
    fn set(&mut self, frame: &mut Frame, now: Duration) {
        let micros = |time: Duration| i64::try_from(time.as_micros()).unwrap_or(i64::MAX);
        let (own, now) = (micros(frame.time), micros(now));
        let kept = self.base.filter(|base| base.saturating_add(own).abs_diff(now) <= APART);
        let base = kept.unwrap_or_else(|| now.saturating_sub(own));
        self.base = Some(base);
        let time = u64::try_from(base.saturating_add(own)).unwrap_or(0);
        (frame.number, frame.time) = (self.number, Duration::from_micros(time).max(self.next));
        (self.number, self.next) = (self.number + 1, frame.time + Duration::from_millis(1));
    }
}

impl Line {
    fn note(&self, change: impl Fn(&mut State)) -> u32 {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut state);
        state.failures
    }

    fn follow(&self) {
        let mut place = Place::default();
        while !self.stop.is_closed() {
            place.base = None;
            let Some(failure) = self.connect(&mut place) else { return };
            let failures = self.note(|state| {
                state.failures = state.failures.saturating_add(1);
                state.last_error = Some(failure.clone());
            });
            self.stop.pop(self.retry.after(failures));
        }
    }

    /// One connection until it ends, and why; none when nobody takes frames any more.
    fn connect(&self, place: &mut Place) -> Option<String> {
        let mut decoder = match Decoder::open(self.source.clone(), &self.limits) {
            Ok(decoder) => decoder,
            Err(error) => return Some(error.to_string()),
        };
        loop {
            match decoder.next_frame() {
                Ok(Some(mut frame)) => {
                    let first = place.base.is_none();
                    place.set(&mut frame, (self.clock)());
                    self.note(|state| {
                        state.connections += u64::from(first);
                        state.failures = 0;
                        state.frames += 1;
                        state.times_corrected += u64::from(frame.time_corrected);
                    });
                    if !self.to.push(frame) {
                        return None;
                    }
                }
                Ok(None) => return Some("the camera ended the connection".to_owned()),
                Err(error) => return Some(error.to_string()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Picture;

    fn times(came: &[(u64, u64)]) -> Vec<u64> {
        let mut place = Place::default();
        let picture = Picture::new(1, 1, vec![0; 3]).unwrap();
        let ms = Duration::from_millis;
        came.iter()
            .map(|(told, now)| {
                let mut frame =
                    Frame { number: 0, time: ms(*told), time_corrected: false, picture: picture.clone() };
                place.set(&mut frame, ms(*now));
                frame.time.as_millis() as u64
            })
            .collect()
    }

    #[test]
    fn frames_have_the_clocks_time_at_the_cameras_pace() {
        // The network held the second and third frame up; a camera whose count jumps is set anew, never backwards.
        assert_eq!(times(&[(0, 5_000), (100, 5_900), (200, 5_950)]), [5_000, 5_100, 5_200]);
        assert_eq!(times(&[(90_000, 5_000), (90_100, 5_100)]), [5_000, 5_100]);
        assert_eq!(times(&[(0, 5_000), (60_000, 5_100), (60_100, 5_200)]), [5_000, 5_100, 5_200]);
        assert_eq!(times(&[(0, 9_000), (100, 1_000), (200, 1_100)]), [9_000, 9_001, 9_002]);
    }
}
