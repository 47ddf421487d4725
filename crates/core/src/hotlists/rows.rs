//! What is imported, row by row: checked, put into the one form, compared with what is in force. All of it is pure.

use std::collections::HashSet;

use canvass_plates::{PlateText, Region};
use canvass_types::{Digest, FieldProblem, MemberId, Time};
use serde::{
    Deserialize, Serialize,
    de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;

use crate::{
    CoreError,
    error::problem,
    plates::{MOST_CHARACTERS, RowProblem, plate_fault},
    records::HotlistEntry,
};

/// Most entries of one version.
pub const MOST_ENTRIES: usize = 1_000_000;
/// Most bad rows that are named one by one; how many there were is told besides.
pub const MOST_PROBLEMS: usize = 100;
/// Most characters of an entry's reason.
pub const MOST_REASON: usize = 200;
/// Columns of a CSV file, and members of an object in JSON.
const FIELDS: [&str; 4] = ["plate", "region", "reason", "expires"];

/// The form of what is imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImportForm {
    /// CSV in UTF-8 (RFC 4180), with names of columns in the first line.
    Csv,
    /// A JSON array of objects, or an object with such an array as `entries`.
    Json,
}

/// What becomes of the good rows when others are bad.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum BadRows {
    /// Nothing is taken.
    #[default]
    Refuse,
    /// The good ones are taken, and the bad ones named.
    Keep,
}

/// Rows, read and checked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Imported {
    /// Good rows, in the order of plates.
    pub entries: Vec<HotlistEntry>,
    /// How many rows there were.
    pub rows: u64,
    /// How many were bad.
    pub refused: u64,
    /// Which, the first [`MOST_PROBLEMS`] of them.
    pub problems: Vec<RowProblem>,
}

/// What is wrong with a row: field, rule, what it is, what to do. It never holds what was sent.
type Fault = (&'static str, &'static str, String, &'static str);

fn fault(field: &'static str, rule: &'static str, what: &str, remedy: &'static str) -> Fault {
    (field, rule, what.to_owned(), remedy)
}

/// One row as it came; blank is as good as left out.
#[derive(Default)]
struct Raw<'a> {
    plate: Option<&'a str>,
    region: Option<&'a str>,
    reason: Option<&'a str>,
    expires: Option<&'a str>,
}

struct Reader<'a> {
    by: &'a MemberId,
    now: Time,
    seen: HashSet<(PlateText, Option<Region>)>,
    imported: Imported,
}

impl Reader<'_> {
    fn full(&self) -> bool {
        self.imported.rows > MOST_ENTRIES as u64
    }

    fn row(&mut self, entry: Result<HotlistEntry, Fault>) {
        self.imported.rows += 1;
        if self.full() {
            return;
        }
        let entry = entry.and_then(|entry| {
            let new = self.seen.insert((entry.plate, entry.region));
            let what = "the same plate of the same region stands in a row above";
            new.then_some(entry).ok_or_else(|| fault("plate", "twice", what, "leave one of the two out"))
        });
        match entry {
            Ok(entry) => self.imported.entries.push(entry),
            Err((field, rule, message, remedy)) => {
                self.imported.refused += 1;
                if self.imported.problems.len() < MOST_PROBLEMS {
                    self.imported.problems.push(RowProblem {
                        row: self.imported.rows,
                        field: field.to_owned(),
                        rule: rule.to_owned(),
                        message,
                        remedy: remedy.to_owned(),
                    });
                }
            }
        }
    }

    fn entry(&self, raw: &Raw<'_>) -> Result<HotlistEntry, Fault> {
        let given =
            |text: Option<&str>| text.map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
        let missing = || fault("plate", "missing", "there is no plate", "write what stands on the plate");
        let plate = PlateText::normalise(&given(raw.plate).ok_or_else(missing)?)
            .and_then(|plate| {
                let short = plate.characters() <= MOST_CHARACTERS;
                short.then_some(plate).ok_or(canvass_plates::PlateError::Long)
            })
            .map_err(|error| plate_fault(&error))?;
        let region = given(raw.region)
            .map(|text| text.to_uppercase().parse::<Region>())
            .transpose()
            .map_err(|_| {
                fault("region", "form", "this is no code of ISO 3166", "write US-NH or GB, or leave it out")
            })?;
        let reason = given(raw.reason);
        if reason.as_ref().is_some_and(|words| words.chars().count() > MOST_REASON) {
            let what = format!("it has more than {MOST_REASON} characters");
            return Err(("reason", "length", what, "shorten it"));
        }
        if reason.as_ref().is_some_and(|words| words.chars().any(char::is_control)) {
            return Err(fault("reason", "control", "control characters are in it", "type it anew"));
        }
        let until = given(raw.expires).map(|text| moment(&text)).transpose()?;
        if until.is_some_and(|until| until <= self.now) {
            return Err(fault("expires", "past", "it has expired already", "leave the row out"));
        }
        Ok(HotlistEntry { plate, region, reason, until, by: self.by.clone(), since: self.now })
    }

    fn value(&mut self, value: &Value) {
        let entry = object(value).and_then(|raw| self.entry(&raw));
        self.row(entry);
    }
}

/// A moment, or the end of a day in UTC.
fn moment(text: &str) -> Result<Time, Fault> {
    let day = || format!("{text}T00:00:00Z").parse::<Time>().map(|day| day.plus_days(1));
    text.parse::<Time>().or_else(|_| day()).map_err(|_| {
        let remedy = "write it like 2026-12-31 or 2026-12-31T12:00:00Z";
        fault("expires", "form", "this is no day and no moment", remedy)
    })
}

fn object(value: &Value) -> Result<Raw<'_>, Fault> {
    let Value::Object(members) = value else {
        return Err(fault("row", "form", "it is no object", "write {\"plate\": \"…\"}"));
    };
    if members.keys().any(|name| !FIELDS.contains(&name.as_str())) {
        let what = "it has a member other than plate, region, reason, expires";
        return Err(fault("row", "field", what, "leave the member out"));
    }
    let text = |name: &'static str| match members.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.as_str())),
        Some(_) => Err(fault(name, "form", "it is no text", "put it into quotation marks")),
    };
    Ok(Raw {
        plate: text("plate")?,
        region: text("region")?,
        reason: text("reason")?,
        expires: text("expires")?,
    })
}

/// Reads what is imported. Bad rows are named; only what can't be read as rows at all is an error.
///
/// # Errors
/// When it is no CSV or JSON of this form, or has more than [`MOST_ENTRIES`] rows.
pub fn read_rows(form: ImportForm, bytes: &[u8], by: &MemberId, now: Time) -> Result<Imported, CoreError> {
    let mut reader = Reader { by, now, seen: HashSet::new(), imported: Imported::default() };
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    match form {
        ImportForm::Csv => csv_rows(bytes, &mut reader)?,
        ImportForm::Json => json_rows(bytes, &mut reader)?,
    }
    if reader.full() {
        let message = format!("there are more than {MOST_ENTRIES} rows");
        return Err(CoreError::field("rows", "most", &message, "make several lists of it"));
    }
    let mut imported = reader.imported;
    imported.entries.sort_unstable_by_key(key);
    Ok(imported)
}

fn csv_rows(bytes: &[u8], reader: &mut Reader<'_>) -> Result<(), CoreError> {
    let mut rows = csv::ReaderBuilder::new().flexible(true).trim(csv::Trim::All).from_reader(bytes);
    let head = rows.byte_headers().cloned().unwrap_or_default();
    let columns: Vec<String> =
        head.iter().map(|name| String::from_utf8_lossy(name).trim().to_ascii_lowercase()).collect();
    if !columns.iter().any(|name| name == "plate") {
        let remedy = "name the columns in the first line: plate,region,reason,expires (plate is needed)";
        return Err(CoreError::field("header", "plate", "no column is called plate", remedy));
    }
    let distinct: HashSet<&String> = columns.iter().collect();
    if distinct.len() < columns.len() || columns.iter().any(|name| !FIELDS.contains(&name.as_str())) {
        let message = "a column is there twice, or is none of plate, region, reason, expires";
        return Err(CoreError::field("header", "columns", message, "leave the others out"));
    }
    let mut record = csv::ByteRecord::new();
    // What is broken for the parser ends the file: it can't say where the next row begins.
    while !reader.full() {
        match rows.read_byte_record(&mut record) {
            Ok(true) => {}
            Ok(false) => break,
            Err(_) => {
                reader.row(Err(fault("row", "form", "it is no row of CSV", "look at its quotation marks")));
                break;
            }
        }
        let entry = fields(&columns, &record).and_then(|raw| reader.entry(&raw));
        reader.row(entry);
    }
    Ok(())
}

fn fields<'a>(columns: &[String], record: &'a csv::ByteRecord) -> Result<Raw<'a>, Fault> {
    if record.len() != columns.len() {
        let what = format!("it has {} fields, and there are {} columns", record.len(), columns.len());
        return Err(("row", "fields", what, "put what holds a comma into quotation marks"));
    }
    let mut raw = Raw::default();
    for (name, field) in columns.iter().zip(record) {
        let text = std::str::from_utf8(field)
            .map_err(|_| fault("row", "utf-8", "it is no text in UTF-8", "save the file as UTF-8"))?;
        match name.as_str() {
            "plate" => raw.plate = Some(text),
            "region" => raw.region = Some(text),
            "reason" => raw.reason = Some(text),
            _ => raw.expires = Some(text),
        }
    }
    Ok(raw)
}

/// Takes the elements of an array one by one, so that a million of them are never there as values at once.
struct Elements<'a, 'b>(&'a mut Reader<'b>);

impl<'de> DeserializeSeed<'de> for Elements<'_, '_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Elements<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an array of entries")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut rows: A) -> Result<(), A::Error> {
        while let Some(value) = rows.next_element::<Value>()? {
            if !self.0.full() {
                self.0.value(&value);
            }
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let mut found = false;
        while let Some(name) = members.next_key::<String>()? {
            if name == "entries" {
                found = true;
                members.next_value_seed(Elements(&mut *self.0))?;
            } else {
                members.next_value::<IgnoredAny>()?;
            }
        }
        if found { Ok(()) } else { Err(serde::de::Error::custom("no entries")) }
    }
}

fn json_rows(bytes: &[u8], reader: &mut Reader<'_>) -> Result<(), CoreError> {
    let mut parser = serde_json::Deserializer::from_slice(bytes);
    let read = Elements(reader).deserialize(&mut parser).and_then(|()| parser.end());
    // The parser's own words may quote what was sent: they are not told, the place is.
    read.map_err(|error| {
        let message = format!("it is no array of entries: line {}, column {}", error.line(), error.column());
        let remedy = "send [{\"plate\": \"…\", \"region\": \"…\", \"reason\": \"…\", \"expires\": \"…\"}]";
        CoreError::field("rows", "form", &message, remedy)
    })
}

/// What tells entries of one list apart.
pub(crate) fn key(entry: &HotlistEntry) -> (PlateText, Option<Region>) {
    (entry.plate, entry.region)
}

impl Imported {
    /// The good rows, unless there are bad ones and those may not be passed over.
    ///
    /// # Errors
    /// With the bad rows by number and field.
    pub fn accept(self, bad: BadRows) -> Result<(Vec<HotlistEntry>, Vec<RowProblem>), CoreError> {
        if bad == BadRows::Refuse && self.refused > 0 {
            let told = |row: RowProblem| -> FieldProblem {
                let field = format!("row {}, {}", row.row, row.field);
                problem(&field, &row.rule, &row.message, &row.remedy)
            };
            return Err(CoreError::Invalid(self.problems.into_iter().map(told).collect()));
        }
        Ok((self.entries, self.problems))
    }
}

/// How an import bears on what is in force.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ImportHow {
    /// It is the whole list: what it has not is removed.
    #[default]
    Whole,
    /// It is added to the list, and replaces entries of the same plate and region.
    Add,
}

/// What becomes of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum EntryChange {
    /// It is new.
    Added,
    /// It goes.
    Removed,
    /// Its reason or its end is another.
    Changed,
}

/// One line of a comparison.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DiffLine {
    /// What becomes of it.
    pub what: EntryChange,
    /// The entry before; null when it is new.
    pub before: Option<HotlistEntry>,
    /// The entry after; null when it goes.
    pub after: Option<HotlistEntry>,
}

/// How two versions differ.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Differences {
    /// Entries that are new.
    pub added: u32,
    /// Entries that go.
    pub removed: u32,
    /// Entries that change.
    pub changed: u32,
    /// The first of them, in the order of plates.
    pub lines: Vec<DiffLine>,
}

impl Differences {
    /// How many there are.
    #[must_use]
    pub fn all(&self) -> u32 {
        self.added.saturating_add(self.removed).saturating_add(self.changed)
    }

    fn note(&mut self, most: usize, before: Option<&HotlistEntry>, after: Option<&HotlistEntry>) {
        let (what, count) = match (before, after) {
            (None, _) => (EntryChange::Added, &mut self.added),
            (_, None) => (EntryChange::Removed, &mut self.removed),
            _ => (EntryChange::Changed, &mut self.changed),
        };
        *count += 1;
        if self.lines.len() < most {
            self.lines.push(DiffLine { what, before: before.cloned(), after: after.cloned() });
        }
    }
}

fn says_the_same(one: &HotlistEntry, other: &HotlistEntry) -> bool {
    one.until == other.until && one.reason == other.reason
}

/// Compares two lists, both in the order of [`key`]; names the first `most` differences.
#[must_use]
pub fn compare(before: &[HotlistEntry], after: &[HotlistEntry], most: usize) -> Differences {
    let mut differences = Differences::default();
    let (mut old, mut new) = (before.iter().peekable(), after.iter().peekable());
    loop {
        match (old.peek().copied(), new.peek().copied()) {
            (None, None) => return differences,
            (Some(one), None) => {
                differences.note(most, Some(one), None);
                old.next();
            }
            (None, Some(other)) => {
                differences.note(most, None, Some(other));
                new.next();
            }
            (Some(one), Some(other)) => match key(one).cmp(&key(other)) {
                std::cmp::Ordering::Less => {
                    differences.note(most, Some(one), None);
                    old.next();
                }
                std::cmp::Ordering::Greater => {
                    differences.note(most, None, Some(other));
                    new.next();
                }
                std::cmp::Ordering::Equal => {
                    if !says_the_same(one, other) {
                        differences.note(most, Some(one), Some(other));
                    }
                    old.next();
                    new.next();
                }
            },
        }
    }
}

/// What a list would be after an import: an entry that says the same as before keeps who entered it and when.
#[must_use]
pub fn after_import(before: &[HotlistEntry], rows: Vec<HotlistEntry>, how: ImportHow) -> Vec<HotlistEntry> {
    let mut after = Vec::with_capacity(rows.len());
    let mut old = before.iter().peekable();
    for row in rows {
        while let Some(one) = old.next_if(|one| key(one) < key(&row)) {
            if how == ImportHow::Add {
                after.push(one.clone());
            }
        }
        match old.next_if(|one| key(one) == key(&row)) {
            Some(one) if says_the_same(one, &row) => after.push(one.clone()),
            _ => after.push(row),
        }
    }
    if how == ImportHow::Add {
        after.extend(old.cloned());
    }
    after
}

/// SHA-256 of what the entries of a list say.
#[must_use]
pub fn digest_of(entries: &[HotlistEntry]) -> Digest {
    let mut hash = Sha256::new();
    for entry in entries {
        let region = entry.region.map(|region| region.to_string()).unwrap_or_default();
        let until = entry.until.map(|until| until.to_string()).unwrap_or_default();
        let reason = entry.reason.as_deref().unwrap_or_default();
        // No reason holds a control character, so that no two lists have one text.
        hash.update(format!("{}\t{region}\t{until}\t{reason}\n", entry.plate.as_str()).as_bytes());
    }
    Digest(hash.finalize().into())
}

#[cfg(test)]
mod tests;
