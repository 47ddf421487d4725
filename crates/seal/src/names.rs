//! Names of clips: what every system that may receive one can store as a file.

use std::collections::BTreeSet;

use unicode_normalization::UnicodeNormalization;

/// Longest clip name, in bytes of UTF-8. File systems stop at 255; the rest is room for a suffix such as `.part`.
pub const MAX_NAME_BYTES: usize = 200;

/// Why a clip name is refused. The name itself is left out: it may say who sent it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing is left of the name.
    #[error("clip {index}: the name is empty; give the clip a name such as clip-1.mp4")]
    Empty {
        /// Which clip, counted from 1.
        index: usize,
    },
    /// Longer than [`MAX_NAME_BYTES`].
    #[error("clip {index}: the name has {bytes} bytes and at most {MAX_NAME_BYTES} fit; shorten it")]
    TooLong {
        /// Which clip, counted from 1.
        index: usize,
        /// Its length in bytes.
        bytes: usize,
    },
    /// A separator, control or reserved character.
    #[error("clip {index}: the character U+{code:04X} can't stand in a file name; take it out")]
    Character {
        /// Which clip, counted from 1.
        index: usize,
        /// The code point.
        code: u32,
    },
    /// A name that Windows keeps for a device, or that means a folder.
    #[error("clip {index}: {reason}; rename the clip")]
    Reserved {
        /// Which clip, counted from 1.
        index: usize,
        /// What the name collides with.
        reason: &'static str,
    },
    /// Two clips that some file system can't tell apart.
    #[error(
        "clip {index}: another clip has the same name (case and accents don't tell files apart everywhere); rename it"
    )]
    Duplicate {
        /// Which clip, counted from 1.
        index: usize,
    },
}

/// Checks one name. `index` is only named in the error.
///
/// # Errors
/// A [`NameError`] naming the first rule that the name breaks.
pub fn check_name(index: usize, name: &str) -> Result<(), NameError> {
    if name.is_empty() {
        return Err(NameError::Empty { index });
    }
    if name.len() > MAX_NAME_BYTES {
        return Err(NameError::TooLong { index, bytes: name.len() });
    }
    if let Some(bad) = name.chars().find(|c| forbidden(*c)) {
        return Err(NameError::Character { index, code: u32::from(bad) });
    }
    if name == "." || name == ".." {
        return Err(NameError::Reserved { index, reason: "the name means a folder" });
    }
    if name.starts_with(['~', ' ', '-']) || name.ends_with(['.', ' ']) {
        return Err(NameError::Reserved {
            index,
            reason: "the name starts with ~, - or a space, or ends in a dot or a space",
        });
    }
    let stem = name.split('.').next().unwrap_or_default().trim_end();
    if windows_device(stem) {
        return Err(NameError::Reserved {
            index,
            reason: "the name is that of a Windows device (CON, NUL, COM1 and others)",
        });
    }
    Ok(())
}

/// Checks a whole list, duplicates included.
///
/// # Errors
/// The first [`NameError`] in list order.
pub fn check_names<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<(), NameError> {
    let mut seen = BTreeSet::new();
    for (at, name) in names.into_iter().enumerate() {
        let index = at.saturating_add(1);
        check_name(index, name)?;
        if !seen.insert(fold(name)) {
            return Err(NameError::Duplicate { index });
        }
    }
    Ok(())
}

/// Turns any text into a name that [`check_name`] accepts, keeping what it can (also the file extension).
#[must_use]
pub fn sanitise(name: &str) -> String {
    let mut clean: String = name.nfc().map(|c| if forbidden(c) { '_' } else { c }).collect();
    clean = clean.trim_start_matches(['~', ' ', '-']).trim_end_matches(['.', ' ']).to_owned();
    if clean.len() > MAX_NAME_BYTES {
        clean = shorten(&clean);
    }
    let stem = clean.split('.').next().unwrap_or_default().trim_end();
    if clean.is_empty() || windows_device(stem) {
        clean.insert_str(0, "clip_");
    }
    if check_name(0, &clean).is_err() {
        "clip".clone_into(&mut clean);
    }
    clean
}

/// How two names are compared: composed, lower case.
pub(crate) fn fold(name: &str) -> String {
    name.nfc().flat_map(char::to_lowercase).nfc().collect()
}

fn shorten(name: &str) -> String {
    let extension = match name.rsplit_once('.') {
        Some((_, e)) if e.len() <= 16 => format!(".{e}"),
        _ => String::new(),
    };
    let mut room = MAX_NAME_BYTES.saturating_sub(extension.len());
    while !name.is_char_boundary(room) {
        room = room.saturating_sub(1);
    }
    let stem = name.get(..room).unwrap_or_default().trim_end_matches(['.', ' ']);
    format!("{stem}{extension}")
}

/// `%` too: RFC 8493 has it encoded in manifests, which widespread `BagIt` tools don't undo.
fn forbidden(c: char) -> bool {
    let bidi =
        matches!(c, '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}');
    c.is_control()
        || bidi
        || matches!(c, '/' | '\\' | ':' | '%' | '*' | '?' | '"' | '<' | '>' | '|' | '\u{2028}' | '\u{2029}')
}

fn windows_device(stem: &str) -> bool {
    let upper = stem.to_uppercase();
    if matches!(upper.as_str(), "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$") {
        return true;
    }
    let numbered = upper.strip_prefix("COM").or_else(|| upper.strip_prefix("LPT"));
    numbered.is_some_and(|n| {
        let mut chars = n.chars();
        matches!((chars.next(), chars.next()), (Some('0'..='9' | '¹' | '²' | '³'), None))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_that_differ_only_by_case_or_accent_form_collide() {
        assert!(check_names(["a.mp4", "b.mp4"]).is_ok());
        assert_eq!(check_names(["a.mp4", "A.MP4"]), Err(NameError::Duplicate { index: 2 }));
        assert_eq!(check_names(["ñ.mp4", "n\u{303}.mp4"]), Err(NameError::Duplicate { index: 2 }));
    }

    #[test]
    fn an_extension_survives_shortening() {
        let long = format!("{}.mp4", "é".repeat(200));
        let clean = sanitise(&long);
        assert!(clean.ends_with(".mp4") && clean.len() <= MAX_NAME_BYTES);
    }

    proptest! {
        #[test]
        fn whatever_is_sanitised_is_accepted(name in "\\PC{0,300}") {
            prop_assert!(check_name(1, &sanitise(&name)).is_ok(), "{:?}", sanitise(&name));
        }

        #[test]
        fn any_text_is_sanitised(name in any::<String>()) {
            prop_assert!(check_name(1, &sanitise(&name)).is_ok());
        }
    }
}
