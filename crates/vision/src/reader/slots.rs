//! Readers in the form of fast-plate-ocr: an ONNX file and its YAML, one place after another over an alphabet, and, in newer
//! ones, the place that issued the plate.

use super::{Look, likeliest, places, softmax};
use crate::infer::{Ports, Signature, open_chosen};
use crate::letterbox::Letterbox;
use crate::{Driver, Files, Inference, Picture, Quad, Scaling, Tensor, VisionError};
use serde::Deserialize;

const NAME: &str = "plate-reader";
/// A first look this sure needs no second.
const SURE: f32 = 0.9;
/// The most places of a plate.
const MOST_SLOTS: usize = 16;
/// The most signs of an alphabet.
const MOST_SIGNS: usize = 256;
/// The longest side of an input.
const MOST_SIDE: u32 = 2048;
/// Signs that separate parts of a plate: they are read, and not kept.
const SEPARATORS: &str = "-. ·•/";

/// The YAML file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    max_plate_slots: usize,
    alphabet: String,
    pad_char: char,
    img_height: u32,
    img_width: u32,
    #[serde(default)]
    keep_aspect_ratio: bool,
    #[serde(default)]
    interpolation: Interpolation,
    #[serde(default)]
    image_color_mode: ColourMode,
    #[serde(default)]
    padding_color: Padding,
    #[serde(default)]
    plate_regions: Option<Vec<String>>,
}

#[derive(Debug, Default, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Interpolation {
    Nearest,
    #[default]
    Linear,
    Cubic,
    Area,
    Lanczos4,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum ColourMode {
    #[default]
    Grayscale,
    Rgb,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(untagged)]
enum Padding {
    Grey(u8),
    Colour([u8; 3]),
}

impl Default for Padding {
    fn default() -> Self {
        Self::Colour([114; 3])
    }
}

impl Config {
    fn parse(bytes: &[u8]) -> Result<Self, VisionError> {
        let bad = |what: String| VisionError::given(NAME, "config", &what);
        let text = std::str::from_utf8(bytes).map_err(|_| bad("it is no text".to_owned()))?;
        let config: Self = serde_saphyr::from_str(text).map_err(|error| bad(error.to_string()))?;
        if !(1..=MOST_SLOTS).contains(&config.max_plate_slots) {
            return Err(bad(format!("max_plate_slots is not 1 to {MOST_SLOTS}")));
        }
        let side = 1..=MOST_SIDE;
        if !side.contains(&config.img_height) || !side.contains(&config.img_width) {
            return Err(bad(format!("img_height and img_width are not 1 to {MOST_SIDE}")));
        }
        config.signs().map_err(bad)?;
        Ok(config)
    }

    /// What each number of a place stands for.
    fn signs(&self) -> Result<Vec<Option<char>>, String> {
        let all: Vec<char> = self.alphabet.chars().collect();
        if all.len() < 2 || all.len() > MOST_SIGNS {
            return Err(format!("alphabet has not 2 to {MOST_SIGNS} signs"));
        }
        if !all.contains(&self.pad_char) {
            return Err(format!("alphabet does not have pad_char {:?}", self.pad_char));
        }
        let mut signs: Vec<Option<char>> = Vec::with_capacity(all.len());
        for (at, &sign) in all.iter().enumerate() {
            if all.iter().take(at).any(|other| *other == sign) {
                return Err(format!("alphabet has {sign:?} twice"));
            }
            signs.push(if sign == self.pad_char || SEPARATORS.contains(sign) {
                None
            } else if sign.is_ascii_alphanumeric() {
                Some(sign.to_ascii_uppercase())
            } else {
                return Err(format!("alphabet has {sign:?}; plates here are written in A to Z and 0 to 9"));
            });
        }
        Ok(signs)
    }

    fn channels(&self) -> usize {
        if self.image_color_mode == ColourMode::Rgb { 3 } else { 1 }
    }
}

pub(super) struct Slots {
    network: Box<dyn Inference>,
    config: Config,
    signs: Vec<Option<char>>,
    /// The code of each region; none where it is not known here.
    regions: Vec<Option<String>>,
    channels_last: bool,
}

impl Slots {
    pub(super) fn new(driver: &Driver, files: &Files, threads: usize) -> Result<Self, VisionError> {
        let config = Config::parse(files.part("config")?)?;
        let signs = config.signs().map_err(wrong)?;
        let labels = config.plate_regions.clone().unwrap_or_default();
        let choose = |signature: &Signature| choose(signature, &config);
        let (network, signature) = open_chosen(driver, NAME, files.network.clone(), threads, &choose)?;
        let has_regions = signature.output("region").is_some();
        let regions =
            if has_regions { labels.iter().map(|label| places::code(label)).collect() } else { Vec::new() };
        let input = signature.inputs.first().ok_or_else(|| wrong("it has no input".to_owned()))?;
        let channels_last = is_channels_last(&input.shape, &config);
        Ok(Self { network, config, signs, regions, channels_last })
    }

    pub(super) fn driver(&self) -> &'static str {
        self.network.driver()
    }

    /// Looks at one cut-out, and at others where that left doubts.
    pub(super) fn looks(
        &mut self,
        picture: &Picture,
        first: Quad,
        others: &[Quad],
    ) -> Result<Vec<Look>, VisionError> {
        let mut looks: Vec<Look> = self.look(picture, &first)?.into_iter().collect();
        let sure = looks.first().and_then(|look| look.texts.first()).is_some_and(|(_, p)| *p >= SURE);
        if !sure {
            for other in others {
                looks.extend(self.look(picture, other)?);
            }
        }
        Ok(looks)
    }

    fn look(&mut self, picture: &Picture, quad: &Quad) -> Result<Option<Look>, VisionError> {
        let (w, h) = quad.size();
        let side = |length: f32| (length.round() as u32).clamp(8, MOST_SIDE);
        let Some(cut) = picture.flattened(quad, side(w), side(h)) else { return Ok(None) };
        let input = self.input(&cut)?;
        let outputs = self.network.run(input)?;
        let letters = outputs.first().ok_or_else(|| wrong("it gave no output".to_owned()))?;
        let wanted = self.config.max_plate_slots * self.signs.len();
        if letters.data().len() != wanted {
            return Err(wrong(format!(
                "it answers {:?}, {} numbers, where --config has {} places of {} signs, {wanted}",
                letters.shape(),
                letters.data().len(),
                self.config.max_plate_slots,
                self.signs.len()
            )));
        }
        let rows = letters.data().chunks_exact(self.signs.len()).map(likelihoods);
        let texts = likeliest(rows, &self.signs);
        Ok(Some(Look { texts, weight: 1.0, places: self.places(outputs.get(1))? }))
    }

    fn places(&self, answer: Option<&Tensor>) -> Result<Vec<(String, f32)>, VisionError> {
        let Some(answer) = answer else { return Ok(Vec::new()) };
        if answer.data().len() != self.regions.len() {
            return Err(wrong(format!(
                "it tells {} regions, --config names {}",
                answer.data().len(),
                self.regions.len()
            )));
        }
        let told = self.regions.iter().zip(likelihoods(answer.data()));
        Ok(told.filter_map(|(code, p)| Some((code.clone()?, p))).collect())
    }

    fn input(&self, cut: &Picture) -> Result<Tensor, VisionError> {
        let config = &self.config;
        let how = match config.interpolation {
            Interpolation::Nearest => Scaling::Nearest,
            Interpolation::Linear => Scaling::Linear,
            Interpolation::Cubic => Scaling::Cubic,
            Interpolation::Area => Scaling::Area,
            Interpolation::Lanczos4 => Scaling::Lanczos,
        };
        let (w, h) = (config.img_width, config.img_height);
        let scaled = if config.keep_aspect_ratio {
            let around = match config.padding_color {
                Padding::Grey(grey) => [grey; 3],
                Padding::Colour(colour) => colour,
            };
            Letterbox::new(cut, w, h, how, around)?.picture
        } else {
            cut.scaled_by(w, h, how)?
        };
        let (w, h, channels) = (w as usize, h as usize, config.channels());
        let data: Vec<f32> = if channels == 1 {
            let weights = [0.299, 0.587, 0.114];
            let grey = |pixel: &[u8]| {
                let sum: f32 =
                    pixel.iter().zip(weights).map(|(&byte, weight)| f32::from(byte) * weight).sum();
                sum.round()
            };
            scaled.rgb().chunks_exact(3).map(grey).collect()
        } else if self.channels_last {
            scaled.rgb().iter().map(|&byte| f32::from(byte)).collect()
        } else {
            scaled.planes(|byte, _| f32::from(byte))
        };
        let shape = if self.channels_last { vec![1, h, w, channels] } else { vec![1, channels, h, w] };
        Tensor::new(shape, data).ok_or_else(|| wrong("its input can't be made".to_owned()))
    }
}

/// The numbers of one place as likelihoods: as they are where they add up to one, else through a softmax.
fn likelihoods(row: &[f32]) -> Vec<f32> {
    let sum: f32 = row.iter().sum();
    let are = (sum - 1.0).abs() < 0.02 && row.iter().all(|p| (-1e-3..=1.001).contains(p));
    if are { row.to_vec() } else { softmax(row) }
}

fn is_channels_last(shape: &[Option<usize>], config: &Config) -> bool {
    let channels = Some(config.channels());
    let (second, last) = (shape.get(1).copied().flatten(), shape.get(3).copied().flatten());
    last == channels || second != channels
}

/// The only input, with the sides of the config, and its outputs `plate`, or the first, and `region` where it is told.
fn choose(signature: &Signature, config: &Config) -> Result<Ports, String> {
    let [input] = signature.inputs.as_slice() else {
        return Err(format!("it has {} inputs, wanted is one", signature.inputs.len()));
    };
    let (h, w, channels) = (config.img_height as usize, config.img_width as usize, config.channels());
    let fits = |wanted: [usize; 3]| match input.shape.as_slice() {
        [_, sides @ ..] if sides.len() == 3 => {
            sides.iter().zip(wanted).all(|(side, wanted)| side.is_none_or(|side| side == wanted))
        }
        _ => false,
    };
    if !fits([h, w, channels]) && !fits([channels, h, w]) {
        return Err(format!(
            "its input is {}, --config has pictures of {h} by {w} with {channels} colours",
            input.told()
        ));
    }
    let first = signature.outputs.first().ok_or("it has no output")?;
    let plate = signature.output("plate").unwrap_or(first);
    let mut outputs = vec![plate.name.clone()];
    let named = config.plate_regions.as_ref().is_some_and(|regions| !regions.is_empty());
    if named && signature.output("region").is_some() {
        outputs.push("region".to_owned());
    }
    Ok(Ports { inputs: vec![input.name.clone()], outputs })
}

fn wrong(what: String) -> VisionError {
    VisionError::Shape { name: NAME.to_owned(), what }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "max_plate_slots: 7\nalphabet: '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_-'\npad_char: '_'\n\
                        img_height: 64\nimg_width: 128\nkeep_aspect_ratio: true\ninterpolation: cubic\n\
                        image_color_mode: rgb\npadding_color: [114, 114, 114]\nplate_regions: [Argentina, Unknown]\n";

    #[test]
    fn a_config_is_read_and_held_to_what_can_be_read() {
        let config = Config::parse(GOOD.as_bytes()).unwrap();
        assert_eq!((config.channels(), config.max_plate_slots), (3, 7));
        let signs = config.signs().unwrap();
        assert_eq!((signs[10], signs[36], signs[37]), (Some('A'), None, None));
        let defaults = "max_plate_slots: 7\nalphabet: AB_\npad_char: _\nimg_height: 70\nimg_width: 140\n";
        let config = Config::parse(defaults.as_bytes()).unwrap();
        assert_eq!(config.channels(), 1);
        let wrong = [
            ("pad_char: '_'", "pad_char: '#'", "pad_char"),
            ("alphabet: '01", "alphabet: '00", "twice"),
            ("alphabet: '01", "alphabet: 'Ñ1", "A to Z"),
            ("max_plate_slots: 7", "max_plate_slots: 70", "max_plate_slots"),
            ("img_height: 64", "img_height: 0", "img_height"),
            ("img_height: 64\n", "", "img_height"),
            ("interpolation: cubic", "interpolation: sinc", "sinc"),
            ("keep_aspect_ratio", "keep_ratio", "keep_ratio"),
        ];
        for (from, to, word) in wrong {
            let error = Config::parse(GOOD.replace(from, to).as_bytes()).unwrap_err().to_string();
            assert!(error.contains(word) && error.contains("--config"), "{to}: {error}");
        }
    }

    #[test]
    fn numbers_that_are_no_likelihoods_become_some() {
        assert_eq!(likelihoods(&[0.25, 0.75]), [0.25, 0.75]);
        let soft = likelihoods(&[0.0, 8.0]);
        assert!(soft[1] > 0.99 && (soft[0] + soft[1] - 1.0).abs() < 1e-6);
    }
}
