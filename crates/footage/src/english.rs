//! A description in English, for models that know no Spanish.

use crate::text;
use crate::{Clause, Colour, Kind, Part, What, Words};

impl Words {
    /// The text as it is where it is English; else what was understood of it, in English words.
    #[must_use]
    pub fn english(&self, written: &str) -> String {
        let words = text::words(written);
        let count = |is: &dyn Fn(&str) -> bool| words.iter().filter(|word| is(&word.plain)).count();
        if count(&|word| self.is_spanish(word)) <= count(&|word| self.is_english(word)) {
            return written.to_owned();
        }
        let clauses: Vec<String> = self.query(written).clauses.iter().map(told).collect();
        clauses.join(" and ")
    }
}

fn told(clause: &Clause) -> String {
    let noun = match clause.kinds.as_slice() {
        [] => "person or vehicle".to_owned(),
        [only] => lower(only.as_str()),
        kinds if kinds.iter().all(|kind| kind.is_vehicle()) && kinds.len() > 2 => "vehicle".to_owned(),
        [first, ..] => lower(first.as_str()),
    };
    let (mut before, mut after) = (String::new(), Vec::new());
    for want in &clause.wants {
        match &want.what {
            What::Colour { parts, colour } if parts.contains(&Part::Body) || clause.kinds.is_empty() => {
                before.push_str(&format!("{} ", name(*colour)));
            }
            What::Colour { parts, colour } => {
                let garment = match parts.as_slice() {
                    [Part::Upper] => "shirt",
                    [Part::Lower] => "trousers",
                    _ => "clothes",
                };
                after.push(format!("wearing a {} {garment}", name(*colour)));
            }
            What::With(kinds) => {
                after.extend(kinds.first().map(|kind: &Kind| format!("with a {}", lower(kind.as_str()))))
            }
            What::Untold => {}
        }
    }
    let mut told = format!("{before}{noun}");
    for each in after {
        told.push(' ');
        told.push_str(&each);
    }
    told
}

fn name(colour: Colour) -> String {
    lower(&format!("{colour:?}"))
}

fn lower(name: &str) -> String {
    name.to_lowercase()
}

#[cfg(test)]
mod tests {
    use crate::Words;

    #[test]
    fn spanish_becomes_english_and_english_stays() {
        let words = Words::built_in().unwrap();
        let text = "man in blue shirt and cowboy hat";
        assert_eq!(words.english(text), text);
        assert_eq!(words.english("coche rojo"), "red car");
        let told = words.english("mujer con camisa azul y mochila");
        assert!(
            told.contains("person") && told.contains("blue shirt") && told.contains("backpack"),
            "{told}"
        );
    }
}
