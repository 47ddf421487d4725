//! The automaton that walks a dictionary for plates one edit away, confusable characters counted as the same. It keeps
//! the places in the asked plate that may come next, a bit each: without an edit so far, and with one.

use canvass_plates::{PlateText, confusables::Confusables};

pub(crate) struct Tolerant {
    /// For each byte, the places where it or its like was asked for.
    masks: [u32; 128],
    all: u32,
    end: u32,
}

impl Tolerant {
    pub(crate) fn new(asked: &PlateText, confusables: &Confusables) -> Self {
        let mut masks = [0; 128];
        for (at, byte) in asked.as_bytes().iter().enumerate() {
            for like in confusables.class(*byte) {
                if let Some(mask) = masks.get_mut(usize::from(like)) {
                    *mask |= 1 << at;
                }
            }
        }
        let end = 1 << asked.characters();
        Self { masks, all: (end << 1) - 1, end }
    }
}

impl fst::Automaton for Tolerant {
    type State = (u32, u32);

    fn start(&self) -> Self::State {
        (1, 2)
    }

    fn is_match(&self, (exact, edited): &Self::State) -> bool {
        (exact | edited) & self.end != 0
    }

    fn can_match(&self, (exact, edited): &Self::State) -> bool {
        exact | edited != 0
    }

    #[inline]
    fn accept(&self, (exact, edited): &Self::State, byte: u8) -> Self::State {
        let mask = self.masks.get(usize::from(byte)).copied().unwrap_or(0);
        let next = (exact & mask) << 1;
        // On without an edit; or a wrong character, one too many, one that is missing.
        let edit = (edited & mask) << 1 | exact << 1 | exact | next << 1;
        (next & self.all, edit & self.all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use canvass_plates::{Limits, PlatePattern, compare, confusables::standard};
    use fst::Automaton as _;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_automaton_agrees_with_the_plain_comparison(asked in "[AB0O1I2]{3,6}", read in "[AB0O1I2C]{1,8}") {
            let pattern = PlatePattern::tolerant(&asked, &Limits::default()).unwrap();
            let plate = PlateText::normalise(&read).unwrap();
            let automaton = Tolerant::new(&PlateText::normalise(&asked).unwrap(), standard());
            let state = read.bytes().fold(automaton.start(), |state, byte| automaton.accept(&state, byte));
            prop_assert_eq!(automaton.is_match(&state), compare(&pattern, &plate, standard()).is_some());
        }
    }
}
