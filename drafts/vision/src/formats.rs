//! What plates look like, place by place, as data: `data/formats.toml`.

use crate::VisionError;
use serde::Deserialize;

const BUILT_IN: &str = include_str!("../data/formats.toml");

/// Plates of one place.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Format {
    /// ISO 3166 code of the country, with the state's for the United States.
    pub code: String,
    /// Its name.
    pub name: String,
    /// Rows of `L` (a letter) and `N` (a digit).
    pub patterns: Vec<String>,
    /// How common its plates are among all.
    #[serde(default = "one")]
    pub weight: f32,
}

fn one() -> f32 {
    1.0
}

/// Plates of many places.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Formats {
    region: Vec<Format>,
}

impl Formats {
    /// Those that come with this crate: the United States, Europe, the United Kingdom, Brazil, Argentina.
    pub fn built_in() -> Result<Self, VisionError> {
        Self::parse(BUILT_IN)
    }

    /// Formats from the text of a TOML file like `data/formats.toml`.
    pub fn parse(text: &str) -> Result<Self, VisionError> {
        let formats: Self = toml::from_str(text).map_err(|error| VisionError::Formats(error.to_string()))?;
        for format in &formats.region {
            let good = |pattern: &String| {
                (1..=10).contains(&pattern.len()) && pattern.bytes().all(|byte| byte == b'L' || byte == b'N')
            };
            if let Some(bad) = format.patterns.iter().find(|pattern| !good(pattern)) {
                let code = &format.code;
                return Err(VisionError::Formats(format!(
                    "{code}: {bad:?} is no pattern; write 1 to 10 of L and N"
                )));
            }
            if !(format.weight.is_finite() && format.weight > 0.0) {
                return Err(VisionError::Formats(format!("{}: the weight must be over 0", format.code)));
            }
        }
        Ok(formats)
    }

    /// All places.
    pub fn all(&self) -> &[Format] {
        &self.region
    }

    /// The places whose plates look like this text.
    pub fn fitting<'a>(&'a self, text: &'a str) -> impl Iterator<Item = &'a Format> {
        self.region.iter().filter(move |format| format.patterns.iter().any(|pattern| fits(pattern, text)))
    }

    /// Whether any place issues such a plate.
    pub fn known(&self, text: &str) -> bool {
        self.fitting(text).next().is_some()
    }

    /// The place within a group (`US`, `EU`, `GB`, `BR`, `AR`): the only one that fits, else the group, else none.
    pub fn place_in(&self, group: &str, text: &str) -> Option<String> {
        let mut fitting = self.fitting(text).filter(|format| group_of(&format.code) == group);
        let first = fitting.next()?;
        let only = fitting.next().is_none();
        Some(if only { first.code.clone() } else { group.to_owned() })
    }
}

/// The group of a place's code.
pub(crate) fn group_of(code: &str) -> &str {
    match code {
        "GB" | "BR" | "AR" => code,
        _ if code == "US" || code.starts_with("US-") => "US",
        _ => "EU",
    }
}

fn fits(pattern: &str, text: &str) -> bool {
    pattern.len() == text.len()
        && pattern.bytes().zip(text.bytes()).all(|(kind, byte)| match kind {
            b'L' => byte.is_ascii_uppercase(),
            _ => byte.is_ascii_digit(),
        })
}

/// A plate with the letters that can't be told from digits written as digits: O as 0, I as 1.
pub fn fold(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            'O' => '0',
            'I' => '1',
            other => other,
        })
        .collect()
}
