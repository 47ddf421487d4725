//! The operator's file of providers: TOML, a table `[[oidc]]` for each.

use std::{collections::BTreeSet, fmt, path::Path};

use canvass_core::signin::Provider;
use canvass_types::AgencyId;
use reqwest::Url;
use serde::Deserialize;
use zeroize::Zeroizing;

/// Most providers that one file may name.
pub const MOST: usize = 500;
/// Largest file that is read, in bytes.
const LARGEST: usize = 1024 * 1024;

/// A provider of sign-ins for one agency's members.
#[derive(Clone, PartialEq, Eq)]
pub struct ProviderConfig {
    /// What the domain knows of it.
    pub provider: Provider,
    /// What this Canvass is called there.
    pub client_id: String,
    /// Its secret; none for a public client, which PKCE alone protects.
    pub secret: Option<Zeroizing<String>>,
}

impl fmt::Debug for ProviderConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ProviderConfig").field(&self.provider).finish()
    }
}

/// Why a file of providers can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProvidersError {
    /// A file that can't be read.
    #[error("{path}: can't be read ({reason}); look at the path and its owner")]
    File {
        /// Which.
        path: String,
        /// What the system said.
        reason: String,
    },
    /// Not TOML, or not of this form.
    #[error("--oidc: {0}; see docs/ref/oidc.md for the form")]
    Form(String),
    /// A field of a provider.
    #[error("--oidc: provider `{id}`: {field}: {reason}")]
    Field {
        /// Which provider.
        id: String,
        /// Which field.
        field: &'static str,
        /// What is wrong, and how it should be.
        reason: &'static str,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[serde(default)]
    oidc: Vec<Table>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    id: String,
    agency: AgencyId,
    name: String,
    issuer: String,
    client_id: String,
    client_secret_file: Option<String>,
    #[serde(default)]
    acr: Vec<String>,
    #[serde(default)]
    amr: Vec<String>,
    #[serde(default = "yes")]
    passkey_for_step_up: bool,
}

fn yes() -> bool {
    true
}

fn read(path: &Path, most: usize) -> Result<String, ProvidersError> {
    let fail = |reason: String| ProvidersError::File { path: path.display().to_string(), reason };
    let text = std::fs::read_to_string(path).map_err(|error| fail(error.to_string()))?;
    if text.len() > most {
        return Err(fail(format!("it is larger than {most} bytes")));
    }
    Ok(text)
}

/// Reads a file of providers, and the secrets that it names; their paths start at the file's folder.
///
/// # Errors
/// Names the field at fault and how it should be.
pub fn read_providers(path: &Path) -> Result<Vec<ProviderConfig>, ProvidersError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    parse(&read(path, LARGEST)?, |file| read(&folder.join(file), 4_096))
}

fn parse(
    text: &str,
    secret: impl Fn(&str) -> Result<String, ProvidersError>,
) -> Result<Vec<ProviderConfig>, ProvidersError> {
    let document: Document =
        toml::from_str(text).map_err(|error| ProvidersError::Form(error.message().to_owned()))?;
    if document.oidc.len() > MOST {
        return Err(ProvidersError::Form(format!("there are more than {MOST} providers")));
    }
    let (mut ids, mut all) = (BTreeSet::new(), Vec::new());
    for table in document.oidc {
        check(&table)?;
        if !ids.insert(table.id.clone()) {
            let (id, field, reason) = (table.id, "id", "it stands twice; give each its own");
            return Err(ProvidersError::Field { id, field, reason });
        }
        let secret = match &table.client_secret_file {
            Some(file) => {
                let text = Zeroizing::new(secret(file)?);
                if text.trim().is_empty() {
                    let (id, field) = (table.id, "client_secret_file");
                    let reason = "the file is empty; put the secret in, or leave the line out";
                    return Err(ProvidersError::Field { id, field, reason });
                }
                Some(Zeroizing::new(text.trim().to_owned()))
            }
            None => None,
        };
        let Table { id, agency, name, issuer, client_id, acr, amr, passkey_for_step_up, .. } = table;
        let name = name.trim().to_owned();
        let provider = Provider { id, agency, name, issuer, acr, amr, passkey_for_step_up };
        all.push(ProviderConfig { provider, client_id, secret });
    }
    Ok(all)
}

fn check(table: &Table) -> Result<(), ProvidersError> {
    let fail = |field, reason| Err(ProvidersError::Field { id: table.id.clone(), field, reason });
    let word = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if table.id.is_empty() || table.id.len() > 40 || !table.id.bytes().all(word) {
        return fail("id", "write 1 to 40 of a-z, 0-9 and -");
    }
    let name = table.name.trim();
    if name.is_empty() || name.chars().count() > 80 || name.chars().any(char::is_control) {
        return fail("name", "write what members call it, in 1 to 80 characters");
    }
    let issuer = Url::parse(&table.issuer).ok();
    let plain = |url: &Url| url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
    if !issuer.is_some_and(|url| safe(&url, is_here(&url)) && plain(&url)) || table.issuer.len() > 500 {
        return fail("issuer", "write the https:// address that the provider's tokens name as `iss`");
    }
    let token =
        |text: &str| !text.is_empty() && text.len() <= 300 && text.bytes().all(|b| b.is_ascii_graphic());
    if !token(&table.client_id) {
        return fail("client_id", "write what the provider calls this Canvass, 1 to 300 characters");
    }
    for (field, values) in [("acr", &table.acr), ("amr", &table.amr)] {
        if values.len() > 10 || !values.iter().all(|value| token(value)) {
            return fail(field, "write at most 10 values without spaces");
        }
    }
    Ok(())
}

/// Whether an address is this machine's own.
pub(super) fn is_here(url: &Url) -> bool {
    matches!(url.host_str(), Some("127.0.0.1" | "[::1]" | "localhost"))
}

/// Whether secrets may go to an address: by TLS, or on this machine where the provider is here, too.
pub(super) fn safe(url: &Url, here: bool) -> bool {
    url.scheme() == "https" || (url.scheme() == "http" && here && is_here(url))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
        [[oidc]]
        id = "concord"
        agency = "agy_aaaaaaaaaaaaaaaaaaaaaaaaaa"
        name = "City of Concord"
        issuer = "https://login.concord.example/realms/city"
        client_id = "canvass"
        client_secret_file = "concord.secret"
        acr = ["urn:example:mfa"]
        amr = ["mfa"]
    "#;

    fn secret(_: &str) -> Result<String, ProvidersError> {
        Ok(" a secret\n".into())
    }

    #[test]
    fn a_provider_is_read_with_its_secret_and_demands_a_passkey_unless_told_otherwise() {
        let [found] = parse(GOOD, secret).unwrap().try_into().unwrap();
        assert_eq!(found.secret.as_ref().unwrap().as_str(), "a secret");
        assert!(found.provider.passkey_for_step_up);
        assert!(!format!("{found:?}").contains("a secret"));
        let text = format!("{GOOD}\npasskey_for_step_up = false");
        assert!(!parse(&text, secret).unwrap()[0].provider.passkey_for_step_up);
        assert_eq!(parse("", secret), Ok(vec![]));
    }

    #[test]
    fn what_is_wrong_is_named_with_its_provider_and_field() {
        for (from, to, field) in [
            ("\"concord\"", "\"Concord!\"", "id"),
            ("City of Concord", " ", "name"),
            ("https://login", "http://login", "issuer"),
            ("realms/city", "?tenant=1", "issuer"),
            ("\"canvass\"", "\"\"", "client_id"),
            ("\"mfa\"", "\"m f a\"", "amr"),
        ] {
            let error = parse(&GOOD.replacen(from, to, 1), secret).unwrap_err();
            assert!(matches!(error, ProvidersError::Field { field: found, .. } if found == field), "{error}");
        }
        let twice = parse(&format!("{GOOD}{GOOD}"), secret).unwrap_err();
        assert!(twice.to_string().contains("twice"), "{twice}");
        let unknown = parse(&format!("{GOOD}\nroles = [\"operator\"]"), secret).unwrap_err();
        assert!(unknown.to_string().contains("unknown field `roles`"), "{unknown}");
        let empty = parse(GOOD, |_| Ok("\n".into())).unwrap_err();
        assert!(empty.to_string().contains("client_secret_file"), "{empty}");
        let here = GOOD.replace("https://login.concord.example", "http://127.0.0.1:9000");
        assert!(parse(&here, secret).is_ok());
    }

    #[test]
    fn secrets_lie_beside_the_file_that_names_them() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("oidc.toml");
        std::fs::write(&file, GOOD).unwrap();
        assert!(matches!(read_providers(&file), Err(ProvidersError::File { .. })));
        std::fs::write(folder.path().join("concord.secret"), "word").unwrap();
        assert_eq!(read_providers(&file).unwrap()[0].secret.as_ref().unwrap().as_str(), "word");
    }
}
