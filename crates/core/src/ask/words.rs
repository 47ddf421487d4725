//! Words and patterns: how the content rules read a text.
//!
//! A text becomes words without case and accents; common disguises (a digit or sign for a letter, letters set apart,
//! look-alike letters, invisible characters) are undone. A pattern is a row of elements:
//! `word`, `word*` (any ending), `one|other`, `@set` (a list of the rules file), `#` (a number), `^` (a capitalised
//! word that is no common one), `=ICE` (exactly so), `..3` (up to three words between). It never runs over the end of a
//! sentence.

use std::collections::BTreeMap;

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

/// Characters of a text that are read; the rules on length refuse longer ones.
const MOST_READ: usize = 20_000;
/// Letters set apart (`p r o t e s t`) from which on they are read as one word.
const LEAST_SPACED: usize = 4;

/// One word of a text.
#[derive(Debug, Clone)]
pub(super) struct Word {
    // Lower case, no accents.
    plain: String,
    // The same with disguises undone, when that differs.
    undone: Option<String>,
    capital: bool,
    sentence: usize,
    start: usize,
    end: usize,
}

/// A text in words.
#[derive(Debug)]
pub(super) struct Text<'a> {
    source: &'a str,
    words: Vec<Word>,
}

/// Words `first..end` of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Hit {
    pub(super) first: usize,
    pub(super) end: usize,
}

/// UTF-16 code units before each byte of a text.
pub(super) struct Places<'a> {
    words: &'a [Word],
    units: Vec<u32>,
}

impl Places<'_> {
    /// Begin and end of a hit.
    pub(super) fn of(&self, hit: Hit) -> Option<(u32, u32)> {
        let start = self.words.get(hit.first)?.start;
        let end = self.words.get(hit.end.checked_sub(1)?)?.end;
        Some((*self.units.get(start)?, *self.units.get(end)?))
    }
}

impl<'a> Text<'a> {
    pub(super) fn read(source: &'a str) -> Self {
        let end = source.char_indices().nth(MOST_READ).map_or(source.len(), |(at, _)| at);
        let source = source.get(..end).unwrap_or_default();
        let mut words = Vec::new();
        let (mut start, mut sentence, mut previous) = (None, 0, ' ');
        let mut characters = source.char_indices().peekable();
        while let Some((at, character)) = characters.next() {
            let next = characters.peek().map(|(_, c)| *c);
            let joins = |c: char| matches!(c, '*' | '_' | '~' | '|' | '@' | '$') && start.is_some();
            let letter_next = next.is_some_and(char::is_alphanumeric);
            if character.is_alphanumeric() || is_combining_mark(character) || skipped(character) {
                start = start.or(Some(at));
            } else if !(joins(character) && letter_next && previous.is_alphabetic()) {
                if let Some(start) = start.take() {
                    words.push(word(source, start, at, sentence));
                }
                let stops =
                    matches!(character, '.' | '!' | '?' | ';') && next.is_none_or(char::is_whitespace);
                let initial =
                    words.last().is_some_and(|word: &Word| word.capital && word.end - word.start == 1);
                if character == '\n' || (stops && !(character == '.' && initial)) {
                    sentence += 1;
                }
            }
            previous = character;
        }
        if let Some(start) = start {
            words.push(word(source, start, source.len(), sentence));
        }
        words.retain(|word| !word.plain.is_empty());
        Self { source, words: join_spaced(words) }
    }

    /// The words of a hit as they stand in the text.
    pub(super) fn quote(&self, hit: Hit) -> String {
        let start = self.words.get(hit.first).map_or(0, |word| word.start);
        let end = self.words.get(hit.end.saturating_sub(1)).map_or(0, |word| word.end);
        self.source.get(start..end).unwrap_or_default().chars().take(120).collect()
    }

    /// Where the words of hits stand, for readers that count in UTF-16 code units.
    pub(super) fn places(&self) -> Places<'_> {
        let mut units = Vec::with_capacity(self.source.len() + 1);
        let mut at = 0;
        for character in self.source.chars() {
            units.extend(std::iter::repeat_n(at, character.len_utf8()));
            at += if character.len_utf16() == 2 { 2 } else { 1 };
        }
        units.push(at);
        Places { words: &self.words, units }
    }

    /// The words of the sentence that a hit stands in.
    pub(super) fn sentence(&self, hit: Hit) -> Hit {
        let Some(number) = self.words.get(hit.first).map(|word| word.sentence) else {
            return Hit { first: hit.first, end: hit.first + 1 };
        };
        // Words stand in the order of their sentences.
        let first = self.words.partition_point(|word| word.sentence < number);
        Hit { first, end: self.words.partition_point(|word| word.sentence <= number) }
    }

    pub(super) fn all(&self) -> Hit {
        Hit { first: 0, end: self.words.len() }
    }
}

// Invisible characters inside a word.
fn skipped(character: char) -> bool {
    matches!(character, '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}' | '\u{ad}')
}

// Letters of other scripts, and signs, that look like Latin letters.
fn look_alike(character: char) -> char {
    match character {
        'а' => 'a',
        'е' | 'є' => 'e',
        'о' | 'ο' => 'o',
        'р' | 'ρ' => 'p',
        'с' => 'c',
        'т' => 't',
        'у' => 'y',
        'х' => 'x',
        'і' | 'ι' => 'i',
        'ѕ' => 's',
        'α' => 'a',
        other => other,
    }
}

fn word(source: &str, start: usize, end: usize, sentence: usize) -> Word {
    let raw = source.get(start..end).unwrap_or_default();
    let folded: String =
        raw.nfkd().filter(|c| !is_combining_mark(*c) && !skipped(*c)).flat_map(char::to_lowercase).collect();
    let letters = folded.chars().filter(|c| c.is_alphabetic()).count();
    let digits = folded.chars().filter(char::is_ascii_digit).count();
    let undone: String = folded
        .chars()
        .filter(|c| !matches!(c, '*' | '_' | '~' | '|'))
        .map(|c| match c {
            '0' => 'o',
            '1' => 'i',
            '3' => 'e',
            '4' | '@' => 'a',
            '5' | '$' => 's',
            '7' => 't',
            other => look_alike(other),
        })
        .collect();
    let disguised = undone != folded && letters >= 3 && letters > digits;
    let capital = raw.chars().next().is_some_and(char::is_uppercase);
    Word { undone: disguised.then_some(undone), plain: folded, capital, sentence, start, end }
}

fn join_spaced(words: Vec<Word>) -> Vec<Word> {
    let single = |word: &Word| word.plain.chars().count() == 1;
    let mut joined: Vec<Word> = Vec::with_capacity(words.len());
    let mut rest = words.as_slice();
    while let Some((first, others)) = rest.split_first() {
        let run = rest.iter().take_while(|w| single(w) && w.sentence == first.sentence).count();
        let (letters, after) = rest.split_at_checked(run).unwrap_or((&[], rest));
        if let (true, Some(last)) = (run >= LEAST_SPACED, letters.last()) {
            let text: String = letters.iter().map(|word| word.plain.as_str()).collect();
            let undone = text
                .chars()
                .map(|c| match c {
                    '0' => 'o',
                    '1' => 'i',
                    '3' => 'e',
                    other => other,
                })
                .collect();
            joined.push(Word { undone: Some(undone), plain: text, end: last.end, ..first.clone() });
            rest = after;
        } else {
            joined.push(first.clone());
            rest = others;
        }
    }
    joined
}

/// Why a pattern of the rules file can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("content rules, pattern `{pattern}`: {what}; correct it in policies/content-rules.toml")]
pub(super) struct PatternError {
    pattern: String,
    what: &'static str,
}

#[derive(Debug, Clone)]
enum One {
    Exact(String),
    Prefix(String),
    Number,
    Name,
    Verbatim(String),
}

#[derive(Debug, Clone)]
enum Element {
    Any(Vec<One>),
    UpTo(usize),
}

/// A row of elements.
#[derive(Debug, Clone)]
pub(super) struct Pattern(Vec<Element>);

/// Named lists of words.
pub(super) type Sets = BTreeMap<String, Vec<String>>;

impl Pattern {
    pub(super) fn parse(text: &str, sets: &Sets) -> Result<Self, PatternError> {
        let wrong = |what| PatternError { pattern: text.into(), what };
        let mut elements = Vec::new();
        for part in text.split_whitespace() {
            if let Some(count) = part.strip_prefix("..") {
                let count = count.parse().ok().filter(|count| (1..=8).contains(count));
                elements.push(Element::UpTo(count.ok_or(wrong("a gap is ..1 to ..8"))?));
                continue;
            }
            let mut any = Vec::new();
            for choice in part.split('|') {
                match choice.strip_prefix('@') {
                    Some(name) => {
                        let set = sets.get(name).ok_or(wrong("names a set that does not exist"))?;
                        for word in set {
                            any.push(
                                One::parse(word).ok_or(wrong("its set holds something else than a word"))?,
                            );
                        }
                    }
                    None => any.push(
                        One::parse(choice).ok_or(wrong("has a part that is not a plain lower-case word"))?,
                    ),
                }
            }
            elements.push(Element::Any(any));
        }
        let ends = [elements.first(), elements.last()];
        if ends.iter().any(|end| !matches!(end, Some(Element::Any(_)))) {
            return Err(wrong("it must begin and end with a word"));
        }
        Ok(Self(elements))
    }

    /// Every place inside `range` where the pattern fits; at each first word the shortest fit.
    pub(super) fn hits(&self, text: &Text<'_>, range: Hit) -> Vec<Hit> {
        (range.first..range.end)
            .filter_map(|first| {
                let sentence = text.words.get(first)?.sentence;
                let end = fit(&self.0, text, first, range.end, sentence)?;
                Some(Hit { first, end })
            })
            .collect()
    }

    pub(super) fn is_in(&self, text: &Text<'_>, range: Hit) -> bool {
        !self.hits(text, range).is_empty()
    }
}

fn fit(elements: &[Element], text: &Text<'_>, at: usize, end: usize, sentence: usize) -> Option<usize> {
    let Some((element, rest)) = elements.split_first() else { return Some(at) };
    match element {
        Element::UpTo(most) => (0..=*most).find_map(|skip| fit(rest, text, at + skip, end, sentence)),
        Element::Any(any) => {
            let word = text.words.get(at).filter(|word| at < end && word.sentence == sentence)?;
            let raw = text.source.get(word.start..word.end).unwrap_or_default();
            if any.iter().any(|one| one.is(word, raw)) {
                fit(rest, text, at + 1, end, sentence)
            } else {
                None
            }
        }
    }
}

impl One {
    fn parse(text: &str) -> Option<Self> {
        let plain = |text: &str| {
            !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        };
        match text {
            "#" => Some(Self::Number),
            "^" => Some(Self::Name),
            _ => {
                if let Some(exact) = text.strip_prefix('=') {
                    return exact
                        .bytes()
                        .all(|b| b.is_ascii_alphanumeric())
                        .then(|| Self::Verbatim(exact.into()));
                }
                if let Some(prefix) = text.strip_suffix('*') {
                    return plain(prefix).then(|| Self::Prefix(prefix.into()));
                }
                plain(text).then(|| Self::Exact(text.into()))
            }
        }
    }

    fn is(&self, word: &Word, raw: &str) -> bool {
        let forms = || std::iter::once(word.plain.as_str()).chain(word.undone.as_deref());
        match self {
            Self::Exact(text) => forms().any(|form| form == text),
            Self::Prefix(text) => forms().any(|form| form.starts_with(text.as_str())),
            Self::Number => word.plain.bytes().next().is_some_and(|b| b.is_ascii_digit()),
            Self::Verbatim(text) => raw == text,
            // All capitals is how headings and abbreviations are written, not names.
            Self::Name => {
                word.capital
                    && word.plain.chars().count() > 1
                    && word.plain.chars().all(char::is_alphabetic)
                    && raw.chars().any(char::is_lowercase)
            }
        }
    }
}
