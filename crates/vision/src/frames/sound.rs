//! The sound of a recording, decoded by a confined process into plain samples.

use super::ffmpeg::confined;
use super::mkv::{CHANNELS, RATE};
use super::{Limits, Source};
use crate::VisionError;
use std::io::Read;
use std::path::Path;
use std::process::{Child, ChildStdout, Stdio};
use std::time::Duration;

/// Bytes of one sample of all channels.
const SAMPLE: u64 = CHANNELS as u64 * 2;

/// Samples that arrive from a decoding process, which ends with this value.
#[derive(Debug)]
pub(crate) struct Sound {
    child: Child,
    from: ChildStdout,
    /// Samples that were handed out.
    given: u64,
    /// What was read to see whether there is any.
    first: Vec<u8>,
}

impl Sound {
    /// The sound of a file; none where it has none.
    pub(crate) fn open(path: &Path, limits: &Limits) -> Result<Option<Self>, VisionError> {
        let mut command = confined(&Source::File(path.to_owned()), limits)?;
        let (rate, channels) = (RATE.to_string(), CHANNELS.to_string());
        // Gaps are filled, so that it stays with the picture.
        command.args(["-map", "0:a:0", "-vn", "-sn", "-dn", "-af", "aresample=async=1:first_pts=0"]);
        command.args(["-ar", &rate, "-ac", &channels, "-c:a", "pcm_s16le", "-f", "s16le", "pipe:1"]);
        let name = path.display().to_string();
        let failed =
            |error: std::io::Error| VisionError::frames(&name, format!("its sound can't be read ({error})"));
        let mut child = command.stderr(Stdio::null()).spawn().map_err(failed)?;
        let Some(from) = child.stdout.take() else {
            return Err(VisionError::frames(&name, "the decoding process has no output; try again"));
        };
        let mut sound = Self { child, from, given: 0, first: Vec::new() };
        sound.first = sound.read(SAMPLE).map_err(failed)?;
        Ok((!sound.first.is_empty()).then_some(sound))
    }

    fn read(&mut self, bytes: u64) -> std::io::Result<Vec<u8>> {
        let mut read = Vec::new();
        self.from.by_ref().take(bytes).read_to_end(&mut read)?;
        Ok(read)
    }

    /// What is heard until a moment and was not handed out yet, at most a second of it: its first sample's number, and the
    /// samples; none where all was handed out. A file may say that hours of silence lie between two frames.
    pub(crate) fn until(&mut self, time: Duration) -> std::io::Result<(u64, Vec<u8>)> {
        let wanted = (time.as_nanos() * u128::from(RATE) / 1_000_000_000) as u64;
        let first = self.given;
        let wanted = wanted.min(first.saturating_add(RATE.into()));
        let mut bytes = std::mem::take(&mut self.first);
        let missing = wanted.saturating_sub(first).saturating_mul(SAMPLE).saturating_sub(bytes.len() as u64);
        bytes.extend(self.read(missing)?);
        bytes.truncate(bytes.len() - bytes.len() % SAMPLE as usize);
        self.given += bytes.len() as u64 / SAMPLE;
        Ok((first, bytes))
    }
}

impl Drop for Sound {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
