//! Reads what a client says it accepts and already holds, without allocating.

/// The compressed siblings a client takes (RFC 9110 section 12.5.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Encodings {
    pub(super) br: bool,
    pub(super) gzip: bool,
}

/// Reads `Accept-Encoding`. A weight of zero refuses; any other weight accepts, and we prefer the smallest file.
pub(super) fn encodings(accept: &str) -> Encodings {
    let mut found = Encodings::default();
    for part in accept.split(',').take(16) {
        let mut parameters = part.split(';');
        let name = parameters.next().unwrap_or_default().trim();
        let refused = parameters.any(|p| {
            p.trim()
                .strip_prefix("q=")
                .is_some_and(|q| !q.is_empty() && q.bytes().all(|b| matches!(b, b'0' | b'.')))
        });
        if name.eq_ignore_ascii_case("br") {
            found.br = !refused;
        } else if name.eq_ignore_ascii_case("gzip") {
            found.gzip = !refused;
        }
    }
    found
}

/// Whether `If-None-Match` names the tag, by weak comparison (RFC 9110 section 13.1.2).
pub(super) fn none_match(header: &str, etag: &str) -> bool {
    header.trim() == "*"
        || header.split(',').take(32).any(|tag| {
            let tag = tag.trim();
            tag.strip_prefix("W/").unwrap_or(tag) == etag
        })
}

/// What a `Range` header asks of a file of a known length (RFC 9110 section 14.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Slice {
    /// No range that we serve: the whole file. Several ranges at once fall here too.
    Whole,
    /// From `start`, `len` bytes (at least one).
    Part { start: u64, len: u64 },
    /// A range outside the file: 416.
    Outside,
}

/// Reads a `Range` header of one range.
pub(super) fn slice(range: &str, total: u64) -> Slice {
    let Some((first, last)) = range.strip_prefix("bytes=").and_then(|spec| spec.trim().split_once('-'))
    else {
        return Slice::Whole;
    };
    let number = |text: &str| {
        (text.len() <= 18 && !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()))
            .then(|| text.parse::<u64>().ok())
            .flatten()
    };
    match (first, last) {
        ("", suffix) => match number(suffix) {
            Some(0) => Slice::Outside,
            Some(_) if total == 0 => Slice::Outside,
            Some(n) => {
                let len = n.min(total);
                Slice::Part { start: total - len, len }
            }
            None => Slice::Whole,
        },
        (first, last) => {
            let Some(start) = number(first) else { return Slice::Whole };
            let end = if last.is_empty() { Some(u64::MAX) } else { number(last) };
            match end {
                None => Slice::Whole,
                Some(end) if end < start => Slice::Whole,
                Some(_) if start >= total => Slice::Outside,
                Some(end) => Slice::Part { start, len: end.min(total - 1) - start + 1 },
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepted_encodings() {
        let all = encodings("gzip, deflate, br;q=0.9");
        assert!(all.br && all.gzip);
        let none = encodings("br;q=0, gzip;q=0.000, identity");
        assert!(!none.br && !none.gzip);
        assert!(encodings("GZIP").gzip);
        assert_eq!(encodings(""), Encodings::default());
    }

    #[test]
    fn tags() {
        assert!(none_match("\"a\"", "\"a\""));
        assert!(none_match("W/\"b\", W/\"a\"", "\"a\""));
        assert!(none_match("*", "\"a\""));
        assert!(!none_match("\"ab\"", "\"a\""));
    }

    #[test]
    fn ranges() {
        assert_eq!(slice("bytes=0-9", 100), Slice::Part { start: 0, len: 10 });
        assert_eq!(slice("bytes=90-", 100), Slice::Part { start: 90, len: 10 });
        assert_eq!(slice("bytes=90-1000", 100), Slice::Part { start: 90, len: 10 });
        assert_eq!(slice("bytes=-5", 100), Slice::Part { start: 95, len: 5 });
        assert_eq!(slice("bytes=-500", 100), Slice::Part { start: 0, len: 100 });
        assert_eq!(slice("bytes=100-", 100), Slice::Outside);
        assert_eq!(slice("bytes=-0", 100), Slice::Outside);
        assert_eq!(slice("bytes=0-", 0), Slice::Outside);
        for whole in
            ["", "lines=0-1", "bytes=", "bytes=-", "bytes=5-2", "bytes=0-1,4-5", "bytes=a-b", "bytes=+1-2"]
        {
            assert_eq!(slice(whole, 100), Slice::Whole, "{whole}");
        }
    }

    proptest::proptest! {
        #[test]
        fn a_part_lies_inside(range in "bytes=[0-9]{0,20}-[0-9]{0,20}", total in 0u64..1000) {
            if let Slice::Part { start, len } = slice(&range, total) {
                proptest::prop_assert!(len > 0 && start + len <= total);
            }
        }
    }
}
