//! Searches with known answers: found where it is, and nowhere else.

use super::report::{Search, table};
use crate::{Eyes, IndexOptions, VisionError, index_file};
use canvass_footage::{Moment, Rules, Sighting, Words, search};
use std::path::{Path, PathBuf};

/// Moments that fit less well are not shown: the default of `canvass footage search`.
const LEAST: f32 = 0.6;

/// Each search of a list in its clip, in English and in Spanish.
pub(super) fn run(eyes: &mut Eyes, clips: &[PathBuf], list: &Path) -> Result<Vec<Search>, VisionError> {
    let data = |error: canvass_footage::DataError| VisionError::List(error.to_string());
    let (words, rules) = (Words::built_in().map_err(data)?, Rules::built_in().map_err(data)?);
    let rows = table(list, 4)?;
    let mut all = Vec::new();
    for clip in clips {
        let name = clip.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let here: Vec<_> = rows.iter().filter(|row| row.first().is_some_and(|first| first == name)).collect();
        if here.is_empty() {
            continue;
        }
        let sightings = index_file(eyes, clip, &IndexOptions::default(), &mut |_| {})?;
        for row in here {
            let [_, english, spanish, times] = row.as_slice() else { continue };
            for (text, language) in [(english, "en"), (spanish, "es")] {
                let refused = rules.check(text).is_err();
                let found = if refused { Vec::new() } else { moments(&words, text, &sightings) };
                all.push(held(name, text, language, &windows(times), &found));
            }
        }
    }
    Ok(all)
}

fn moments(words: &Words, text: &str, sightings: &[Sighting]) -> Vec<Moment> {
    search(&words.query(text), sightings, LEAST)
}

/// Times from and to, in seconds.
fn windows(text: &str) -> Vec<(f64, f64)> {
    let pair = |part: &str| {
        let (from, to) = part.split_once('-')?;
        Some((from.parse().ok()?, to.parse().ok()?))
    };
    text.split_whitespace().filter_map(pair).collect()
}

/// Found is each time at which some moment is; a moment at no such time is a false alarm.
fn held(clip: &str, text: &str, language: &str, times: &[(f64, f64)], moments: &[Moment]) -> Search {
    let meets = |moment: &Moment, &(from, to): &(f64, f64)| moment.start <= to && moment.end >= from;
    let found = times.iter().filter(|time| moments.iter().any(|moment| meets(moment, time))).count();
    let false_alarms = moments.iter().filter(|moment| !times.iter().any(|time| meets(moment, time))).count();
    Search {
        query: text.to_owned(),
        language: language.to_owned(),
        clip: clip.to_owned(),
        passed: found == times.len() && false_alarms == 0,
        found,
        expected: times.len(),
        false_alarms,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(start: f64, end: f64) -> Moment {
        let rect = [0, 0, 1, 1];
        let (matched, missed, untold) = (Vec::new(), Vec::new(), Vec::new());
        Moment { start, end, best: start, rect, score: 0.9, matched, missed, untold }
    }

    #[test]
    fn a_search_passes_when_all_is_found_and_nothing_else() {
        let times = windows("3-9 22-29");
        assert_eq!(times, [(3.0, 9.0), (22.0, 29.0)]);
        assert!(windows("-").is_empty());
        let of = |moments: &[Moment]| held("c", "t", "en", &times, moments);
        assert!(of(&[moment(4.0, 6.0), moment(20.0, 23.0)]).passed);
        let half = of(&[moment(4.0, 6.0), moment(12.0, 13.0)]);
        assert_eq!((half.passed, half.found, half.expected, half.false_alarms), (false, 1, 2, 1));
        let none = held("c", "t", "en", &[], &[]);
        assert!(none.passed && none.expected == 0);
        assert!(!held("c", "t", "en", &[], &[moment(0.0, 1.0)]).passed);
    }
}
