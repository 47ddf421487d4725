//! What may not be searched for, as data: `data/refusals.toml`.

use crate::text::{self, Word, is_near, plain, untricked};
use crate::{DataError, Meaning, Words};
use serde::{Deserialize, Serialize};

const BUILT_IN: &str = include_str!("../data/refusals.toml");
const FILE: &str = "refusals.toml";
/// This many digits in a row are a number of somebody's.
const DIGITS: usize = 5;

/// One rule.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Its short name.
    pub id: String,
    /// What it is about, in English.
    pub title_en: String,
    /// What it is about, in Spanish.
    pub title_es: String,
    /// Why, and what to do instead, in English.
    pub reason_en: String,
    /// Why, and what to do instead, in Spanish.
    pub reason_es: String,
    /// Words and phrases, small and without accents; `*` at the end of a word stands for any ending.
    pub words: Vec<String>,
    /// Words that are refused right beside a word for a person alone.
    #[serde(default)]
    pub beside_person: Vec<String>,
}

/// Why a text is refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refusal {
    /// The rule's short name.
    pub rule: String,
    /// What it is about, in English.
    pub title: String,
    /// Why, and what to do instead, in English.
    pub reason: String,
    /// Why, and what to do instead, in Spanish.
    pub reason_es: String,
    /// The words of the text that it stopped at, as they were written.
    pub words: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    fuzzy: usize,
    spare: Vec<String>,
    rule: Vec<Rule>,
}

/// The rules, and the words that are no names.
#[derive(Debug, Clone)]
pub struct Rules {
    file: File,
    phrases: Vec<(usize, Vec<String>)>,
    words: Words,
}

impl Rules {
    /// Those that come with this crate.
    ///
    /// # Errors
    /// A file in the program can't be used; a test keeps that from happening.
    pub fn built_in() -> Result<Self, DataError> {
        Self::parse(BUILT_IN, Words::built_in()?)
    }

    /// Rules from the text of a file like `data/refusals.toml`.
    ///
    /// # Errors
    /// It is no such file, or a phrase is empty.
    pub fn parse(text: &str, words: Words) -> Result<Self, DataError> {
        let bad = |reason: String| DataError { file: FILE, reason };
        let file: File = toml::from_str(text).map_err(|error| bad(error.to_string()))?;
        let mut phrases = Vec::new();
        for (at, rule) in file.rule.iter().enumerate() {
            for phrase in &rule.words {
                let parts: Vec<String> = phrase.split_whitespace().map(plain).collect();
                if parts.iter().all(|part| part == "*") {
                    return Err(bad(format!("{}: {phrase:?} would refuse every word", rule.id)));
                }
                phrases.push((at, parts));
            }
        }
        // Longer phrases first: "who is" says more than "is".
        phrases.sort_by_key(|(_, parts)| std::cmp::Reverse(parts.len()));
        Ok(Self { file, phrases, words })
    }

    /// All rules.
    pub fn all(&self) -> &[Rule] {
        &self.file.rule
    }

    /// Whether a text may be searched for.
    ///
    /// # Errors
    /// The rule that refuses it, with the words that it stopped at.
    pub fn check(&self, text: &str) -> Result<(), Refusal> {
        let written = text::words(text);
        let apart = text::words(&text.replace('-', " "));
        for words in [&written, &apart, &joined(&written), &joined(&apart)] {
            if let Some((rule, words)) = self.phrase(words).or_else(|| self.beside(words)) {
                return Err(self.refusal(rule, words));
            }
        }
        if let Some(words) = personal(&written, text) {
            return Err(self.named("personal-data", words));
        }
        if let Some(words) = self.name(&written) {
            return Err(self.named("names", words));
        }
        Ok(())
    }

    fn phrase(&self, words: &[Word]) -> Option<(usize, String)> {
        let tricks: Vec<[String; 2]> = words.iter().map(|word| untricked(&word.plain)).collect();
        for (rule, parts) in &self.phrases {
            for (at, window) in words.windows(parts.len()).enumerate() {
                let untricked = tricks.get(at..).unwrap_or_default();
                let pairs = parts.iter().zip(window.iter().zip(untricked));
                let fits = |(part, (word, tricks)): (&String, (&Word, &[String; 2]))| {
                    tricks.iter().any(|trick| self.fits(part, &word.plain, trick))
                };
                if pairs.into_iter().all(fits) {
                    return Some((*rule, said(window)));
                }
            }
        }
        None
    }

    /// Whether a word is the one that a rule names, whatever tricks it is written with.
    fn fits(&self, part: &str, plain: &str, trick: &str) -> bool {
        if let Some(stem) = part.strip_suffix('*') {
            let spared = self.file.spare.iter().any(|spare| spare == plain) || self.words.knows(plain);
            return !spared
                && (plain.starts_with(stem) || trick.starts_with(stem) || self.begins_near(stem, trick));
        }
        // A digit or sign for a letter leaves a word that means nothing else.
        if plain == part || trick == part && !self.words.knows(plain) {
            return true;
        }
        let long = part.chars().count() >= self.file.fuzzy;
        long && !self.words.knows(plain)
            && !self.file.spare.iter().any(|spare| spare == plain)
            && is_near(part, trick)
    }

    /// Whether a word begins like a long stem with one letter wrong.
    fn begins_near(&self, stem: &str, trick: &str) -> bool {
        let count = stem.chars().count();
        count >= self.file.fuzzy
            && (count - 1..=count + 1).any(|long| {
                let start: String = trick.chars().take(long).collect();
                start.chars().count() == long && is_near(stem, &start)
            })
    }

    /// A word like "black" beside one for a person, with nothing but shades and ages between.
    fn beside(&self, words: &[Word]) -> Option<(usize, String)> {
        for (rule, list) in self.file.rule.iter().enumerate().map(|(at, rule)| (at, &rule.beside_person)) {
            for (at, word) in words.iter().enumerate() {
                if !list.contains(&word.plain)
                    && !untricked(&word.plain).iter().any(|trick| list.contains(trick))
                {
                    continue;
                }
                let after = words.get(at + 1..).unwrap_or_default();
                let before = words.get(..at).unwrap_or_default();
                let next = after
                    .iter()
                    .position(|word| !self.is_shade(word))
                    .filter(|next| after.get(*next).is_some_and(|word| self.is_person(word)));
                // In Spanish a colour follows its noun: "mujer blanca", but not "mujer blanca falda".
                let spanish = self.words.is_spanish(&word.plain);
                let previous = before.iter().rev().find(|word| !self.is_shade(word));
                let follows = spanish && previous.is_some_and(|word| self.is_person(word));
                if let Some(next) = next {
                    return Some((rule, said(words.get(at..=at + 1 + next).unwrap_or_default())));
                }
                if follows {
                    return Some((rule, said(words.get(at.saturating_sub(1)..=at).unwrap_or_default())));
                }
            }
        }
        None
    }

    fn is_person(&self, word: &Word) -> bool {
        let (english, spanish) = self.words.find(&word.plain);
        [english, spanish].into_iter().flatten().any(|meaning| {
            matches!(meaning, Meaning::Subject { kinds, .. } if kinds.contains(&crate::Kind::Person))
        })
    }

    fn is_shade(&self, word: &Word) -> bool {
        let (english, spanish) = self.words.find(&word.plain);
        [english, spanish].into_iter().flatten().any(|meaning| matches!(meaning, Meaning::Shade))
    }

    /// A word written like a name that means nothing else.
    fn name(&self, words: &[Word]) -> Option<String> {
        let odd = |word: &Word| {
            word.is_capitalised() && !self.words.knows(&word.plain) && !MAKES.contains(&word.plain.as_str())
        };
        let mut last_odd = false;
        for (at, word) in words.iter().enumerate() {
            let odd = odd(word);
            if odd && (!word.first || last_odd) {
                let from = if last_odd { at.saturating_sub(1) } else { at };
                return Some(said(words.get(from..=at).unwrap_or_default()));
            }
            last_odd = odd;
        }
        None
    }

    fn named(&self, id: &str, words: String) -> Refusal {
        let at = self.file.rule.iter().position(|rule| rule.id == id).unwrap_or_default();
        self.refusal(at, words)
    }

    fn refusal(&self, rule: usize, words: String) -> Refusal {
        let rule = self.file.rule.get(rule).or_else(|| self.file.rule.first());
        let text = |of: fn(&Rule) -> &String| rule.map(of).cloned().unwrap_or_default();
        Refusal {
            rule: text(|rule| &rule.id),
            title: text(|rule| &rule.title_en),
            reason: text(|rule| &rule.reason_en),
            reason_es: text(|rule| &rule.reason_es),
            words,
        }
    }
}

/// Makers of vehicles and clothes: capitals that name nobody.
const MAKES: [&str; 40] = [
    "toyota",
    "ford",
    "honda",
    "chevrolet",
    "chevy",
    "nissan",
    "jeep",
    "bmw",
    "mercedes",
    "audi",
    "volkswagen",
    "hyundai",
    "kia",
    "subaru",
    "mazda",
    "tesla",
    "dodge",
    "chrysler",
    "buick",
    "cadillac",
    "gmc",
    "lexus",
    "acura",
    "volvo",
    "seat",
    "renault",
    "peugeot",
    "citroen",
    "fiat",
    "opel",
    "skoda",
    "dacia",
    "mini",
    "suzuki",
    "mitsubishi",
    "nike",
    "adidas",
    "puma",
    "reebok",
    "levi",
];

fn said(words: &[Word]) -> String {
    words.iter().map(|word| word.written.as_str()).collect::<Vec<_>>().join(" ")
}

/// Single letters in a row are one word: `p r o t e s t`.
fn joined(words: &[Word]) -> Vec<Word> {
    let mut out: Vec<Word> = Vec::new();
    let mut run = 0;
    for word in words {
        let single = word.plain.chars().count() == 1;
        match out.last_mut() {
            Some(last) if single && run > 0 => {
                last.plain.push_str(&word.plain);
                last.written.push_str(&word.written);
            }
            _ => out.push(word.clone()),
        }
        run = if single { run + 1 } else { 0 };
    }
    out
}

/// Numbers and addresses of somebody's, and what looks like a plate.
fn personal(words: &[Word], text: &str) -> Option<String> {
    let address = text
        .split_whitespace()
        .find(|part| part.split_once('@').is_some_and(|(name, host)| !name.is_empty() && host.contains('.')));
    if let Some(address) = address {
        return Some(address.to_owned());
    }
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).count();
    let long = words.iter().find(|word| {
        let letters = word.plain.chars().filter(|c| c.is_ascii_alphabetic()).count();
        digits(&word.plain) >= DIGITS
            || digits(&word.plain) >= 2 && letters >= 2 && word.plain.len() >= 5 && word.plain.is_ascii()
    });
    let row = || {
        let numbers = words.windows(2).find(|pair| {
            pair.iter().all(|word| word.plain.chars().all(|c| c.is_ascii_digit()))
                && pair.iter().map(|word| digits(&word.plain)).sum::<usize>() >= DIGITS
        });
        numbers.map(said)
    };
    long.map(|word| word.written.clone()).or_else(row)
}
