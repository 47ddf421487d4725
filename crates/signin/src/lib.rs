//! Passkeys: the relying party's side of Web Authentication (WebAuthn level 3), and the key that binds a session to the
//! browser in which it was opened.
//!
//! ```text
//! RelyingParty::begin_registration ─► (Registering, options) ─ browser ─► Registering::finish ─► Credential
//! RelyingParty::begin_assertion    ─► (Asserting,   options) ─ browser ─► Asserting::finish   ─► Credential, used
//! ```
//! Challenges are one-use: a state is consumed by its `finish`. Nothing here touches a network, a store or a file, so each
//! ceremony can be tested with an authenticator in software. The checks of the specification are those of `webauthn_rp`.

mod device;
mod party;

pub use device::{DEVICE_CONTEXT, DeviceError, device_message, verify_device};
pub use party::{
    AddressError, Answer, Asserting, CeremonyError, Credential, Registering, RelyingParty, User,
};
