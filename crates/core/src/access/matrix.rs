//! The table of rights, `policies/roles.txt`.

use std::collections::BTreeMap;

use canvass_types::Role;

/// How far a role reaches with an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Nowhere.
    Never,
    /// On matters of its own agency.
    Own,
    /// On matters of any agency, and on what belongs to none.
    Any,
}

/// Why a table of rights can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("roles, line {line}: {reason}")]
pub struct MatrixError {
    /// Which line, from 1.
    pub line: usize,
    /// What is wrong, and how it should be.
    pub reason: String,
}

/// Which role reaches how far with which action, and which actions leave a ledger entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matrix {
    rows: BTreeMap<String, Row>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Row {
    ledgered: bool,
    reach: Vec<Reach>,
}

impl Matrix {
    /// The table that ships with Canvass.
    ///
    /// # Errors
    /// When the table is not well-formed.
    pub fn shipped() -> Result<Self, MatrixError> {
        Self::parse(include_str!("../../../../policies/roles.txt"))
    }

    /// Reads a table: `action [*] cell…`, a cell for each of [`Role::ALL`].
    ///
    /// # Errors
    /// When a line has another form, or an action stands twice.
    pub fn parse(text: &str) -> Result<Self, MatrixError> {
        let mut rows = BTreeMap::new();
        for (at, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let fail = |reason: String| MatrixError { line: at + 1, reason };
            let mut words = line.split_whitespace().peekable();
            let action = words.next().unwrap_or_default().to_owned();
            let ledgered = words.next_if_eq(&"*").is_some();
            let reach = words
                .map(|cell| match cell {
                    "-" => Ok(Reach::Never),
                    "own" => Ok(Reach::Own),
                    "any" => Ok(Reach::Any),
                    other => Err(fail(format!("`{other}` is no cell; write any, own or -"))),
                })
                .collect::<Result<Vec<_>, _>>()?;
            if reach.len() != Role::ALL.len() {
                return Err(fail(format!("{} cells are needed, {} found", Role::ALL.len(), reach.len())));
            }
            if rows.insert(action.clone(), Row { ledgered, reach }).is_some() {
                return Err(fail(format!("{action} stands twice; keep one")));
            }
        }
        Ok(Self { rows })
    }

    /// How far a role reaches. An action without a row is nobody's.
    pub fn reach(&self, action: &str, role: Role) -> Reach {
        let column = Role::ALL.iter().position(|each| *each == role);
        let row = self.rows.get(action);
        row.zip(column).and_then(|(row, column)| row.reach.get(column)).copied().unwrap_or(Reach::Never)
    }

    /// Whether the action leaves an entry in the oversight ledger.
    pub fn ledgered(&self, action: &str) -> bool {
        self.rows.get(action).is_some_and(|row| row.ledgered)
    }

    /// The roles that may do it, as words.
    pub fn takes(&self, action: &str) -> String {
        let may = |role: &&Role| self.reach(action, **role) != Reach::Never;
        Role::ALL.iter().filter(may).map(|role| role.as_str()).collect::<Vec<_>>().join(", ")
    }

    /// All actions of the table.
    pub fn actions(&self) -> impl Iterator<Item = &str> {
        self.rows.keys().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_table_has_a_row_for_each_action_and_no_other() {
        let matrix = Matrix::shipped().unwrap();
        let mut declared: Vec<&str> = super::super::NAMES.to_vec();
        declared.sort_unstable();
        assert_eq!(matrix.actions().collect::<Vec<_>>(), declared);
    }

    #[test]
    fn every_reading_of_evidence_and_every_lasting_act_leaves_an_entry() {
        let matrix = Matrix::shipped().unwrap();
        for action in ["offer.open", "item.read", "case.export", "key.read", "hold.release", "key.destroy"] {
            assert!(matrix.ledgered(action), "{action}");
        }
    }

    #[test]
    fn malformed_tables_are_refused_with_the_line() {
        for (text, line) in [
            ("a.b any", 1),
            ("# c\na.b any any any any any any some", 2),
            ("a.b - - - - - - -\na.b - - - - - - -", 2),
        ] {
            assert_eq!(Matrix::parse(text).unwrap_err().line, line, "{text}");
        }
    }
}
