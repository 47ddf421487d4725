//! Frames of a recording, searched side by side and told in order: a network uses two cores better for two frames than for one.

use crate::change::{Look, Planner};
use crate::frames::{Decoder, Frame};
use crate::{Detector, Found, VisionError};
use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

/// A frame, what of it was to be searched, and what was found there; none where nothing changed.
pub(crate) struct Searched {
    pub(crate) frame: Frame,
    pub(crate) found: Option<(Look, Vec<Found>)>,
}

/// What comes back of a frame, by its place, counted from 0.
type Done = (u64, Result<Searched, VisionError>);

/// A frame that waits for a detector.
struct Job {
    place: u64,
    frame: Frame,
    look: Option<Look>,
    least: f32,
    tell: SyncSender<Done>,
}

/// Detectors, each in a thread of its own, which end with this value.
///
/// They outlive a recording: their networks are opened once.
pub(crate) struct Pool {
    /// Goes first, on which the threads end.
    jobs: SyncSender<Job>,
    threads: Threads,
}

/// Threads that are waited for when this goes.
struct Threads(Vec<JoinHandle<()>>);

impl Pool {
    pub(crate) fn new(detectors: Vec<Detector>) -> Self {
        let (jobs, waiting) = sync_channel(most(detectors.len()));
        let waiting = Arc::new(Mutex::new(waiting));
        let start = |detector| {
            let waiting = Arc::clone(&waiting);
            thread::spawn(move || work(detector, &waiting))
        };
        Self { jobs, threads: Threads(detectors.into_iter().map(start).collect()) }
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        for thread in self.0.drain(..) {
            let _ = thread.join();
        }
    }
}

/// Frames that may be on their way with so many detectors.
fn most(detectors: usize) -> usize {
    detectors * 2 + 2
}

/// Searches all frames of a recording, each by one of the detectors; `take` gets them in order until it says that it wants no more.
///
/// No more frames are held than twice the number of detectors and two. What fails ends it, after the frames before it.
pub(crate) fn search_ahead(
    pool: &Pool,
    least: f32,
    decoder: &mut Decoder,
    planner: &mut Planner,
    take: &mut dyn FnMut(Searched) -> Result<bool, VisionError>,
) -> Result<(), VisionError> {
    let (jobs, most) = (&pool.jobs, most(pool.threads.0.len()));
    // A token for each frame that may be on its way.
    let (give_back, tokens) = sync_channel(most);
    let (tell, done) = sync_channel(most);
    for _ in 0..most {
        let _ = give_back.try_send(());
    }
    // It owns its ends of the channels: when it returns, early or not, decoding ends.
    thread::scope(move |scope| {
        scope.spawn(move || plan(decoder, planner, &tokens, least, jobs, &tell));
        in_order(&done, &give_back, take)
    })
}

/// Decodes frames and hands them out, as long as others are taken.
fn plan(
    decoder: &mut Decoder,
    planner: &mut Planner,
    tokens: &Receiver<()>,
    least: f32,
    jobs: &SyncSender<Job>,
    tell: &SyncSender<Done>,
) {
    let mut next = || -> Result<Option<(Frame, Option<Look>)>, VisionError> {
        let Some(frame) = decoder.next_frame()? else { return Ok(None) };
        let look = planner.next(&frame.picture, frame.time)?;
        Ok(Some((frame, look)))
    };
    for place in 0.. {
        if tokens.recv().is_err() {
            return;
        }
        let sent = match next() {
            Ok(Some((frame, look))) => {
                jobs.send(Job { place, frame, look, least, tell: tell.clone() }).is_ok()
            }
            Ok(None) => false,
            Err(error) => {
                let _ = tell.send((place, Err(error)));
                false
            }
        };
        if !sent {
            return;
        }
    }
}

/// Searches what waits, until nothing more can come.
fn work(mut detector: Detector, waiting: &Mutex<Receiver<Job>>) {
    loop {
        let next = waiting.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(Job { place, frame, look, least, tell }) = next else { return };
        let found = look.map(|look| look.search(&mut detector, &frame.picture, least)).transpose();
        // Who wants no more of this recording may want another one.
        let _ = tell.send((place, found.map(|found| Searched { frame, found })));
    }
}

/// Hands out what is done in the order of the frames.
fn in_order(
    done: &Receiver<Done>,
    give_back: &SyncSender<()>,
    take: &mut dyn FnMut(Searched) -> Result<bool, VisionError>,
) -> Result<(), VisionError> {
    let (mut next, mut early) = (0, BTreeMap::new());
    while let Ok((place, searched)) = done.recv() {
        early.insert(place, searched);
        while let Some(searched) = early.remove(&next) {
            next += 1;
            if !take(searched?)? {
                return Ok(());
            }
            let _ = give_back.try_send(());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Picture;
    use std::time::Duration;

    fn searched(number: u64) -> Searched {
        let picture = Picture::new(1, 1, vec![0; 3]).unwrap();
        let frame = Frame { number, time: Duration::from_secs(number), time_corrected: false, picture };
        Searched { frame, found: None }
    }

    /// What is told of these, sent in this order, until `wanted` are there; and how it ends.
    fn told(sent: Vec<Done>, wanted: usize) -> (Vec<u64>, Result<(), VisionError>, usize) {
        let (tell, done) = sync_channel(16);
        let (give_back, tokens) = sync_channel(16);
        sent.into_iter().for_each(|one| tell.send(one).unwrap());
        drop(tell);
        let mut order = Vec::new();
        let end = in_order(&done, &give_back, &mut |one| {
            order.push(one.frame.number);
            Ok(order.len() < wanted)
        });
        drop(give_back);
        (order, end, tokens.iter().count())
    }

    #[test]
    fn frames_are_told_in_order_whoever_is_done_first() {
        let sent = [2, 0, 3, 1, 4].map(|n| (n, Ok(searched(n)))).into();
        let (order, end, tokens) = told(sent, 9);
        assert_eq!((order, end.is_ok(), tokens), (vec![0, 1, 2, 3, 4], true, 5));
    }

    #[test]
    fn what_fails_is_told_after_the_frames_before_it() {
        let failure = || Err(VisionError::frames("a.mp4", "it is damaged"));
        let (order, end, _) = told(vec![(2, failure()), (1, Ok(searched(1))), (0, Ok(searched(0)))], 9);
        assert_eq!(order, [0, 1]);
        assert!(end.unwrap_err().to_string().contains("a.mp4"));
    }

    #[test]
    fn who_wants_no_more_gets_no_more() {
        let (order, end, tokens) = told((0..6).map(|n| (n, Ok(searched(n)))).collect(), 3);
        assert_eq!((order, end.is_ok(), tokens), (vec![0, 1, 2], true, 2));
    }
}
