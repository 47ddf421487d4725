//! Looking into JSON that others wrote: each step names its place when something else is there.

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use serde_json::Value;

use crate::Fault;

/// Longest text that is looked at, bytes: no id, plate or word of a reader is longer.
const MOST_TEXT: usize = 256;
/// Most members of a list that are looked at.
const MOST_LIST: usize = 1_000;
const FORM: &str = "see docs/ref/reads.md for the forms that are understood";

/// A JSON text. The parser's own words may quote what was sent, so the place alone is told.
pub(crate) fn parsed(bytes: &[u8]) -> Result<Value, Fault> {
    let wrong = |error: serde_json::Error| {
        let what = format!("it is no JSON: line {}, column {}", error.line(), error.column());
        Fault::new("body", "json", what, FORM)
    };
    serde_json::from_slice(bytes).map_err(wrong)
}

/// A value, and where it stands.
#[derive(Clone)]
pub(crate) struct Node<'a> {
    value: &'a Value,
    at: String,
}

impl<'a> Node<'a> {
    pub fn root(value: &'a Value) -> Self {
        Self { value, at: String::new() }
    }

    fn name(&self) -> &str {
        if self.at.is_empty() { "body" } else { &self.at }
    }

    fn fault(&self, rule: &'static str, what: &str) -> Fault {
        Fault::new(self.name(), rule, what, FORM)
    }

    fn below(&self, name: &str) -> String {
        if self.at.is_empty() { name.to_owned() } else { format!("{}.{name}", self.at) }
    }

    /// A member that may be missing or null.
    pub fn get(&self, name: &str) -> Option<Node<'a>> {
        let value = self.value.as_object()?.get(name).filter(|value| !value.is_null())?;
        Some(Node { value, at: self.below(name) })
    }

    /// A member that must be there.
    pub fn need(&self, name: &str) -> Result<Node<'a>, Fault> {
        if !self.value.is_object() {
            return Err(self.fault("object", "this is no object"));
        }
        self.get(name).ok_or_else(|| Fault::new(self.below(name), "missing", "it is missing", FORM))
    }

    pub fn is_object(&self) -> bool {
        self.value.is_object()
    }

    pub fn is_list(&self) -> bool {
        self.value.is_array()
    }

    pub fn is_true(&self) -> bool {
        self.value == &Value::Bool(true)
    }

    /// A text.
    pub fn text(&self) -> Result<&'a str, Fault> {
        let text = self.value.as_str().ok_or_else(|| self.fault("text", "this is no text"))?;
        if text.len() > MOST_TEXT {
            return Err(self.fault("length", "this text is longer than any reader's"));
        }
        Ok(text)
    }

    /// A text of at most so many bytes, such as a picture's; none for another value.
    pub fn long_text(&self, most: usize) -> Option<&'a str> {
        self.value.as_str().filter(|text| (1..=most).contains(&text.len()))
    }

    /// A text, or a whole number as one.
    pub fn word(&self) -> Result<String, Fault> {
        match self.value.as_i64() {
            Some(number) => Ok(number.to_string()),
            None => self.text().map(str::to_owned),
        }
    }

    pub fn number(&self) -> Result<f64, Fault> {
        self.value.as_f64().ok_or_else(|| self.fault("number", "this is no number"))
    }

    pub fn list(&self) -> Result<Vec<Node<'a>>, Fault> {
        let list = self.value.as_array().ok_or_else(|| self.fault("list", "this is no list"))?;
        if list.len() > MOST_LIST {
            return Err(self.fault("length", "this list is longer than any reader's"));
        }
        let node = |(at, value)| Node { value, at: format!("{}[{at}]", self.at) };
        Ok(list.iter().enumerate().map(node).collect())
    }

    /// The member of a list with the highest number under a name: the likeliest candidate.
    pub fn likeliest(&self, number: &str) -> Option<Node<'a>> {
        let of = |node: &Node<'_>| node.get(number).and_then(|node| node.number().ok()).unwrap_or(0.0);
        let list = self.list().ok()?;
        list.into_iter().reduce(|best, next| if of(&next) > of(&best) { next } else { best })
    }

    /// A moment in milliseconds since 1970.
    pub fn millis(&self) -> Result<Timestamp, Fault> {
        let millis = self.number()?;
        self.micros(millis * 1_000.0)
    }

    /// A moment in seconds since 1970.
    pub fn seconds(&self) -> Result<Timestamp, Fault> {
        let seconds = self.number()?;
        self.micros(seconds * 1_000_000.0)
    }

    fn micros(&self, micros: f64) -> Result<Timestamp, Fault> {
        Timestamp::from_microsecond(micros.round() as i64)
            .map_err(|_| self.fault("time", "this is no moment of our calendar"))
    }

    /// A moment as text: with an offset, or without one for UTC.
    pub fn moment(&self) -> Result<Timestamp, Fault> {
        let text = self.text()?.trim();
        text.parse::<Timestamp>()
            .ok()
            .or_else(|| TimeZone::UTC.to_timestamp(text.parse::<DateTime>().ok()?).ok())
            .ok_or_else(|| self.fault("time", "this is no moment of RFC 3339"))
    }
}
