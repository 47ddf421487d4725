//! The order of plates in a segment. Characters that readers take for each other stand together in it, so that what is
//! one plate to a forgiving search lies side by side, from its beginning and, in a second list, from its end.
//!
//! The classes are part of the file's form. They may differ from those that a search asks with (`confusables.toml`): that
//! costs more looks, never a match.

use std::sync::LazyLock;

use canvass_plates::PlateText;

/// Characters by class: a class has a number from 1, and a character a place in its class.
const CLASSES: [&[u8]; 25] = [
    b"0DOQ", b"1IL", b"2Z", b"3", b"4", b"5S", b"6G", b"7T", b"8B", b"9", b"A", b"C", b"E", b"F", b"H", b"J",
    b"K", b"M", b"N", b"P", b"R", b"UV", b"W", b"X", b"Y",
];
/// Bits of a class, and of a place in one.
const CLASS: u32 = 5;
const PLACE: u32 = 2;
/// Most ranges that one question is split into.
const MOST_RANGES: usize = 64;

/// Class and place of each character, [`PLACE`] bits of place.
static TABLE: LazyLock<[u8; 256]> = LazyLock::new(|| {
    let mut table = [0; 256];
    for (class, characters) in (1_u8..).zip(CLASSES) {
        for (place, character) in (0_u8..).zip(characters) {
            if let Some(code) = table.get_mut(usize::from(*character)) {
                *code = class << PLACE | place;
            }
        }
    }
    table
});

#[inline]
fn code(byte: u8) -> u8 {
    TABLE.get(usize::from(byte)).copied().unwrap_or(0)
}

/// A plate as a number that sorts as plates of a segment do: its classes from the top, then the places.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Sorted(u128);

/// A range of places in the order: from one, and up to another or to the end.
pub(crate) type Span = (Sorted, Option<Sorted>);

impl Sorted {
    /// From the beginning of a plate.
    #[inline]
    pub(crate) fn of(plate: &PlateText) -> Self {
        Self::from_characters(plate.as_bytes().iter().copied())
    }

    /// From its end.
    #[inline]
    pub(crate) fn from_end(plate: &PlateText) -> Self {
        Self::from_characters(plate.as_bytes().iter().rev().copied())
    }

    #[inline]
    fn from_characters(characters: impl Iterator<Item = u8>) -> Self {
        let (mut classes, mut places) = (128, 16 * PLACE);
        let mut all = 0_u128;
        for byte in characters.take(16) {
            let code = code(byte);
            classes -= CLASS;
            places -= PLACE;
            all |= u128::from(code >> PLACE) << classes | u128::from(code & ((1 << PLACE) - 1)) << places;
        }
        Self(all)
    }

    /// The characters in this order; none if it is no plate.
    pub(crate) fn characters(self) -> Option<PlateText> {
        let mut bytes = [0; 16];
        let mut length = 0;
        for (at, byte) in (1..).zip(&mut bytes) {
            let class = (self.0 >> (128 - CLASS * at)) as usize & ((1 << CLASS) - 1);
            let Some(class) = class.checked_sub(1) else { break };
            let place = (self.0 >> (PLACE * (16 - at))) as usize & ((1 << PLACE) - 1);
            *byte = *CLASSES.get(class)?.get(place)?;
            length += 1;
        }
        PlateText::from_bytes(bytes.get(..length)?)
    }

    /// The ranges, from and until, of what begins with one of `choices` at each place. Too many become fewer that hold
    /// more.
    pub(crate) fn ranges<C: Iterator<Item = u8>>(choices: impl Iterator<Item = C>) -> Vec<Span> {
        let mut beginnings = vec![0_u128];
        let mut shift = 128;
        for choice in choices.take(16) {
            let mut classes: Vec<u8> = choice.map(|byte| code(byte) >> PLACE).collect();
            classes.sort_unstable();
            classes.dedup();
            if beginnings.len() * classes.len() > MOST_RANGES {
                break;
            }
            shift -= CLASS;
            let longer = |start: &u128| {
                let start = *start;
                classes.iter().map(move |class| start | u128::from(*class) << shift).collect::<Vec<_>>()
            };
            beginnings = beginnings.iter().flat_map(longer).collect();
        }
        let until = |start: u128| 1_u128.checked_shl(shift).and_then(|step| start.checked_add(step));
        beginnings.into_iter().map(|start| (Self(start), until(start).map(Self))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn plate(text: &str) -> PlateText {
        PlateText::normalise(text).unwrap()
    }

    #[test]
    fn each_character_has_one_class() {
        let mut all: Vec<u8> = CLASSES.concat();
        all.sort_unstable();
        assert_eq!(all, b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ");
        assert!(CLASSES.len() < 1 << CLASS && CLASSES.iter().all(|class| class.len() <= 1 << PLACE));
    }

    #[test]
    fn what_readers_confuse_is_one_range() {
        let classes = canvass_plates::confusables::standard();
        let asked = plate("80T1");
        let ranges = Sorted::ranges(asked.as_bytes().iter().map(|byte| classes.class(*byte)));
        assert_eq!(ranges.len(), 1);
    }

    proptest! {
        #[test]
        fn a_plate_comes_back(text in "[A-Z0-9]{1,16}") {
            let text = plate(&text);
            prop_assert_eq!(Sorted::of(&text).characters(), Some(text));
            let reversed: Vec<u8> = text.as_bytes().iter().rev().copied().collect();
            prop_assert_eq!(Sorted::from_end(&text).characters(), PlateText::from_bytes(&reversed));
        }

        #[test]
        fn no_two_plates_are_one(one in "[A-Z0-9]{1,16}", other in "[A-Z0-9]{1,16}") {
            prop_assert_eq!(Sorted::of(&plate(&one)) == Sorted::of(&plate(&other)), one == other);
        }

        #[test]
        fn a_range_holds_what_begins_so(
            choices in proptest::collection::vec("[A-Z0-9]{1,8}", 0..6), rest in "[A-Z0-9]{0,8}", at in 0..8_usize,
        ) {
            let ranges = Sorted::ranges(choices.iter().map(|choice| choice.bytes()));
            prop_assert!(ranges.len() <= MOST_RANGES);
            let text: String = choices.iter().map(|choice| char::from(choice.as_bytes()[at % choice.len()])).collect();
            let text = text + &rest;
            if !text.is_empty() {
                let sorted = Sorted::of(&plate(&text));
                prop_assert!(ranges.iter().any(|(from, until)| *from <= sorted && until.is_none_or(|until| sorted < until)));
            }
        }
    }
}
