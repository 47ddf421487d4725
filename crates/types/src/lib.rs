//! Ids, places, times and wire structs that every other crate names. No I/O.

mod agency;
pub mod commitment;
mod digest;
pub mod env;
mod ids;
pub mod leaf;
mod place;
mod policy;
mod purpose;
mod request;
mod time;

pub use agency::*;
pub use digest::{Digest, EncodingError, PublicKey, SignatureText, canonical, sign};
pub use env::{Clock, Entropy};
pub use ids::*;
pub use place::{Area, AreaError, GeoPolygon, Position};
pub use policy::*;
pub use purpose::Purpose;
pub use request::*;
pub use time::{Time, TimeError, TimeFrame};
