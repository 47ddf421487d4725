//! The encoding process: ffmpeg below prlimit. It gets our own pictures and samples through a pipe, never a foreign file, and writes
//! the one file that it is told to.

use super::Limits;
use super::ffmpeg::alone;
use super::mkv;
use crate::{Picture, VisionError};
use std::io::{BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// The longest file that is written, in bytes.
const MOST_BYTES: u64 = 64 << 30;
/// What is kept of the process's own words.
const WORDS: u64 = 4096;

/// A file being written, frame by frame. Nothing of it stays unless it is finished.
#[derive(Debug)]
pub(crate) struct Encoder {
    child: Child,
    to: Option<BufWriter<ChildStdin>>,
    words: Option<JoinHandle<String>>,
    half: PathBuf,
    target: PathBuf,
    size: (u32, u32),
    done: bool,
}

impl Encoder {
    /// Starts an MP4 file of pictures of this size. `named` says in it that its colours are those of BT.709; else it says nothing
    /// of them.
    pub(crate) fn create(
        target: &Path,
        size: (u32, u32),
        sound: bool,
        named: bool,
        limits: &Limits,
    ) -> Result<Self, VisionError> {
        let mut name = target.file_name().unwrap_or_default().to_owned();
        name.push(".half");
        let half = target.with_file_name(name);
        let failed = |what: String| VisionError::frames(target.display().to_string(), what);
        let mut child = command(&half, sound, named, limits).spawn().map_err(|error| {
            failed(format!("ffmpeg can't be started below prlimit ({error}); install Debian's packages ffmpeg and util-linux"))
        })?;
        let words = child.stderr.take().map(|mut err| {
            thread::spawn(move || {
                let mut text = Vec::new();
                let _ = err.by_ref().take(WORDS).read_to_end(&mut text);
                let _ = std::io::copy(&mut err, &mut std::io::sink());
                String::from_utf8_lossy(&text).chars().filter(|c| !c.is_control()).take(300).collect()
            })
        });
        let to = child.stdin.take().map(|to| BufWriter::with_capacity(1 << 20, to));
        let mut encoder = Self { child, to, words, half, target: target.to_owned(), size, done: false };
        let begun = encoder.to.as_mut().map(|to| mkv::start(to, size.0, size.1, sound));
        encoder.told(begun)?;
        Ok(encoder)
    }

    /// Adds a frame that is shown from `time` for `length`.
    pub(crate) fn frame(
        &mut self,
        picture: &Picture,
        time: Duration,
        length: Duration,
    ) -> Result<(), VisionError> {
        if (picture.width(), picture.height()) != self.size {
            let (w, h) = self.size;
            return Err(
                self.fail(&format!("its frames change size from {w}×{h}; convert it to one size first"))
            );
        }
        let written = self.to.as_mut().map(|to| mkv::frame(to, picture, time, length));
        self.told(written)
    }

    /// Adds samples of sound.
    pub(crate) fn samples(&mut self, bytes: &[u8], first: u64) -> Result<(), VisionError> {
        if bytes.is_empty() {
            return Ok(());
        }
        let written = self.to.as_mut().map(|to| mkv::samples(to, bytes, first));
        self.told(written)
    }

    /// Waits until all is written, and puts the file in its place.
    pub(crate) fn finish(mut self) -> Result<(), VisionError> {
        let flushed = self.to.take().map(|mut to| to.flush());
        self.told(flushed)?;
        let status = self.child.wait().map_err(|error| VisionError::io(&self.target, error))?;
        if !status.success() {
            return Err(self.fail("it could not be written"));
        }
        std::fs::rename(&self.half, &self.target).map_err(|error| VisionError::io(&self.target, error))?;
        self.done = true;
        Ok(())
    }

    fn told(&mut self, written: Option<std::io::Result<()>>) -> Result<(), VisionError> {
        match written {
            Some(Ok(())) => Ok(()),
            _ => {
                Err(self
                    .fail("it could not be written; is there room on the disk, and may it be written there?"))
            }
        }
    }

    fn fail(&mut self, reason: &str) -> VisionError {
        drop(self.to.take());
        let _ = self.child.kill();
        let _ = self.child.wait();
        let words = self.words.take().and_then(|words| words.join().ok()).unwrap_or_default();
        let told = if words.is_empty() { reason.to_owned() } else { format!("{reason} (ffmpeg: {words})") };
        VisionError::frames(self.target.display().to_string(), told)
    }
}

impl Drop for Encoder {
    fn drop(&mut self) {
        drop(self.to.take());
        let _ = self.child.kill();
        let _ = self.child.wait();
        if !self.done {
            let _ = std::fs::remove_file(&self.half);
        }
    }
}

fn command(half: &Path, sound: bool, named: bool, limits: &Limits) -> Command {
    let mut command = Command::new("prlimit");
    let bytes = limits.memory_mib.saturating_mul(1 << 20);
    command.arg(format!("--as={bytes}")).args(["--core=0", "--nofile=64"]);
    command.args([format!("--fsize={MOST_BYTES}"), format!("--cpu={}", limits.cpu_seconds.max(1))]);
    command.args(["ffmpeg", "-hide_banner", "-loglevel", "error", "-nostats", "-threads", "2", "-y"]);
    command.args(["-protocol_whitelist", "pipe", "-format_whitelist", "matroska", "-f", "matroska"]);
    command.args(["-i", "pipe:0", "-map", "0:v:0"]);
    if sound {
        command.args(["-map", "0:a:0", "-c:a", "aac", "-b:a", "128k"]);
    }
    // Encoders take pictures of even sides only.
    let matrix = if named { "scale=out_color_matrix=bt709:out_range=tv," } else { "" };
    let even = "crop=max(2\\,trunc(iw/2)*2):max(2\\,trunc(ih/2)*2):0:0";
    command.arg("-vf").arg(format!("{even},{matrix}format=yuv420p"));
    if named {
        command.args(["-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709"]);
        command.args(["-color_range", "tv"]);
    }
    command.args(["-c:v", "libx264", "-preset", "veryfast", "-crf", "20", "-threads", "2"]);
    // Frames in the order in which they are shown: across a gap of hours, players lose the place of those that are not.
    command.args(["-bf", "0"]);
    command.args(["-fps_mode", "passthrough", "-enc_time_base:v", "1:10000"]);
    // Nothing but pictures and sound: no time, place, maker or program.
    command.args(["-map_metadata", "-1", "-map_chapters", "-1", "-fflags", "+bitexact"]);
    command.args(["-flags:v", "+bitexact", "-flags:a", "+bitexact", "-movflags", "+faststart", "-f", "mp4"]);
    let mut file = std::ffi::OsString::from("file:");
    file.push(half);
    command.arg(file);
    alone(&mut command);
    command.stdin(Stdio::piped()).stdout(Stdio::null());
    command
}
