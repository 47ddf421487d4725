//! Drawn plates as pictures.

use crate::Picture;
use canvass_testkit::drawn::{self, Drawn};

fn picture(drawn: Drawn) -> Picture {
    Picture::new(drawn.width, drawn.height, drawn.rgb).unwrap()
}

pub(super) fn board(text: &str, width: u32, height: u32) -> Picture {
    picture(drawn::board(text, width, height))
}

pub(super) fn scene(text: &str, at: (u32, u32), size: (u32, u32), of: (u32, u32)) -> Picture {
    picture(drawn::scene(text, at, size, of))
}
