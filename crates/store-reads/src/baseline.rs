//! Time-sliced SQLite behind the same seam: a database for each slice, so that a slice is dropped as a file. It is what
//! the segments are measured against. It does not encrypt, and a batch is atomic in each slice alone.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use canvass_plates::{
    Appended, ClassName, Cursor, Damage, ErasedSlice, Kept, Match, Page, Pictures, PlatePattern, PlateText,
    Read, ReadId, ReadQuery, ReadStore, RetentionClass, SliceName, Stats, StoreError, Token, check_pictures,
    confusables,
};
use canvass_types::Time;
use sqlx::{
    AssertSqlSafe, Connection as _, Row as _, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteRow, SqliteSynchronous},
};
use tokio::runtime::{Builder, Runtime};

use crate::{
    disk::{bytes_below, failed, make_folder},
    pack::{Broken, Reader},
    row::{Names, Row, camera_bytes, camera_from},
    upkeep::remove_slice,
};

const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS reads (
  id BLOB NOT NULL, plate TEXT NOT NULL, folded TEXT NOT NULL, camera BLOB NOT NULL, seen INTEGER NOT NULL,
  received INTEGER NOT NULL, confidence INTEGER NOT NULL, vehicle INTEGER NOT NULL, colour INTEGER NOT NULL, rest BLOB NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS by_id ON reads (id);
CREATE INDEX IF NOT EXISTS by_plate ON reads (plate, seen);
CREATE INDEX IF NOT EXISTS by_folded ON reads (folded, seen);
CREATE INDEX IF NOT EXISTS by_camera ON reads (camera, seen);
CREATE TABLE IF NOT EXISTS pictures (id BLOB PRIMARY KEY, bytes BLOB NOT NULL) WITHOUT ROWID;
";
/// The name of every picture: its read's id is enough to find it.
const KEPT: &str = "kept";
const COLUMNS: &str = "id, plate, camera, seen, received, confidence, vehicle, colour, rest";

/// Reads in SQLite, a database for each slice.
pub struct SqliteSlices {
    inner: Mutex<Inner>,
}

struct Inner {
    folder: PathBuf,
    runtime: Runtime,
    names: Names,
    slices: BTreeMap<SliceName, SqliteConnection>,
}

#[expect(clippy::needless_pass_by_value, reason = "map_err hands it over")]
fn database(error: sqlx::Error) -> StoreError {
    StoreError::Database(error.to_string())
}

fn broken(_: Broken) -> StoreError {
    StoreError::Damaged("row".to_owned(), "a value is none")
}

fn connect(runtime: &Runtime, folder: &Path) -> Result<SqliteConnection, StoreError> {
    make_folder(folder).map_err(failed("slice"))?;
    let options = SqliteConnectOptions::new()
        .filename(folder.join("reads.db"))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full);
    runtime
        .block_on(async {
            let mut connection = SqliteConnection::connect_with(&options).await?;
            sqlx::raw_sql(SCHEMA).execute(&mut connection).await?;
            Ok(connection)
        })
        .map_err(database)
}

impl SqliteSlices {
    /// Opens the databases of a folder.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn open(folder: impl AsRef<Path>) -> Result<Self, StoreError> {
        let folder = folder.as_ref().to_owned();
        make_folder(&folder.join("slices")).map_err(failed("folder"))?;
        let runtime = Builder::new_current_thread().build().map_err(failed("runtime"))?;
        let mut slices = BTreeMap::new();
        for class in fs::read_dir(folder.join("slices")).map_err(failed("slices"))?.flatten() {
            let Ok(name) = class.file_name().to_string_lossy().parse::<ClassName>() else { continue };
            for slice in fs::read_dir(class.path()).map_err(failed("slices"))?.flatten() {
                let text = slice.file_name().to_string_lossy().into_owned();
                let Some((start, seconds)) = text.rsplit_once('-') else { continue };
                let (Ok(start), Ok(seconds)) = (start.parse(), seconds.parse()) else { continue };
                let name = SliceName { class: name.clone(), start, seconds };
                slices.insert(name, connect(&runtime, &slice.path())?);
            }
        }
        Ok(Self { inner: Mutex::new(Inner { folder, runtime, names: Names::default(), slices }) })
    }

    fn inner(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn holding(
        &mut self,
        ids: &[ReadId],
        of: Option<&SliceName>,
    ) -> Result<BTreeMap<ReadId, Read>, StoreError> {
        let mut found = BTreeMap::new();
        let text = |count: usize| {
            format!("SELECT {COLUMNS} FROM reads WHERE id IN ({})", vec!["?"; count].join(","))
        };
        for (name, connection) in &mut self.slices {
            if of.is_some_and(|of| of != name) {
                continue;
            }
            for some in ids.chunks(500) {
                let mut query = sqlx::query(AssertSqlSafe(text(some.len())));
                for id in some {
                    query = query.bind(id.as_bytes().to_vec());
                }
                let rows = self.runtime.block_on(query.fetch_all(&mut *connection)).map_err(database)?;
                for row in rows {
                    let read = read_of(&row, &self.names)?;
                    found.entry(read.id).or_insert(read);
                }
            }
        }
        Ok(found)
    }

    fn picture(&mut self, id: &ReadId) -> Result<Option<Vec<u8>>, StoreError> {
        for connection in self.slices.values_mut() {
            let query =
                sqlx::query_scalar("SELECT bytes FROM pictures WHERE id = ?").bind(id.as_bytes().to_vec());
            let found = self.runtime.block_on(query.fetch_optional(&mut *connection)).map_err(database)?;
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    fn insert(
        &mut self,
        slices: BTreeMap<SliceName, Vec<&Read>>,
        pictures: &Pictures<'_>,
    ) -> Result<(), StoreError> {
        for (name, reads) in slices {
            if !self.slices.contains_key(&name) {
                let connection = connect(&self.runtime, &crate::state::slice_folder(&self.folder, &name))?;
                self.slices.insert(name.clone(), connection);
            }
            let Some(connection) = self.slices.get_mut(&name) else { continue };
            let names = &self.names;
            let stored = self.runtime.block_on(async {
                let mut transaction = connection.begin().await?;
                for read in reads {
                    let picture = pictures.get(&read.id);
                    let named =
                        Read { picture: KEPT.parse().ok().filter(|_| picture.is_some()), ..read.clone() };
                    let row = Row::of(if picture.is_some() { &named } else { read }, names);
                    if let Some(bytes) = picture {
                        sqlx::query("INSERT OR IGNORE INTO pictures VALUES (?, ?)")
                            .bind(read.id.as_bytes().to_vec())
                            .bind(bytes.to_vec())
                            .execute(&mut *transaction)
                            .await?;
                    }
                    let mut rest = vec![row.brand, row.direction, row.marks()];
                    crate::pack::put_bytes(
                        &mut rest,
                        read.region.as_ref().map_or("", |region| region.as_str()).as_bytes(),
                    );
                    rest.extend_from_slice(row.extras.as_deref().unwrap_or_default());
                    sqlx::query("INSERT INTO reads VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
                        .bind(read.id.as_bytes().to_vec())
                        .bind(read.plate.as_str())
                        .bind(confusables::standard().fold(&read.plate).as_str().to_owned())
                        .bind(camera_bytes(&read.camera).to_vec())
                        .bind(row.seen)
                        .bind(row.received)
                        .bind(row.confidence)
                        .bind(row.vehicle)
                        .bind(row.colour)
                        .bind(rest)
                        .execute(&mut *transaction)
                        .await?;
                }
                transaction.commit().await
            });
            stored.map_err(database)?;
        }
        Ok(())
    }

    fn copy(&mut self, to: &Path) -> Result<(), StoreError> {
        make_folder(&to.join("slices")).map_err(failed("backup"))?;
        for (name, connection) in &mut self.slices {
            let folder = crate::state::slice_folder(to, name);
            make_folder(&folder).map_err(failed("backup"))?;
            let file = folder.join("reads.db").display().to_string();
            let copy = sqlx::query("VACUUM INTO ?").bind(file).execute(&mut *connection);
            self.runtime.block_on(copy).map_err(database)?;
        }
        Ok(())
    }

    fn search(&mut self, query: &ReadQuery) -> Result<Page, StoreError> {
        let (condition, texts) = condition(query);
        let text = format!(
            "SELECT {COLUMNS} FROM reads WHERE {condition} AND seen >= ? AND seen < ? AND confidence >= ? \
             AND (? = 0 OR vehicle = ?) AND (? = 0 OR colour = ?) AND (? = 0 OR substr(rest, 3, 1) = x'01') AND (seen < ? OR (seen = ? AND id < ?)) \
             ORDER BY seen DESC, id DESC LIMIT ?"
        );
        let mut found: BTreeMap<Cursor, Match> = BTreeMap::new();
        let last = query.cursor.map_or(i64::MAX, |cursor| cursor.seen.as_second());
        let id = query.cursor.map_or(vec![0; 12], |cursor| cursor.id.as_bytes().to_vec());
        let (vehicle, colour) = (
            canvass_plates::VehicleType::number(query.vehicle),
            canvass_plates::Colour::number(query.colour),
        );
        for connection in self.slices.values_mut() {
            let mut asked = sqlx::query(AssertSqlSafe(text.clone()));
            for text in &texts {
                asked = asked.bind(text.clone());
            }
            for camera in query.cameras.iter().flatten() {
                asked = asked.bind(camera_bytes(camera).to_vec());
            }
            let asked = asked
                .bind(query.from.as_second())
                .bind(query.until.as_second())
                .bind(query.confidence.percent())
                .bind(vehicle)
                .bind(vehicle)
                .bind(colour)
                .bind(colour)
                .bind(query.hits_only)
                .bind(last)
                .bind(last)
                .bind(id.clone())
                .bind(i64::try_from(query.limit + 1).unwrap_or(i64::MAX));
            let rows = self.runtime.block_on(asked.fetch_all(&mut *connection)).map_err(database)?;
            for row in rows {
                let read = read_of(&row, &self.names)?;
                if let Some((label, differences)) = query.fits(&read) {
                    found.insert(Cursor::of(&read), Match { read, label, differences });
                }
            }
        }
        let more = found.len() > query.limit;
        let matches: Vec<Match> = found.into_values().rev().take(query.limit).collect();
        let next = matches.last().filter(|_| more).map(|last| Cursor::of(&last.read));
        Ok(Page { matches, next })
    }
}

/// The part of WHERE that the plate and the cameras decide, and what is bound to it.
fn condition(query: &ReadQuery) -> (String, Vec<String>) {
    let (mut condition, texts) = match &query.pattern {
        None => ("1".to_owned(), Vec::new()),
        Some(PlatePattern::Exact(plate)) => ("plate = ?".to_owned(), vec![plate.as_str().to_owned()]),
        Some(PlatePattern::Tolerant(plate)) => {
            let near = neighbours(plate);
            (format!("folded IN ({})", vec!["?"; near.len()].join(",")), near)
        }
        Some(PlatePattern::Wildcard(wildcard)) => {
            let glob = wildcard.tokens().iter().map(|token| match token {
                Token::Character(byte) => char::from(*byte),
                Token::One => '?',
                Token::Run => '*',
            });
            ("plate GLOB ?".to_owned(), vec![glob.collect()])
        }
    };
    if let Some(cameras) = &query.cameras {
        condition = format!("{condition} AND camera IN ({})", vec!["?"; cameras.len()].join(","));
    }
    (condition, texts)
}

/// All folded forms at most one edit away.
fn neighbours(plate: &PlateText) -> Vec<String> {
    let folded = confusables::standard().fold(plate);
    let text = folded.as_bytes();
    let alphabet: BTreeSet<u8> =
        (b'0'..=b'9').chain(b'A'..=b'Z').map(|byte| confusables::standard().fold_byte(byte)).collect();
    let mut all = BTreeSet::from([text.to_vec()]);
    for at in 0..=text.len() {
        let (head, tail) = text.split_at(at);
        let behind = tail.get(1..).unwrap_or_default();
        all.insert([head, behind].concat());
        for byte in &alphabet {
            all.insert([head, &[*byte], behind].concat());
            all.insert([head, &[*byte], tail].concat());
        }
    }
    all.into_iter().filter_map(|text| String::from_utf8(text).ok()).collect()
}

fn read_of(row: &SqliteRow, names: &Names) -> Result<Read, StoreError> {
    let blob = |at: usize| row.try_get::<Vec<u8>, _>(at).map_err(database);
    let number = |at: usize| row.try_get::<i64, _>(at).map_err(database);
    let small = |at: usize| u8::try_from(number(at)?).map_err(|_| broken(Broken));
    let rest = blob(8)?;
    let mut reader = Reader(&rest);
    let [brand, direction, marks] = reader.array().map_err(broken)?;
    let region = std::str::from_utf8(reader.bytes().map_err(broken)?).map_err(|_| broken(Broken))?;
    let camera = blob(2)?.try_into().map_err(|_| broken(Broken))?;
    let plate: String = row.try_get(1).map_err(database)?;
    let row = Row {
        plate: PlateText::from_bytes(plate.as_bytes()).ok_or(Broken).map_err(broken)?,
        id: ReadId::from_bytes(blob(0)?.try_into().map_err(|_| broken(Broken))?),
        camera: names.camera(&camera_from(&camera).map_err(broken)?),
        region: names.region(region.parse().ok()),
        seen: number(3)?,
        received: number(4)?,
        confidence: small(5)?,
        vehicle: small(6)?,
        colour: small(7)?,
        brand,
        direction,
        hit: marks & 1 != 0,
        safelisted: marks & 2 != 0,
        extras: if reader.0.is_empty() { None } else { Some(reader.0.into()) },
    };
    row.read(names).map_err(broken)
}

impl ReadStore for SqliteSlices {
    fn append_with(
        &self,
        class: &RetentionClass,
        batch: &[Read],
        pictures: &Pictures<'_>,
    ) -> Result<Appended, StoreError> {
        batch.iter().try_for_each(Read::check)?;
        check_pictures(pictures)?;
        let mut inner = self.inner();
        let ids: Vec<ReadId> = batch.iter().map(|read| read.id).collect();
        let there = inner.holding(&ids, None)?;
        let mut new: BTreeSet<ReadId> = BTreeSet::new();
        let mut slices: BTreeMap<SliceName, Vec<&Read>> = BTreeMap::new();
        for read in batch {
            if !there.contains_key(&read.id) && new.insert(read.id) {
                slices.entry(class.slice_of(read)).or_default().push(read);
            }
        }
        inner.insert(slices, pictures)?;
        Ok(Appended { stored: new.len(), duplicates: batch.len() - new.len() })
    }

    fn search(&self, query: &ReadQuery) -> Result<Page, StoreError> {
        query.check()?;
        self.inner().search(query)
    }

    fn by_id(&self, id: &ReadId) -> Result<Option<Read>, StoreError> {
        Ok(self.inner().holding(&[*id], None)?.remove(id))
    }

    fn keep(&self, ids: &[ReadId], class: &RetentionClass) -> Result<Kept, StoreError> {
        let mut inner = self.inner();
        let found = inner.holding(ids, None)?;
        let missing: Vec<ReadId> = ids.iter().filter(|id| !found.contains_key(*id)).copied().collect();
        let mut pictures = BTreeMap::new();
        for id in found.keys() {
            pictures.extend(inner.picture(id)?.map(|bytes| (*id, bytes)));
        }
        let pictures = pictures.iter().map(|(id, bytes)| (*id, bytes.as_slice())).collect();
        let mut slices: BTreeMap<SliceName, Vec<&Read>> = BTreeMap::new();
        for read in found.values() {
            let slice = class.slice_of(read);
            if inner.holding(&[read.id], Some(&slice))?.is_empty() {
                slices.entry(slice).or_default().push(read);
            }
        }
        inner.insert(slices, &pictures)?;
        Ok(Kept { kept: ids.len() - missing.len(), missing })
    }

    fn picture(&self, id: &ReadId) -> Result<Option<Vec<u8>>, StoreError> {
        self.inner().picture(id)
    }

    fn erase(&self, class: &ClassName, before: Time) -> Result<Vec<ErasedSlice>, StoreError> {
        let mut inner = self.inner();
        let inner = &mut *inner;
        let ended: Vec<SliceName> =
            inner.slices.keys().filter(|name| name.class == *class && name.ended(before)).cloned().collect();
        let mut erased = Vec::new();
        for slice in ended {
            let Some(mut connection) = inner.slices.remove(&slice) else { continue };
            let reads: i64 = inner
                .runtime
                .block_on(async {
                    let count =
                        sqlx::query_scalar("SELECT count(*) FROM reads").fetch_one(&mut connection).await?;
                    connection.close().await?;
                    Ok(count)
                })
                .map_err(database)?;
            remove_slice(&crate::state::slice_folder(&inner.folder, &slice)).map_err(failed("slice"))?;
            erased.push(ErasedSlice { slice, reads: reads.cast_unsigned() });
        }
        Ok(erased)
    }

    fn stats(&self) -> Result<Stats, StoreError> {
        let mut inner = self.inner();
        let inner = &mut *inner;
        let mut slices = Vec::new();
        for (name, connection) in &mut inner.slices {
            let count = sqlx::query_scalar("SELECT count(*) FROM reads").fetch_one(&mut *connection);
            let reads: i64 = inner.runtime.block_on(count).map_err(database)?;
            slices.push((name.clone(), reads.cast_unsigned()));
        }
        let reads = slices.iter().map(|(_, reads)| reads).sum();
        Ok(Stats { reads, slices, disk_bytes: bytes_below(&inner.folder), memory_bytes: 0 })
    }

    fn check(&self) -> Result<Vec<Damage>, StoreError> {
        let mut inner = self.inner();
        let inner = &mut *inner;
        let mut found = Vec::new();
        for (name, connection) in &mut inner.slices {
            let checked = sqlx::query_scalar("PRAGMA integrity_check").fetch_one(&mut *connection);
            let what: String = inner.runtime.block_on(checked).unwrap_or_else(|error| error.to_string());
            if what != "ok" {
                found.push(Damage {
                    slice: Some(name.clone()),
                    file: format!("slices/{name}/reads.db"),
                    what,
                });
            }
        }
        Ok(found)
    }

    fn backup(&self, to: &Path) -> Result<(), StoreError> {
        if to.exists() {
            return Err(StoreError::Disk("backup", std::io::ErrorKind::AlreadyExists.into()));
        }
        let copied = self.inner().copy(to);
        if copied.is_err() {
            // What is there of it is no copy; the error that stopped it is the one to tell.
            let _ = fs::remove_dir_all(to);
        }
        copied
    }

    fn compact(&self) -> Result<(), StoreError> {
        let mut inner = self.inner();
        let inner = &mut *inner;
        for connection in inner.slices.values_mut() {
            let checkpoint = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut *connection);
            inner.runtime.block_on(checkpoint).map_err(database)?;
        }
        Ok(())
    }
}
