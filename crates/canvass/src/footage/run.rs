//! `canvass camera run`: reads the plates that pass a camera, and sends them to the server with the camera's token; with
//! `--sightings` people and vehicles too.
//!
//! One thread follows the camera and forgets the oldest frame when it is not looked at in time; one looks at frames; the
//! sender takes what was read. No plate is printed anywhere: what was read is the server's, and searching it leaves a mark.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use canvass_core::{
    footage::{MOST_CUT, NewEmbedding, NewSighting},
    plates::{NewRead, SourceId},
};
use canvass_plates::MOST_PICTURE;
use canvass_types::{Clock as _, Entropy as _, Time};
use canvass_vision::{
    Eyes, Finder, Picture, ReadOptions, Reading, Seen, Settings, Video, VisionError, Watch,
    frames::{Camera, Decoder, Frame, Limits, Queue, Retry, Source, State, Warnings},
};
use clap::Args;
use data_encoding::BASE64;
use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::{
    Engine,
    clock::{self, CameraClock},
    index,
    read::share,
};
use crate::common::{Console, Context, Failure, Http, HttpError, SystemClock, count, stop_signal};

/// Reads that wait for a server that does not answer; the oldest are forgotten.
const MOST_WAITING: usize = 10_000;
/// Reads that are sent together.
const MOST_BATCH: usize = 500;
/// Bytes of pictures that are sent together, about.
const MOST_BYTES: usize = 4 << 20;
/// Reads that wait from which on new ones are kept without their pictures.
const MOST_PICTURED: usize = 1_000;
/// The longer side of a picture that is sent, in pixels.
const MOST_SIDE: u32 = 640;
/// Its quality as a JPEG.
const QUALITY: u8 = 80;
/// How long the sender waits for more.
const PAUSE: Duration = Duration::from_millis(500);
/// Tries for what is left when the command ends.
const LAST_TRIES: u32 = 4;
/// A plate that stays in view is told after this long.
const STAYS: Duration = Duration::from_secs(20);
/// Sightings that wait for a server that does not answer; the oldest are forgotten.
const MOST_SIGHTINGS: usize = 5_000;
/// Sightings that are sent together, as many as the server takes.
const MOST_SENT: usize = 500;
/// The longer side of a cut of a person or vehicle, in pixels.
const CUT_SIDE: u32 = 256;
/// How often a frame is looked at for people and vehicles.
const LOOK_EVERY: Duration = Duration::from_millis(333);
/// Who or what stays in view is told after this long.
const IN_VIEW: Duration = Duration::from_secs(600);
/// How often a line says how it goes.
const LINE_EVERY: Duration = Duration::from_secs(60);

/// Which camera, and how.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// The camera's address, rtsp:// or rtsps://, or a video file
    #[arg(env = "CANVASS_CAMERA", hide_env_values = true, value_name = "SOURCE")]
    source: String,
    /// When a file's recording began; its reads have the times that follow
    #[arg(long, value_name = "MOMENT")]
    start: Option<Time>,
    /// Frames of a second that are looked at; 0 for all
    #[arg(long, default_value_t = 10, value_name = "N")]
    fps: u32,
    /// Send no readings below this confidence (0 to 1)
    #[arg(long, default_value_t = 0.5, value_name = "P", value_parser = share)]
    least: f32,
    /// Send people and vehicles too, by kind, colours and what is carried, so that they can be searched by description
    #[arg(long)]
    sightings: bool,
    /// Read no plates: for a camera that is registered for footage alone
    #[arg(long, requires = "sightings")]
    no_plates: bool,
    /// Send reads and sightings alone, without the cuts by which a person compares them
    #[arg(long)]
    no_pictures: bool,
    /// Frames that may wait to be looked at; the oldest is forgotten when there are more
    #[arg(long, default_value_t = 8, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    waiting: u16,
    /// Do not ask the camera for its clock, which takes a second connection for some seconds every ten minutes
    #[arg(long)]
    no_clock: bool,
    /// Stop after so many seconds; without it, when asked to (Ctrl-C) or at a file's end
    #[arg(long, value_name = "N")]
    seconds: Option<u64>,
    #[command(flatten)]
    engine: Engine,
}

/// What is read from.
#[derive(Debug, Clone)]
enum Input {
    Camera(String),
    File(PathBuf, Time),
}

impl RunArgs {
    fn input(&self) -> Result<Input, Failure> {
        match (self.source.contains("://"), self.start) {
            (true, Some(_)) => Err(Failure::usage("--start: a camera has the present time; leave it out")),
            (true, None) => Ok(Input::Camera(self.source.clone())),
            (false, Some(start)) => Ok(Input::File(PathBuf::from(&self.source), start)),
            (false, None) => Err(Failure::usage(
                "--start: a file does not say when it was recorded; give the moment of its first frame, such as 2026-11-24T10:00:00Z",
            )),
        }
    }

    fn options(&self, stays: Option<Duration>) -> ReadOptions {
        ReadOptions {
            limits: Limits { frames_a_second: self.fps, ..Limits::default() },
            least_confidence: self.least,
            tell_after: stays,
            ..ReadOptions::default()
        }
    }
}

/// How it went so far.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
struct Tally {
    /// Frames that came.
    frames: u64,
    /// Frames that nobody looked at in time.
    frames_forgotten: u64,
    connections: u64,
    /// How far the camera's clock was from this machine's when it was last asked; none where it did not tell.
    camera_clock: Option<CameraClock>,
    reads: u64,
    stored: u64,
    duplicates: u64,
    /// Reads that the law keeps not even for a moment.
    dropped: u64,
    refused: u64,
    sightings: u64,
    sightings_stored: u64,
    sightings_refused: u64,
}

/// What the parts share.
#[derive(Clone)]
struct Link {
    outbox: Queue<NewRead>,
    seen: Queue<NewSighting>,
    tally: Arc<Mutex<Tally>>,
    stopped: Arc<AtomicBool>,
}

impl Link {
    fn new() -> Self {
        Self {
            outbox: Queue::new(MOST_WAITING),
            seen: Queue::new(MOST_SIGHTINGS),
            tally: Arc::default(),
            stopped: Arc::default(),
        }
    }

    fn note<T>(&self, change: impl FnOnce(&mut Tally) -> T) -> T {
        change(&mut self.tally.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    fn line(&self) -> String {
        let tally = self.note(|tally| tally.clone());
        format!(
            "{} ({} forgotten), {}, {} stored, {} forgotten before they were sent; {} seen, {} stored",
            count(usize::try_from(tally.frames).unwrap_or(usize::MAX), "frame", "frames"),
            tally.frames_forgotten,
            count(usize::try_from(tally.reads).unwrap_or(usize::MAX), "read", "reads"),
            tally.stored,
            self.outbox.dropped(),
            tally.sightings,
            tally.sightings_stored,
        )
    }
}

/// Runs until the file ends, somebody stops it, or the server refuses for good.
///
/// # Errors
/// What it failed with.
pub(super) async fn run(args: &RunArgs, context: &Context) -> Result<(), Failure> {
    let (input, console) = (args.input()?, context.console());
    let http = context.private_http()?;
    let models = args.engine.models()?;
    let driver = args.engine.driver(&models);
    let eyes = tokio::task::block_in_place(|| Sees::open(args, &models, &driver))?;
    let link = Link::new();
    let watching = watched(args, &input, &link, console);
    let looking = {
        let (link, options) =
            (link.clone(), args.options(matches!(input, Input::Camera(_)).then_some(STAYS)));
        let (waiting, run) = (usize::from(args.waiting), name_of_run(&input, context)?);
        let pictures = !args.no_pictures;
        tokio::task::spawn_blocking(move || {
            let look = Look { link: link.clone(), eyes, run, pictures, console };
            let done = match input {
                Input::Camera(address) => look.camera(&address, options, waiting),
                Input::File(path, start) => look.file(path, start, options),
            };
            link.outbox.close();
            link.seen.close();
            done
        })
    };
    let (asked, seconds) = (link.clone(), args.seconds);
    let stopping = tokio::spawn(async move {
        let late = async {
            match seconds {
                Some(seconds) => tokio::time::sleep(Duration::from_secs(seconds)).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = stop_signal() => {}
            () = late => {}
        }
        asked.stop();
    });
    let (reads, sightings) = (Outgoing::reads(&link), Outgoing::sightings(&link));
    let (sent, told) =
        tokio::join!(forward(&http, &link, &reads, console), forward(&http, &link, &sightings, console));
    link.stop();
    link.outbox.close();
    link.seen.close();
    stopping.abort();
    watching.inspect(tokio::task::JoinHandle::abort);
    let looked = looking.await.map_err(|error| Failure::new(format!("reading ended early: {error}")))?;
    console.line(link.line());
    console.result(&json!({
        "tally": link.note(|tally| tally.clone()),
        "reads_forgotten": link.outbox.dropped(),
        "sightings_forgotten": link.seen.dropped(),
    }))?;
    sent.and(told).and(looked)
}

/// Asks a camera for its clock as long as it is followed; a file has none.
fn watched(
    args: &RunArgs,
    input: &Input,
    link: &Link,
    console: Console,
) -> Option<tokio::task::JoinHandle<()>> {
    let Input::Camera(address) = input else { return None };
    let link = link.clone();
    let keep = move |clock| link.note(|tally| tally.camera_clock = Some(clock));
    (!args.no_clock).then(|| tokio::spawn(clock::watch(address.clone(), console, keep)))
}

/// Begins the ids of this run's reads. That of a file is the same again, so that sent twice it is stored once.
fn name_of_run(input: &Input, context: &Context) -> Result<String, Failure> {
    let mut bytes = [0; 8];
    match input {
        Input::Camera(_) => context.entropy().fill(&mut bytes),
        Input::File(path, start) => {
            let facts = std::fs::metadata(path)
                .map_err(|error| Failure::new(format!("{}: {error}; name a video file", path.display())))?;
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let hash = Sha256::digest(format!("{name}\0{}\0{start}", facts.len()));
            bytes.iter_mut().zip(hash).for_each(|(to, from)| *to = from);
        }
    }
    Ok(format!("{:016x}", u64::from_be_bytes(bytes)))
}

/// What sees: plates, people and vehicles, or both.
struct Sees {
    finder: Option<Finder>,
    things: Option<(Eyes, String)>,
}

impl Sees {
    fn open(
        args: &RunArgs,
        models: &canvass_vision::Models,
        driver: &canvass_vision::Driver,
    ) -> Result<Self, Failure> {
        let finder =
            (!args.no_plates).then(|| Finder::new(models, driver, Settings::default())).transpose()?;
        let things = args.sightings.then(|| index::eyes(models, driver)).transpose()?;
        Ok(Self { finder, things: things.map(|(eyes, made)| (eyes, index::version_of(&made))) })
    }
}

/// People and vehicles of one run.
struct Watching {
    watch: Watch,
    looked: Option<Duration>,
}

/// What looks at frames, in a thread of its own.
struct Look {
    link: Link,
    eyes: Sees,
    run: String,
    pictures: bool,
    console: Console,
}

fn since_1970() -> Duration {
    Duration::from_micros(u64::try_from(SystemClock.now().as_microsecond()).unwrap_or(0))
}

impl Look {
    /// Follows a camera, whose frames have the present time.
    fn camera(mut self, address: &str, options: ReadOptions, waiting: usize) -> Result<(), Failure> {
        let limits = options.limits.clone();
        let warnings = limits.warnings.clone();
        let camera = Camera::start(address, limits, Retry::default(), waiting, Box::new(since_1970))?;
        let mut video = Video::new(&Source::Camera(address.to_owned()).name(), options);
        let mut watching = Watching { watch: Watch::new(IN_VIEW), looked: None };
        let (mut last_line, mut told) = (since_1970(), State::default());
        while !self.link.is_stopped() {
            let (readings, seen) = match camera.next_frame(PAUSE) {
                Some(frame) => (self.plates(&mut video, &frame)?, self.things(&mut watching, &frame)?),
                // Nothing moves in a picture that does not come; what has left the view is told all the same.
                None => (video.until(since_1970()), self.gone(&mut watching)?),
            };
            self.put(readings, 0, false);
            self.put_seen(seen, 0, false);
            let state = camera.state();
            self.link.note(|tally| {
                (tally.frames, tally.frames_forgotten) = (state.frames, state.dropped);
                tally.connections = state.connections;
            });
            if state.failures > told.failures || state.connections > told.connections + 1 {
                let why = state.last_error.as_deref().unwrap_or("the connection ended");
                self.console.note(format!("{why}; connecting again"));
            }
            self.warn(&warnings);
            told = state;
            if since_1970().saturating_sub(last_line) >= LINE_EVERY {
                last_line = since_1970();
                self.console.note(self.link.line());
            }
        }
        self.put(video.end(), 0, false);
        let seen = self.last(watching)?;
        self.put_seen(seen, 0, false);
        Ok(())
    }

    /// Reads a file to its end; where the server is slow, the file waits.
    fn file(mut self, path: PathBuf, start: Time, options: ReadOptions) -> Result<(), Failure> {
        let mut decoder = Decoder::open(Source::File(path.clone()), &options.limits)?;
        let warnings = options.limits.warnings.clone();
        let mut video = Video::new(&path.display().to_string(), options);
        let mut watching = Watching { watch: Watch::new(IN_VIEW), looked: None };
        while !self.link.is_stopped() {
            let Some(frame) = decoder.next_frame()? else { break };
            self.warn(&warnings);
            let readings = self.plates(&mut video, &frame)?;
            let seen = self.things(&mut watching, &frame)?;
            self.link.note(|tally| tally.frames += 1);
            self.put(readings, start.as_second(), true);
            self.put_seen(seen, start.as_second(), true);
        }
        self.put(video.end(), start.as_second(), true);
        let seen = self.last(watching)?;
        self.put_seen(seen, start.as_second(), true);
        Ok(())
    }

    fn warn(&self, warnings: &Warnings) {
        for warning in warnings.take() {
            self.console.note(format!("warning: {warning}"));
        }
    }

    fn plates(&mut self, video: &mut Video, frame: &Frame) -> Result<Vec<Reading>, VisionError> {
        self.eyes.finder.as_mut().map_or_else(|| Ok(Vec::new()), |finder| video.see(finder, frame))
    }

    /// Who has left the view while no frame came.
    fn gone(&mut self, watching: &mut Watching) -> Result<Vec<Seen>, VisionError> {
        let Some((eyes, _)) = &mut self.eyes.things else { return Ok(Vec::new()) };
        watching.watch.until(eyes.towers.as_mut(), since_1970())
    }

    /// Who was in view at the end.
    fn last(&mut self, watching: Watching) -> Result<Vec<Seen>, VisionError> {
        let Some((eyes, _)) = &mut self.eyes.things else { return Ok(Vec::new()) };
        watching.watch.end(eyes.towers.as_mut())
    }

    /// People and vehicles are looked for some times a second: they move less than plates do.
    fn things(&mut self, watching: &mut Watching, frame: &Frame) -> Result<Vec<Seen>, VisionError> {
        let Some((eyes, _)) = &mut self.eyes.things else { return Ok(Vec::new()) };
        if watching.looked.is_some_and(|looked| frame.time.saturating_sub(looked) < LOOK_EVERY) {
            return Ok(Vec::new());
        }
        watching.looked = Some(frame.time);
        watching.watch.see(eyes, &frame.picture, frame.time)
    }

    fn put_seen(&self, seen: Vec<Seen>, start: i64, wait: bool) {
        let Some((_, version)) = &self.eyes.things else { return };
        for one in seen {
            let mut sighting = sighting_row(&one, &self.run, start, version);
            // Where the server is away for long, memory is for sightings.
            if self.pictures && self.link.seen.len() < MOST_PICTURED {
                sighting.picture = one.cut.as_ref().and_then(|cut| jpeg(cut, CUT_SIDE, MOST_CUT));
            }
            self.link.note(|tally| tally.sightings += 1);
            if wait {
                self.link.seen.push_waiting(sighting);
            } else {
                self.link.seen.push(sighting);
            }
        }
    }

    fn put(&self, readings: Vec<Reading>, start: i64, wait: bool) {
        for reading in readings {
            let mut read = row(&reading, &self.run, start);
            // Where the server is away for long, memory is for reads.
            if self.pictures && self.link.outbox.len() < MOST_PICTURED {
                read.picture = picture(&reading);
            }
            self.link.note(|tally| tally.reads += 1);
            if wait {
                self.link.outbox.push_waiting(read);
            } else {
                self.link.outbox.push(read);
            }
        }
    }
}

/// The cut of the plate and what is around it, as the server takes it; none when it can't be made small enough.
fn picture(reading: &Reading) -> Option<String> {
    jpeg(reading.crop.as_ref()?, MOST_SIDE, MOST_PICTURE)
}

/// A cut as a JPEG whose longer side is no longer than this; none when it has more bytes.
fn jpeg(cut: &Picture, most_side: u32, most_bytes: usize) -> Option<String> {
    let wide = cut.width().max(cut.height());
    let scaled = (wide > most_side).then(|| {
        let side = |of: u32| (u64::from(of) * u64::from(most_side) / u64::from(wide)).max(1) as u32;
        cut.scaled(side(cut.width()), side(cut.height()))
    });
    let bytes = match scaled {
        Some(scaled) => scaled.ok()?.jpeg(QUALITY).ok()?,
        None => cut.jpeg(QUALITY).ok()?,
    };
    (bytes.len() <= most_bytes).then(|| BASE64.encode(&bytes))
}

/// A sighting as the server takes it.
fn sighting_row(seen: &Seen, run: &str, start: i64, version: &str) -> NewSighting {
    let it = &seen.sighting;
    let moment = |seconds: f64| Time::from_second(start.saturating_add(seconds as i64)).to_string();
    let colours = it.colours.iter().map(|(part, shares)| {
        let shares = shares.iter().map(|(colour, share)| (colour.as_str().to_owned(), f64::from(*share)));
        (part.as_str().to_owned(), shares.collect())
    });
    let embedding = it.embedding.as_ref().filter(|_| it.kind.is_vehicle());
    NewSighting {
        id: SourceId::Text(format!("{run}-{:.0}-{}-{}", it.start * 1_000.0, it.rect[0], it.kind.as_str())),
        start: moment(it.start),
        end: moment(it.end),
        best: Some(moment(it.best)),
        kind: it.kind.as_str().to_owned(),
        score: f64::from(it.score.clamp(0.0, 1.0)),
        rect: it.rect,
        frames: it.frames,
        colours: colours.collect(),
        with: it.with.iter().map(|(kind, share)| (kind.as_str().to_owned(), f64::from(*share))).collect(),
        embedding: embedding.map(|embedding| NewEmbedding {
            model: embedding.model.clone(),
            version: embedding.version.clone(),
            values: embedding.values.clone(),
        }),
        model: crate::agency::footage::MODEL.to_owned(),
        version: version.to_owned(),
        picture: None,
    }
}

/// A reading as the server takes it.
fn row(reading: &Reading, run: &str, start: i64) -> NewRead {
    let seconds = reading.time.unwrap_or_default();
    let from = reading.from.unwrap_or(seconds) * 1000.0;
    // `EU` is no place of ISO 3166: the plate's make-up alone says no more.
    let region = reading.region.map(String::from).filter(|region| region != "EU");
    NewRead {
        id: SourceId::Text(format!("{run}-{from:.0}-{}", reading.rect.x)),
        time: Time::from_second(start.saturating_add(seconds as i64)).to_string(),
        plate: Some(reading.plate.into()),
        region,
        confidence: Some((reading.confidence * 100.0).round()),
        characters: Vec::new(),
        vehicle: reading.vehicle_type.map(|kind| kind.as_str().to_owned()),
        colour: reading.vehicle_colour.map(|colour| colour.as_str().to_owned()),
        brand: None,
        direction: None,
        picture: None,
        onvif_plate: None,
        onvif_vehicle: None,
    }
}

/// What is sent: to where, how much at once, and what is counted.
struct Outgoing<'a, T> {
    queue: &'a Queue<T>,
    /// The route, and the member of its body that holds the rows.
    route: &'static str,
    rows: &'static str,
    most: usize,
    bytes: fn(&T) -> usize,
    note: fn(&mut Tally, &Added),
}

impl<'a> Outgoing<'a, NewRead> {
    fn reads(link: &'a Link) -> Self {
        Self {
            queue: &link.outbox,
            route: "/api/v1/reads",
            rows: "reads",
            most: MOST_BATCH,
            bytes: |read| read.picture.as_ref().map_or(0, String::len),
            note: |tally, added| {
                tally.stored += added.stored;
                tally.duplicates += added.duplicates;
                tally.dropped += added.dropped;
                tally.refused += added.refused;
            },
        }
    }
}

impl<'a> Outgoing<'a, NewSighting> {
    fn sightings(link: &'a Link) -> Self {
        Self {
            queue: &link.seen,
            route: "/api/v1/sightings",
            rows: "sightings",
            most: MOST_SENT,
            bytes: |seen| seen.picture.as_ref().map_or(0, String::len),
            note: |tally, added| {
                tally.sightings_stored += added.stored;
                tally.sightings_refused += added.refused;
                tally.duplicates += added.duplicates;
                tally.dropped += added.dropped;
            },
        }
    }
}

/// What became of a batch.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Added {
    stored: u64,
    duplicates: u64,
    dropped: u64,
    refused: u64,
}

/// Sends what was read, batch by batch, until nothing more comes. What the server does not take now is kept and sent again;
/// sent twice, a row is stored once.
async fn forward<T: Serialize + Send + 'static>(
    http: &Http,
    link: &Link,
    out: &Outgoing<'_, T>,
    console: Console,
) -> Result<(), Failure> {
    let (retry, mut failures, mut batch) = (Retry::default(), 0, Vec::new());
    loop {
        let last = out.queue.is_closed();
        let mut bytes: usize = batch.iter().map(out.bytes).sum();
        while batch.len() < out.most
            && bytes < MOST_BYTES
            && let Some(row) = out.queue.pop(Duration::ZERO)
        {
            bytes += (out.bytes)(&row);
            batch.push(row);
        }
        if batch.is_empty() {
            if last {
                return Ok(());
            }
            tokio::time::sleep(PAUSE).await;
            continue;
        }
        let body = BTreeMap::from([(out.rows, &batch)]);
        let sent = http.call::<_, Added>(Method::POST, out.route, &body).await;
        match sent {
            Ok(added) => {
                failures = 0;
                batch.clear();
                if added.refused > 0 {
                    console.note(format!("the server refused {} of the {}", added.refused, out.rows));
                }
                link.note(|tally| (out.note)(tally, &added));
            }
            Err(error) if passes(&error) && !(last && failures + 1 >= LAST_TRIES) => {
                failures += 1;
                let wait = retry.after(failures);
                console.note(format!("{error}; again in {} s", wait.as_secs()));
                // Asked to stop, it does not sleep a minute first.
                let most = if last { Retry::default().first } else { wait };
                tokio::time::sleep(wait.min(most)).await;
            }
            Err(error) => {
                // The other rows end with these: a camera that sends a part only would not be noticed.
                link.stop();
                let unsent = batch.len() + out.queue.len();
                return Err(Failure::from(error).context(format!("{unsent} {} not sent", out.rows)));
            }
        }
    }
}

/// Whether trying again later may help.
fn passes(error: &HttpError) -> bool {
    match error {
        HttpError::Silent { .. } => true,
        HttpError::Refused(refused) => refused.status.as_u16() == 429 || refused.status.is_server_error(),
        HttpError::Strange { .. } | HttpError::TooLong { .. } => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use canvass_vision::{Colour, Pixels, PlateText, VehicleType};

    fn reading() -> Reading {
        Reading {
            file: "rtsp://camera.example/1".into(),
            time: Some(12.4),
            from: Some(11.2),
            until: Some(13.0),
            rect: Pixels { x: 40, y: 50, w: 100, h: 30 },
            plate: PlateText::normalise("KTX 4025").unwrap(),
            region: "US".parse().ok(),
            confidence: 0.934,
            vehicle_type: Some(VehicleType::Truck),
            vehicle_colour: Some(Colour::Grey),
            frames: 9,
            crop: None,
        }
    }

    #[test]
    fn a_reading_is_sent_in_the_servers_words() {
        let sent = serde_json::to_value(row(&reading(), "00ff", 1_764_000_000)).unwrap();
        let wanted = json!({
            "id": "00ff-11200-40", "time": "2025-11-24T16:00:12Z", "plate": "KTX4025", "region": "US",
            "confidence": 93.0, "vehicle": "Truck", "colour": "Grey",
        });
        assert_eq!(sent, wanted);
        let european = Reading { region: "EU".parse().ok(), ..reading() };
        assert_eq!(row(&european, "00ff", 0).region, None);
    }

    #[test]
    fn a_sighting_is_sent_in_the_servers_words() {
        let sighting = canvass_footage::Sighting {
            kind: canvass_vision::Kind::Car,
            score: 0.75,
            start: 11.25,
            end: 13.0,
            best: 12.4,
            rect: [40, 50, 100, 60],
            frames: 5,
            colours: [(canvass_footage::Part::Body, [(Colour::Red, 0.5)].into())].into(),
            with: BTreeMap::new(),
            embedding: None,
        };
        let seen = Seen { sighting, cut: None };
        let sent = serde_json::to_value(sighting_row(&seen, "00ff", 1_764_000_000, "3f1c")).unwrap();
        let wanted = json!({
            "id": "00ff-11250-40-Car", "start": "2025-11-24T16:00:11Z", "end": "2025-11-24T16:00:13Z",
            "best": "2025-11-24T16:00:12Z", "kind": "Car", "score": 0.75, "box": [40, 50, 100, 60], "frames": 5,
            "colours": { "Body": { "Red": 0.5 } }, "model": "objects", "version": "3f1c",
        });
        assert_eq!(sent, wanted);
    }

    #[test]
    fn a_camera_has_no_start_and_a_file_needs_one() {
        let args = |source: &str, start: Option<&str>| RunArgs {
            source: source.into(),
            start: start.map(|text| text.parse().unwrap()),
            fps: 10,
            least: 0.5,
            sightings: false,
            no_plates: false,
            no_pictures: false,
            no_clock: false,
            waiting: 8,
            seconds: None,
            engine: Engine { models: None, rten: false },
        };
        let now = Some("2026-11-24T10:00:00Z");
        assert!(matches!(args("rtsp://camera.example/1", None).input(), Ok(Input::Camera(_))));
        assert!(matches!(args("a.mp4", now).input(), Ok(Input::File(..))));
        for wrong in [args("rtsp://camera.example/1", now), args("a.mp4", None)] {
            assert!(wrong.input().unwrap_err().to_string().contains("--start"));
        }
    }
}
