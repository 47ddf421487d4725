//! Tables of reads as CSV, with a mapping that says which column is what.
//!
//! A row without an id of its own gets one from all its fields, so a file that is sent again stores nothing twice, and two
//! rows that are the same in every field are one read.

use std::{io::Read, str::FromStr};

use canvass_core::plates::{NewRead, SourceId};
use jiff::{Timestamp, civil::DateTime, fmt::strtime, tz::TimeZone, tz::TimeZoneDatabase};

use crate::{Fault, facts, hashed, percent, read, source_id};

/// Longest field that is looked at, bytes.
const MOST_FIELD: usize = 256;
/// Most columns of a table.
const MOST_COLUMNS: usize = 256;

/// What a column can be.
const FIELDS: [&str; 9] =
    ["plate", "time", "source", "confidence", "region", "vehicle", "colour", "brand", "direction"];

/// Which column is what: `plate=LicensePlate,time=Timestamp`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mapping(Vec<(&'static str, String)>);

impl FromStr for Mapping {
    type Err = Fault;

    fn from_str(text: &str) -> Result<Self, Fault> {
        let wrong = |what: String| {
            Fault::new(
                "map",
                "form",
                what,
                "write it like plate=LicensePlate,time=Timestamp,confidence=Score",
            )
        };
        let mut pairs: Vec<(&'static str, String)> = Vec::new();
        for pair in text.split(',').filter(|pair| !pair.trim().is_empty()) {
            let (field, column) =
                pair.split_once('=').ok_or_else(|| wrong(format!("`{}` names no column", pair.trim())))?;
            let field = field.trim();
            let known = FIELDS.iter().find(|known| **known == field);
            let known = known.ok_or_else(|| wrong(format!("`{field}` is none of {}", FIELDS.join(", "))))?;
            if pairs.iter().any(|(given, _)| given == known) {
                return Err(wrong(format!("`{field}` is there twice")));
            }
            pairs.push((known, column.trim().to_owned()));
        }
        for needed in ["plate", "time"] {
            if !pairs.iter().any(|(given, _)| *given == needed) {
                return Err(wrong(format!("no column is the {needed}")));
            }
        }
        Ok(Self(pairs))
    }
}

/// How moments are written.
#[derive(Debug, Clone, Default)]
enum Form {
    /// With an offset, or as `2026-11-24 10:00:00` in the zone of the table.
    #[default]
    Usual,
    /// Seconds since 1970, with or without a fraction.
    Unix,
    /// Milliseconds since 1970.
    UnixMillis,
    /// As `strftime` would write it.
    Pattern(String),
}

/// How the table's moments are written, and in which zone.
#[derive(Debug, Clone, Default)]
pub struct Moments {
    form: Form,
    zone: Option<TimeZone>,
}

impl Moments {
    /// `form` is `unix`, `unix-ms` or a pattern of `strftime`; `zone` a name of the IANA's database.
    ///
    /// # Errors
    /// The zone is unknown, or the pattern has no day or no hour.
    pub fn new(form: Option<&str>, zone: Option<&str>) -> Result<Self, Fault> {
        let zone = zone
            .map(|name| {
                TimeZoneDatabase::bundled().get(name).map_err(|_| {
                    Fault::new(
                        "time-zone",
                        "zone",
                        "this zone is unknown",
                        "write it like America/New_York, or UTC",
                    )
                })
            })
            .transpose()?;
        let form = match form {
            None => Form::Usual,
            Some("unix") => Form::Unix,
            Some("unix-ms") => Form::UnixMillis,
            Some(pattern) if pattern.contains('%') => Form::Pattern(pattern.to_owned()),
            Some(_) => {
                let what = "this is neither unix nor unix-ms nor a pattern with %";
                return Err(Fault::new("time-format", "form", what, "write it like %m/%d/%Y %I:%M:%S %p"));
            }
        };
        Ok(Self { form, zone })
    }

    fn read(&self, text: &str) -> Result<Timestamp, Fault> {
        let fault = |rule, what: &str, remedy| Fault::new("time", rule, what, remedy);
        let form =
            || fault("form", "this is no moment of the form that the table has", "say it with --time-format");
        match &self.form {
            Form::Usual => match text.parse::<Timestamp>() {
                Ok(moment) => Ok(moment),
                Err(_) => self.local(text.parse().map_err(|_| form())?),
            },
            Form::Unix => since(text, 1_000_000.0).ok_or_else(form),
            Form::UnixMillis => since(text, 1_000.0).ok_or_else(form),
            Form::Pattern(pattern) => {
                let parts = strtime::parse(pattern, text).map_err(|_| form())?;
                match parts.to_timestamp() {
                    Ok(moment) => Ok(moment),
                    Err(_) => self.local(parts.to_datetime().map_err(|_| form())?),
                }
            }
        }
    }

    /// A moment on the clock of the table's zone. What that clock showed twice or never is told rather than guessed.
    fn local(&self, at: DateTime) -> Result<Timestamp, Fault> {
        let Some(zone) = &self.zone else {
            let what = "the moment has no offset from UTC";
            return Err(Fault::new("time", "zone", what, "say the zone of the table with --time-zone"));
        };
        zone.to_ambiguous_timestamp(at).unambiguous().map_err(|_| {
            let what = "the clocks changed: this moment came twice on that day, or never";
            Fault::new("time", "twice", what, "give such moments with an offset, or in UTC")
        })
    }
}

/// A number of units since 1970, of which a second has so many parts below a microsecond's.
fn since(text: &str, micros: f64) -> Option<Timestamp> {
    let number = text.parse::<f64>().ok().filter(|number| number.is_finite())?;
    Timestamp::from_microsecond((number * micros).round() as i64).ok()
}

/// A row of the table.
pub struct Line {
    /// Its number, from 1; the line with the names of the columns does not count.
    pub number: u64,
    /// Where it ends in the file, bytes.
    pub end: u64,
    /// The read, or what is wrong.
    pub read: Result<NewRead, Fault>,
}

/// A table under way.
pub struct Table<R> {
    rows: csv::Reader<R>,
    columns: Vec<(&'static str, usize)>,
    moments: Moments,
    /// What counts as certain in the column of confidence.
    whole: f64,
    number: u64,
}

impl<R: Read> Table<R> {
    /// Begins a table with the names of its columns; `whole` is what counts as certain, 100 or 1.
    ///
    /// # Errors
    /// A column of the mapping is not there.
    pub fn new(from: R, mapping: &Mapping, moments: Moments, whole: f64) -> Result<Self, Fault> {
        let mut rows = csv::ReaderBuilder::new().flexible(true).trim(csv::Trim::All).from_reader(from);
        let unread = |_| {
            Fault::new("header", "form", "the first line can't be read", "save the table as CSV in UTF-8")
        };
        let names = rows.byte_headers().map_err(unread)?;
        if names.len() > MOST_COLUMNS {
            return Err(Fault::new(
                "header",
                "length",
                "there are more columns than of any table",
                "is it the right file?",
            ));
        }
        let names: Vec<String> = names
            .iter()
            .map(|name| String::from_utf8_lossy(name).trim_start_matches('\u{feff}').to_owned())
            .collect();
        let place = |column: &str| {
            let exact = names.iter().position(|name| name == column);
            exact.or_else(|| names.iter().position(|name| name.eq_ignore_ascii_case(column)))
        };
        let mut columns = Vec::new();
        for (field, column) in &mapping.0 {
            let at = place(column).ok_or_else(|| {
                let what = format!("the table has no column `{column}`");
                Fault::new(*field, "column", what, "name one that stands in its first line")
            })?;
            columns.push((*field, at));
        }
        Ok(Self { rows, columns, moments, whole, number: 0 })
    }

    fn line(&self, record: &csv::ByteRecord) -> Result<NewRead, Fault> {
        let field = |name: &'static str| -> Result<Option<&str>, Fault> {
            let Some((_, at)) = self.columns.iter().find(|(field, _)| *field == name) else {
                return Ok(None);
            };
            let bytes = record.get(*at).unwrap_or_default();
            if bytes.len() > MOST_FIELD {
                return Err(Fault::new(
                    name,
                    "length",
                    "this field is longer than any reader's",
                    "is it the right column?",
                ));
            }
            let text = std::str::from_utf8(bytes).map_err(|_| {
                Fault::new(name, "text", "this field is no UTF-8", "save the table as CSV in UTF-8")
            })?;
            Ok(Some(text).filter(|text| !text.is_empty()))
        };
        let need = |name| {
            let missing =
                || Fault::new(name, "missing", "the field is empty", "fill it, or leave the row out");
            field(name)?.ok_or_else(missing)
        };
        let (plate, time) = (need("plate")?, self.moments.read(need("time")?)?);
        let id = match field("source")? {
            Some(own) => source_id(&[own]),
            None => SourceId::Text(hashed(&record.iter().collect::<Vec<_>>())),
        };
        let mut read = read(id, time.to_string(), plate);
        if let Some(text) = field("confidence")? {
            let number = text.trim_end_matches('%').trim_end().parse::<f64>().ok();
            let number = number.filter(|number| number.is_finite()).ok_or_else(|| {
                Fault::new("confidence", "number", "this is no number", "give percents, 0 to 100")
            })?;
            read.confidence = Some(percent(number, self.whole));
        }
        let word = |name, ours: fn(&str) -> Option<String>| Ok::<_, Fault>(field(name)?.and_then(ours));
        read.region = word("region", facts::region)?;
        read.vehicle = word("vehicle", facts::vehicle)?;
        read.colour = word("colour", facts::colour)?;
        read.brand = word("brand", facts::brand)?;
        read.direction = word("direction", facts::direction)?;
        Ok(read)
    }
}

impl<R: Read> Iterator for Table<R> {
    type Item = Line;

    fn next(&mut self) -> Option<Line> {
        let mut record = csv::ByteRecord::new();
        let read = match self.rows.read_byte_record(&mut record) {
            Ok(false) => return None,
            Ok(true) => self.line(&record),
            Err(_) => {
                Err(Fault::new("row", "form", "the row can't be read", "save the table as CSV in UTF-8"))
            }
        };
        self.number += 1;
        Some(Line { number: self.number, end: self.rows.position().byte(), read })
    }
}
