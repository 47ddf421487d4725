//! The tables of roles (`roles.txt`, `roles-search.txt`): what people review, and `roles.cedar` generated from it.

use std::{collections::BTreeMap, fmt::Write as _};

use canvass_types::Role;

use crate::{
    bundle::{ROLES_CEDAR, Texts},
    error::PolicyError,
};

/// How far a role reaches with an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Not at all.
    Never,
    /// To matters of the own agency.
    Own,
    /// To any agency's matters.
    Any,
}

/// What the table says of one action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Whether the action leaves an entry in the oversight ledger.
    pub ledgered: bool,
    /// A cell for each of [`Role::ALL`].
    pub reach: Vec<Reach>,
    /// The file, and the line in it.
    pub at: (String, usize),
}

/// All tables of a set of policies, as one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Table {
    rows: BTreeMap<String, Row>,
}

impl Table {
    /// Reads `roles.txt` and every `roles-….txt`.
    ///
    /// # Errors
    /// All lines that have another form than `action [*] cell…`, or repeat an action.
    pub fn read(texts: &Texts) -> Result<Self, Vec<PolicyError>> {
        let mut table = Self::default();
        let mut errors = Vec::new();
        let files = texts
            .iter()
            .filter(|(path, _)| path.starts_with("roles") && path.ends_with(".txt"))
            .collect::<Vec<_>>();
        if !files.iter().any(|(path, _)| *path == "roles.txt") {
            errors.push(PolicyError::new("roles.txt", None, "is missing", "add the table of roles"));
        }
        for (path, text) in files {
            for (at, line) in text.lines().enumerate() {
                let line = line.trim();
                if !line.is_empty()
                    && !line.starts_with('#')
                    && let Err(error) = table.line(path, at + 1, line)
                {
                    errors.push(error);
                }
            }
        }
        if errors.is_empty() { Ok(table) } else { Err(errors) }
    }

    fn line(&mut self, path: &str, at: usize, line: &str) -> Result<(), PolicyError> {
        let fail = |message: String, remedy: &str| PolicyError::new(path, Some(at), message, remedy);
        let mut words = line.split_whitespace().peekable();
        let action = words.next().unwrap_or_default().to_owned();
        let ledgered = words.next_if_eq(&"*").is_some();
        let reach = words
            .map(|cell| match cell {
                "-" => Ok(Reach::Never),
                "own" => Ok(Reach::Own),
                "any" => Ok(Reach::Any),
                other => Err(fail(format!("`{other}` is no cell"), "write any, own or -")),
            })
            .collect::<Result<Vec<_>, _>>()?;
        if reach.len() != Role::ALL.len() {
            let message = format!("{action} has {} cells", reach.len());
            return Err(fail(message, "write one cell for each of the seven roles"));
        }
        if let Some(first) = self.rows.get(&action) {
            let message = format!("{action} stands already at {}:{}", first.at.0, first.at.1);
            return Err(fail(message, "keep one of the two"));
        }
        self.rows.insert(action, Row { ledgered, reach, at: (path.to_owned(), at) });
        Ok(())
    }

    /// How far a role reaches. An action without a row is nobody's.
    pub fn reach(&self, action: &str, role: Role) -> Reach {
        let column = Role::ALL.iter().position(|each| *each == role);
        let row = self.rows.get(action);
        row.zip(column).and_then(|(row, column)| row.reach.get(column)).copied().unwrap_or(Reach::Never)
    }

    /// The roles that may do it, as words.
    pub fn takes(&self, action: &str) -> String {
        let may = |role: &&Role| self.reach(action, **role) != Reach::Never;
        Role::ALL.iter().filter(may).map(|role| role.as_str()).collect::<Vec<_>>().join(", ")
    }

    /// Action and row of each line, by action.
    pub fn rows(&self) -> impl Iterator<Item = (&str, &Row)> {
        self.rows.iter().map(|(action, row)| (action.as_str(), row))
    }

    /// Whether the action leaves an entry in the oversight ledger.
    pub fn ledgered(&self, action: &str) -> bool {
        self.rows.get(action).is_some_and(|row| row.ledgered)
    }
}

/// The text of `roles.cedar` that says exactly what the tables say.
pub fn roles_cedar(table: &Table) -> String {
    let mut text = String::from(
        "// Generated from roles.txt and roles-search.txt, which people review: change those, then run\n\
         // `UPDATE=1 cargo test -p canvass-policy`. A test and every load compare them.\n",
    );
    for role in Role::ALL {
        for (reach, word, says, when) in [
            (Reach::Any, "any", "on any agency's matters", ""),
            (
                Reach::Own,
                "own",
                "on matters of their own agency",
                "\nwhen { principal has agency && resource has owner && principal.agency == resource.owner }",
            ),
        ] {
            let actions: Vec<&str> = table
                .rows()
                .filter(|(action, _)| table.reach(action, role) == reach)
                .map(|(action, _)| action)
                .collect();
            if actions.is_empty() {
                continue;
            }
            let name = role.as_str();
            let article = if name.starts_with(['a', 'e', 'i', 'o']) { "An" } else { "A" };
            // Writing to a string can't fail.
            let _ = write!(
                text,
                "\n@id(\"roles.{name}.{word}\")\n@because(\"{article} {name} may do this {says}.\")\npermit (\n  principal in \
                 Role::\"{name}\",\n  action in [\n"
            );
            for action in actions {
                let _ = writeln!(text, "    Action::\"{action}\",");
            }
            let end = text.trim_end_matches(",\n").len();
            text.truncate(end);
            let _ = writeln!(text, "\n  ],\n  resource\n){when};");
        }
    }
    text
}

/// Whether `roles.cedar` is what the tables make of it; names the first line that is not.
pub(crate) fn compare(table: &Table, texts: &Texts) -> Option<PolicyError> {
    let remedy = "run `UPDATE=1 cargo test -p canvass-policy`, or write the file with roles_cedar()";
    let Some(found) = texts.get(ROLES_CEDAR) else {
        return Some(PolicyError::new(ROLES_CEDAR, None, "is missing", remedy));
    };
    let made = roles_cedar(table);
    let found = found.replace("\r\n", "\n");
    if made == found {
        return None;
    }
    let same = made.lines().zip(found.lines()).take_while(|(made, found)| made == found).count();
    Some(PolicyError::new(ROLES_CEDAR, Some(same + 1), "says otherwise than the tables of roles", remedy))
}
