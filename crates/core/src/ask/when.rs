//! The time frame of a draft: readings of local times, clock changes, limits.

use canvass_types::{AskLimits, FieldProblem, Position, RequestDraft, Time, TimeFrame};
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, Offset, TimeZone, TimeZoneDatabase};

use super::problem;

/// Hours that the clocks of a place may be off its solar time. The largest real difference is about three
/// (western China, or western Spain in summer).
const MOST_OFF_SOLAR: f64 = 3.5;

pub(super) fn check(
    draft: &RequestDraft,
    limits: &AskLimits,
    now: Time,
    problems: &mut Vec<FieldProblem>,
) -> Option<TimeFrame> {
    let zone = zone(&draft.zone);
    let start = moment("start", &draft.start, zone.as_ref(), problems);
    let end = moment("end", &draft.end, zone.as_ref(), problems);
    limit(start, end, limits, now, problems);
    let Some(zone) = zone else {
        problems.push(problem(
            "zone",
            "zone",
            "the time zone is not the IANA name of a place",
            "write a name such as America/New_York; offsets, abbreviations and Etc/ names don't know of clock changes",
        ));
        return None;
    };
    let at = start.or(end).unwrap_or(now);
    let offset = zone.to_offset(at.timestamp());
    let apart = middle_longitude(draft.area.ring()).map_or(0.0, |longitude| {
        let apart = (f64::from(offset.seconds()) / 3_600.0 - longitude / 15.0).rem_euclid(24.0);
        apart.min(24.0 - apart)
    });
    let name = zone.iana_name().unwrap_or_default().to_owned();
    if apart > MOST_OFF_SOLAR {
        problems.push(problem(
            "zone",
            "longitude",
            format!(
                "{name} is {apart:.1} hours off the sun at the area, so it can't be the zone of that place"
            ),
            "give the zone in which the area lies, or check the area (longitude comes first)",
        ));
    }
    Some(TimeFrame { start: start?, end: end?, zone: name })
}

fn limit(
    start: Option<Time>,
    end: Option<Time>,
    limits: &AskLimits,
    now: Time,
    problems: &mut Vec<FieldProblem>,
) {
    let look_back = i64::from(limits.look_back_days) * 86_400;
    if let Some(start) = start.filter(|start| *start < now.plus_seconds(-look_back)) {
        problems.push(problem(
            "start",
            "look-back",
            format!("the time frame begins at {start}, more than {} days ago", limits.look_back_days),
            format!("ask about the last {} days; older recordings are rarely kept", limits.look_back_days),
        ));
    }
    if let Some(end) = end.filter(|end| *end > now) {
        problems.push(problem(
            "end",
            "future",
            format!("the time frame ends at {end}, which is still to come"),
            "ask only for what has been recorded already",
        ));
    }
    let (Some(start), Some(end)) = (start, end) else { return };
    let seconds = end.as_second() - start.as_second();
    let (least, most) = (i64::from(limits.min_minutes), i64::from(limits.max_minutes));
    let (rule, message) = if seconds <= 0 {
        ("order", "the time frame ends before it begins, or has no length".to_owned())
    } else if seconds < least * 60 {
        (
            "too-short",
            format!(
                "the time frame has {} minutes of elapsed time; at least {least} are needed",
                seconds / 60
            ),
        )
    } else if seconds > most * 60 {
        (
            "too-long",
            format!(
                "the time frame has {} minutes of elapsed time; at most {most} are allowed",
                (seconds + 59) / 60
            ),
        )
    } else {
        return;
    };
    problems.push(problem(
        "end",
        rule,
        message,
        format!("ask for {least} to {most} minutes, clock changes counted"),
    ));
}

fn zone(name: &str) -> Option<TimeZone> {
    let of_a_place = name.len() <= 64 && name.contains('/') && !name.to_ascii_lowercase().starts_with("etc/");
    of_a_place.then(|| TimeZoneDatabase::bundled().get(name).ok()).flatten()
}

// None for an area that spans half the earth or crosses the 180th meridian, which is refused for itself.
fn middle_longitude(ring: &[Position]) -> Option<f64> {
    let low = ring.iter().map(|[x, _]| *x).fold(f64::INFINITY, f64::min);
    let high = ring.iter().map(|[x, _]| *x).fold(f64::NEG_INFINITY, f64::max);
    (high - low < 180.0).then(|| f64::midpoint(low, high))
}

// A text split into its local time and its offset. `None` for the offset: a local time. `Known(None)`: `Z` or
// `-00:00`, a moment whose local offset is not told (RFC 9557 section 2).
enum Told {
    Local,
    Moment,
    Offset(Offset),
}

fn split(text: &str) -> Option<(DateTime, Told)> {
    let text = text.trim();
    // `2026-11-01T01:30` has 16 bytes; fractions of a second and an offset follow at most.
    if !text.is_ascii() || !(16..=40).contains(&text.len()) {
        return None;
    }
    let (date, rest) = (text.get(..10)?, text.get(11..)?);
    if !matches!(text.as_bytes().get(10), Some(b'T' | b't' | b' ')) {
        return None;
    }
    let (time, told) = match rest.find(['Z', 'z', '+', '-']) {
        None => (rest, Told::Local),
        Some(at) => (rest.get(..at)?, offset(rest.get(at..)?)?),
    };
    let shape = |text: &str, pattern: &str| {
        text.len() == pattern.len()
            && text
                .bytes()
                .zip(pattern.bytes())
                .all(|(b, p)| if p == b'0' { b.is_ascii_digit() } else { b == p })
    };
    let (clock, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let sound = shape(date, "0000-00-00")
        && (shape(clock, "00:00:00") || (shape(clock, "00:00") && !time.contains('.')))
        && (1..=9).contains(&fraction.len())
        && fraction.bytes().all(|b| b.is_ascii_digit());
    if !sound {
        return None;
    }
    Some((format!("{date}T{clock}").parse().ok()?, told))
}

fn offset(text: &str) -> Option<Told> {
    if text.eq_ignore_ascii_case("z") || text == "-00:00" {
        return Some(Told::Moment);
    }
    let (hours, minutes) = text.get(1..)?.split_once(':')?;
    if hours.len() != 2
        || minutes.len() != 2
        || !text.bytes().skip(1).all(|b| b.is_ascii_digit() || b == b':')
    {
        return None;
    }
    let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
    if hours > 18 || minutes > 59 {
        return None;
    }
    let sign = if text.starts_with('-') { -1 } else { 1 };
    Offset::from_seconds(sign * (hours * 3_600 + minutes * 60)).ok().map(Told::Offset)
}

fn moment(
    field: &str,
    text: &str,
    zone: Option<&TimeZone>,
    problems: &mut Vec<FieldProblem>,
) -> Option<Time> {
    let before = problems.len();
    let told = split(text);
    let waits_for_zone = zone.is_none() && matches!(told, Some((_, Told::Local)));
    let time = told.and_then(|(local, told)| read_in_zone(field, local, &told, zone, problems));
    if time.is_none() && problems.len() == before && !waits_for_zone {
        problems.push(problem(
            field,
            "time",
            format!("the {field} is not a date and time"),
            "write 2026-11-01T01:30 (local to the zone) or 2026-11-01T01:30:00-04:00",
        ));
    }
    time
}

fn read_in_zone(
    field: &str,
    local: DateTime,
    told: &Told,
    zone: Option<&TimeZone>,
    problems: &mut Vec<FieldProblem>,
) -> Option<Time> {
    let read = |offset: Offset| offset.to_timestamp(local).ok();
    match told {
        Told::Moment => read(Offset::UTC).map(Time::new),
        Told::Offset(offset) => {
            let at = read(*offset)?;
            let Some(kept) = zone.map(|zone| zone.to_offset(at)).filter(|kept| kept != offset) else {
                return Some(Time::new(at));
            };
            problems.push(problem(
                field,
                "offset",
                format!(
                    "the {field} is given with {}, but the zone keeps {} then",
                    hours(*offset),
                    hours(kept)
                ),
                format!("write {} if that moment is meant, or leave the offset out", reading(at, kept)),
            ));
            None
        }
        Told::Local => match zone?.to_ambiguous_timestamp(local).offset() {
            AmbiguousOffset::Unambiguous { offset } => read(offset).map(Time::new),
            AmbiguousOffset::Gap { before, after } => {
                let (early, late) = (read(after)?, read(before)?);
                problems.push(problem(
                    field,
                    "gap",
                    format!("the {field} is skipped: the clocks go forward over {local} in that zone"),
                    format!(
                        "write {} or {}, whichever is meant",
                        reading(early, before),
                        reading(late, after)
                    ),
                ));
                None
            }
            AmbiguousOffset::Fold { before, after } => {
                let (first, second) = (read(before)?, read(after)?);
                problems.push(problem(
                    field,
                    "fold",
                    format!("the {field} happens twice: the clocks go back over {local} in that zone"),
                    format!(
                        "write {} or {}, whichever is meant",
                        reading(first, before),
                        reading(second, after)
                    ),
                ));
                None
            }
        },
    }
}

fn hours(offset: Offset) -> String {
    let seconds = offset.seconds();
    let minutes = seconds.abs() / 60;
    format!("{}{:02}:{:02}", if seconds < 0 { '-' } else { '+' }, minutes / 60, minutes % 60)
}

// A moment as RFC 3339 with the offset of the place.
fn reading(at: jiff::Timestamp, offset: Offset) -> String {
    format!("{}{}", offset.to_datetime(at), hours(offset))
}
