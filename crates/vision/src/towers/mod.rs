//! Towers of the CLIP family: one network turns pictures into numbers, the other texts, so that a picture and a text that
//! tells of it point the same way. Operators bring them (`canvass models add towers`); Canvass comes with none.

mod settings;
mod words;

use crate::infer::{Port, Ports, Signature, open_chosen};
use crate::{Driver, Files, Inference, Picture, Rect, Tensor, VisionError};
use canvass_footage::{Embedding, MOST_VALUES};
use settings::Settings;
use words::Words;

/// The name of the model, in models.toml and on every embedding.
pub(crate) const TOWERS: &str = "towers";

/// Turns pictures and texts into numbers that can be compared.
pub struct Towers {
    picture: Box<dyn Inference>,
    text: Box<dyn Inference>,
    /// Whether the tower of texts also takes which tokens count.
    masked: bool,
    settings: Settings,
    words: Words,
    version: String,
}

impl Towers {
    /// Towers on the files of their model.
    pub fn new(driver: &Driver, files: &Files, threads: usize) -> Result<Self, VisionError> {
        let settings = Settings::parse(files.part("config")?).map_err(|what| bad("config", &what))?;
        let vocabulary = files.part("vocabulary")?;
        let words = Words::parse(vocabulary, settings.vocabulary).map_err(|what| bad("vocabulary", &what))?;
        let side = settings.size as usize;
        let for_pictures = |signature: &Signature| choose_picture(signature, side);
        let picture = open_chosen(driver, TOWERS, files.network.clone(), threads, &for_pictures)?.0;
        let for_texts = |signature: &Signature| {
            choose_text(signature, settings.context).map_err(|what| format!("--text: {what}"))
        };
        let (text, signature) =
            open_chosen(driver, TOWERS, files.part("text")?.to_vec(), threads, &for_texts)?;
        let masked = signature.inputs.len() > 1;
        Ok(Self { picture, text, masked, settings, words, version: files.version.clone() })
    }

    /// What tells these towers from all others.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// What a picture looks like.
    pub fn picture(&mut self, picture: &Picture) -> Result<Embedding, VisionError> {
        let side = self.settings.size;
        let ready = self.fitted(picture)?;
        let (mean, std) = (self.settings.mean, self.settings.std);
        let number = |byte: u8, plane: usize| {
            let (mean, std) = (mean.get(plane).unwrap_or(&0.0), std.get(plane).unwrap_or(&1.0));
            (f32::from(byte) / 255.0 - mean) / std
        };
        let shape = vec![1, 3, side as usize, side as usize];
        let input = Tensor::new(shape, ready.planes(number))
            .ok_or_else(|| wrong("its input can't be made".to_owned()))?;
        let outputs = self.picture.run(input)?;
        self.embedding(&outputs)
    }

    /// What a text tells of.
    pub fn text(&mut self, text: &str) -> Result<Embedding, VisionError> {
        let text = self.settings.prompt.replace("{}", text);
        let (tokens, count) = self.words.tokens(&text, self.settings.context, self.settings.pad);
        let length = tokens.len();
        let row = |data: Vec<f32>| {
            Tensor::new(vec![1, length], data).ok_or_else(|| wrong("its input can't be made".to_owned()))
        };
        let mut inputs = vec![row(tokens.into_iter().map(f32::from).collect())?];
        if self.masked {
            inputs.push(row((0..length).map(|at| if at < count { 1.0 } else { 0.0 }).collect())?);
        }
        let outputs = self.text.run_all(inputs)?;
        self.embedding(&outputs)
    }

    /// The picture in the size of the network's input: scaled to it, or its middle.
    fn fitted(&self, picture: &Picture) -> Result<Picture, VisionError> {
        let side = self.settings.size;
        if self.settings.squash {
            return picture.scaled_by(side, side, self.settings.scaling);
        }
        let (w, h) = (picture.width(), picture.height());
        let longer = |long: u32, short: u32| {
            let scaled = u64::from(long) * u64::from(side) / u64::from(short.max(1));
            u32::try_from(scaled).unwrap_or(u32::MAX).clamp(side, side * 16)
        };
        let (w, h) = if w <= h { (side, longer(h, w)) } else { (longer(w, h), side) };
        let scaled = picture.scaled_by(w, h, self.settings.scaling)?;
        let middle = |length: u32| ((length - side) as f32 / 2.0).round();
        let part = Rect::new(middle(w), middle(h), side as f32, side as f32);
        scaled.part(&part).ok_or_else(|| wrong("its input can't be made".to_owned()))
    }

    fn embedding(&self, outputs: &[Tensor]) -> Result<Embedding, VisionError> {
        let values = outputs.first().map(Tensor::data).unwrap_or_default();
        if values.is_empty() || values.len() > MOST_VALUES {
            return Err(wrong(format!("it answers {} numbers, wanted are 1 to {MOST_VALUES}", values.len())));
        }
        let length = values.iter().map(|value| value * value).sum::<f32>().sqrt();
        if !length.is_finite() || length <= 0.0 {
            return Err(wrong(
                "it answers with no direction: its numbers are all nought, or none".to_owned(),
            ));
        }
        // Four places are finer than what the networks tell apart, and a third of the digits.
        let values = values.iter().map(|value| (value / length * 1e4).round() / 1e4).collect();
        Ok(Embedding { model: TOWERS.to_owned(), version: self.version.clone(), values })
    }

    /// Looks at nothing and at a word once, so that what does not fit is told before it is put to use.
    pub(crate) fn try_out(&mut self) -> Result<(), VisionError> {
        let Some(grey) = Picture::new(64, 48, vec![114; 64 * 48 * 3]) else { return Ok(()) };
        let (picture, text) = (self.picture(&grey)?, self.text("car")?);
        if picture.values.len() != text.values.len() {
            return Err(wrong(format!(
                "its towers are of two models: pictures have {} numbers, texts {}",
                picture.values.len(),
                text.values.len()
            )));
        }
        Ok(())
    }
}

fn choose_picture(signature: &Signature, side: usize) -> Result<Ports, String> {
    let [input] = signature.inputs.as_slice() else {
        return Err(format!("it has {} inputs, wanted is one, of pictures", signature.inputs.len()));
    };
    let fits = match input.shape.as_slice() {
        &[one, three, h, w] => {
            one.unwrap_or(1) == 1
                && three.unwrap_or(3) == 3
                && h.unwrap_or(side) == side
                && w.unwrap_or(side) == side
        }
        _ => false,
    };
    if !fits {
        return Err(format!("its input is {}, --config says [1, 3, {side}, {side}]", input.told()));
    }
    Ok(Ports { inputs: vec![input.name.clone()], outputs: vec![embedding_of(signature)?] })
}

fn choose_text(signature: &Signature, context: usize) -> Result<Ports, String> {
    let (masks, others): (Vec<&Port>, Vec<&Port>) =
        signature.inputs.iter().partition(|input| input.name.contains("mask"));
    let [tokens] = others.as_slice() else {
        return Err(format!("it has {} inputs besides a mask, wanted is one, of tokens", others.len()));
    };
    let fits = match tokens.shape.as_slice() {
        &[one, length] => one.unwrap_or(1) == 1 && length.unwrap_or(context) == context,
        _ => false,
    };
    if !fits || masks.len() > 1 {
        return Err(format!("its input is {}, --config says [1, {context}] tokens", tokens.told()));
    }
    let inputs = [*tokens].into_iter().chain(masks).map(|input| input.name.clone()).collect();
    Ok(Ports { inputs, outputs: vec![embedding_of(signature)?] })
}

/// The output that is one row of numbers.
fn embedding_of(signature: &Signature) -> Result<String, String> {
    let rows = || signature.outputs.iter().filter(|output| matches!(output.shape.len(), 0 | 2));
    let named = |output: &&Port| ["embed", "feature"].iter().any(|word| output.name.contains(word));
    let only = || match rows().collect::<Vec<_>>().as_slice() {
        [only] => Some(*only),
        _ => None,
    };
    let found = rows().find(named).or_else(only);
    found.map(|output| output.name.clone()).ok_or_else(|| {
        let all: Vec<_> = signature.outputs.iter().map(Port::told).collect();
        format!("no output is one row of numbers named like image_embeds; there are {}", all.join(", "))
    })
}

fn bad(part: &str, what: &str) -> VisionError {
    VisionError::given(TOWERS, part, what)
}

fn wrong(what: String) -> VisionError {
    VisionError::Shape { name: TOWERS.to_owned(), what }
}
