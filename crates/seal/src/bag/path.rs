//! Paths in bags: what may stand in a manifest, and which of them could leave the bag.

use unicode_normalization::UnicodeNormalization;

/// Longest path read, in bytes.
pub(crate) const MAX_PATH_BYTES: usize = 4096;

/// Why a path can't be used on every system without leaving the bag. Windows rules hold everywhere, since bags travel.
pub(crate) fn unsafe_reason(path: &str) -> Option<&'static str> {
    if path.is_empty() {
        return Some("the path is empty");
    }
    if path.len() > MAX_PATH_BYTES {
        return Some("the path is longer than 4096 bytes");
    }
    if path.contains('\0') {
        return Some("the path contains a NUL");
    }
    if path.starts_with(['/', '\\']) {
        return Some("the path is absolute");
    }
    if path.starts_with('~') {
        return Some("the path starts with a home directory shortcut");
    }
    let mut chars = path.chars();
    if matches!((chars.next(), chars.next()), (Some(c), Some(':')) if c.is_ascii_alphabetic()) {
        return Some("the path names a drive");
    }
    if path.split(['/', '\\']).any(|part| part == "..") {
        return Some("the path climbs out with ..");
    }
    let first = path.split(['/', '\\']).next().unwrap_or_default();
    if first.len() > 2 && first.starts_with('%') && first.ends_with('%') {
        return Some("the path starts with an environment variable");
    }
    None
}

/// Why a path, though safe, can't be stored everywhere.
pub(crate) fn unportable_reason(path: &str) -> Option<&'static str> {
    if path.contains('\\') {
        return Some("the path contains a backslash");
    }
    if path.chars().any(char::is_control) {
        return Some("the path contains control characters");
    }
    if path.split('/').any(|part| part.is_empty() || part == ".") {
        return Some("the path has an empty or . part");
    }
    None
}

/// Decodes what a manifest must encode: CR and LF always, `%` in version 1.0 (RFC 8493 section 2.1.3). Any other
/// `%xx` stands for itself.
pub(crate) fn decode(path: &str, percent_too: bool) -> String {
    let mut out = String::with_capacity(path.len());
    let mut rest = path;
    while let Some(at) = rest.find('%') {
        let (before, tail) = rest.split_at(at);
        out.push_str(before);
        let code = tail.get(1..3).unwrap_or_default().to_ascii_uppercase();
        let plain = match code.as_str() {
            "0A" => Some('\n'),
            "0D" => Some('\r'),
            "25" if percent_too => Some('%'),
            _ => None,
        };
        let used = if plain.is_some() { 3 } else { 1 };
        out.push(plain.unwrap_or('%'));
        rest = tail.get(used..).unwrap_or_default();
    }
    out.push_str(rest);
    out
}

pub(crate) fn nfc(path: &str) -> String {
    path.nfc().collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn encode(path: &str) -> String {
        path.replace('%', "%25").replace('\n', "%0A").replace('\r', "%0D")
    }

    #[test]
    fn only_what_must_be_encoded_is_decoded() {
        assert_eq!(decode("data/%7Edir/100%25%0a%0D", true), "data/%7Edir/100%\n\r");
        assert_eq!(decode("data/100%25", false), "data/100%25");
        assert_eq!(decode("a%", true), "a%");
        assert_eq!(decode("a%2é", true), "a%2é");
    }

    #[test]
    fn paths_that_leave_the_bag_are_named() {
        let bad = [
            "/etc/passwd",
            "~/x",
            "~root/x",
            "a/../../b",
            "..",
            "C:\\x",
            "c:x",
            "\\\\?\\UNC\\s",
            "..\\x",
            "%HomeDrive%\\x",
            "a\0b",
            "",
        ];
        assert!(bad.iter().all(|p| unsafe_reason(p).is_some()));
        let good = ["data/a", "data/~a", "data/..a", "data/%test2.txt", "a..b", "%7Edir/x"];
        assert!(good.iter().all(|p| unsafe_reason(p).is_none()));
    }

    proptest! {
        #[test]
        fn any_path_survives_a_manifest(path in any::<String>()) {
            prop_assert_eq!(decode(&encode(&path), true), path);
        }
    }
}
