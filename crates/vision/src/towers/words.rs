//! Texts as tokens: byte pairs, with the merges that the operator brings (`bpe_simple_vocab_16e6.txt.gz`, `merges.txt` or
//! `tokenizer.json`).

use super::settings::Pad;
use instant_clip_tokenizer::{Token, Tokenizer};
use serde_json::Value;
use std::io::{Cursor, Read};

/// The longest list of merges, unpacked.
const MOST_BYTES: u64 = 32 << 20;
/// The longest text; what is beyond would not fit into a tower anyway.
const MOST_TEXT: usize = 2_000;

pub(super) struct Words {
    tokenizer: Tokenizer,
}

impl Words {
    /// From a file's bytes, for a vocabulary of at most `size` tokens.
    pub(super) fn parse(bytes: &[u8], size: u16) -> Result<Self, String> {
        let text = unpacked(bytes)?;
        let json = text.trim_start().starts_with('{');
        let (merges, start) = if json { from_json(&text)? } else { (text, None) };
        let mut lines: Vec<&str> =
            merges.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
        // The first line of the usual files says what they are.
        if lines.first().is_some_and(|line| !line.starts_with('#') && !line.contains("bpe_simple_vocab")) {
            lines.insert(0, "#version");
        }
        if lines.len() < 2 {
            return Err(
                "it has no merges; give bpe_simple_vocab_16e6.txt.gz, merges.txt or tokenizer.json".into()
            );
        }
        let tokenizer = Tokenizer::with_vocabulary(Cursor::new(lines.join("\n")), size)
            .map_err(|error| format!("{error}: each line after the first is two tokens that came before"))?;
        let ours = tokenizer.start_of_text().to_u16();
        if let Some(start) = start.filter(|start| *start != u64::from(ours)) {
            return Err(format!("its token that begins a text is {start}, its merges make that {ours}"));
        }
        Ok(Self { tokenizer })
    }

    /// Exactly `context` tokens, and how many of them are the text's.
    pub(super) fn tokens(&self, text: &str, context: usize, pad: Pad) -> (Vec<u16>, usize) {
        let text: String = text.chars().take(MOST_TEXT).collect();
        let mut tokens = vec![self.tokenizer.start_of_text()];
        self.tokenizer.encode(text.trim(), &mut tokens);
        tokens.truncate(context - 1);
        tokens.push(self.tokenizer.end_of_text());
        let count = tokens.len();
        let mut tokens: Vec<u16> = tokens.into_iter().map(Token::to_u16).collect();
        let pad = match pad {
            Pad::Token(token) => token,
            Pad::End => self.tokenizer.end_of_text().to_u16(),
        };
        tokens.resize(context, pad);
        (tokens, count)
    }
}

fn unpacked(bytes: &[u8]) -> Result<String, String> {
    let mut text = Vec::new();
    let read = if bytes.starts_with(&[0x1f, 0x8b]) {
        flate2::read::GzDecoder::new(bytes).take(MOST_BYTES + 1).read_to_end(&mut text)
    } else {
        bytes.take(MOST_BYTES + 1).read_to_end(&mut text)
    };
    read.map_err(|error| format!("it can't be unpacked ({error})"))?;
    if text.len() as u64 > MOST_BYTES {
        return Err("it is over 32 MiB".to_owned());
    }
    String::from_utf8(text).map_err(|_| "it is no text".to_owned())
}

/// The merges of a `tokenizer.json`, and the token that begins a text.
fn from_json(text: &str) -> Result<(String, Option<u64>), String> {
    let json: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let merges = json.pointer("/model/merges").and_then(Value::as_array).ok_or("it has no model.merges")?;
    let pair = |merge: &Value| -> Option<String> {
        match merge {
            Value::String(pair) => Some(pair.clone()),
            Value::Array(two) => match two.as_slice() {
                [Value::String(a), Value::String(b)] => Some(format!("{a} {b}")),
                _ => None,
            },
            _ => None,
        }
    };
    let lines: Option<Vec<String>> = merges.iter().map(pair).collect();
    let lines = lines.ok_or("model.merges has something else than pairs of tokens")?;
    let added = json.get("added_tokens").and_then(Value::as_array);
    let start = added.into_iter().flatten().find(|token| {
        token.get("content").and_then(Value::as_str).is_some_and(|content| content.contains("startoftext"))
    });
    let start = start.and_then(|token| token.get("id")).and_then(Value::as_u64);
    // The header keeps the first merge from being taken for one.
    Ok((format!("#version\n{}", lines.join("\n")), start))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MERGES: &str = "#version: 0.2\nr e\nre d</w>\nc a\nca r</w>\n";

    #[test]
    fn merges_become_tokens() {
        let words = Words::parse(MERGES.as_bytes(), 49408).unwrap();
        // 512 bytes and ends of words, four merges, then the marks.
        assert_eq!(words.tokens("Red car", 6, Pad::Token(0)), (vec![516, 513, 515, 517, 0, 0], 4));
        assert_eq!(words.tokens("red red red", 4, Pad::End), (vec![516, 513, 513, 517], 4));
        assert_eq!(words.tokens("", 4, Pad::End), (vec![516, 517, 517, 517], 2));
        let headless = MERGES.split_once('\n').unwrap().1;
        let same = Words::parse(headless.as_bytes(), 49408).unwrap();
        assert_eq!(same.tokens("red", 4, Pad::End), words.tokens("red", 4, Pad::End));
    }

    #[test]
    fn a_tokenizer_json_says_the_same_and_is_held_to_its_marks() {
        let json = |start: u32| {
            format!(
                r#"{{"added_tokens": [{{"id": {start}, "content": "<|startoftext|>"}}],
                    "model": {{"type": "BPE", "merges": ["r e", "re d</w>", ["c", "a"], ["ca", "r</w>"]]}}}}"#
            )
        };
        let words = Words::parse(json(516).as_bytes(), 49408).unwrap();
        assert_eq!(words.tokens("red car", 6, Pad::Token(0)).0, [516, 513, 515, 517, 0, 0]);
        let error = Words::parse(json(49406).as_bytes(), 49408).err().unwrap();
        assert!(error.contains("49406") && error.contains("516"), "{error}");
    }

    #[test]
    fn what_is_no_list_of_merges_is_told() {
        let wrong: [&[u8]; 6] = [
            b"",
            b"#version",
            b"#version\nxyz abc\n",
            b"{\"model\": {}}",
            b"\x1f\x8bno",
            &[0xff, 0xfe, 0x00],
        ];
        for bytes in wrong {
            assert!(Words::parse(bytes, 49408).is_err(), "{bytes:?}");
        }
    }
}
