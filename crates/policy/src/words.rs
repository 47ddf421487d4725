//! Words of a text, read without case and accents, and patterns of them.

use std::collections::BTreeSet;

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// A word as it was written, and as it is compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Word {
    pub written: String,
    pub plain: String,
}

/// Without case, accents and compatibility forms (Unicode NFKD).
pub(crate) fn plain(text: &str) -> String {
    text.nfkd().filter(|letter| !is_combining_mark(*letter)).flat_map(char::to_lowercase).collect()
}

/// The words of a text: runs of letters and digits; an apostrophe inside a word is dropped.
pub(crate) fn words(text: &str) -> Vec<Word> {
    let text: String =
        text.nfkc().filter(|letter| !matches!(letter, '\'' | '’' | '\u{200b}'..='\u{200d}')).collect();
    text.split(|letter: char| !letter.is_alphanumeric() && !is_combining_mark(letter))
        .filter(|word| !word.is_empty())
        .map(|word| Word { written: word.to_owned(), plain: plain(word) })
        .filter(|word| !word.plain.is_empty())
        .collect()
}

/// A row of words: each exactly, or with any ending (`word*`), or as written (`=ICE`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pattern {
    parts: Vec<Part>,
    pub text: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Exact(String),
    Begins(String),
    Written(String),
}

impl Part {
    fn parse(text: &str) -> Option<Self> {
        let word = |part: &str| !part.is_empty() && part.chars().all(char::is_alphanumeric);
        if let Some(written) = text.strip_prefix('=') {
            return word(written).then(|| Self::Written(written.to_owned()));
        }
        match text.strip_suffix('*') {
            Some(start) => word(start).then(|| Self::Begins(plain(start))),
            None => word(text).then(|| Self::Exact(plain(text))),
        }
    }

    fn fits(&self, word: &Word) -> bool {
        match self {
            Self::Exact(plain) => word.plain == *plain,
            Self::Begins(start) => word.plain.starts_with(start.as_str()),
            Self::Written(written) => word.written == *written,
        }
    }
}

impl Pattern {
    /// Reads a pattern; nothing when it has no word, or a part of it has none.
    pub fn parse(text: &str) -> Option<Self> {
        let parts = text.split_whitespace().map(Part::parse).collect::<Option<Vec<_>>>()?;
        (!parts.is_empty()).then(|| Self { parts, text: text.to_owned() })
    }

    /// Where in the words it fits.
    pub fn find(&self, words: &[Word]) -> Option<usize> {
        words.windows(self.parts.len()).position(|window| self.fits(window))
    }

    fn fits(&self, words: &[Word]) -> bool {
        self.parts.iter().zip(words).all(|(part, word)| part.fits(word))
    }

    /// Takes out every place where it fits.
    pub fn remove(&self, words: &mut Vec<Word>) {
        while let Some(at) = self.find(words) {
            words.drain(at..at + self.parts.len());
        }
    }
}

/// Whether a word is one letter or a short piece over and over: `aaaa`, `xyxyxy`, `blahblahblah`.
pub(crate) fn repeats(word: &str) -> bool {
    let letters: Vec<char> = word.chars().collect();
    if letters.iter().collect::<BTreeSet<_>>().len() == 1 {
        return true;
    }
    (2..=letters.len() / 3).any(|period| {
        letters.len().is_multiple_of(period)
            && letters.iter().zip(letters.iter().skip(period)).all(|(left, right)| left == right)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_compared_without_case_and_accents() {
        let found: Vec<String> =
            words("INVESTIGACIÓN, del robo—ﬁn").into_iter().map(|word| word.plain).collect();
        assert_eq!(found, ["investigacion", "del", "robo", "fin"]);
        let pattern = Pattern::parse("investig* del").unwrap();
        assert_eq!(pattern.find(&words("la Investigación del robo")), Some(1));
        for text in ["", "*", "=", "a *", "two-part"] {
            assert!(Pattern::parse(text).is_none(), "{text}");
        }
        assert!(Pattern::parse("=ICE").unwrap().find(&words("black ice on the road")).is_none());
        assert!(Pattern::parse("=ICE").unwrap().find(&words("for ICE today")).is_some());
    }

    #[test]
    fn repetition_is_seen() {
        for word in ["aaaa", "x", "xyxyxy", "blahblahblah"] {
            assert!(repeats(word), "{word}");
        }
        for word in ["papa", "banana", "robbery", "cocoa"] {
            assert!(!repeats(word), "{word}");
        }
    }
}
