//! How pictures and texts are made ready: our own few fields as TOML or JSON, OpenCLIP's `open_clip_config.json`, or
//! `preprocessor_config.json` as Hugging Face's exports have it.

use crate::Scaling;
use serde::Deserialize;
use serde_json::Value;

/// Mean and spread of the pictures that CLIP was trained on.
const MEAN: [f32; 3] = [0.481_454_66, 0.457_827_5, 0.408_210_73];
const STD: [f32; 3] = [0.268_629_54, 0.261_302_6, 0.275_777_1];
/// The largest side of an input.
const MOST_SIDE: u32 = 1024;
/// The most tokens of a text.
const MOST_CONTEXT: usize = 256;

/// What comes after the last token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pad {
    /// This token.
    Token(u16),
    /// The token that ends a text, again and again.
    End,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Settings {
    pub(super) size: u32,
    pub(super) mean: [f32; 3],
    pub(super) std: [f32; 3],
    pub(super) scaling: Scaling,
    /// Whether pictures are squeezed into the square; else their middle is taken.
    pub(super) squash: bool,
    pub(super) context: usize,
    pub(super) vocabulary: u16,
    pub(super) pad: Pad,
    /// What is put around a text, `{}` being the text.
    pub(super) prompt: String,
}

/// Our own fields.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    size: u32,
    #[serde(default = "mean")]
    mean: [f32; 3],
    #[serde(default = "std")]
    std: [f32; 3],
    #[serde(default = "bicubic")]
    interpolation: String,
    #[serde(default = "shortest")]
    resize: String,
    #[serde(default = "context")]
    context: usize,
    #[serde(default = "vocabulary")]
    vocabulary: u16,
    #[serde(default)]
    pad: u16,
    #[serde(default)]
    pad_with_end: bool,
    #[serde(default = "prompt")]
    prompt: String,
}

fn mean() -> [f32; 3] {
    MEAN
}

fn std() -> [f32; 3] {
    STD
}

fn bicubic() -> String {
    "bicubic".into()
}

fn shortest() -> String {
    "shortest".into()
}

fn context() -> usize {
    77
}

fn vocabulary() -> u16 {
    49408
}

fn prompt() -> String {
    "a photo of {}".into()
}

impl Settings {
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, String> {
        let text = std::str::from_utf8(bytes).map_err(|_| "it is no text".to_owned())?;
        let fields: Fields = if text.trim_start().starts_with('{') {
            let json: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
            let json = from_open_clip(&json).or_else(|| from_hugging_face(&json)).unwrap_or(json);
            serde_json::from_value(json).map_err(|error| error.to_string())?
        } else {
            toml::from_str(text).map_err(|error| error.to_string())?
        };
        fields.checked()
    }
}

impl Fields {
    fn checked(self) -> Result<Settings, String> {
        if !(1..=MOST_SIDE).contains(&self.size) {
            return Err(format!("size is not 1 to {MOST_SIDE}"));
        }
        if !(3..=MOST_CONTEXT).contains(&self.context) {
            return Err(format!("context is not 3 to {MOST_CONTEXT}"));
        }
        if self.vocabulary < 514 {
            return Err("vocabulary is not 514 or more: 512 bytes and ends, and two marks".to_owned());
        }
        if !self.std.iter().chain(&self.mean).all(|value| value.is_finite()) || self.std.contains(&0.0) {
            return Err("std and mean are not numbers by which can be divided".to_owned());
        }
        if !self.prompt.contains("{}") {
            return Err("prompt has no {} where the text goes".to_owned());
        }
        let scaling = match self.interpolation.as_str() {
            "bicubic" => Scaling::SmoothCubic,
            "bilinear" => Scaling::Smooth,
            other => return Err(format!("interpolation {other:?} is neither bicubic nor bilinear")),
        };
        let squash = match self.resize.as_str() {
            "squash" => true,
            "shortest" => false,
            other => return Err(format!("resize {other:?} is neither shortest nor squash")),
        };
        let pad = if self.pad_with_end { Pad::End } else { Pad::Token(self.pad) };
        let Self { size, mean, std, context, vocabulary, prompt, .. } = self;
        Ok(Settings { size, mean, std, scaling, squash, context, vocabulary, pad, prompt })
    }
}

/// OpenCLIP's form in our fields; none where it is another.
fn from_open_clip(json: &Value) -> Option<Value> {
    let preprocess = json.get("preprocess_cfg")?;
    let model = json.get("model_cfg");
    let pick = |of: Option<&Value>, path: &str| of.and_then(|of| of.pointer(path)).cloned();
    let size = pick(Some(preprocess), "/size").or_else(|| pick(model, "/vision_cfg/image_size"))?;
    let size = size.get(0).cloned().unwrap_or(size);
    Some(fields([
        ("size", Some(size)),
        ("mean", pick(Some(preprocess), "/mean")),
        ("std", pick(Some(preprocess), "/std")),
        ("interpolation", pick(Some(preprocess), "/interpolation")),
        ("resize", pick(Some(preprocess), "/resize_mode")),
        ("context", pick(model, "/text_cfg/context_length")),
        ("vocabulary", pick(model, "/text_cfg/vocab_size")),
        ("pad_with_end", None),
    ]))
}

/// Hugging Face's form in our fields; none where it is another.
fn from_hugging_face(json: &Value) -> Option<Value> {
    json.get("image_processor_type").or_else(|| json.get("do_resize"))?;
    let side = |name: &str| {
        let value = json.get(name)?;
        ["height", "shortest_edge"].iter().find_map(|side| value.get(side)).or(Some(value)).cloned()
    };
    let normal = json.get("do_normalize").and_then(Value::as_bool).unwrap_or(true);
    let given = |name: &str, plain: f32| {
        if normal { json.get(name).cloned() } else { Some(serde_json::json!([plain, plain, plain])) }
    };
    let filter = json.get("resample").and_then(Value::as_u64).unwrap_or(3);
    let interpolation = match filter {
        2 => "bilinear",
        3 => "bicubic",
        _ => "another",
    };
    Some(fields([
        ("size", side("crop_size").or_else(|| side("size"))),
        ("mean", given("image_mean", 0.0)),
        ("std", given("image_std", 1.0)),
        ("interpolation", Some(interpolation.into())),
        ("pad_with_end", Some(true.into())),
        ("resize", None),
        ("context", None),
        ("vocabulary", None),
    ]))
}

fn fields(all: [(&str, Option<Value>); 8]) -> Value {
    all.into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_says_the_same() {
        let ours = Settings::parse(
            b"size = 256\nmean = [0.0, 0.0, 0.0]\nstd = [1.0, 1.0, 1.0]\ninterpolation = \"bilinear\"\n",
        )
        .unwrap();
        let open_clip = Settings::parse(
            br#"{"model_cfg": {"vision_cfg": {"image_size": 256}, "text_cfg": {"context_length": 77, "vocab_size": 49408}},
                "preprocess_cfg": {"mean": [0.0, 0.0, 0.0], "std": [1.0, 1.0, 1.0], "interpolation": "bilinear",
                "resize_mode": "shortest"}}"#,
        )
        .unwrap();
        assert_eq!(ours, open_clip);
        let hugging_face = Settings::parse(
            br#"{"crop_size": {"height": 256, "width": 256}, "do_center_crop": true, "do_normalize": false, "do_resize": true,
                "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5], "resample": 2, "size": {"shortest_edge": 256}}"#,
        )
        .unwrap();
        assert_eq!(Settings { pad: Pad::End, ..ours }, hugging_face);
    }

    #[test]
    fn what_can_not_be_is_told_by_name() {
        let wrong = [
            ("size = 0", "size"),
            ("", "size"),
            ("size = 8\ncontext = 2", "context"),
            ("size = 8\nstd = [0.0, 1.0, 1.0]", "std"),
            ("size = 8\ninterpolation = \"nearest\"", "interpolation"),
            ("size = 8\nresize = \"longest\"", "resize"),
            ("size = 8\nprompt = \"a photo\"", "prompt"),
            ("size = 8\nsise = 8", "sise"),
            ("size = 8\nvocabulary = 100", "vocabulary"),
            ("{\"size\": \"big\"}", "big"),
        ];
        for (text, word) in wrong {
            let error = Settings::parse(text.as_bytes()).unwrap_err();
            assert!(error.contains(word), "{text}: {error}");
        }
    }
}
