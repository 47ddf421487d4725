//! Both ceremonies with an authenticator in software, and answers that must not count.

#![expect(clippy::unwrap_used, reason = "a test's helpers fail the test by panicking")]

use std::collections::BTreeSet;

use canvass_signin::{
    Answer, CeremonyError, Credential, DeviceError, RelyingParty, User, device_message, verify_device,
};
use canvass_testkit::Authenticator;
use data_encoding::BASE64URL_NOPAD as B64;
use p256::ecdsa::{Signature, SigningKey, signature::Signer as _};
use serde_json::json;

const ORIGIN: &str = "https://desk.example.org";
const ADA: [u8; 16] = [7; 16];

/// What is wrong, and how it comes about.
type Mistake = (&'static str, fn(&mut Authenticator));

fn authenticator(seed: u8) -> Authenticator {
    Authenticator::new(seed, ORIGIN, ADA)
}

fn party() -> RelyingParty {
    RelyingParty::at(ORIGIN).unwrap()
}

fn enrol(party: &RelyingParty, authenticator: &Authenticator) -> Result<Credential, CeremonyError> {
    let (state, options) = party.begin_registration(User { handle: ADA, name: "Ada" }, &[])?;
    state.finish(party, &authenticator.register(&options))
}

fn sign_in(
    party: &RelyingParty,
    who: &Authenticator,
    known: &Credential,
) -> Result<Credential, CeremonyError> {
    let (state, options) = party.begin_assertion()?;
    let answer = Answer::read(&who.assert(&options))?;
    assert_eq!(answer.credential(), B64.encode(&who.id));
    state.finish(party, &answer, ADA, known)
}

#[test]
fn a_key_is_registered_and_used_and_its_counter_kept() {
    let party = party();
    let mut who = authenticator(1);
    let known = enrol(&party, &who).unwrap();
    assert_eq!((known.id.as_str(), known.counter()), (B64.encode(&who.id).as_str(), 1));
    who.counter = 5;
    let used = sign_in(&party, &who, &known).unwrap();
    assert_eq!((used.counter(), &used.key), (5, &known.key));
    assert!(sign_in(&party, &who, &used).is_err(), "the counter stood still: the key was copied");
    who.counter = 4;
    assert!(sign_in(&party, &who, &used).is_err(), "the counter went back");
}

#[test]
fn a_key_without_a_counter_may_be_used_again() {
    let party = party();
    let mut who = authenticator(2);
    who.counter = 0;
    let known = enrol(&party, &who).unwrap();
    let used = sign_in(&party, &who, &known).unwrap();
    assert_eq!(sign_in(&party, &who, &used).unwrap().counter(), 0);
}

#[test]
fn what_is_asked_for_is_discoverable_and_verified_and_never_twice_the_same() {
    let party = party();
    let known = enrol(&party, &authenticator(1)).unwrap();
    let (_, create) = party
        .begin_registration(User { handle: ADA, name: "Ada B. Lovelace" }, std::slice::from_ref(&known))
        .unwrap();
    assert_eq!(create["authenticatorSelection"]["residentKey"], "required", "{create}");
    assert_eq!(create["authenticatorSelection"]["userVerification"], "required");
    assert_eq!(create["rp"], json!({ "id": "desk.example.org", "name": "Canvass" }));
    assert!(create["extensions"]["credentialProtectionPolicy"].is_null(), "phones would refuse: {create}");
    assert_eq!(create["user"]["name"], "Ada B. Lovelace");
    assert_eq!(create["user"]["displayName"], "Ada B. Lovelace");
    assert_eq!(create["excludeCredentials"][0]["id"], known.id.as_str());
    let seen: BTreeSet<String> =
        (0..50).map(|_| party.begin_assertion().unwrap().1["challenge"].to_string()).collect();
    assert_eq!(seen.len(), 50);
    let (_, get) = party.begin_assertion().unwrap();
    assert_eq!(get["userVerification"], "required", "{get}");
    assert!(get["allowCredentials"].as_array().is_none_or(Vec::is_empty));
}

#[test]
fn registrations_that_do_not_count() {
    let party = party();
    let changes: [Mistake; 5] = [
        ("wrong origin", |it| it.origin = "https://desk.example.com".into()),
        ("a part of the origin", |it| it.origin = "https://other.desk.example.org".into()),
        ("wrong relying party", |it| it.rp = "example.org".into()),
        ("user not verified", |it| it.flags = 0b001),
        ("user not present", |it| it.flags = 0b100),
    ];
    for (name, change) in changes {
        let mut who = authenticator(3);
        change(&mut who);
        let refused = enrol(&party, &who);
        assert!(matches!(refused, Err(CeremonyError::Refused(_))), "{name}: {refused:?}");
    }
    // The answer to another challenge.
    let who = authenticator(3);
    let user = User { handle: ADA, name: "Ada" };
    let (_, old) = party.begin_registration(user, &[]).unwrap();
    let (state, _) = party.begin_registration(user, &[]).unwrap();
    assert!(matches!(state.finish(&party, &who.register(&old)), Err(CeremonyError::Refused(_))));
}

#[test]
fn cut_or_altered_attestations_are_refused_and_nothing_panics() {
    let party = party();
    let who = authenticator(4);
    let user = User { handle: ADA, name: "Ada" };
    let length = {
        let (_, options) = party.begin_registration(user, &[]).unwrap();
        let whole = who.register(&options);
        B64.decode(whole["response"]["attestationObject"].as_str().unwrap().as_bytes()).unwrap().len()
    };
    for at in 0..length {
        let (state, options) = party.begin_registration(user, &[]).unwrap();
        let cut = who.registration(&options, |bytes| bytes[..at].to_vec());
        assert!(state.finish(&party, &cut).is_err(), "cut at {at}");
        let (state, options) = party.begin_registration(user, &[]).unwrap();
        let long = who.registration(&options, |mut bytes| {
            bytes.insert(at, 0xff);
            bytes
        });
        assert!(state.finish(&party, &long).is_err(), "a byte more at {at}");
    }
    for odd in [json!(null), json!([]), json!({}), json!({ "id": 1 }), json!("x".repeat(10_000))] {
        let (state, _) = party.begin_registration(user, &[]).unwrap();
        assert!(matches!(state.finish(&party, &odd), Err(CeremonyError::Form(_))));
        assert!(matches!(Answer::read(&odd), Err(CeremonyError::Form(_))));
    }
}

#[test]
fn assertions_that_do_not_count() {
    let party = party();
    let known = enrol(&party, &authenticator(5)).unwrap();
    let changes: [Mistake; 7] = [
        ("wrong origin", |it| it.origin = "http://desk.example.org".into()),
        ("wrong relying party", |it| it.rp = "example.org".into()),
        ("user not verified", |it| it.flags = 0b001),
        ("user not present", |it| it.flags = 0b100),
        ("another key under the same id", |it| it.key = SigningKey::from_slice(&[9; 32]).unwrap()),
        ("another user", |it| it.user = [8; 16]),
        ("another id", |it| it.id = [6; 32]),
    ];
    for (name, change) in changes {
        let mut who = authenticator(5);
        who.counter = 9;
        change(&mut who);
        let (state, options) = party.begin_assertion().unwrap();
        let answer = Answer::read(&who.assert(&options)).unwrap();
        let refused = state.finish(&party, &answer, ADA, &known);
        assert!(matches!(refused, Err(CeremonyError::Refused(_))), "{name}: {refused:?}");
    }
    let mut who = authenticator(5);
    who.counter = 9;
    let (_, old) = party.begin_assertion().unwrap();
    let (state, _) = party.begin_assertion().unwrap();
    let replayed = Answer::read(&who.assert(&old)).unwrap();
    assert!(matches!(state.finish(&party, &replayed, ADA, &known), Err(CeremonyError::Refused(_))));
    let broken = Credential { key: "AAAA".into(), ..known };
    let (state, options) = party.begin_assertion().unwrap();
    let answer = Answer::read(&who.assert(&options)).unwrap();
    assert_eq!(state.finish(&party, &answer, ADA, &broken), Err(CeremonyError::Stored));
}

#[test]
fn addresses_that_carry_passkeys_and_those_that_do_not() {
    for (address, origin) in [
        ("https://desk.example.org", "https://desk.example.org"),
        ("https://desk.example.org:8443/desk/", "https://desk.example.org:8443"),
        ("http://localhost:8420", "http://localhost:8420"),
    ] {
        assert_eq!(RelyingParty::at(address).unwrap().origin(), origin);
    }
    for address in
        ["http://127.0.0.1:8420", "https://[::1]", "http://desk.example.org", "ftp://localhost", "desk", ""]
    {
        let error = RelyingParty::at(address).unwrap_err().to_string();
        assert!(error.contains("http") && error.len() > 40, "{address}: {error}");
    }
}

#[test]
fn a_device_signs_one_ceremony_at_one_desk() {
    let key = SigningKey::from_slice(&[3; 32]).unwrap();
    let point = B64.encode(key.verifying_key().to_encoded_point(false).as_bytes());
    let sign = |key: &SigningKey, ceremony: &str| {
        let signature: Signature = key.sign(device_message(ORIGIN, ceremony).as_bytes());
        B64.encode(&signature.to_bytes())
    };
    let signature = sign(&key, "abc");
    verify_device(&point, &signature, ORIGIN, "abc").unwrap();
    let other = sign(&SigningKey::from_slice(&[4; 32]).unwrap(), "abc");
    for (point, signature, origin, ceremony, error) in [
        (point.as_str(), signature.as_str(), ORIGIN, "abd", DeviceError::Signature),
        (&point, &signature, "https://other.example.org", "abc", DeviceError::Signature),
        (&point, &other, ORIGIN, "abc", DeviceError::Signature),
        (&point, "", ORIGIN, "abc", DeviceError::Signature),
        ("", &signature, ORIGIN, "abc", DeviceError::Key),
        ("!", &signature, ORIGIN, "abc", DeviceError::Key),
        ("AAAA", &signature, ORIGIN, "abc", DeviceError::Key),
    ] {
        assert_eq!(verify_device(point, signature, origin, ceremony), Err(error));
    }
}
