//! The files of a set of policies, and the digest that names exactly these files.

use std::collections::BTreeMap;

use canvass_types::{Digest, canonical};

/// The files of a set of policies: path below `policies/` to text.
pub type Texts = BTreeMap<String, String>;

pub(crate) const SCHEMA: &str = "canvass.cedarschema";
pub(crate) const ROLES_CEDAR: &str = "roles.cedar";
pub(crate) const PURPOSES: &str = "purposes.toml";

macro_rules! shipped {
    ($($path:literal),* $(,)?) => {
        /// Path and text of each file that ships with Canvass.
        const SHIPPED: &[(&str, &str)] = &[$(($path, include_str!(concat!("../../../policies/", $path)))),*];
    };
}

shipped! {
    "canvass.cedarschema",
    "caps.cedar",
    "hotlists.cedar",
    "never.cedar",
    "profiles/default.cedar",
    "profiles/default.toml",
    "profiles/us-ca.cedar",
    "profiles/us-ca.toml",
    "profiles/us-il.cedar",
    "profiles/us-il.toml",
    "profiles/us-nh.cedar",
    "profiles/us-nh.toml",
    "profiles/us-or.cedar",
    "profiles/us-or.toml",
    "profiles/us-va.cedar",
    "profiles/us-va.toml",
    "profiles/us-wa.cedar",
    "profiles/us-wa.toml",
    "purposes.toml",
    "roles-search.txt",
    "roles.cedar",
    "roles.txt",
    "second-person.cedar",
    "sharing.cedar",
}

/// The files that ship with Canvass, to start a deployment's own from.
pub fn shipped_texts() -> Texts {
    SHIPPED.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect()
}

/// SHA-256 of the canonical JSON (RFC 8785) of all files, line ends as `\n`: two sets with one digest are one set.
pub(crate) fn digest(texts: &Texts) -> Digest {
    let plain: BTreeMap<&str, String> =
        texts.iter().map(|(path, text)| (path.as_str(), text.replace("\r\n", "\n"))).collect();
    // A map of strings to strings can always be written.
    Digest::of(&canonical(&plain).unwrap_or_default())
}
