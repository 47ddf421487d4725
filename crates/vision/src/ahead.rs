//! Frames of a recording, searched side by side and told in order: a network uses two cores better for two frames than for one.

use crate::change::{Look, Planner};
use crate::frames::{Decoder, Frame};
use crate::{Detector, Found, VisionError};
use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread;

/// A frame, what of it was to be searched, and what was found there; none where nothing changed.
pub(crate) struct Searched {
    pub(crate) frame: Frame,
    pub(crate) found: Option<(Look, Vec<Found>)>,
}

/// A frame that waits for a detector, counted from 0.
struct Waiting {
    place: u64,
    frame: Frame,
    look: Option<Look>,
}

/// What comes back of a frame.
type Done = (u64, Result<Searched, VisionError>);

/// Searches all frames of a recording, each by one of the detectors; `take` gets them in order until it says that it wants no more.
///
/// No more frames are held than twice the number of detectors and two. What fails ends it, after the frames before it.
pub(crate) fn search_ahead(
    detectors: &mut [Detector],
    least: f32,
    decoder: &mut Decoder,
    planner: &mut Planner,
    take: &mut dyn FnMut(Searched) -> Result<bool, VisionError>,
) -> Result<(), VisionError> {
    let most = detectors.len() * 2 + 2;
    // A token for each frame that may be on its way.
    let (give_back, tokens) = sync_channel(most);
    let (hand_out, waiting) = sync_channel(most);
    let (tell, done) = sync_channel(most);
    for _ in 0..most {
        let _ = give_back.try_send(());
    }
    let waiting = &Mutex::new(waiting);
    // It owns its ends of all channels: when it returns, early or not, every thread ends.
    thread::scope(move |scope| {
        for detector in detectors {
            let tell = tell.clone();
            scope.spawn(move || work(detector, least, waiting, &tell));
        }
        scope.spawn(move || plan(decoder, planner, &tokens, &hand_out, &tell));
        in_order(&done, &give_back, take)
    })
}

/// Decodes frames and hands them out, as long as others are taken.
fn plan(
    decoder: &mut Decoder,
    planner: &mut Planner,
    tokens: &Receiver<()>,
    hand_out: &SyncSender<Waiting>,
    tell: &SyncSender<Done>,
) {
    let mut place = 0;
    let mut next = || -> Result<Option<(Frame, Option<Look>)>, VisionError> {
        let Some(frame) = decoder.next_frame()? else { return Ok(None) };
        let look = planner.next(&frame.picture, frame.time)?;
        Ok(Some((frame, look)))
    };
    while tokens.recv().is_ok() {
        let sent = match next() {
            Ok(Some((frame, look))) => hand_out.send(Waiting { place, frame, look }).is_ok(),
            Ok(None) => return,
            Err(error) => {
                let _ = tell.send((place, Err(error)));
                return;
            }
        };
        if !sent {
            return;
        }
        place += 1;
    }
}

/// Searches what waits, until nothing more comes.
fn work(detector: &mut Detector, least: f32, waiting: &Mutex<Receiver<Waiting>>, tell: &SyncSender<Done>) {
    loop {
        let next = waiting.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(Waiting { place, frame, look }) = next else { return };
        let found = look.map(|look| {
            let found = detector.within(&frame.picture, look.width, look.parts.as_deref(), least)?;
            Ok((look, found))
        });
        let searched = found.transpose().map(|found| Searched { frame, found });
        if tell.send((place, searched)).is_err() {
            return;
        }
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
