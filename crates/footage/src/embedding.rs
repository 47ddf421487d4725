//! What a vehicle looks like in numbers, as a model sees it: two that look alike have numbers that point the same way.

use serde::{Deserialize, Serialize};

/// Most numbers of one embedding.
pub const MOST_VALUES: usize = 512;

/// What a model made of one look at a thing. Only embeddings of the same model and version can be compared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Embedding {
    /// The model's name.
    pub model: String,
    /// Its version.
    pub version: String,
    /// Its numbers, 1 to [`MOST_VALUES`].
    pub values: Vec<f32>,
}

impl Embedding {
    /// Whether it has numbers at all, not too many, and each is one.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        let some = self.values.iter().any(|value| *value != 0.0);
        some && self.values.len() <= MOST_VALUES && self.values.iter().all(|value| value.is_finite())
    }

    /// How alike two things look, -1 to 1: the cosine of the angle between their numbers; none where they can't be compared.
    #[must_use]
    pub fn cosine(&self, other: &Self) -> Option<f32> {
        let same = self.model == other.model && self.version == other.version;
        if !same || self.values.len() != other.values.len() || !self.is_sound() || !other.is_sound() {
            return None;
        }
        let dot = |a: &[f32], b: &[f32]| -> f64 {
            a.iter().zip(b).map(|(x, y)| f64::from(*x) * f64::from(*y)).sum()
        };
        let lengths = dot(&self.values, &self.values).sqrt() * dot(&other.values, &other.values).sqrt();
        Some((dot(&self.values, &other.values) / lengths).clamp(-1.0, 1.0) as f32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(version: &str, values: &[f32]) -> Embedding {
        Embedding { model: "looks".into(), version: version.into(), values: values.to_vec() }
    }

    #[test]
    fn what_points_the_same_way_is_alike_and_other_versions_are_not_compared() {
        let one = of("1", &[1.0, 2.0, 0.0]);
        assert!((one.cosine(&of("1", &[2.0, 4.0, 0.0])).unwrap() - 1.0).abs() < 1e-6);
        assert!(one.cosine(&of("1", &[-2.0, 1.0, 0.0])).unwrap().abs() < 1e-6);
        assert_eq!(one.cosine(&of("2", &[1.0, 2.0, 0.0])), None);
        assert_eq!(one.cosine(&of("1", &[1.0, 2.0])), None);
        assert!(!of("1", &[0.0, 0.0]).is_sound() && !of("1", &[f32::NAN]).is_sound());
        assert!(!of("1", &[1.0; MOST_VALUES + 1]).is_sound());
    }
}
