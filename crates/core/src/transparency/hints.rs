//! Hints: numbers with a unit in a text that stand beside words of a setting and say something else than what is in force.
//! They find what a text says without claiming it; the words are data (`policies/text-hints.toml`).

use std::{collections::BTreeMap, sync::OnceLock};

use serde::{Deserialize, Serialize};
use unicode_normalization::{UnicodeNormalization as _, char::is_combining_mark};
use utoipa::ToSchema;

use super::{Dimension, LiveSetting, SettingValue};
use crate::records::Language;

/// Most hints of one text.
const MOST: usize = 40;
/// Longest quote, characters.
const QUOTE: usize = 160;

/// A number in a text that differs from the setting that stands beside it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Hint {
    /// Which setting it seems to be.
    pub setting: LiveSetting,
    /// The sentence, up to 160 characters of it.
    pub quote: String,
    /// The number with its unit, as it stands there.
    pub said: String,
    /// What is in force.
    pub live: SettingValue,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Words {
    unit: Vec<Unit>,
    numbers: BTreeMap<String, u32>,
    settings: BTreeMap<LiveSetting, ByLanguage>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Unit {
    words: Vec<String>,
    dimension: Dimension,
    least: u32,
    most: u32,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ByLanguage {
    en: Vec<String>,
    es: Vec<String>,
}

/// The words that ship; none when the file can't be read, which a test excludes.
fn shipped() -> Option<&'static Words> {
    static WORDS: OnceLock<Option<Words>> = OnceLock::new();
    WORDS.get_or_init(|| toml::from_str(include_str!("../../../../policies/text-hints.toml")).ok()).as_ref()
}

/// Lower case without accents.
fn fold(text: &str) -> String {
    text.nfd().filter(|each| !is_combining_mark(*each)).flat_map(char::to_lowercase).collect()
}

/// A word, with where it stands in the text.
struct Token {
    word: String,
    start: usize,
    end: usize,
}

/// The sentences of a text: it ends one at `.`, `!`, `?` or `;` before a space, and at the end of a line.
fn sentences(text: &str) -> Vec<&str> {
    let (mut found, mut start) = (Vec::new(), 0);
    let mut characters = text.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        let space = characters.peek().is_none_or(|(_, next)| next.is_whitespace());
        if character == '\n' || (matches!(character, '.' | '!' | '?' | ';') && space) {
            found.extend(text.get(start..at));
            start = at + character.len_utf8();
        }
    }
    found.extend(text.get(start..));
    found
}

/// Words and numbers: letters and digits, with `-` or, between digits, `.` and `,` inside.
fn tokens(sentence: &str) -> Vec<Token> {
    let characters: Vec<(usize, char)> = sentence.char_indices().collect();
    let (mut found, mut start): (Vec<Token>, Option<usize>) = (Vec::new(), None);
    for (index, (at, character)) in characters.iter().enumerate() {
        let next = characters.get(index + 1).map(|(_, next)| *next);
        let before = index.checked_sub(1).and_then(|index| characters.get(index)).map(|(_, last)| *last);
        let inside = |kind: fn(char) -> bool| before.is_some_and(kind) && next.is_some_and(kind);
        let joins = match character {
            '-' => inside(char::is_alphabetic),
            '.' | ',' => inside(|each| each.is_ascii_digit()),
            _ => character.is_alphanumeric() || is_combining_mark(*character),
        };
        if joins {
            start = start.or(Some(*at));
        } else if let Some(start) = start.take() {
            found.extend(token(sentence, start, *at));
        }
    }
    found.extend(start.and_then(|start| token(sentence, start, sentence.len())));
    found
}

fn token(sentence: &str, start: usize, end: usize) -> Option<Token> {
    Some(Token { word: fold(sentence.get(start..end)?), start, end })
}

fn meets(pattern: &str, word: &str) -> bool {
    pattern.strip_suffix('*').map_or(pattern == word, |stem| word.starts_with(stem))
}

/// Where a phrase stands: the places of its first and last word.
fn places(tokens: &[Token], phrase: &str) -> Vec<(usize, usize)> {
    let pattern: Vec<&str> = phrase.split_whitespace().collect();
    let windows = tokens.windows(pattern.len().max(1)).enumerate();
    let meet = |window: &[Token]| window.iter().zip(&pattern).all(|(token, part)| meets(part, &token.word));
    windows.filter(|(_, window)| meet(window)).map(|(at, window)| (at, at + window.len() - 1)).collect()
}

/// A number as it is written: in digits, with separators of thousands, or as a word.
fn number(words: &Words, word: &str) -> Option<u64> {
    if let Some(number) = words.numbers.get(word) {
        return Some((*number).into());
    }
    let groups: Vec<&str> = word.split([',', '.']).collect();
    let whole = groups.iter().all(|group| !group.is_empty() && group.bytes().all(|it| it.is_ascii_digit()))
        && groups.iter().skip(1).all(|group| group.len() == 3);
    whole.then(|| groups.concat().parse().ok()).flatten().filter(|number| *number <= 1_000_000)
}

/// The setting whose words stand nearest to a number, among those of its dimension.
fn nearest(
    words: &Words,
    language: Language,
    tokens: &[Token],
    at: usize,
    dimension: Dimension,
) -> Option<LiveSetting> {
    let mut best: Option<(usize, LiveSetting)> = None;
    for (setting, phrases) in &words.settings {
        if setting.dimension() != Some(dimension) {
            continue;
        }
        let phrases = match language {
            Language::En => &phrases.en,
            Language::Es => &phrases.es,
        };
        for (first, last) in phrases.iter().flat_map(|phrase| places(tokens, phrase)) {
            let far = if at < first { first - at } else { at.saturating_sub(last) };
            if best.is_none_or(|(least, _)| far < least) {
                best = Some((far, *setting));
            }
        }
    }
    best.map(|(_, setting)| setting)
}

/// Numbers of a text that differ from what is in force; `live` gives a setting's value.
pub fn hints(
    text: &str,
    language: Language,
    live: impl Fn(LiveSetting) -> Option<SettingValue>,
) -> Vec<Hint> {
    let Some(words) = shipped() else { return Vec::new() };
    let mut found: Vec<Hint> = Vec::new();
    for sentence in sentences(text) {
        let tokens = tokens(sentence);
        for (at, pair) in tokens.windows(2).enumerate() {
            let [one, two] = pair else { continue };
            let Some(unit) = words.unit.iter().find(|unit| unit.words.contains(&two.word)) else { continue };
            let Some(number) = number(words, &one.word) else { continue };
            let Some(setting) = nearest(words, language, &tokens, at, unit.dimension) else { continue };
            let Some(value) = live(setting) else { continue };
            let SettingValue::Count(count) = value else { continue };
            let (least, most) = (number * u64::from(unit.least), number * u64::from(unit.most));
            if (least..=most).contains(&count) || found.len() >= MOST {
                continue;
            }
            let said = sentence.get(one.start..two.end).unwrap_or_default().to_owned();
            let quote = sentence.trim().chars().take(QUOTE).collect();
            found.push(Hint { setting, quote, said, live: value });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn live(setting: LiveSetting) -> Option<SettingValue> {
        let policy = serde_json::to_value(canvass_types::Policy::default()).unwrap();
        let (part, name) = setting.as_str().split_once('.').unwrap();
        policy[part][name].as_u64().map(SettingValue::Count)
    }

    fn found(language: Language, text: &str) -> Vec<(String, String)> {
        let found = hints(text, language, live);
        found.into_iter().map(|hint| (hint.setting.to_string(), hint.said)).collect()
    }

    fn one(setting: &str, said: &str) -> Vec<(String, String)> {
        vec![(setting.to_owned(), said.to_owned())]
    }

    #[test]
    fn every_phrase_is_written_as_it_is_read_and_each_number_setting_has_words() {
        let words = shipped().expect("policies/text-hints.toml");
        let plain = |text: &String| fold(text) == *text;
        for (setting, phrases) in &words.settings {
            assert!(setting.dimension().is_some(), "{setting} is no number");
            assert!(!phrases.en.is_empty() && !phrases.es.is_empty(), "{setting}");
            let all = phrases.en.iter().chain(&phrases.es);
            for phrase in all {
                assert!(plain(phrase), "{phrase} has accents or capitals");
                let read: Vec<String> = tokens(phrase).into_iter().map(|token| token.word).collect();
                let written: Vec<&str> =
                    phrase.split_whitespace().map(|word| word.trim_end_matches('*')).collect();
                assert_eq!(read, written, "{phrase} is never met");
            }
        }
        assert!(words.unit.iter().flat_map(|unit| &unit.words).all(plain));
        for setting in LiveSetting::ALL.iter().filter(|it| it.dimension() == Some(Dimension::Days)) {
            assert!(words.settings.contains_key(setting), "{setting} has no words");
        }
    }

    #[test]
    fn english_numbers_beside_a_setting_are_compared() {
        let en = |text: &str| found(Language::En, text);
        assert_eq!(
            en("Footage that nobody has reviewed is deleted after 60 days."),
            one("retention.untriaged_days", "60 days")
        );
        assert_eq!(en("Footage that nobody has reviewed is deleted after 90 days."), []);
        assert_eq!(en("We delete declined clips within thirty days"), []);
        assert_eq!(
            en("We delete declined clips within two weeks"),
            one("retention.declined_days", "two weeks")
        );
        assert_eq!(en("Evidence goes 1 year after the case is closed."), []);
        assert_eq!(en("Evidence goes 12 months after the case is closed."), []);
        assert_eq!(en("Access logs are kept for 2 years."), one("retention.audit_days", "2 years"));
        assert_eq!(en("Audit records are kept for 3,650 days."), []);
        assert_eq!(en("The time frame is at most 24 hours."), one("ask.max_minutes", "24 hours"));
        assert_eq!(en("The time frame is at most 12 hours."), []);
        assert_eq!(
            en("We make at most 3 requests per investigation."),
            one("ask.requests_per_investigation", "3 requests")
        );
        // Each number goes with the words that stand nearest to it.
        let both = "Declined clips go after 10 days, and 365 days after the case is closed the rest.";
        assert_eq!(en(both), one("retention.declined_days", "10 days"));
    }

    #[test]
    fn spanish_numbers_beside_a_setting_are_compared() {
        let es = |text: &str| found(Language::Es, text);
        assert_eq!(
            es("Lo que nadie ha revisado se borra a los 60 días."),
            one("retention.untriaged_days", "60 días")
        );
        assert_eq!(es("Lo que nadie ha revisado se borra a los 90 DÍAS."), []);
        assert_eq!(es("Los clips rechazados se borran en treinta días."), []);
        assert_eq!(es("Los registros de acceso se guardan 5 años."), one("retention.audit_days", "5 años"));
        assert_eq!(es("La auditoría se guarda 3.650 días."), []);
        assert_eq!(
            es("Hacemos tres solicitudes por investigación."),
            one("ask.requests_per_investigation", "tres solicitudes")
        );
        assert_eq!(es("La franja es de 12 horas como máximo."), []);
    }

    #[test]
    fn numbers_without_a_setting_and_other_sentences_give_nothing() {
        for text in [
            "",
            "Our office opens 5 days a week.",
            "We got 60 days. Footage that nobody has reviewed is deleted.",
            "Declined clips: see article 30.",
            "Declined clips are kept for 1.5 days or 99999999999999999999 days.",
        ] {
            assert_eq!(found(Language::En, text), [], "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_within_bounds(text in "([0-9]{0,30}[ .,-]?(days|días|declined|audit|x|\\n|é)[ .;]?){0,40}") {
            for language in Language::ALL {
                for hint in hints(&text, language, live) {
                    proptest::prop_assert!(text.contains(&hint.said) && hint.quote.chars().count() <= QUOTE);
                }
            }
        }
    }
}
