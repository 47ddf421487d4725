//! Moments and time frames. A moment has whole seconds, so that its text is the same wherever it is written.

use jiff::{Timestamp, Unit, tz::TimeZone};
use serde::{Deserialize, Serialize};

/// A moment in UTC, to the second, written as RFC 3339 (`2026-11-24T06:30:00Z`).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, format = DateTime)]
pub struct Time(Timestamp);

/// Why a text is not a moment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a time: write it as RFC 3339, for example 2026-11-24T06:30:00Z")]
pub struct TimeError;

impl Time {
    /// The moment, cut to the second.
    pub fn new(at: Timestamp) -> Self {
        Self(Timestamp::from_second(at.as_second()).unwrap_or(at))
    }

    /// Seconds since 1970 in UTC.
    pub fn as_second(self) -> i64 {
        self.0.as_second()
    }

    /// From seconds since 1970; clamps to what a calendar can hold.
    pub fn from_second(second: i64) -> Self {
        Self(Timestamp::from_second(second).unwrap_or(if second < 0 {
            Timestamp::MIN
        } else {
            Timestamp::MAX
        }))
    }

    /// The moment as jiff's type.
    pub fn timestamp(self) -> Timestamp {
        self.0
    }

    /// That many seconds later (or earlier, when negative).
    #[must_use]
    pub fn plus_seconds(self, seconds: i64) -> Self {
        Self::from_second(self.as_second().saturating_add(seconds))
    }

    /// That many days of 24 hours later.
    #[must_use]
    pub fn plus_days(self, days: u32) -> Self {
        self.plus_seconds(i64::from(days) * 86_400)
    }

    /// The hour it falls in, coarse enough for a ledger that can't forget: `2026-11-24T06Z`.
    pub fn hour(self) -> String {
        let zoned = self.0.to_zoned_datetime(TimeZone::UTC);
        format!("{}T{:02}Z", zoned.date(), zoned.hour())
    }

    /// The calendar day in UTC, `2026-11-24`.
    pub fn day(self) -> String {
        self.0.to_zoned_datetime(TimeZone::UTC).date().to_string()
    }
}

impl std::fmt::Display for Time {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let whole = self.0.round(Unit::Second).unwrap_or(self.0);
        write!(f, "{whole}")
    }
}

impl std::str::FromStr for Time {
    type Err = TimeError;
    fn from_str(text: &str) -> Result<Self, TimeError> {
        text.parse::<Timestamp>().map(Self::new).map_err(|_| TimeError)
    }
}

impl TryFrom<String> for Time {
    type Error = TimeError;
    fn try_from(text: String) -> Result<Self, TimeError> {
        text.parse()
    }
}

impl From<Time> for String {
    fn from(time: Time) -> String {
        time.to_string()
    }
}

/// From when until when footage is asked for, and the zone that the place keeps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TimeFrame {
    /// First moment asked for.
    pub start: Time,
    /// Last moment asked for.
    pub end: Time,
    /// IANA name of the place's time zone, for example `America/New_York`.
    pub zone: String,
}

impl TimeFrame {
    /// Length in seconds of elapsed time, clock changes included.
    pub fn seconds(&self) -> i64 {
        self.end.as_second() - self.start.as_second()
    }

    /// Whether any part of `start..=end` lies inside.
    pub fn overlaps(&self, start: Time, end: Time) -> bool {
        start <= self.end && end >= self.start
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_has_whole_seconds_and_one_text() {
        let time: Time = "2026-11-24T07:30:00.75+01:00".parse().unwrap();
        assert_eq!(time.to_string(), "2026-11-24T06:30:00Z");
        assert_eq!(time.hour(), "2026-11-24T06Z");
        assert_eq!(time.plus_days(1).to_string(), "2026-11-25T06:30:00Z");
        assert!("yesterday".parse::<Time>().is_err());
        assert_eq!(Time::from_second(i64::MAX).plus_seconds(1), Time::from_second(i64::MAX));
    }
}
