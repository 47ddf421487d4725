//! Reads that wait to be sent, in a folder that survives an outage of the server, a crash and a restart.
//!
//! `waiting.ndjson` has one read a line and is only added to; `place.json` says how much of it was acknowledged and how
//! far a list of events was read. Once all is acknowledged the file is emptied.

use std::{
    collections::{HashSet, VecDeque},
    fs::{File, OpenOptions},
    io::{BufRead, BufReader, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use canvass_core::plates::{NewRead, SourceId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::Notify;

use crate::common::{Failure, read_limited, write_secret};

/// Bytes of reads that may wait; a source is listened to no longer while there are more.
const MOST_WAITING: u64 = 256 * 1024 * 1024;
/// Ids that are remembered, so that what a source repeats is not sent again each time.
const MOST_SEEN: usize = 8_192;
/// Largest file with the place, bytes.
const MOST_PLACE: u64 = 4 * 1024;

/// Where it stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Place {
    /// How far the source's list was read, in seconds since 1970.
    after: Option<f64>,
    /// Bytes of the file that are acknowledged.
    sent: u64,
}

#[derive(Debug, Default)]
struct Seen {
    ids: HashSet<String>,
    order: VecDeque<String>,
}

impl Seen {
    fn add(&mut self, id: String) {
        if self.ids.insert(id.clone()) {
            self.order.push_back(id);
        }
        if self.order.len() > MOST_SEEN
            && let Some(oldest) = self.order.pop_front()
        {
            self.ids.remove(&oldest);
        }
    }
}

fn id_of(read: &NewRead) -> String {
    match &read.id {
        SourceId::Number(number) => number.to_string(),
        SourceId::Text(text) => text.clone(),
    }
}

/// The folder, held by one process at a time.
#[derive(Debug)]
pub struct Outbox {
    folder: PathBuf,
    file: File,
    len: u64,
    place: Place,
    seen: Seen,
    _lock: File,
}

fn at(path: &Path) -> impl Fn(std::io::Error) -> Failure + '_ {
    move |error| {
        Failure::new(format!(
            "{}: {error}; check the folder, its permissions and the free space",
            path.display()
        ))
    }
}

fn open(path: &Path) -> Result<File, Failure> {
    let mut options = OpenOptions::new();
    options.read(true).append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map_err(at(path))
}

impl Outbox {
    /// Opens the folder, and makes it where there is none. What a crash left half written is cut off.
    pub fn open(folder: &Path) -> Result<Self, Failure> {
        std::fs::create_dir_all(folder).map_err(at(folder))?;
        let lock = open(&folder.join("lock"))?;
        lock.try_lock().map_err(|_| {
            Failure::usage(format!(
                "{}: another bridge is at work there; give each its own --place",
                folder.display()
            ))
        })?;
        let path = folder.join("waiting.ndjson");
        let mut file = open(&path)?;
        let len = whole_lines(&mut file).map_err(at(&path))?;
        file.set_len(len).map_err(at(&path))?;
        let mut outbox = Self {
            folder: folder.to_owned(),
            file,
            len,
            place: Place::default(),
            seen: Seen::default(),
            _lock: lock,
        };
        if outbox.place_file().exists() {
            let text = read_limited(&outbox.place_file(), MOST_PLACE)?;
            outbox.place = serde_json::from_slice(&text).unwrap_or_default();
        }
        if outbox.place.sent > outbox.len {
            // It ended between emptying the file and saying so.
            outbox.place.sent = 0;
            outbox.remember()?;
        }
        Ok(outbox)
    }

    fn place_file(&self) -> PathBuf {
        self.folder.join("place.json")
    }

    fn remember(&self) -> Result<(), Failure> {
        write_secret(&self.place_file(), &serde_json::to_vec(&self.place)?)
    }

    /// How far the source's list was read.
    pub fn after(&self) -> Option<f64> {
        self.place.after
    }

    /// The list was read up to here.
    pub fn set_after(&mut self, after: f64) -> Result<(), Failure> {
        if self.place.after == Some(after) {
            return Ok(());
        }
        self.place.after = Some(after);
        self.remember()
    }

    /// Whether nothing more may come in.
    pub fn is_full(&self) -> bool {
        self.len.saturating_sub(self.place.sent) >= MOST_WAITING
    }

    /// Adds reads that were not added lately; durable when it returns. How many were new.
    pub fn add(&mut self, reads: Vec<NewRead>) -> Result<usize, Failure> {
        let (mut lines, mut ids) = (Vec::new(), Vec::new());
        for read in reads {
            let id = id_of(&read);
            if self.seen.ids.contains(&id) || ids.contains(&id) {
                continue;
            }
            serde_json::to_writer(&mut lines, &read)?;
            lines.push(b'\n');
            ids.push(id);
        }
        if ids.is_empty() {
            return Ok(0);
        }
        let path = self.folder.join("waiting.ndjson");
        let written = self.file.write_all(&lines).and_then(|()| self.file.sync_data());
        if let Err(error) = written {
            // A line of which only a part was written would spoil the next one.
            let _ = self.file.set_len(self.len);
            return Err(at(&path)(error));
        }
        self.len += lines.len() as u64;
        let new = ids.len();
        ids.into_iter().for_each(|id| self.seen.add(id));
        Ok(new)
    }

    /// The next reads that wait, at most so many, and where they end.
    pub fn next(&mut self, most: usize) -> Result<(Vec<Value>, u64), Failure> {
        let path = self.folder.join("waiting.ndjson");
        let mut end = self.place.sent;
        self.file.seek(SeekFrom::Start(end)).map_err(at(&path))?;
        let (mut rows, mut line) = (Vec::new(), Vec::new());
        let mut file = BufReader::new(&self.file);
        while rows.len() < most {
            line.clear();
            let read = file.read_until(b'\n', &mut line).map_err(at(&path))?;
            if read == 0 {
                break;
            }
            end += read as u64;
            // A line that is no JSON was damaged on the disk; what it was, nobody can know.
            rows.extend(serde_json::from_slice::<Value>(&line));
        }
        Ok((rows, end))
    }

    /// What ends here is stored on the other side.
    pub fn acknowledge(&mut self, end: u64) -> Result<(), Failure> {
        self.place.sent = end;
        self.remember()?;
        if end >= self.len && self.len > 0 {
            let path = self.folder.join("waiting.ndjson");
            self.file.set_len(0).map_err(at(&path))?;
            (self.len, self.place.sent) = (0, 0);
            self.remember()?;
        }
        Ok(())
    }

    /// Whether all is acknowledged.
    pub fn is_empty(&self) -> bool {
        self.place.sent >= self.len
    }
}

/// Bytes up to the end of the last whole line.
fn whole_lines(file: &mut File) -> std::io::Result<u64> {
    let mut end = file.metadata()?.len();
    let mut block = [0_u8; 4_096];
    while end > 0 {
        let from = end.saturating_sub(block.len() as u64);
        let part = block.get_mut(..usize::try_from(end - from).unwrap_or(0)).unwrap_or_default();
        file.seek(SeekFrom::Start(from))?;
        file.read_exact(part)?;
        if let Some(at) = part.iter().rposition(|byte| *byte == b'\n') {
            return Ok(from + at as u64 + 1);
        }
        end = from;
    }
    Ok(0)
}

/// The outbox, and word of what happens to it.
#[derive(Debug)]
pub struct Shared {
    outbox: Mutex<Outbox>,
    grown: Notify,
    sent: Notify,
}

impl Shared {
    pub fn new(outbox: Outbox) -> Self {
        Self { outbox: Mutex::new(outbox), grown: Notify::new(), sent: Notify::new() }
    }

    pub fn lock(&self) -> MutexGuard<'_, Outbox> {
        self.outbox.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds reads once there is room; durable when it returns.
    pub async fn add(&self, reads: Vec<NewRead>) -> Result<(), Failure> {
        while self.lock().is_full() {
            self.sent.notified().await;
        }
        if self.lock().add(reads)? > 0 {
            self.grown.notify_one();
        }
        Ok(())
    }

    /// Waits until something was added.
    pub async fn grown(&self) {
        self.grown.notified().await;
    }

    /// What ends here is stored on the other side.
    pub fn acknowledge(&self, end: u64) -> Result<(), Failure> {
        self.lock().acknowledge(end)?;
        self.sent.notify_waiters();
        self.sent.notify_one();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(id: &str) -> NewRead {
        serde_json::from_value(json!({ "id": id, "time": "2026-11-24T10:00:00Z", "plate": "ABC1234" }))
            .unwrap()
    }

    fn ids(rows: &[Value]) -> Vec<&str> {
        rows.iter().map(|row| row["id"].as_str().unwrap()).collect()
    }

    #[test]
    fn what_waits_survives_and_what_was_acknowledged_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let mut outbox = Outbox::open(folder.path()).unwrap();
        assert_eq!(outbox.add(vec![read("1"), read("1"), read("2"), read("3")]).unwrap(), 3);
        assert_eq!(outbox.add(vec![read("2")]).unwrap(), 0, "added lately");
        let (rows, end) = outbox.next(2).unwrap();
        assert_eq!(ids(&rows), ["1", "2"]);
        outbox.acknowledge(end).unwrap();
        outbox.set_after(12.5).unwrap();
        drop(outbox);
        let mut outbox = Outbox::open(folder.path()).unwrap();
        assert_eq!(outbox.after(), Some(12.5));
        let (rows, end) = outbox.next(10).unwrap();
        assert_eq!(ids(&rows), ["3"]);
        outbox.acknowledge(end).unwrap();
        assert!(outbox.is_empty());
        assert_eq!(std::fs::metadata(folder.path().join("waiting.ndjson")).unwrap().len(), 0);
        outbox.add(vec![read("4")]).unwrap();
        assert_eq!(ids(&outbox.next(10).unwrap().0), ["4"]);
    }

    #[test]
    fn a_torn_line_is_cut_off_and_two_bridges_share_no_folder() {
        let folder = tempfile::tempdir().unwrap();
        let mut outbox = Outbox::open(folder.path()).unwrap();
        assert!(Outbox::open(folder.path()).unwrap_err().to_string().contains("another bridge"));
        outbox.add(vec![read("1")]).unwrap();
        drop(outbox);
        let path = folder.path().join("waiting.ndjson");
        let mut bytes = std::fs::read(&path).unwrap();
        bytes.extend_from_slice(br#"{"id":"2","ti"#);
        std::fs::write(&path, bytes).unwrap();
        let mut outbox = Outbox::open(folder.path()).unwrap();
        outbox.add(vec![read("3")]).unwrap();
        assert_eq!(ids(&outbox.next(10).unwrap().0), ["1", "3"]);
        drop(outbox);
        // It ended between emptying the file and saying so.
        std::fs::write(&path, b"").unwrap();
        std::fs::write(folder.path().join("place.json"), br#"{"after":1.0,"sent":99}"#).unwrap();
        let mut outbox = Outbox::open(folder.path()).unwrap();
        outbox.add(vec![read("4")]).unwrap();
        assert_eq!(ids(&outbox.next(10).unwrap().0), ["4"]);
    }
}
