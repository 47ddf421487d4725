//! The two things a program takes from its machine, passed in so that every run can be repeated.

use jiff::Timestamp;

/// Where the time comes from. Tests hand in a clock that they move themselves.
pub trait Clock: Send + Sync {
    /// The present moment, in UTC.
    fn now(&self) -> Timestamp;
}

/// Where chance comes from. The executable hands in the operating system's generator; tests a seeded one.
pub trait Entropy: Send + Sync {
    /// Fills the whole buffer with bytes fit for keys.
    fn fill(&self, buffer: &mut [u8]);
}

/// An array of bytes fit for keys.
pub fn random<const N: usize>(entropy: &dyn Entropy) -> [u8; N] {
    let mut bytes = [0; N];
    entropy.fill(&mut bytes);
    bytes
}
