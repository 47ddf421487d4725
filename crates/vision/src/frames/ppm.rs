//! Frames as the decoding process hands them over: binary PPM, one after another.

use crate::{MOST_PIXELS, Picture};
use std::io::{BufRead, Read};

/// The longest number in a header.
const MOST_DIGITS: usize = 6;

/// The next picture; none at the end. The error is in words.
pub(super) fn next(from: &mut impl BufRead) -> Result<Option<Picture>, String> {
    let failed = |error: std::io::Error| format!("its frames stopped coming ({error})");
    if from.fill_buf().map_err(failed)?.is_empty() {
        return Ok(None);
    }
    let mut magic = [0u8; 2];
    from.read_exact(&mut magic).map_err(failed)?;
    if &magic != b"P6" {
        return Err("its frames came in a form that was not asked for".into());
    }
    let (width, height, depth) = (number(from)?, number(from)?, number(from)?);
    let pixels = u64::from(width) * u64::from(height);
    if depth != 255 || pixels == 0 || pixels > MOST_PIXELS {
        return Err(format!("a frame of {width}×{height} pixels is out of range"));
    }
    let wanted = pixels * 3;
    let mut rgb = Vec::with_capacity(wanted as usize);
    from.take(wanted).read_to_end(&mut rgb).map_err(failed)?;
    if (rgb.len() as u64) < wanted {
        return Ok(None);
    }
    Ok(Picture::new(width, height, rgb))
}

/// A number between white space, with the one byte after it.
fn number(from: &mut impl Read) -> Result<u32, String> {
    let mut digits = String::new();
    loop {
        let mut byte = [0u8];
        from.read_exact(&mut byte).map_err(|error| format!("its frames stopped coming ({error})"))?;
        let [byte] = byte;
        match byte {
            b'0'..=b'9' if digits.len() < MOST_DIGITS => digits.push(char::from(byte)),
            b' ' | b'\n' | b'\t' | b'\r' if digits.is_empty() => {}
            b' ' | b'\n' | b'\t' | b'\r' => break,
            _ => return Err("a frame's header can't be read".into()),
        }
    }
    digits.parse().map_err(|_| "a frame's header can't be read".to_owned())
}
