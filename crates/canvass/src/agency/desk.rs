//! Talking with the agency's desk: lists, queries, words for people.

use std::path::{Path, PathBuf};

use canvass_core::plates::PictureKind;
use canvass_plates::MOST_PICTURE;
use canvass_types::{AgencyId, MemberId, MemberView, PortalId, Purpose, RequestId};
use reqwest::Method;
use reqwest::header::HeaderValue;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::common::{Context, Failure, Http, write_secret};

/// Most parts of a list that are asked for.
const MOST_PARTS: usize = 1_000;

/// A part of a list.
#[derive(Debug, Serialize, Deserialize)]
pub struct Page<T> {
    /// What is in it.
    pub items: Vec<T>,
    /// Where the next part begins.
    #[serde(default)]
    pub next: Option<u64>,
}

/// The agency's desk.
pub struct Desk<'a> {
    /// What the command was called with.
    pub context: &'a Context,
    /// The client.
    pub http: Http,
}

/// The path of a route with a query; what is not given is left out.
pub fn path(base: &str, query: &[(&str, Option<String>)]) -> String {
    let mut text = format!("/api/v1{base}");
    let mut sign = '?';
    for (name, value) in query.iter().filter_map(|(name, value)| Some((name, value.as_ref()?))) {
        text.push(sign);
        text.push_str(name);
        text.push('=');
        for byte in value.bytes() {
            if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
                text.push(char::from(byte));
            } else {
                text.push_str(&format!("%{byte:02X}"));
            }
        }
        sign = '&';
    }
    text
}

/// Why something protected is opened.
#[derive(Debug, Clone, clap::Args)]
pub struct Why {
    /// The reason, in words that say something; kept with the record
    #[arg(long, value_name = "REASON")]
    purpose: String,
    /// Class of the purpose, as policies/purposes.toml has them: triage, case-work, crime, disclosure, audit, …
    #[arg(long = "for", value_name = "CLASS")]
    class: Option<String>,
    /// Class of offence, as policies/purposes.toml has them
    #[arg(long, default_value = "none")]
    offence: String,
    /// The agency's number of the case; that of the case or request is taken when none is given
    #[arg(long, value_name = "NUMBER")]
    case_number: Option<String>,
    /// Number of a warrant or court order
    #[arg(long, value_name = "NUMBER")]
    warrant: Option<String>,
}

impl Why {
    /// The purpose as the desk takes it, of this class unless another was named.
    pub fn purpose(&self, usual: &str) -> Purpose {
        Purpose {
            class: self.class.clone().unwrap_or_else(|| usual.to_owned()),
            offence: self.offence.clone(),
            case: self.case_number.clone(),
            reason: self.purpose.trim().to_owned(),
            warrant: self.warrant.clone(),
        }
    }
}

/// A purpose as a header: JSON in one line; text beyond ASCII goes as UTF-8.
pub fn purpose(purpose: &Purpose) -> Result<HeaderValue, Failure> {
    let text = serde_json::to_vec(purpose).map_err(|error| Failure::new(error.to_string()))?;
    HeaderValue::from_bytes(&text)
        .map_err(|_| Failure::usage("--purpose: write it on one line, without control characters"))
}

/// A text that others wrote, fit for a terminal.
pub fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' { ' ' } else { c }).collect()
}

/// Reads a word of a closed list, as it stands in JSON.
pub fn word<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    serde_json::from_value(serde_json::Value::String(text.to_owned())).map_err(|error| error.to_string())
}

/// A word of a closed list, as it stands in JSON.
pub fn spelled<T: Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(text)) => text,
        Ok(other) => other.to_string(),
        Err(_) => String::new(),
    }
}

/// Reads who works on something: the id of a member, `me` or `none`.
pub fn assignee(text: &str) -> Result<String, String> {
    if matches!(text, "me" | "none") || text.parse::<MemberId>().is_ok() {
        Ok(text.to_owned())
    } else {
        Err("not the id of a member (mbr_…), and neither `me` nor `none`".to_owned())
    }
}

/// Reads the id of a request or portal.
pub fn destination(text: &str) -> Result<String, String> {
    let sound = text.parse::<RequestId>().is_ok() || text.parse::<PortalId>().is_ok();
    if sound {
        Ok(text.to_owned())
    } else {
        Err("not the id of a request (req_…) or portal (por_…)".to_owned())
    }
}

impl<'a> Desk<'a> {
    /// A desk for a member who signs in.
    pub fn new(context: &'a Context) -> Result<Self, Failure> {
        Ok(Self { context, http: context.private_http()? })
    }

    /// Reads one thing.
    pub async fn get<T: DeserializeOwned>(&self, base: &str) -> Result<T, Failure> {
        Ok(self.http.get(&path(base, &[])).await?)
    }

    /// Reads what is protected, with the purpose for which it is read.
    pub async fn get_for<T: DeserializeOwned>(&self, base: &str, purpose: HeaderValue) -> Result<T, Failure> {
        Ok(self.http.get_for(&path(base, &[]), purpose).await?)
    }

    /// Sends something.
    pub async fn send<B: Serialize + ?Sized, T: DeserializeOwned>(
        &self,
        method: Method,
        base: &str,
        body: &B,
    ) -> Result<T, Failure> {
        Ok(self.http.call(method, &path(base, &[]), body).await?)
    }

    /// Posts something.
    pub async fn post<B: Serialize + ?Sized, T: DeserializeOwned>(
        &self,
        base: &str,
        body: &B,
    ) -> Result<T, Failure> {
        self.send(Method::POST, base, body).await
    }

    /// Posts a search, with the purpose for which it is made.
    pub async fn post_for<B: Serialize + ?Sized, T: DeserializeOwned>(
        &self,
        base: &str,
        purpose: HeaderValue,
        body: &B,
    ) -> Result<T, Failure> {
        Ok(self.http.call_for(&path(base, &[]), purpose, body).await?)
    }

    /// Reads a picture and saves it in a folder, for its owner alone, under a name with the ending of its form. None when it
    /// is forgotten.
    pub async fn save_picture(
        &self,
        base: &str,
        folder: &Path,
        name: &str,
    ) -> Result<Option<PathBuf>, Failure> {
        let Some(bytes) = self.http.get_optional(&path(base, &[]), MOST_PICTURE as u64).await? else {
            return Ok(None);
        };
        let ending = match PictureKind::of(&bytes) {
            Some(PictureKind::Jpeg) => "jpg",
            Some(PictureKind::Png) => "png",
            Some(PictureKind::Webp) => "webp",
            None => {
                return Err(Failure::new(
                    "the desk answered with something that is no picture; is it a Canvass?",
                ));
            }
        };
        let file = folder.join(format!("{name}.{ending}"));
        write_secret(&file, &bytes)?;
        Ok(Some(file))
    }

    /// A request without a body.
    pub async fn act<T: DeserializeOwned>(&self, method: Method, base: &str) -> Result<T, Failure> {
        Ok(self.http.call_empty(method, &path(base, &[])).await?)
    }

    /// A whole list, part by part.
    pub async fn all<T: DeserializeOwned>(
        &self,
        base: &str,
        query: &[(&str, Option<String>)],
    ) -> Result<Vec<T>, Failure> {
        let mut all = Vec::new();
        let mut after: Option<u64> = None;
        for _ in 0..MOST_PARTS {
            let mut query = query.to_vec();
            query.push(("after", after.map(|after| after.to_string())));
            let page: Page<T> = self.http.get(&path(base, &query)).await?;
            all.extend(page.items);
            after = page.next;
            if after.is_none() {
                return Ok(all);
            }
        }
        Err(Failure::new("the list has no end; narrow it with an option"))
    }

    /// Who signs in.
    pub async fn me(&self) -> Result<MemberView, Failure> {
        self.get("/me").await
    }

    /// The agency of who signs in, or the one named.
    pub async fn agency(&self, named: Option<&AgencyId>) -> Result<AgencyId, Failure> {
        if let Some(named) = named {
            return Ok(named.clone());
        }
        let me = self.me().await?;
        me.agency.ok_or_else(|| Failure::usage("you belong to no agency; name one with --agency agy_…"))
    }

    /// Prints the result: lines for people, JSON for programs.
    pub fn show<T: Serialize>(&self, value: &T, lines: &[String]) -> Result<(), Failure> {
        show(self.context, value, lines)
    }
}

/// Prints a result: lines for people, JSON for programs.
pub fn show<T: Serialize>(context: &Context, value: &T, lines: &[String]) -> Result<(), Failure> {
    for line in lines {
        context.console().line(plain(line));
    }
    context.console().result(value)
}

/// A moment, or a dash.
pub fn moment(at: Option<canvass_types::Time>) -> String {
    at.map_or_else(|| "-".to_owned(), |at| at.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_encoded_and_empty_ones_left_out() {
        let query = [("tag", Some("a b&c".to_owned())), ("state", None), ("after", Some("7".to_owned()))];
        assert_eq!(path("/offers", &query), "/api/v1/offers?tag=a%20b%26c&after=7");
        assert_eq!(path("/me", &[]), "/api/v1/me");
    }

    #[test]
    fn what_others_wrote_moves_no_cursor() {
        assert_eq!(plain("a\u{1b}[2J\tb"), "a [2J b");
        assert!(destination("req_x").is_err());
        assert!(assignee("me").is_ok() && assignee("none").is_ok() && assignee("you").is_err());
        assert_eq!(word::<canvass_types::Role>("custodian").unwrap(), canvass_types::Role::Custodian);
        assert!(word::<canvass_types::Role>("king").is_err());
    }
}
