//! Numbers and moments as people read them.

use canvass_types::{Time, TimeFrame};
use jiff::ZonedDateTime;
use jiff::tz::{TimeZone, TimeZoneDatabase};

/// A number with its noun: `1 clip`, `3 clips`.
pub fn count(number: impl TryInto<u64>, one: &str, many: &str) -> String {
    let number = number.try_into().unwrap_or(u64::MAX);
    format!("{number} {}", if number == 1 { one } else { many })
}

// A zone that this program does not know is shown as UTC, and so named.
fn zoned(at: Time, zone: &str) -> ZonedDateTime {
    let zone = TimeZoneDatabase::bundled().get(zone).unwrap_or(TimeZone::UTC);
    at.timestamp().to_zoned_datetime(zone)
}

fn name(at: &ZonedDateTime) -> String {
    at.time_zone().iana_name().unwrap_or("UTC").to_owned()
}

fn clock(at: &ZonedDateTime, offset: bool) -> String {
    let seconds = if at.second() == 0 { "%H:%M" } else { "%H:%M:%S" };
    let text = at.strftime(seconds).to_string();
    if offset { format!("{text} {}", at.strftime("%:z")) } else { text }
}

fn date(at: &ZonedDateTime) -> String {
    at.strftime("%-d %b %Y").to_string()
}

/// A moment in a zone, for example `23 Nov 2026, 06:52 (America/New_York)`.
pub fn moment_in(at: Time, zone: &str) -> String {
    let at = zoned(at, zone);
    format!("{}, {} ({})", date(&at), clock(&at, false), name(&at))
}

/// From when until when, for example `23 Nov 2026, 06:52 to 08:52 (America/New_York)`. Where the clocks change in
/// between, both offsets are told.
pub fn span_in(start: Time, end: Time, zone: &str) -> String {
    if start == end {
        return moment_in(start, zone);
    }
    let (start, end) = (zoned(start, zone), zoned(end, zone));
    let offset = start.offset() != end.offset();
    let day = if start.date() == end.date() { String::new() } else { format!("{}, ", date(&end)) };
    format!("{}, {} to {day}{} ({})", date(&start), clock(&start, offset), clock(&end, offset), name(&start))
}

/// A request's time frame in the zone of its place.
pub fn frame(frame: &TimeFrame) -> String {
    span_in(frame.start, frame.end, &frame.zone)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_those_of_the_place() {
        let at = |text: &str| text.parse::<Time>().unwrap();
        let span = |start, end, zone| span_in(at(start), at(end), zone);
        let new_york = "America/New_York";
        assert_eq!(
            span("2026-11-23T11:52:00Z", "2026-11-23T13:52:00Z", new_york),
            "23 Nov 2026, 06:52 to 08:52 (America/New_York)"
        );
        assert_eq!(
            span("2026-11-24T03:00:00Z", "2026-11-24T07:00:05Z", new_york),
            "23 Nov 2026, 22:00 to 24 Nov 2026, 02:00:05 (America/New_York)"
        );
        assert_eq!(
            span("2026-11-01T05:30:00Z", "2026-11-01T06:30:00Z", new_york),
            "1 Nov 2026, 01:30 -04:00 to 01:30 -05:00 (America/New_York)"
        );
        assert_eq!(moment_in(at("2026-07-01T12:00:00Z"), "Nowhere/At_All"), "1 Jul 2026, 12:00 (UTC)");
    }

    #[test]
    fn one_is_not_many() {
        assert_eq!(count(1_u32, "clip", "clips"), "1 clip");
        assert_eq!(count(0_usize, "clip", "clips"), "0 clips");
    }
}
