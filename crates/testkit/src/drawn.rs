//! Plates drawn for tests: block letters on a white board on a grey car, so that no real plate is needed.

/// A picture: red, green and blue of each pixel, row by row.
#[derive(Debug, Clone)]
pub struct Drawn {
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// Three bytes a pixel.
    pub rgb: Vec<u8>,
}

impl Drawn {
    fn pixel(&self, x: usize, y: usize) -> [u8; 3] {
        let at = (y * self.width as usize + x) * 3;
        [self.rgb[at], self.rgb[at + 1], self.rgb[at + 2]]
    }

    /// As a PPM file, which ffmpeg reads.
    pub fn ppm(&self) -> Vec<u8> {
        let mut file = format!("P6\n{} {}\n255\n", self.width, self.height).into_bytes();
        file.extend_from_slice(&self.rgb);
        file
    }
}

/// Rows of five dots for the characters that the tests use.
fn dots(c: char) -> [u8; 7] {
    match c {
        '0' => [0b01110, 0b10001, 0b10001, 0b10001, 0b10001, 0b10001, 0b01110],
        '2' => [0b01110, 0b10001, 0b00001, 0b00110, 0b01000, 0b10000, 0b11111],
        '3' => [0b11110, 0b00001, 0b00001, 0b01110, 0b00001, 0b00001, 0b11110],
        '4' => [0b00010, 0b00110, 0b01010, 0b10010, 0b11111, 0b00010, 0b00010],
        '5' => [0b11111, 0b10000, 0b11110, 0b00001, 0b00001, 0b10001, 0b01110],
        '7' => [0b11111, 0b00001, 0b00010, 0b00100, 0b01000, 0b01000, 0b01000],
        'H' => [0b10001, 0b10001, 0b10001, 0b11111, 0b10001, 0b10001, 0b10001],
        'K' => [0b10001, 0b10010, 0b10100, 0b11000, 0b10100, 0b10010, 0b10001],
        'N' => [0b10001, 0b11001, 0b10101, 0b10101, 0b10011, 0b10001, 0b10001],
        'T' => [0b11111, 0b00100, 0b00100, 0b00100, 0b00100, 0b00100, 0b00100],
        'X' => [0b10001, 0b10001, 0b01010, 0b00100, 0b01010, 0b10001, 0b10001],
        _ => [0; 7],
    }
}

/// A board of `width` × `height` pixels with a text on it, strokes softened.
pub fn board(text: &str, width: u32, height: u32) -> Drawn {
    let (w, h) = (width as f32, height as f32);
    let cells = text.len() as f32 * 6.0 - 1.0;
    let (left, top, right, bottom) = (w * 0.06, h * 0.22, w * 0.94, h * 0.8);
    let (dx, dy) = ((right - left) / cells, (bottom - top) / 7.0);
    let ink = |x: f32, y: f32| {
        let (cx, cy) = ((x - left) / dx, (y - top) / dy);
        if cx < 0.0 || !(0.0..7.0).contains(&cy) {
            return false;
        }
        let (letter, column) = ((cx / 6.0) as usize, cx as usize % 6);
        let Some(c) = text.chars().nth(letter) else { return false };
        column < 5 && dots(c)[cy as usize] >> (4 - column) & 1 == 1
    };
    let mut rgb = Vec::new();
    for y in 0..height {
        for x in 0..width {
            let dark = (0..9)
                .filter(|k| ink(x as f32 + (k % 3) as f32 / 3.0, y as f32 + (k / 3) as f32 / 3.0))
                .count();
            let tone = 235 - (dark * 23) as u8;
            rgb.extend([tone, tone, tone.saturating_add(4)]);
        }
    }
    Drawn { width, height, rgb }
}

/// A board in a scene: a car's dark back with a lighter bumper.
pub fn scene(text: &str, at: (u32, u32), size: (u32, u32), picture: (u32, u32)) -> Drawn {
    let board = board(text, size.0, size.1);
    let mut rgb = Vec::new();
    for y in 0..picture.1 {
        for x in 0..picture.0 {
            let (px, py) = (i64::from(x) - i64::from(at.0), i64::from(y) - i64::from(at.1));
            let inside = px >= 0 && py >= 0 && px < i64::from(size.0) && py < i64::from(size.1);
            let edge = 4;
            let near =
                px >= -edge && py >= -edge && px < i64::from(size.0) + edge && py < i64::from(size.1) + edge;
            let car = x > picture.0 / 6 && x < picture.0 * 5 / 6 && y > picture.1 / 4;
            rgb.extend(match (inside, near, car) {
                (true, ..) => board.pixel(px as usize, py as usize),
                (_, true, _) => [25, 25, 28],
                (.., true) => [60 + (y % 90) as u8, 66 + (y % 90) as u8, 84 + (y % 90) as u8],
                _ => [150, 158, 160],
            });
        }
    }
    Drawn { width: picture.0, height: picture.1, rgb }
}
