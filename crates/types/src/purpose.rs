//! Why something protected is opened or searched.

use serde::{Deserialize, Serialize};

/// Why someone searches or opens something. What a purpose must say is in `policies/purposes.toml`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Purpose {
    /// A purpose of `purposes.toml`, or `none` for a reason alone.
    pub class: String,
    /// An offence class of `purposes.toml`; `none` without an offence.
    pub offence: String,
    /// The agency's own code of the case. Where what is opened belongs to a case or request, that one's code is taken when none is given.
    pub case: Option<String>,
    /// The reason, in words.
    pub reason: String,
    /// Number of a warrant or court order.
    pub warrant: Option<String>,
}

impl Purpose {
    /// A purpose of this class for this reason, without an offence.
    pub fn new(class: &str, reason: &str) -> Self {
        Self { class: class.into(), offence: "none".into(), case: None, reason: reason.into(), warrant: None }
    }

    /// The purpose on one line, for people: `review of the garage (case-work, case 26-cr-77)`.
    pub fn line(&self) -> String {
        let mut rest: Vec<String> = Vec::new();
        let named = |text: &str| !text.is_empty() && text != "none";
        rest.extend([&self.class, &self.offence].into_iter().filter(|text| named(text)).cloned());
        rest.extend(self.case.iter().map(|case| format!("case {case}")));
        rest.extend(self.warrant.iter().map(|warrant| format!("warrant {warrant}")));
        if rest.is_empty() { self.reason.clone() } else { format!("{} ({})", self.reason, rest.join(", ")) }
    }

    /// A reason alone, for acts that want one in words and no class.
    pub fn reason(reason: &str) -> Self {
        Self::new("none", reason)
    }
}
