//! Texts of policy: what an agency or the operator tells the public, with claims that are held against the settings.

use std::{collections::BTreeMap, path::PathBuf};

use canvass_core::{
    records::{Claim, Language},
    transparency::{LiveSetting, NewPolicyText, PolicyTextView, PolicyTexts, SettingValue},
};
use canvass_types::AgencyId;
use clap::{Args, Subcommand};
use reqwest::Method;
use serde::Deserialize;

use super::desk::Desk;
use crate::common::{Context, Failure, read_limited};

/// Largest file, bytes: 20,000 characters and their claims.
const MOST: u64 = 100_000;
/// Stands before and after the claims.
const FENCE: &str = "+++";

/// Texts of policy.
#[derive(Debug, Subcommand)]
pub enum PolicyTextCommand {
    /// Publish a text with what it claims of settings, in place of the one before in its language
    #[command(after_help = "Example:\n  canvass policy-text set policy.en.md\n\n\
        The file begins with its claims, in TOML between two lines of +++:\n  \
        +++\n  language = \"en\"\n  [claims]\n  \"retention.untriaged_days\" = 90\n  \"sharing.federal\" = \"none\"\n  +++\n  \
        # What we keep\n  Footage that nobody has reviewed is deleted after 90 days.\n\n\
        `canvass policy-text show` lists the settings that a text may claim.")]
    Set {
        /// The file
        file: PathBuf,
        #[command(flatten)]
        whose: Whose,
    },
    /// Show the published texts, what of them is not so, and every setting that a text may claim
    #[command(after_help = "Example:\n  canvass policy-text show --deployment")]
    Show {
        #[command(flatten)]
        whose: Whose,
    },
}

/// Whose text.
#[derive(Debug, Args)]
#[group(multiple = false)]
pub struct Whose {
    /// Of this agency; of your own when neither is given
    #[arg(long)]
    agency: Option<AgencyId>,
    /// Of the whole deployment
    #[arg(long)]
    deployment: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Front {
    language: Language,
    #[serde(default)]
    claims: BTreeMap<LiveSetting, SettingValue>,
}

/// Takes a file apart: claims, then text.
fn read(text: &str) -> Result<NewPolicyText, String> {
    let plain = text.replace("\r\n", "\n");
    let missing = || format!("begin with a line {FENCE}, the claims in TOML, and another line {FENCE}");
    let rest = plain.strip_prefix(FENCE).and_then(|rest| rest.strip_prefix('\n')).ok_or_else(missing)?;
    let (front, markdown) = rest.split_once(&format!("\n{FENCE}\n")).ok_or_else(missing)?;
    let front: Front = toml::from_str(front).map_err(|error| error.to_string())?;
    let claims = front.claims.into_iter().map(|(setting, value)| Claim { setting, value }).collect();
    Ok(NewPolicyText { language: front.language, markdown: markdown.trim().to_owned(), claims })
}

async fn path(desk: &Desk<'_>, whose: &Whose) -> Result<String, Failure> {
    if whose.deployment {
        return Ok("/policy-text".to_owned());
    }
    Ok(format!("/agencies/{}/policy-text", desk.agency(whose.agency.as_ref()).await?))
}

fn lines_of(text: &PolicyTextView) -> Vec<String> {
    let mut lines = vec![format!("{}, set on {}, {}", text.language.as_str(), text.at, text.digest)];
    lines.extend(text.contradictions.iter().map(|one| {
        format!(
            "  NOT SO: {} is {}, and the text says {} (known since {})",
            one.setting, one.live, one.claimed, one.since
        )
    }));
    lines.extend(text.hints.iter().map(|hint| {
        format!("  look at: {:?} beside {}, which is {}: {}", hint.said, hint.setting, hint.live, hint.quote)
    }));
    lines.extend(text.claims.iter().map(|claim| format!("  claims {} = {}", claim.setting, claim.value)));
    lines
}

fn show(desk: &Desk<'_>, texts: &PolicyTexts, settings: bool) -> Result<(), Failure> {
    let mut lines: Vec<String> = texts.texts.iter().flat_map(lines_of).collect();
    if texts.texts.is_empty() {
        lines.push("no text is published".to_owned());
    }
    if settings {
        lines.push("in force:".to_owned());
        lines.extend(texts.settings.iter().map(|it| format!("  {} = {}", it.setting, it.value)));
    }
    desk.show(texts, &lines)
}

/// Runs one of them.
///
/// # Errors
/// A file that can't be read, or what the desk refuses.
pub async fn run(command: PolicyTextCommand, context: &Context) -> Result<(), Failure> {
    let desk = Desk::new(context)?;
    match command {
        PolicyTextCommand::Set { file, whose } => {
            let name = file.display().to_string();
            let text = String::from_utf8(read_limited(&file, MOST)?)
                .map_err(|_| Failure::new(format!("{name}: it is not UTF-8; save it as such")))?;
            let new = read(&text).map_err(|error| Failure::new(format!("{name}: {error}")))?;
            let path = path(&desk, &whose).await?;
            let texts: PolicyTexts = desk.send(Method::PUT, &path, &new).await?;
            show(&desk, &texts, false)
        }
        PolicyTextCommand::Show { whose } => {
            let texts: PolicyTexts = desk.get(&path(&desk, &whose).await?).await?;
            show(&desk, &texts, true)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_claims_and_text() {
        let file = "+++\r\nlanguage = \"es\"\n[claims]\n\"retention.untriaged_days\" = 90\n\"ask.moderated\" = true\n\
                    \"sharing.federal\" = \"none\"\n\"ask.max_area_sq_mi\" = 0.5\n+++\n\n# Lo que guardamos\nTexto.\n";
        let new = read(file).unwrap();
        assert_eq!((new.language, new.markdown.as_str()), (Language::Es, "# Lo que guardamos\nTexto."));
        let values: Vec<String> = new.claims.iter().map(|claim| claim.value.to_string()).collect();
        assert_eq!(values, ["90", "0.5", "true", "none"]);
        for (wrong, says) in [
            ("# Only text", "begin with a line +++"),
            ("+++\nlanguage = \"en\"\n", "another line +++"),
            ("+++\nlanguage = \"fr\"\n+++\ntext", "fr"),
            ("+++\nlanguage = \"en\"\n[claims]\n\"retention.plates\" = 1\n+++\ntext", "retention.plates"),
        ] {
            let error = read(wrong).unwrap_err();
            assert!(error.contains(says), "{error}");
        }
    }
}
