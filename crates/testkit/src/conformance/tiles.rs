//! Laws of tiles.
