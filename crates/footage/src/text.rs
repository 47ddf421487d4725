//! Texts as they are compared: small letters without accents, spelling tricks undone.

/// Longest text that is looked at, in characters.
pub(crate) const MOST: usize = 500;

/// One word of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Word {
    /// As it was written.
    pub(crate) written: String,
    /// In small letters, without accents.
    pub(crate) plain: String,
    /// The first of a sentence, where capitals say nothing.
    pub(crate) first: bool,
    /// A comma or another mark stands before it.
    pub(crate) after_mark: bool,
}

impl Word {
    /// Whether it is written like a name: one capital, then small letters.
    pub(crate) fn is_capitalised(&self) -> bool {
        let mut letters = self.written.chars();
        letters.next().is_some_and(char::is_uppercase) && letters.any(char::is_lowercase)
    }
}

/// The words of a text.
pub(crate) fn words(text: &str) -> Vec<Word> {
    let mut all = Vec::new();
    let (mut first, mut mark) = (true, false);
    let mut word = String::new();
    for c in text.chars().take(MOST).chain([' ']) {
        if c.is_alphanumeric() || matches!(c, '@' | '$' | '*') || (c == '-' || c == '\'') && !word.is_empty()
        {
            word.push(c);
            continue;
        }
        let end = matches!(c, '.' | '!' | '?' | '\n');
        let written = word.trim_end_matches(['-', '\'']).to_owned();
        if !written.is_empty() {
            all.push(Word { plain: plain(&written), written, first, after_mark: mark });
            (first, mark) = (false, false);
        }
        word.clear();
        first |= end;
        mark |= end || matches!(c, ',' | ';' | ':');
    }
    all
}

/// Small letters without accents; hyphens and apostrophes go.
pub(crate) fn plain(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).filter_map(unaccented).collect()
}

fn unaccented(c: char) -> Option<char> {
    Some(match c {
        'á' | 'à' | 'â' | 'ä' | 'ã' | 'å' => 'a',
        'é' | 'è' | 'ê' | 'ë' => 'e',
        'í' | 'ì' | 'î' | 'ï' => 'i',
        'ó' | 'ò' | 'ô' | 'ö' | 'õ' => 'o',
        'ú' | 'ù' | 'û' | 'ü' => 'u',
        'ç' => 'c',
        'а' => 'a',
        'е' => 'e',
        'о' => 'o',
        'р' => 'p',
        'с' => 'c',
        'х' => 'x',
        '-' | '\'' | '\u{200b}' | '\u{ad}' | '\u{301}' | '\u{300}' | '\u{303}' => return None,
        other => other,
    })
}

/// A word with digits and signs that stand for letters read as these, and letters that are there more than twice, once.
/// A 1 stands for I in the first reading, for L in the second.
pub(crate) fn untricked(plain: &str) -> [String; 2] {
    ['i', 'l'].map(|one| read_as(plain, one))
}

fn read_as(plain: &str, one: char) -> String {
    if plain.chars().all(|c| c.is_ascii_digit()) {
        return plain.to_owned();
    }
    let mut out = String::with_capacity(plain.len());
    let mut run = 0;
    for c in plain.chars() {
        let c = match c {
            '0' => 'o',
            '1' => one,
            '3' => 'e',
            '4' | '@' => 'a',
            '5' | '$' => 's',
            '7' => 't',
            other => other,
        };
        run = if out.ends_with(c) { run + 1 } else { 0 };
        if run < 2 {
            out.push(c);
        } else if run == 2 {
            out.pop();
        }
    }
    out
}

/// Whether at most one letter is changed, missing, too many, or two neighbours are swapped.
pub(crate) fn is_near(a: &str, b: &str) -> bool {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    if a.len().abs_diff(b.len()) > 1 {
        return false;
    }
    let same = a.iter().zip(&b).take_while(|(x, y)| x == y).count();
    let (a, b) = (a.get(same..).unwrap_or_default(), b.get(same..).unwrap_or_default());
    match (a, b) {
        ([], _) | (_, []) => true,
        ([x, y, a @ ..], [v, w, b @ ..]) if x == w && y == v && a == b => true,
        ([_, a @ ..], [_, b @ ..]) if a == b => true,
        ([_, rest @ ..], _) if rest == b => true,
        (_, [_, rest @ ..]) => a == rest,
    }
}
