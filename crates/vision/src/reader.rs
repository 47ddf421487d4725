//! What a plate says: our own small network (`models/plate-reader`), asked about several cut-outs of a plate.

use crate::{
    Contract, Driver, Found, Homography, Inference, Picture, PlateText, Point, Quad, Rect, Region, Tensor,
    VisionError, formats, open,
};
use std::collections::BTreeMap;

const HEIGHT: usize = 64;
const WIDTH: usize = 192;
const PLACES: usize = 10;
const SIGNS: &[u8; 36] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
const CLASSES: usize = SIGNS.len() + 1;
const STYLES: usize = 8;

/// What the reader must take and give.
pub(crate) const READER: Contract = Contract {
    model: "plate-reader",
    input: "plate",
    shape: &[0, 3, HEIGHT, WIDTH],
    outputs: &[("letters", &[0, PLACES, CLASSES]), ("outline", &[0, 8]), ("style", &[0, STYLES])],
};

/// How many texts are kept of one cut-out.
const BEAM: usize = 8;
/// A text that no place issues counts this much less.
const STRANGE: f32 = 0.35;
/// A first look this sure needs no second.
const SURE: f32 = 0.9;
/// A plate whose outline goes on this far beyond the cut-out may have lost a character.
const BEYOND: f32 = 0.04;
/// What such a look counts.
const CUT_OFF: f32 = 0.25;

/// What the plate's make-up looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// United States.
    UnitedStates,
    /// Continental Europe.
    Europe,
    /// United Kingdom.
    Britain,
    /// Brazil.
    Brazil,
    /// Argentina.
    Argentina,
    /// None of these.
    Other,
}

impl Style {
    const ALL: [Style; STYLES] = [
        Style::UnitedStates,
        Style::Europe,
        Style::Britain,
        Style::Brazil,
        Style::Brazil,
        Style::Argentina,
        Style::Argentina,
        Style::Other,
    ];

    fn group(self) -> Option<&'static str> {
        match self {
            Style::UnitedStates => Some("US"),
            Style::Europe => Some("EU"),
            Style::Britain => Some("GB"),
            Style::Brazil => Some("BR"),
            Style::Argentina => Some("AR"),
            Style::Other => None,
        }
    }
}

/// What was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Guess {
    /// The plate's text.
    pub text: PlateText,
    /// How likely it is right, 0 to 1 (see the reliability table in `docs/ref/vision.md`).
    pub confidence: f32,
    /// The place that issued it, as far as text and make-up tell: a place of the formats, or its group (`US`, `EU`).
    pub region: Option<Region>,
    /// Other texts that it may be, likeliest first.
    pub others: Vec<(PlateText, f32)>,
}

/// One answer of the network.
struct Look {
    texts: Vec<(String, f32)>,
    outline: Quad,
    styles: [f32; STYLES],
}

impl Look {
    /// How far the plate goes on beyond the left or right edge of the cut-out, in its widths.
    fn beyond(&self) -> f32 {
        let [a, b, c, d] = self.outline.0;
        let left = (a.x + d.x) / -2.0;
        let right = (b.x + c.x) / 2.0 - 1.0;
        left.max(right).max(0.0)
    }

    fn weight(&self) -> f32 {
        if self.beyond() > BEYOND * 1.5 { CUT_OFF } else { 1.0 }
    }
}

/// Reads plates.
pub struct Reader {
    network: Box<dyn Inference>,
}

impl Reader {
    /// A reader on the bytes of its model.
    pub fn new(driver: &Driver, model: Vec<u8>, threads: usize) -> Result<Self, VisionError> {
        Ok(Self { network: open(driver, READER, model, threads)? })
    }

    /// Reads a plate that was found in a picture; none where nothing is written.
    pub fn read(&mut self, picture: &Picture, found: &Found) -> Result<Option<Guess>, VisionError> {
        let first = found.quad.grown(1.15, 1.25);
        let others = [found.rect.corners().grown(1.1, 1.1), found.quad.grown(1.5, 1.5)];
        self.judge(picture, first, &others)
    }

    /// Reads a plate that fills a box, as a person or another program drew it.
    pub fn read_part(&mut self, picture: &Picture, part: &Rect) -> Result<Option<Guess>, VisionError> {
        let quad = part.corners();
        self.judge(picture, quad, &[quad.grown(1.1, 1.1), quad.grown(0.94, 0.92)])
    }

    fn judge(
        &mut self,
        picture: &Picture,
        first: Quad,
        others: &[Quad],
    ) -> Result<Option<Guess>, VisionError> {
        let mut looks = self.look(picture, &[first])?;
        let sure = looks.first().filter(|look| look.beyond() < BEYOND).and_then(|look| look.texts.first());
        let sure = sure.is_some_and(|(text, p)| *p >= SURE && formats::known(text));
        if !sure {
            let more = self.look(picture, others)?;
            // The widest view also says where the plate's outline is: look once more, just there.
            let nearer = more.last().zip(others.last()).and_then(|(look, from)| {
                let map = Homography::of_unit(from)?;
                Some(Quad(look.outline.0.map(|point| map.apply(point))).grown(1.06, 1.1))
            });
            looks.extend(more);
            if let Some(nearer) = nearer {
                looks.extend(self.look(picture, &[nearer])?);
            }
        }
        Ok(weigh(&looks))
    }

    fn look(&mut self, picture: &Picture, quads: &[Quad]) -> Result<Vec<Look>, VisionError> {
        let mut data = Vec::with_capacity(quads.len() * 3 * HEIGHT * WIDTH);
        for quad in quads {
            picture.straighten(quad, WIDTH, HEIGHT, &mut data);
        }
        let wrong =
            || VisionError::Shape { name: READER.model.to_owned(), what: "it gave no three outputs".into() };
        let input = Tensor::new(vec![quads.len(), 3, HEIGHT, WIDTH], data).ok_or_else(wrong)?;
        let outputs = self.network.run(input)?;
        let [letters, outlines, styles] = outputs.as_slice() else { return Err(wrong()) };
        let looks = letters
            .data()
            .chunks_exact(PLACES * CLASSES)
            .zip(outlines.data().chunks_exact(8))
            .zip(styles.data().chunks_exact(STYLES))
            .map(|((letters, outline), style)| {
                let mut corners = [Point::default(); 4];
                for (corner, xy) in corners.iter_mut().zip(outline.chunks_exact(2)) {
                    if let &[x, y] = xy {
                        *corner = Point::new(x, y);
                    }
                }
                let mut styles = [0.0; STYLES];
                styles.iter_mut().zip(softmax(style)).for_each(|(to, p)| *to = p);
                Look { texts: likeliest(letters), outline: Quad(corners), styles }
            })
            .collect();
        Ok(looks)
    }
}

/// What most of the looks agree on, likelier where a place issues such plates.
fn weigh(looks: &[Look]) -> Option<Guess> {
    let total: f32 = looks.iter().map(Look::weight).sum();
    let share = 1.0 / total.max(f32::EPSILON);
    let mut sums: BTreeMap<&str, f32> = BTreeMap::new();
    for (look, text, p) in
        looks.iter().flat_map(|look| look.texts.iter().map(move |(text, p)| (look, text, p)))
    {
        let factor = if formats::known(text) { 1.0 } else { STRANGE };
        *sums.entry(text).or_default() += p * share * factor * look.weight();
    }
    let mut ranked: Vec<(String, f32)> = sums.into_iter().map(|(text, p)| (text.to_owned(), p)).collect();
    ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
    ranked.truncate(BEAM);
    // Measured, these means are as often right as they say; they need no further bending.
    let mut ranked =
        ranked.into_iter().map(|(text, p)| (PlateText::from_bytes(text.as_bytes()), p.clamp(0.0, 1.0)));
    let (text, confidence) = ranked.next()?;
    let text = text.filter(|text| text.characters() > 1)?;
    let mut styles = [0.0; STYLES];
    for look in looks {
        styles.iter_mut().zip(look.styles).for_each(|(sum, p)| *sum += p * share * look.weight());
    }
    let region = region(&text, &styles);
    Some(Guess {
        text,
        confidence,
        region,
        others: ranked.filter_map(|(text, p)| Some((text?, p))).collect(),
    })
}

/// The likeliest make-up among those whose places issue such a text.
fn region(text: &PlateText, styles: &[f32; STYLES]) -> Option<Region> {
    let mut groups: BTreeMap<&str, f32> = BTreeMap::new();
    for (style, p) in Style::ALL.into_iter().zip(styles) {
        if let Some(group) = style.group() {
            *groups.entry(group).or_default() += p;
        }
    }
    let mut groups: Vec<_> = groups.into_iter().filter(|(_, p)| *p >= 0.2).collect();
    groups.sort_by(|a, b| b.1.total_cmp(&a.1));
    groups.into_iter().find_map(|(group, _)| formats::place_in(group, text))
}

/// The likeliest texts of one answer.
fn likeliest(letters: &[f32]) -> Vec<(String, f32)> {
    let mut beam: Vec<(String, f32)> = vec![(String::new(), 1.0)];
    for place in letters.chunks_exact(CLASSES) {
        let p = softmax(place);
        let mut order: Vec<usize> = (0..CLASSES).collect();
        order.sort_by(|a, b| p.get(*b).unwrap_or(&0.0).total_cmp(p.get(*a).unwrap_or(&0.0)));
        let mut next: BTreeMap<String, f32> = BTreeMap::new();
        for (text, so_far) in &beam {
            for &class in order.iter().take(4) {
                let mut longer = text.clone();
                longer.extend(SIGNS.get(class).map(|&sign| char::from(sign)));
                *next.entry(longer).or_default() += so_far * p.get(class).unwrap_or(&0.0);
            }
        }
        beam = next.into_iter().collect();
        beam.sort_by(|a, b| b.1.total_cmp(&a.1));
        beam.truncate(BEAM);
    }
    beam
}

fn softmax(values: &[f32]) -> Vec<f32> {
    let most = values.iter().copied().fold(f32::MIN, f32::max);
    let powers: Vec<f32> = values.iter().map(|value| (value - most).exp()).collect();
    let sum: f32 = powers.iter().sum::<f32>().max(f32::MIN_POSITIVE);
    powers.into_iter().map(|power| power / sum).collect()
}
