//! Equal rows written as one: many single answers become few lines that a person can review.

use std::collections::{BTreeMap, BTreeSet};

/// One answer: its coordinates (role, class, purpose and so on) and what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// A word for each dimension.
    pub at: Vec<String>,
    /// The answer.
    pub says: String,
}

/// All cells with one answer whose coordinates are every combination of these sets.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct GroupedRow {
    /// A set of words for each dimension.
    pub at: Vec<BTreeSet<String>>,
    /// The answer.
    pub says: String,
}

/// Merges cells that differ in one dimension only, dimension by dimension in the order given. Each cell is in exactly one
/// row, and a row holds no combination that was no cell.
pub fn group(cells: impl IntoIterator<Item = Cell>, order: &[usize]) -> Vec<GroupedRow> {
    let mut rows: Vec<GroupedRow> = cells
        .into_iter()
        .map(|cell| GroupedRow {
            at: cell.at.into_iter().map(|word| BTreeSet::from([word])).collect(),
            says: cell.says,
        })
        .collect();
    for dimension in order {
        let mut merged: BTreeMap<GroupedRow, BTreeSet<String>> = BTreeMap::new();
        for mut row in rows {
            let words = row.at.get_mut(*dimension).map(std::mem::take).unwrap_or_default();
            merged.entry(row).or_default().extend(words);
        }
        rows = merged
            .into_iter()
            .map(|(mut row, words)| {
                if let Some(place) = row.at.get_mut(*dimension) {
                    *place = words;
                }
                row
            })
            .collect();
    }
    rows.sort();
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn grouping_loses_and_invents_nothing(answers in proptest::collection::vec(0u8..3, 27)) {
            let cells: Vec<Cell> = answers.iter().enumerate().map(|(at, says)| Cell {
                at: vec![(at % 3).to_string(), (at / 3 % 3).to_string(), (at / 9).to_string()],
                says: says.to_string(),
            }).collect();
            for order in [[0, 1, 2], [2, 0, 1], [1, 2, 0]] {
                let mut back = Vec::new();
                for row in group(cells.clone(), &order) {
                    for a in &row.at[0] {
                        for b in &row.at[1] {
                            for c in &row.at[2] {
                                back.push((vec![a.clone(), b.clone(), c.clone()], row.says.clone()));
                            }
                        }
                    }
                }
                let mut all: Vec<_> = cells.iter().map(|cell| (cell.at.clone(), cell.says.clone())).collect();
                all.sort();
                back.sort();
                prop_assert_eq!(&all, &back);
            }
        }
    }
}
