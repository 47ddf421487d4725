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
    /// Starts reading `address`; at most `waiting` frames are kept. Times count from the start of each connection, on top
    /// of the time at which the one before it ended, so they never run backwards.
    pub fn start(address: &str, limits: Limits, retry: Retry, waiting: usize) -> Result<Self, VisionError> {
        if !(address.starts_with("rtsp://") || address.starts_with("rtsps://")) {
            let name = Source::Camera(address.to_owned()).name();
            return Err(VisionError::frames(name, "a camera's address begins with rtsp:// or rtsps://"));
        }
        let (queue, stop) = (Queue::new(waiting), Queue::new(1));
        let state = Arc::new(Mutex::new(State::default()));
        let source = Source::Camera(address.to_owned());
        let (to, told, stopped) = (queue.clone(), state.clone(), stop.clone());
        let thread = thread::spawn(move || follow(&source, &limits, retry, &to, &told, &stopped));
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

fn follow(
    source: &Source,
    limits: &Limits,
    retry: Retry,
    to: &Queue<Frame>,
    state: &Mutex<State>,
    stop: &Queue<()>,
) {
    let note =
        |change: &dyn Fn(&mut State)| change(&mut state.lock().unwrap_or_else(PoisonError::into_inner));
    let (mut number, mut base) = (0, Duration::ZERO);
    while !stop.is_closed() {
        let mut end = base;
        let mut first = true;
        let failure = match Decoder::open(source.clone(), limits) {
            Err(error) => error.to_string(),
            Ok(mut decoder) => loop {
                match decoder.next_frame() {
                    Ok(Some(mut frame)) => {
                        (frame.number, frame.time) = (number, base + frame.time);
                        (number, end) = (number + 1, frame.time + Duration::from_millis(1));
                        note(&|state| {
                            state.connections += u64::from(first);
                            state.failures = 0;
                            state.frames += 1;
                            state.times_corrected += u64::from(frame.time_corrected);
                        });
                        first = false;
                        if !to.push(frame) {
                            return;
                        }
                    }
                    Ok(None) => break "the camera ended the connection".to_owned(),
                    Err(error) => break error.to_string(),
                }
            },
        };
        base = end;
        let mut failures = 0;
        note(&|state| {
            state.failures = state.failures.saturating_add(1);
            state.last_error = Some(failure.clone());
        });
        if let Ok(state) = state.lock() {
            failures = state.failures;
        }
        stop.pop(retry.after(failures));
    }
}
