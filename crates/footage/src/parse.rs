//! From a text to what it asks for.

use crate::text::{self, Word};
use crate::words::LONGEST;
use crate::{Clause, Kind, Meaning, Part, Query, Want, What, Words};

/// A phrase that means something.
struct Token {
    written: String,
    meaning: Meaning,
}

impl Words {
    /// What a text asks for. English puts a colour before its noun, Spanish after it; the words tell which it is.
    pub fn query(&self, text: &str) -> Query {
        let words = text::words(text);
        let spanish = words.iter().filter(|word| self.is_spanish(&word.plain)).count()
            > words.iter().filter(|word| self.is_english(&word.plain)).count();
        let (tokens, ignored) = self.tokens(&words, spanish);
        let mut clauses: Vec<Clause> = vec![Clause::default()];
        let mut colours: Vec<(usize, &Token)> = Vec::new();
        let mut last: Option<usize> = None;
        for (at, token) in tokens.iter().enumerate() {
            match &token.meaning {
                Meaning::Skip | Meaning::Binds => {}
                Meaning::Shade => push(&mut clauses, token, What::Untold),
                Meaning::Colour(_) => {
                    let noun = last.filter(|_| spanish).filter(|noun| between(&tokens, *noun, at));
                    match noun.and_then(|noun| tokens.get(noun)) {
                        Some(noun) => colour(&mut clauses, token, Some(noun)),
                        None => colours.push((at, token)),
                    }
                }
                _ => {
                    let (near, far): (Vec<_>, Vec<_>) = std::mem::take(&mut colours)
                        .into_iter()
                        .partition(|(of, _)| between(&tokens, *of, at));
                    far.into_iter().for_each(|(_, token)| colour(&mut clauses, token, None));
                    begin(&mut clauses, token);
                    near.into_iter().for_each(|(_, of)| colour(&mut clauses, of, Some(token)));
                    last = Some(at);
                }
            }
        }
        colours.into_iter().for_each(|(_, token)| colour(&mut clauses, token, None));
        finish(&mut clauses);
        Query { clauses, ignored }
    }

    fn tokens(&self, words: &[Word], spanish: bool) -> (Vec<Token>, Vec<String>) {
        let (mut tokens, mut ignored) = (Vec::new(), Vec::new());
        let mut rest = words;
        while let Some((first, after)) = rest.split_first() {
            let longest = (1..=LONGEST.min(rest.len())).rev().find_map(|count| {
                let part = rest.get(..count)?;
                let phrase = part.iter().map(|word| word.plain.as_str()).collect::<Vec<_>>().join(" ");
                let (english, other) = self.find(&phrase);
                let meaning = if spanish { other.or(english) } else { english.or(other) }?;
                let written = part.iter().map(|word| word.written.as_str()).collect::<Vec<_>>().join(" ");
                Some((Token { written, meaning: meaning.clone() }, rest.get(count..).unwrap_or_default()))
            });
            match longest {
                Some((token, after)) => {
                    tokens.push(token);
                    rest = after;
                }
                None => {
                    ignored.push(first.written.clone());
                    rest = after;
                }
            }
        }
        (tokens, ignored)
    }
}

/// Whether only colours, shades and small words stand between a noun and a colour, and nothing that begins a new thing.
fn between(tokens: &[Token], a: usize, b: usize) -> bool {
    let inside = tokens.get(a.min(b) + 1..a.max(b)).unwrap_or_default();
    inside.iter().all(|token| {
        let small = matches!(
            token.written.to_lowercase().as_str(),
            "and" | "y" | "e" | "or" | "o" | "color" | "colour" | "de"
        );
        small || matches!(token.meaning, Meaning::Colour(_) | Meaning::Shade)
    })
}

fn push(clauses: &mut [Clause], token: &Token, what: What) {
    if let Some(clause) = clauses.last_mut() {
        clause.wants.push(Want { words: token.written.clone(), what });
    }
}

/// A noun: a new clause for a person or vehicle, something more of the last one else.
fn begin(clauses: &mut Vec<Clause>, token: &Token) {
    match &token.meaning {
        Meaning::Subject { kinds, rides, untold } => {
            let ridden = kinds.iter().all(|kind| matches!(kind, Kind::Bicycle | Kind::Motorcycle));
            let rider = clauses.last().is_some_and(|clause| clause.kinds == [Kind::Person]);
            if ridden && rider {
                push(clauses, token, What::With(kinds.clone()));
                return;
            }
            if clauses.last().is_some_and(|clause| !clause.kinds.is_empty()) {
                clauses.push(Clause::default());
            }
            if let Some(clause) = clauses.last_mut() {
                clause.kinds.clone_from(kinds);
                clause.words.push(token.written.clone());
            }
            if !rides.is_empty() {
                push(clauses, token, What::With(rides.clone()));
            }
            if *untold {
                push(clauses, token, What::Untold);
            }
        }
        Meaning::With(kinds) => push(clauses, token, What::With(kinds.clone())),
        // What it is, is not told; its colour is.
        Meaning::Garment(_) => push(clauses, token, What::Untold),
        _ => {}
    }
}

/// A colour, of a noun or of the whole subject.
fn colour(clauses: &mut [Clause], token: &Token, of: Option<&Token>) {
    let Meaning::Colour(colour) = token.meaning else { return };
    let parts = match of.map(|noun| &noun.meaning) {
        Some(Meaning::Garment(parts)) => parts.clone(),
        Some(Meaning::With(_)) => Vec::new(),
        // Parts of the subject are set once it is known what that is.
        Some(_) | None => vec![Part::Upper, Part::Lower, Part::Body],
    };
    let what = if parts.is_empty() { What::Untold } else { What::Colour { parts, colour } };
    let words = match of {
        Some(noun) if matches!(noun.meaning, Meaning::Garment(_) | Meaning::With(_)) => {
            format!("{} {}", token.written, noun.written)
        }
        _ => token.written.clone(),
    };
    if let Some(clause) = clauses.last_mut() {
        clause.wants.push(Want { words, what });
    }
}

/// A clause without a subject is about people where it speaks of garments or bags, else about anything. Colours are
/// bound to the parts that its subject has.
fn finish(clauses: &mut [Clause]) {
    for clause in clauses {
        let worn = |want: &Want| match &want.what {
            What::With(_) => true,
            What::Colour { parts, .. } => !parts.contains(&Part::Body),
            What::Untold => false,
        };
        if clause.kinds.is_empty() && clause.wants.iter().any(worn) {
            clause.kinds = vec![Kind::Person];
        }
        let person = clause.kinds == [Kind::Person];
        let any = clause.kinds.is_empty();
        for want in &mut clause.wants {
            if let What::Colour { parts, .. } = &mut want.what {
                parts.retain(|part| any || (*part == Part::Body) != person);
            }
        }
    }
}
