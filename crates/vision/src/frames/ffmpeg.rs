//! The decoding process: Debian's ffmpeg below prlimit, with no network for files and few kinds of container.

use super::light::{HANDED, Light};
use super::{Frame, Warnings, ppm};
use crate::{Picture, VisionError};
use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Containers that may be opened. None of them names other files (playlists and concatenations do).
const CONTAINERS: &str = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,flv,live_flv,asf,ogg,gif,h264,hevc,mjpeg,mpjpeg,ivf,\
                          obu,m4v,dv,mxf,nut,wtv,rm,y4m,yuv4mpegpipe,apng,webp_pipe,jpeg_pipe,png_pipe,mp3,wav,aac,flac";
/// How long the time of a frame may come after the frame itself.
const TIME_PATIENCE: Duration = Duration::from_secs(10);
/// How long what a frame says of its colours may come after it.
const LIGHT_PATIENCE: Duration = Duration::from_secs(1);
/// Lines of the process's own words that are kept for an error.
const WORDS: usize = 12;

/// Where frames come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A video file of any container.
    File(PathBuf),
    /// A camera: an `rtsp://` or `rtsps://` address.
    Camera(String),
}

impl Source {
    /// The name for errors; a camera's without user and password.
    pub fn name(&self) -> String {
        match self {
            Source::File(path) => path.display().to_string(),
            Source::Camera(address) => match (address.split_once("://"), address.rsplit_once('@')) {
                (Some((scheme, _)), Some((_, host))) => format!("{scheme}://{host}"),
                _ => address.clone(),
            },
        }
    }
}

/// What the decoding process may take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Mebibytes of memory.
    pub memory_mib: u64,
    /// Seconds of processor time; for files only, a camera runs on.
    pub cpu_seconds: u64,
    /// Wider frames are scaled down to this.
    pub most_width: u32,
    /// At most this many frames of a second, the others are passed over; 0 takes all.
    pub frames_a_second: u32,
    /// How long to wait for the next frame.
    pub patience: Duration,
    /// What could not be done as well as it should be is told here.
    pub warnings: Warnings,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory_mib: 3072,
            cpu_seconds: 4 * 3600,
            most_width: 2560,
            frames_a_second: 10,
            patience: Duration::from_secs(30),
            warnings: Warnings::default(),
        }
    }
}

/// Frames that arrive from a decoding process, which ends with this value.
#[derive(Debug)]
pub struct Decoder {
    source: Source,
    limits: Limits,
    process: Process,
    range: Range,
    number: u64,
    last: Option<Duration>,
    over: bool,
}

/// What is known of a source's range of brightness.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Range {
    /// No frame came yet.
    Unknown,
    /// It is the usual one, or is taken as if it were.
    Usual,
    /// It is high, and brought to the usual one.
    Mapped(Light),
}

#[derive(Debug)]
struct Process {
    child: Child,
    frames: Receiver<Result<(Picture, Option<Duration>), String>>,
    light: Receiver<Option<Light>>,
    words: Arc<Mutex<VecDeque<String>>>,
    listener: Option<JoinHandle<()>>,
}

impl Process {
    fn start(source: &Source, limits: &Limits, light: Option<Light>) -> Result<Self, VisionError> {
        let name = source.name();
        let mut child = command(source, limits, light)?.spawn().map_err(|error| {
            VisionError::frames(&name, format!("ffmpeg can't be started below prlimit ({error}); install Debian's packages ffmpeg and util-linux"))
        })?;
        let (Some(out), Some(err)) = (child.stdout.take(), child.stderr.take()) else {
            return Err(VisionError::frames(name, "the decoding process has no output; try again"));
        };
        let words = Arc::new(Mutex::new(VecDeque::new()));
        let (tell_time, times) = channel();
        let (tell_light, light) = sync_channel(1);
        let (tell_frame, frames) = sync_channel(2);
        let kept = words.clone();
        let listener = thread::spawn(move || listen(err, &tell_time, &tell_light, &kept));
        thread::spawn(move || receive(BufReader::with_capacity(1 << 20, out), &times, &tell_frame));
        Ok(Self { child, frames, light, words, listener: Some(listener) })
    }

    /// Ends it, if it runs, and waits until its last words are heard.
    fn end(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if let Some(listener) = self.listener.take() {
            let _ = listener.join();
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}

impl Decoder {
    /// Starts decoding.
    pub fn open(source: Source, limits: &Limits) -> Result<Self, VisionError> {
        let name = source.name();
        if let Source::File(path) = &source {
            let facts = std::fs::metadata(path).map_err(|error| VisionError::io(path, error))?;
            if !facts.is_file() {
                return Err(VisionError::frames(name, "it is no file; give the path of a video"));
            }
            if facts.len() == 0 {
                return Err(VisionError::frames(
                    name,
                    "the file is empty; copy it again from where it was recorded",
                ));
            }
        }
        let process = Process::start(&source, limits, None)?;
        let limits = limits.clone();
        Ok(Self { source, limits, process, range: Range::Unknown, number: 0, last: None, over: false })
    }

    /// Whether the source is of a high dynamic range that is brought to BT.709; known once a frame came.
    pub(crate) fn is_mapped(&self) -> bool {
        matches!(self.range, Range::Mapped(_))
    }

    /// The next frame; none at the end.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, VisionError> {
        if self.over {
            return Ok(None);
        }
        loop {
            return match self.process.frames.recv_timeout(self.limits.patience) {
                Ok(Ok((picture, told))) => {
                    if self.range == Range::Unknown && self.begins_anew()? {
                        continue;
                    }
                    Ok(Some(self.frame(picture, told)))
                }
                failure if self.number == 0 && self.is_mapped() => {
                    self.as_it_is(&failure)?;
                    continue;
                }
                Ok(Err(reason)) => Err(self.fail(&reason)),
                Err(RecvTimeoutError::Timeout) => {
                    let waited = self.limits.patience.as_secs();
                    Err(self.fail(&format!("no frame came for {waited} s; is the camera or the disk there?")))
                }
                Err(RecvTimeoutError::Disconnected) => self.end(),
            };
        }
    }

    /// The first frame says what range the source is of. Where that is a high one, decoding begins anew with other filters; the
    /// frame is not used.
    fn begins_anew(&mut self) -> Result<bool, VisionError> {
        let light = self.process.light.recv_timeout(LIGHT_PATIENCE).ok().flatten();
        let Some(light) = light else {
            self.range = Range::Usual;
            return Ok(false);
        };
        self.process.end();
        self.process = Process::start(&self.source, &self.limits, Some(light))?;
        self.range = Range::Mapped(light);
        Ok(true)
    }

    /// The filters that a high range needs don't work here: decoding begins anew without them.
    fn as_it_is(
        &mut self,
        failure: &Result<Result<(Picture, Option<Duration>), String>, RecvTimeoutError>,
    ) -> Result<(), VisionError> {
        let Range::Mapped(light) = self.range else { return Ok(()) };
        self.process.end();
        let words = self.process.words.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let missing = words.iter().any(|line| line.contains("No such filter"));
        let why = if missing {
            "this ffmpeg has no filters zscale and tonemap; install Debian's package ffmpeg"
        } else if matches!(failure, Err(RecvTimeoutError::Timeout)) {
            "bringing it to the usual range took too long; convert it to SDR first"
        } else {
            "ffmpeg could not bring it to the usual range; convert it to SDR first"
        };
        self.limits.warnings.tell(format!(
            "{}: it is HDR ({}) and looks pale and dark here, so that less is seen in it: {why}",
            self.source.name(),
            light.name(),
        ));
        self.process = Process::start(&self.source, &self.limits, None)?;
        self.range = Range::Usual;
        Ok(())
    }

    fn frame(&mut self, picture: Picture, told: Option<Duration>) -> Frame {
        let next = self.last.map(|last| last + Duration::from_millis(1));
        let (time, time_corrected) = match (told, next) {
            (Some(told), Some(next)) if told < next => (next, true),
            (Some(told), _) => (told, false),
            (None, next) => (next.unwrap_or_default(), true),
        };
        self.last = Some(time);
        let number = self.number;
        self.number += 1;
        Frame { number, time, time_corrected, picture }
    }

    fn end(&mut self) -> Result<Option<Frame>, VisionError> {
        self.over = true;
        let status = self
            .process
            .child
            .wait()
            .map_err(|error| VisionError::frames(self.source.name(), error.to_string()))?;
        if self.number > 0
            && (status.success() || matches!(self.source, Source::File(_)) && status.code().is_some())
        {
            return Ok(None);
        }
        let why = if status.code().is_none() || status.code() == Some(137) {
            "decoding it took more time or memory than is allowed; record or convert it anew, smaller"
        } else if matches!(self.source, Source::Camera(_)) {
            "the camera sends no pictures"
        } else {
            "it is no video that can be read"
        };
        Err(self.fail(why))
    }

    fn fail(&mut self, reason: &str) -> VisionError {
        self.over = true;
        self.process.end();
        let words = self.process.words.lock().unwrap_or_else(PoisonError::into_inner);
        let all = words.iter().map(String::as_str).collect::<Vec<_>>().join("; ");
        let hint = if all.contains("does not contain any stream") || all.contains("matches no streams") {
            "it has no pictures, only sound or other data; give a recording with video"
        } else if all.contains("Invalid data found") || all.contains("moov atom not found") {
            "its content is damaged or no video; copy it again from where it was recorded"
        } else {
            return VisionError::frames(self.source.name(), told(reason, words.back()));
        };
        VisionError::frames(self.source.name(), hint)
    }
}

fn told(reason: &str, last: Option<&String>) -> String {
    last.map_or_else(|| reason.to_owned(), |last| format!("{reason} (ffmpeg: {last})"))
}

/// ffmpeg below prlimit, up to and with its input: it writes no file.
pub(super) fn confined(source: &Source, limits: &Limits) -> Result<Command, VisionError> {
    let mut command = Command::new("prlimit");
    let bytes = limits.memory_mib.saturating_mul(1 << 20);
    command.arg(format!("--as={bytes}")).args(["--core=0", "--nofile=64", "--fsize=0"]);
    if matches!(source, Source::File(_)) {
        command.arg(format!("--cpu={}", limits.cpu_seconds.max(1)));
    }
    command.args(["ffmpeg", "-hide_banner", "-nostdin", "-loglevel", "info", "-nostats", "-threads", "2"]);
    command.args(["-max_pixels", "67108864", "-probesize", "8M", "-analyzeduration", "8M"]);
    match source {
        Source::File(path) => {
            let mut file = std::ffi::OsString::from("file:");
            file.push(path);
            command.args(["-protocol_whitelist", "file", "-format_whitelist", CONTAINERS, "-i"]).arg(file);
        }
        Source::Camera(address) => {
            if !(address.starts_with("rtsp://") || address.starts_with("rtsps://")) {
                return Err(VisionError::frames(
                    source.name(),
                    "a camera's address begins with rtsp:// or rtsps://",
                ));
            }
            let wait = limits.patience.as_micros().to_string();
            command.args([
                "-protocol_whitelist",
                "rtsp,rtsps,rtp,rtcp,srtp,tcp,udp,tls,crypto",
                "-format_whitelist",
                "rtsp,rtp,mpegts",
            ]);
            command.args(["-rtsp_transport", "tcp", "-timeout", &wait, "-i", address]);
        }
    }
    alone(&mut command);
    Ok(command)
}

/// No variable of ours reaches the process but what it needs to start.
pub(super) fn alone(command: &mut Command) {
    command.env_clear().envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
}

fn command(source: &Source, limits: &Limits, light: Option<Light>) -> Result<Command, VisionError> {
    let mut command = confined(source, limits)?;
    let mut filter = String::new();
    if limits.frames_a_second > 0 {
        // Half a millisecond of grace, so that 10 of 30 are every third and not every fourth.
        let gap = 1.0 / f64::from(limits.frames_a_second) - 0.0005;
        filter.push_str(&format!(
            "select='isnan(prev_selected_t)+gte(t-prev_selected_t,{gap:.4})+lt(t,prev_selected_t)',"
        ));
    }
    let most = limits.most_width;
    // Colours are told of the frames as they were recorded, before they are converted.
    filter.push_str(&format!("showinfo=checksum=0,scale='min({most},iw)':-2:flags=fast_bilinear"));
    match light {
        Some(light) => filter.push_str(&format!("{HANDED},{}", light.filters())),
        None => filter.push_str(",format=rgb24"),
    }
    command.args([
        "-map",
        "0:v:0",
        "-an",
        "-sn",
        "-dn",
        "-vf",
        &filter,
        "-fps_mode",
        "passthrough",
        "-c:v",
        "ppm",
        "-f",
        "image2pipe",
        "pipe:1",
    ]);
    Ok(command)
}

/// What ffmpeg's own filter says begins so. What a file says of itself stands behind blanks, wherever it is told.
const FILTER: &str = "[Parsed_showinfo";

/// Times of frames, the light of the first, and the last words for an error.
fn listen(
    from: ChildStderr,
    times: &Sender<Option<Duration>>,
    light: &SyncSender<Option<Light>>,
    words: &Mutex<VecDeque<String>>,
) {
    let mut from = BufReader::new(from);
    let mut line = Vec::new();
    let mut begins = true;
    loop {
        line.clear();
        // A line without end is cut, not gathered.
        match from.by_ref().take(4096).read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        // What follows a cut is the file's own, whatever it looks like.
        let whole = std::mem::replace(&mut begins, line.last() == Some(&b'\n'));
        let text = String::from_utf8_lossy(&line);
        if whole && text.starts_with(FILTER) {
            if let Some(time) = time_of(&text) {
                let _ = times.send(time);
            }
            if let Some(told) = Light::told(&text) {
                let _ = light.try_send(told);
            }
        } else if whole && !text.trim().is_empty() {
            let mut words = words.lock().unwrap_or_else(PoisonError::into_inner);
            if words.len() >= WORDS {
                words.pop_front();
            }
            words.push_back(text.trim().chars().filter(|c| !c.is_control()).take(300).collect());
        }
    }
}

/// The time in a line about one frame; the inner option is none where the source gives none.
fn time_of(line: &str) -> Option<Option<Duration>> {
    if !line.contains(" n:") {
        return None;
    }
    let (_, rest) = line.split_once("pts_time:")?;
    let seconds = rest.split_whitespace().next()?.parse::<f64>().ok();
    Some(seconds.map(|seconds| Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or_default()))
}

fn receive(
    mut from: impl BufRead,
    times: &Receiver<Option<Duration>>,
    to: &SyncSender<Result<(Picture, Option<Duration>), String>>,
) {
    loop {
        let item = match ppm::next(&mut from) {
            Ok(Some(picture)) => Ok((picture, times.recv_timeout(TIME_PATIENCE).ok().flatten())),
            Ok(None) => return,
            Err(reason) => Err(reason),
        };
        let last = item.is_err();
        if to.send(item).is_err() || last {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cameras_password_is_not_told() {
        let source = Source::Camera("rtsp://user:secret@camera.example/1".into());
        assert_eq!(source.name(), "rtsp://camera.example/1");
    }

    #[test]
    fn the_time_of_a_frame_is_found() {
        let line = "[Parsed_showinfo_2 @ 0x55] n:   4 pts:  12800 pts_time:1.25    duration: 1";
        assert_eq!(time_of(line), Some(Some(Duration::from_millis(1250))));
        assert_eq!(time_of("[Parsed_showinfo_2 @ 0x55] n:   4 pts: NOPTS pts_time:NOPTS pos:"), Some(None));
        assert_eq!(time_of("[Parsed_showinfo_2 @ 0x55] config in time_base: 1/12800"), None);
    }
}
