//! The verifiable oblivious function of RFC 9497, as the crate `voprf` implements it.

use canvass_types::{Entropy, env::random};
use data_encoding::{BASE64, BASE64URL_NOPAD};
use hkdf::Hkdf;
use rand_core_06::{CryptoRng, Error as ChanceError, RngCore};
use sha2::Sha256;
use voprf::{
    BlindedElement, EvaluationElement, Group, Proof, Ristretto255, VoprfClient, VoprfServer,
    VoprfServerBatchEvaluateResult,
};
use zeroize::Zeroizing;

use crate::{BlindError, Epoch, Evaluate, Evaluated, Plate};

/// Bytes of an element.
pub const ELEMENT_BYTES: usize = 32;
/// Bytes of a proof.
pub const PROOF_BYTES: usize = 64;
/// Most elements of one call.
pub const MOST_ELEMENTS: usize = 4;

const KEY_WORD: &str = "CANVASS-ASKED-KEY";
const SEED_BYTES: usize = 32;

type Suite = Ristretto255;
type Point = <Ristretto255 as Group>::Elem;

/// Chance that is handed in, in the form that `voprf` takes.
pub(crate) struct Chance<'a>(pub &'a dyn Entropy);

impl RngCore for Chance<'_> {
    fn next_u32(&mut self) -> u32 {
        u32::from_le_bytes(random(self.0))
    }
    fn next_u64(&mut self) -> u64 {
        u64::from_le_bytes(random(self.0))
    }
    fn fill_bytes(&mut self, dest: &mut [u8]) {
        self.0.fill(dest);
    }
    fn try_fill_bytes(&mut self, dest: &mut [u8]) -> Result<(), ChanceError> {
        self.0.fill(dest);
        Ok(())
    }
}
// What is handed in is fit for keys (see `Entropy::fill`).
impl CryptoRng for Chance<'_> {}

pub(crate) fn decode<const N: usize>(text: &str) -> Option<[u8; N]> {
    // Three bytes in four signs: a longer text can't be right, and is not decoded.
    if text.len() > N.saturating_mul(2) {
        return None;
    }
    BASE64URL_NOPAD.decode(text.as_bytes()).ok()?.try_into().ok()
}

fn encode(bytes: &[u8]) -> String {
    BASE64URL_NOPAD.encode(bytes)
}

/// The published half of an epoch's key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey(Point);

impl std::fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PublicKey({self})")
    }
}

impl std::fmt::Display for PublicKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&encode(&Suite::serialize_elem(self.0)))
    }
}

impl std::str::FromStr for PublicKey {
    type Err = BlindError;
    fn from_str(text: &str) -> Result<Self, BlindError> {
        let bytes = decode::<ELEMENT_BYTES>(text).ok_or(BlindError::Key)?;
        Ok(Self(Suite::deserialize_elem(&bytes).map_err(|_| BlindError::Key)?))
    }
}

/// The secret key of one epoch.
pub struct EpochKey {
    epoch: Epoch,
    seed: Zeroizing<[u8; SEED_BYTES]>,
    server: VoprfServer<Suite>,
}

impl std::fmt::Debug for EpochKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "EpochKey({})", self.epoch)
    }
}

impl EpochKey {
    /// A new key, by chance.
    ///
    /// # Errors
    /// [`BlindError::Key`] when the seed gives no key, which happens never (probability below 2^-500).
    pub fn make(epoch: Epoch, entropy: &dyn Entropy) -> Result<Self, BlindError> {
        Self::from_seed(epoch, Zeroizing::new(random(entropy)))
    }

    fn from_seed(epoch: Epoch, seed: Zeroizing<[u8; SEED_BYTES]>) -> Result<Self, BlindError> {
        // RFC 9497, 3.2.1: DeriveKeyPair, the epoch as its info.
        let server = VoprfServer::new_from_seed(seed.as_slice(), epoch.to_string().as_bytes())
            .map_err(|_| BlindError::Key)?;
        Ok(Self { epoch, seed, server })
    }

    /// Reads the text of a key file.
    ///
    /// # Errors
    /// [`BlindError::Key`].
    pub fn parse(text: &str) -> Result<Self, BlindError> {
        let mut words = text.split_whitespace();
        let (word, epoch, seed, end) = (words.next(), words.next(), words.next(), words.next());
        let epoch = epoch.and_then(|epoch| epoch.parse().ok());
        let seed = seed.and_then(|seed| BASE64.decode(seed.as_bytes()).ok()).map(Zeroizing::new);
        let seed = seed.and_then(|seed| <[u8; SEED_BYTES]>::try_from(seed.as_slice()).ok());
        match (word, epoch, seed, end) {
            (Some(KEY_WORD), Some(epoch), Some(seed), None) => Self::from_seed(epoch, Zeroizing::new(seed)),
            _ => Err(BlindError::Key),
        }
    }

    /// The text of a key file.
    #[must_use]
    pub fn to_secret_text(&self) -> Zeroizing<String> {
        Zeroizing::new(format!("{KEY_WORD} {} {}", self.epoch, BASE64.encode(self.seed.as_slice())))
    }

    /// Which epoch it is for.
    #[must_use]
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// The half that is published.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey(self.server.get_public_key())
    }

    /// The output of a plate that is known: RFC 9497, 3.3.2, `Evaluate`.
    ///
    /// # Errors
    /// [`BlindError::Plate`] for what the function refuses, which no plate is.
    pub fn output(&self, plate: &Plate) -> Result<Output, BlindError> {
        let output = self.server.evaluate(&plate.input()).map_err(|_| BlindError::Plate)?;
        Ok(Output(Zeroizing::new(output.to_vec())))
    }

    /// A secret of 32 bytes for what only this server must be able to make: the fillers of a day.
    #[must_use]
    pub(crate) fn derive(&self, info: &str) -> Zeroizing<[u8; 32]> {
        let mut out = Zeroizing::new([0; 32]);
        // 32 bytes are always within what the function gives.
        let _ = Hkdf::<Sha256>::new(None, self.seed.as_slice()).expand(info.as_bytes(), out.as_mut_slice());
        out
    }

    /// Evaluates what somebody blinded: RFC 9497, 3.3.2, `BlindEvaluate`, one proof for all elements.
    ///
    /// # Errors
    /// [`BlindError`] names the field that can't be used.
    pub fn evaluate(&self, asked: &Evaluate, entropy: &dyn Entropy) -> Result<Evaluated, BlindError> {
        if asked.epoch != self.epoch {
            return Err(BlindError::Epoch);
        }
        if !(1..=MOST_ELEMENTS).contains(&asked.elements.len()) {
            return Err(BlindError::Count);
        }
        let read = |text: &String| {
            let bytes = decode::<ELEMENT_BYTES>(text).ok_or(BlindError::Element)?;
            BlindedElement::<Suite>::deserialize(&bytes).map_err(|_| BlindError::Element)
        };
        let elements: Vec<_> = asked.elements.iter().map(read).collect::<Result<_, _>>()?;
        let VoprfServerBatchEvaluateResult { messages, proof } = self
            .server
            .batch_blind_evaluate(&mut Chance(entropy), &elements)
            .map_err(|_| BlindError::Count)?;
        Ok(Evaluated {
            epoch: self.epoch,
            elements: messages.iter().map(|each| encode(&each.serialize())).collect(),
            proof: encode(&proof.serialize()),
        })
    }

    #[cfg(test)]
    pub(crate) fn server(&self) -> &VoprfServer<Suite> {
        &self.server
    }
}

/// What somebody who asks keeps while their blinded plate is under way.
pub struct Blinded {
    epoch: Epoch,
    plate: Plate,
    state: VoprfClient<Suite>,
    element: String,
}

impl Blinded {
    /// Blinds a plate: RFC 9497, 3.3.2, `Blind`. The element tells nothing of the plate, whatever computer one has.
    ///
    /// # Errors
    /// [`BlindError::Plate`] for what the function refuses, which no plate is.
    pub fn new(epoch: Epoch, plate: &Plate, entropy: &dyn Entropy) -> Result<Self, BlindError> {
        let blinded = VoprfClient::<Suite>::blind(&plate.input(), &mut Chance(entropy))
            .map_err(|_| BlindError::Plate)?;
        let element = encode(&blinded.message.serialize());
        Ok(Self { epoch, plate: plate.clone(), state: blinded.state, element })
    }

    /// What is sent.
    #[must_use]
    pub fn asks(&self) -> Evaluate {
        Evaluate { epoch: self.epoch, elements: vec![self.element.clone()] }
    }

    /// Checks the answer against the published key, and takes the blinding off: RFC 9497, 3.3.2, `Finalize`.
    ///
    /// # Errors
    /// [`BlindError::Proof`] when another key was used, [`BlindError::Form`] when it is no answer.
    pub fn finish(&self, answer: &Evaluated, key: &PublicKey) -> Result<Output, BlindError> {
        let [element] = answer.elements.as_slice() else { return Err(BlindError::Form) };
        let element = decode::<ELEMENT_BYTES>(element).ok_or(BlindError::Form)?;
        let element = EvaluationElement::<Suite>::deserialize(&element).map_err(|_| BlindError::Form)?;
        let proof = decode::<PROOF_BYTES>(&answer.proof).ok_or(BlindError::Form)?;
        let proof = Proof::<Suite>::deserialize(&proof).map_err(|_| BlindError::Form)?;
        let output = self
            .state
            .finalize(&self.plate.input(), &element, &proof, key.0)
            .map_err(|_| BlindError::Proof)?;
        Ok(Output(Zeroizing::new(output.to_vec())))
    }
}

/// What the function gives for a plate in an epoch: 64 bytes that nobody can tell from chance without the key.
pub struct Output(pub(crate) Zeroizing<Vec<u8>>);

impl std::fmt::Debug for Output {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Output(…)")
    }
}
