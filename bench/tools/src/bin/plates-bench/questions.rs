//! What is asked of each store: the same questions in the same order.

use std::collections::BTreeSet;

use canvass_plates::{Limits, PlatePattern, PlateText, ReadQuery, confusables};
use canvass_types::Time;

use super::{Failed, generate::Town};

/// The kinds of question, as the tables name them.
pub const KINDS: [Kind; 4] = [Kind::Exact, Kind::Wildcard, Kind::Edit, Kind::Infix];

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A whole plate.
    Exact,
    /// `A?C12*`: the second character and the end unknown.
    Wildcard,
    /// A plate with confusable characters and one edit.
    Edit,
    /// `*C12*`: three characters anywhere.
    Infix,
}

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Wildcard => "A?C12*",
            Self::Edit => "one edit",
            Self::Infix => "*C12*",
        }
    }
}

/// A question before it is put in a store's own words.
pub struct Question {
    pub kind: Kind,
    pub plate: PlateText,
    pub text: String,
    pub from: Time,
    pub until: Time,
}

impl Question {
    pub fn new(town: &Town, kind: Kind, number: u64) -> Result<Self, Failed> {
        let (plate, from, until) = town.asked(number)?;
        let whole = plate.as_str();
        let text = match kind {
            Kind::Exact | Kind::Edit => whole.to_owned(),
            Kind::Wildcard => {
                let (first, rest) =
                    (whole.get(..1).ok_or("short plate")?, whole.get(2..5).ok_or("short plate")?);
                format!("{first}?{rest}*")
            }
            Kind::Infix => format!("*{}*", whole.get(2..5).ok_or("short plate")?),
        };
        Ok(Self { kind, plate, text, from, until })
    }

    /// For a store behind the seam.
    pub fn query(&self) -> Result<ReadQuery, Failed> {
        let limits = Limits::default();
        let pattern = match self.kind {
            Kind::Edit => PlatePattern::tolerant(&self.text, &limits)?,
            _ => PlatePattern::parse(&self.text, &limits)?,
        };
        Ok(ReadQuery::plate(pattern, self.from, self.until))
    }

    /// For PostgreSQL: a page of a hundred, newest first, of the default confidence.
    pub fn sql(&self) -> String {
        let condition = match self.kind {
            Kind::Exact => format!("plate = '{}'", self.text),
            Kind::Wildcard | Kind::Infix => {
                format!("plate LIKE '{}'", self.text.replace('?', "_").replace('*', "%"))
            }
            Kind::Edit => format!("folded = ANY ('{{{}}}')", near(&self.plate).join(",")),
        };
        format!(
            "SELECT * FROM reads WHERE {condition} AND seen >= {} AND seen < {} AND confidence >= 75 ORDER BY seen DESC, id DESC LIMIT 100;",
            self.from.as_second(),
            self.until.as_second()
        )
    }
}

/// All folded forms at most one edit away: how an ordered store answers a tolerant question.
pub fn near(plate: &PlateText) -> Vec<String> {
    let standard = confusables::standard();
    let folded = standard.fold(plate);
    let text = folded.as_bytes();
    let alphabet: BTreeSet<u8> =
        (b'0'..=b'9').chain(b'A'..=b'Z').map(|byte| standard.fold_byte(byte)).collect();
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
