//! Blind evaluations a second on one core: `cargo run --release -p canvass-blind --example evaluate -- 2000`.
#![expect(clippy::disallowed_methods, reason = "a measurement reads the machine's clock")]

use std::{
    error::Error,
    io::{Write as _, stdout},
    time::Instant,
};

use canvass_blind::{Blinded, Epoch, EpochKey, Plate};
use canvass_types::Entropy;
use sha2::{Digest as _, Sha256};

struct Counted(std::sync::atomic::AtomicU64);

impl Entropy for Counted {
    fn fill(&self, buffer: &mut [u8]) {
        for part in buffer.chunks_mut(32) {
            let number = self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let hash = Sha256::digest(number.to_le_bytes());
            part.iter_mut().zip(hash).for_each(|(to, from)| *to = from);
        }
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let count: u32 = std::env::args().nth(1).map_or(Ok(2_000), |text| text.parse())?;
    let chance = Counted(std::sync::atomic::AtomicU64::new(1));
    let epoch: Epoch = "2026-Q4".parse()?;
    let key = EpochKey::make(epoch, &chance)?;
    let asks = Blinded::new(epoch, &Plate::read("ABC1234")?, &chance)?.asks();
    let begin = Instant::now();
    for _ in 0..count {
        key.evaluate(&asks, &chance)?;
    }
    let rate = f64::from(count) / begin.elapsed().as_secs_f64();
    writeln!(
        stdout(),
        "{{\"what\":\"canvass-blind evaluate with proof\",\"count\":{count},\"per_second\":{rate:.0}}}"
    )?;
    Ok(())
}
