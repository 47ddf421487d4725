//! The automaton that tells plates one edit away, confusable characters counted as the same. It keeps the places in the
//! asked plate that may come next, a bit each: without an edit so far, and with one.

use canvass_plates::confusables::Confusables;

pub(crate) struct Tolerant {
    /// For each byte, the places where it or its like was asked for.
    masks: [u32; 128],
    all: u32,
    end: u32,
}

impl Tolerant {
    pub(crate) fn new(asked: &[u8], confusables: &Confusables) -> Self {
        let mut masks = [0; 128];
        for (at, byte) in asked.iter().enumerate().take(16) {
            for like in confusables.class(*byte) {
                if let Some(mask) = masks.get_mut(usize::from(like)) {
                    *mask |= 1 << at;
                }
            }
        }
        let end = 1 << asked.len().min(16);
        Self { masks, all: (end << 1) - 1, end }
    }

    #[inline]
    fn mask(&self, byte: u8) -> u32 {
        self.masks.get(usize::from(byte)).copied().unwrap_or(0)
    }

    /// Whether this plate is the asked one but for one edit.
    #[inline]
    pub(crate) fn fits(&self, plate: &[u8]) -> bool {
        let (mut exact, mut edited) = (1_u32, 2_u32);
        for byte in plate {
            let mask = self.mask(*byte);
            let next = (exact & mask) << 1;
            // On without an edit; or a wrong character, one too many, one that is missing.
            edited = ((edited & mask) << 1 | exact << 1 | exact | next << 1) & self.all;
            exact = next & self.all;
            if exact | edited == 0 {
                return false;
            }
        }
        (exact | edited) & self.end != 0
    }

    /// Whether this plate begins as asked, without an edit.
    #[inline]
    pub(crate) fn begins(&self, plate: &[u8]) -> bool {
        let mut exact = 1_u32;
        for byte in plate {
            if exact & self.end != 0 {
                return true;
            }
            exact = (exact & self.mask(*byte)) << 1;
        }
        exact & self.end != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use canvass_plates::{Limits, PlatePattern, PlateText, compare, confusables::standard};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_automaton_agrees_with_the_plain_comparison(asked in "[AB0O1I2]{3,6}", read in "[AB0O1I2C]{1,8}") {
            let pattern = PlatePattern::tolerant(&asked, &Limits::default()).unwrap();
            let plate = PlateText::normalise(&read).unwrap();
            let automaton = Tolerant::new(asked.as_bytes(), standard());
            prop_assert_eq!(automaton.fits(read.as_bytes()), compare(&pattern, &plate, standard()).is_some());
        }

        #[test]
        fn one_edit_leaves_a_half_as_it_is(asked in "[AB0O1I2]{1,7}", read in "[AB0O1I2C]{1,8}") {
            let (head, tail) = asked.split_at(asked.len() / 2);
            let turned = |text: &str| text.bytes().rev().collect::<Vec<u8>>();
            if Tolerant::new(asked.as_bytes(), standard()).fits(read.as_bytes()) {
                let begins = Tolerant::new(head.as_bytes(), standard()).begins(read.as_bytes());
                let ends = Tolerant::new(&turned(tail), standard()).begins(&turned(&read));
                prop_assert!(begins || ends);
            }
        }
    }
}
