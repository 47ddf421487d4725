//! The clips that a resident picks: how large, from when, and under which names they leave.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use canvass_seal::names::{check_names, sanitise};
use canvass_types::{GiveLimits, Time, TimeFrame};
use serde::Deserialize;

use crate::common::{Failure, count, span_in};

/// How long `ffprobe` may look at one clip.
const PROBE: Duration = Duration::from_secs(60);
/// Most output of `ffprobe` that is read, in bytes.
const MAX_PROBE: usize = 64 * 1024;

/// Where a clip's time is known from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Known {
    /// The recorder wrote it into the file.
    Recording,
    /// The file was last written then.
    FileTime,
    /// Not at all.
    Unknown,
}

/// A clip.
#[derive(Debug, Clone)]
pub struct Clip {
    /// Where it is.
    pub path: PathBuf,
    /// The name that the agency sees.
    pub name: String,
    /// Size in bytes.
    pub bytes: u64,
    /// From when until when it shows something.
    pub span: Option<(Time, Time)>,
    /// Where that is known from.
    pub known: Known,
}

impl Clip {
    /// Whether it shows nothing of the time that is asked for. A clip of unknown time may.
    pub fn outside(&self, frame: Option<&TimeFrame>) -> bool {
        match (self.span, frame) {
            (Some((start, end)), Some(frame)) => !frame.overlaps(start, end),
            (None, Some(_)) => true,
            (_, None) => false,
        }
    }

    /// Its time in words, on the clocks of a zone.
    pub fn when(&self, zone: &str) -> String {
        let span = |(start, end)| span_in(start, end, zone);
        match (self.span, self.known) {
            (Some(known), Known::Recording) => format!("{}, as the recorder wrote", span(known)),
            (Some(known), _) => format!("{}, judged by the file's own time", span(known)),
            (None, _) => "time not known".to_owned(),
        }
    }
}

/// The limits, in words for whoever is about to pick.
pub fn limits_text(limits: &GiveLimits) -> String {
    format!(
        "Limits: {} in one offer, {} each.",
        count(limits.clips, "clip", "clips"),
        size(limits.clip_bytes)
    )
}

/// A size for people.
pub fn size(bytes: u64) -> String {
    for (unit, name) in [(1_000_000_000_000, "TB"), (1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB")] {
        if bytes >= unit {
            let tenths = bytes.saturating_mul(10) / unit;
            return format!("{}.{} {name}", tenths / 10, tenths % 10);
        }
    }
    format!("{bytes} bytes")
}

/// Looks at the files, before anything else is done with them: their number and sizes are within the limits.
///
/// # Errors
/// Names the file that can't be given.
pub fn measure(paths: &[PathBuf], limits: &GiveLimits, keep_names: bool) -> Result<Vec<Clip>, Failure> {
    let most = usize::try_from(limits.clips).unwrap_or(usize::MAX);
    if paths.len() > most {
        return Err(Failure::usage(format!(
            "{} given and an offer takes at most {most}; make several offers",
            count(paths.len(), "clip is", "clips are")
        )));
    }
    let mut clips = Vec::with_capacity(paths.len());
    for (at, path) in paths.iter().enumerate() {
        let wrong = |what: &str| Failure::usage(format!("{}: {what}", path.display()));
        let meta = std::fs::metadata(path).map_err(|error| wrong(&format!("{error}; check the path")))?;
        if !meta.is_file() {
            return Err(wrong("it is no file; give the clips one by one"));
        }
        if meta.len() == 0 {
            return Err(wrong("it is empty; leave it out"));
        }
        if meta.len() > limits.clip_bytes {
            return Err(wrong(&format!(
                "{} is more than the limit of {}; cut it first",
                size(meta.len()),
                size(limits.clip_bytes)
            )));
        }
        File::open(path).map_err(|error| wrong(&format!("{error}; it can't be read")))?;
        clips.push(Clip {
            path: path.clone(),
            name: name(at.saturating_add(1), path, keep_names),
            bytes: meta.len(),
            span: None,
            known: Known::Unknown,
        });
    }
    check_names(clips.iter().map(|clip| clip.name.as_str()))?;
    Ok(clips)
}

// A camera's file name may hold its place and owner; `clip-01.mp4` says nothing.
fn name(number: usize, path: &Path, keep: bool) -> String {
    let original = path.file_name().unwrap_or_default().to_string_lossy();
    if keep {
        return sanitise(&original);
    }
    let extension = path.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    let plain = (1..=8).contains(&extension.len()) && extension.bytes().all(|b| b.is_ascii_alphanumeric());
    if plain { format!("clip-{number:02}.{extension}") } else { format!("clip-{number:02}") }
}

/// Finds out from when each clip is: what its recorder wrote into it, when `ffprobe` is installed; else when its file was
/// last written. Gives whether `ffprobe` was there.
pub async fn date(clips: &mut [Clip]) -> bool {
    let mut installed = true;
    for clip in clips.iter_mut() {
        let probed = if installed { probe(&clip.path).await } else { Probe::Unread };
        installed = !matches!(probed, Probe::Missing);
        let (created, seconds) = match probed {
            Probe::Read { created, seconds } => (created, seconds),
            Probe::Unread | Probe::Missing => (None, None),
        };
        let length = seconds.unwrap_or(0);
        if let Some(start) = created {
            (clip.span, clip.known) = (Some((start, start.plus_seconds(length))), Known::Recording);
        } else if let Some(end) = written(&clip.path) {
            (clip.span, clip.known) = (Some((end.plus_seconds(-length), end)), Known::FileTime);
        }
    }
    installed
}

fn written(path: &Path) -> Option<Time> {
    let at = std::fs::metadata(path).ok()?.modified().ok()?;
    let second = at.duration_since(std::time::UNIX_EPOCH).ok()?.as_secs();
    Some(Time::from_second(i64::try_from(second).ok()?))
}

enum Probe {
    Missing,
    Unread,
    Read { created: Option<Time>, seconds: Option<i64> },
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Shown {
    format: Format,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Format {
    duration: Option<String>,
    tags: Tags,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Tags {
    creation_time: Option<String>,
}

async fn probe(path: &Path) -> Probe {
    let Ok(path) = path.canonicalize() else { return Probe::Unread };
    let mut command = tokio::process::Command::new("ffprobe");
    // A clip that is a playlist must not make the program fetch what it names.
    command
        .args(["-v", "quiet", "-protocol_whitelist", "file", "-of", "json"])
        .args(["-show_entries", "format=duration:format_tags=creation_time", "-i"])
        .arg(path)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true);
    match tokio::time::timeout(PROBE, command.output()).await {
        Ok(Err(error)) if error.kind() == std::io::ErrorKind::NotFound => Probe::Missing,
        Ok(Ok(output)) if output.stdout.len() <= MAX_PROBE => shown(&output.stdout),
        _ => Probe::Unread,
    }
}

fn shown(bytes: &[u8]) -> Probe {
    let Ok(shown) = serde_json::from_slice::<Shown>(bytes) else { return Probe::Unread };
    // Recorders without a clock write the beginning of 1904 or 1970.
    let created = shown.format.tags.creation_time.and_then(|text| text.parse::<Time>().ok());
    let created = created.filter(|at| at.as_second() > 86_400 * 365);
    let whole = |text: String| text.split('.').next().and_then(|whole| whole.parse::<i64>().ok());
    let seconds =
        shown.format.duration.and_then(whole).filter(|seconds| (0..=366 * 86_400).contains(seconds));
    Probe::Read { created, seconds }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_nothing_unless_asked() {
        let path = Path::new("recordings/Front Door 12 Elm St.MP4");
        assert_eq!(name(3, path, false), "clip-03.mp4");
        assert_eq!(name(3, path, true), "Front Door 12 Elm St.MP4");
        assert_eq!(name(12, Path::new("x.über"), false), "clip-12");
        assert_eq!(name(1, Path::new("noextension"), false), "clip-01");
    }

    #[test]
    fn what_recorders_write_is_read_and_nonsense_is_not() {
        let text =
            br#"{"format":{"duration":"61.44","tags":{"creation_time":"2026-11-01T12:00:00.000000Z"}}}"#;
        let Probe::Read { created: Some(at), seconds: Some(61) } = shown(text) else { panic!() };
        assert_eq!(at.to_string(), "2026-11-01T12:00:00Z");
        for odd in [
            r#"{"format":{"duration":"N/A"}}"#,
            r#"{"format":{"tags":{"creation_time":"1904-01-01T00:00:00Z"}}}"#,
            "{}",
        ] {
            assert!(matches!(shown(odd.as_bytes()), Probe::Read { created: None, seconds: None }), "{odd}");
        }
        assert!(matches!(shown(b"not json"), Probe::Unread));
    }

    #[test]
    fn limits_come_first() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.mp4");
        std::fs::write(&path, b"12345").unwrap();
        let limits = GiveLimits { clips: 2, clip_bytes: 5, ..GiveLimits::default() };
        assert_eq!(measure(&[path.clone(), path.clone()], &limits, false).unwrap().len(), 2);
        let many = measure(&[path.clone(), path.clone(), path.clone()], &limits, false).unwrap_err();
        assert!(many.code() == 2 && many.to_string().contains("at most 2"));
        std::fs::write(&path, b"123456").unwrap();
        assert!(
            measure(std::slice::from_ref(&path), &limits, false).unwrap_err().to_string().contains("limit")
        );
        std::fs::write(&path, b"").unwrap();
        assert!(measure(&[path], &limits, false).unwrap_err().to_string().contains("empty"));
        assert!(measure(&[folder.path().to_owned()], &limits, false).is_err());
        assert_eq!(
            (size(60_000_000_000), size(1_540), size(7)),
            ("60.0 GB".into(), "1.5 kB".into(), "7 bytes".into())
        );
    }

    #[test]
    fn a_clip_of_another_time_or_of_none_is_outside() {
        let at = Time::from_second;
        let frame = TimeFrame { start: at(100), end: at(200), zone: "UTC".into() };
        let clip = |span| Clip {
            path: PathBuf::new(),
            name: String::new(),
            bytes: 1,
            span,
            known: Known::Recording,
        };
        assert!(!clip(Some((at(0), at(100)))).outside(Some(&frame)));
        assert!(clip(Some((at(0), at(99)))).outside(Some(&frame)));
        assert!(clip(None).outside(Some(&frame)));
        assert!(!clip(None).outside(None));
    }
}
