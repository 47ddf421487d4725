//! Places on the earth: WGS 84 longitude and latitude in degrees.

use serde::{Deserialize, Serialize};

/// Longitude, latitude in degrees (GeoJSON's order, RFC 7946 section 3.1.1).
pub type Position = [f64; 2];

/// One ring on the earth, written as a GeoJSON `Polygon` (RFC 7946) without holes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "GeoPolygon", into = "GeoPolygon")]
pub struct Area {
    ring: Vec<Position>,
}

/// The wire form of [`Area`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GeoPolygon {
    /// Always `Polygon`.
    #[serde(rename = "type")]
    #[schema(example = "Polygon")]
    pub kind: String,
    /// One closed ring of `[longitude, latitude]`.
    #[schema(value_type = Vec<Vec<Vec<f64>>>)]
    pub coordinates: Vec<Vec<Position>>,
}

impl utoipa::PartialSchema for Area {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        GeoPolygon::schema()
    }
}

impl utoipa::ToSchema for Area {}

/// Why coordinates are not an area. (Whether the area may be asked about is for `core` to say.)
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum AreaError {
    /// Another geometry than a polygon.
    #[error("area: the type must be Polygon; draw one outline")]
    NotPolygon,
    /// Holes, or no ring.
    #[error("area: give exactly one ring; holes are not supported")]
    Rings,
    /// Too few or too many corners.
    #[error("area: give 3 to {most} corners; this ring has {found}", most = Area::MAX_CORNERS)]
    Corners {
        /// How many came.
        found: usize,
    },
    /// First and last position differ.
    #[error("area: the ring must end where it begins; repeat the first corner at the end")]
    Open,
    /// Not a place on the earth.
    #[error("area: corner {corner} is not a longitude -180..180 and latitude -90..90 in degrees")]
    NotOnEarth {
        /// Which corner, from 1.
        corner: usize,
    },
}

impl Area {
    /// Most corners that a ring may have.
    pub const MAX_CORNERS: usize = 500;

    /// An area from a closed ring (the first position stands again at the end).
    pub fn new(mut ring: Vec<Position>) -> Result<Self, AreaError> {
        let corners = ring.len().saturating_sub(1);
        if !(3..=Self::MAX_CORNERS).contains(&corners) {
            return Err(AreaError::Corners { found: corners });
        }
        for (at, position) in ring.iter_mut().enumerate() {
            let [longitude, latitude] = *position;
            if !(longitude.abs() <= 180.0 && latitude.abs() <= 90.0) {
                return Err(AreaError::NotOnEarth { corner: at + 1 });
            }
            // Seven decimals are about a centimetre, and `+ 0.0` turns a negative zero into a plain one.
            *position = [(longitude * 1e7).round() / 1e7 + 0.0, (latitude * 1e7).round() / 1e7 + 0.0];
        }
        if ring.first() != ring.last() {
            return Err(AreaError::Open);
        }
        Ok(Self { ring })
    }

    /// The closed ring.
    pub fn ring(&self) -> &[Position] {
        &self.ring
    }
}

impl TryFrom<GeoPolygon> for Area {
    type Error = AreaError;
    fn try_from(polygon: GeoPolygon) -> Result<Self, AreaError> {
        if polygon.kind != "Polygon" {
            return Err(AreaError::NotPolygon);
        }
        let mut rings = polygon.coordinates.into_iter();
        match (rings.next(), rings.next()) {
            (Some(ring), None) => Self::new(ring),
            _ => Err(AreaError::Rings),
        }
    }
}

impl From<Area> for GeoPolygon {
    fn from(area: Area) -> Self {
        Self { kind: "Polygon".into(), coordinates: vec![area.ring] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn geojson_reads_back_and_bad_rings_are_named() {
        let text =
            r#"{"type":"Polygon","coordinates":[[[-71.5,43.2],[-71.49,43.2],[-71.49,43.21],[-71.5,43.2]]]}"#;
        let area: Area = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&area).unwrap(), text);
        for (bad, word) in [
            (r#"{"type":"Point","coordinates":[]}"#, "Polygon"),
            (r#"{"type":"Polygon","coordinates":[]}"#, "one ring"),
            (r#"{"type":"Polygon","coordinates":[[[0,0],[1,1],[0,0]]]}"#, "corners"),
            (r#"{"type":"Polygon","coordinates":[[[0,0],[1,1],[1,0],[0,0.5]]]}"#, "end where"),
            (r#"{"type":"Polygon","coordinates":[[[0,0],[1,91],[1,0],[0,0]]]}"#, "corner 2"),
        ] {
            let error = serde_json::from_str::<Area>(bad).unwrap_err().to_string();
            assert!(error.contains(word), "{bad}: {error}");
        }
    }
}
