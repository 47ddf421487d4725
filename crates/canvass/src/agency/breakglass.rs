//! `canvass break-glass`: an operator changes an agency's people, for an hour and for all to see.

use canvass_core::{breakglass::NewBreakGlass, records::BreakGlass};
use canvass_types::{AgencyId, BreakGlassId};
use clap::Subcommand;
use serde_json::json;

use super::desk::Desk;
use crate::common::{Context, Failure};

/// Break-glass.
#[derive(Debug, Subcommand)]
pub enum BreakGlassCommand {
    /// Open it for an agency that has an administrator of its own, who can't act (operator); it ends after an hour
    #[command(
        after_help = "Example:\n  canvass break-glass begin agy_… --reason 'Their only administrator left; the chief asked in writing on 24 November'"
    )]
    Begin {
        /// For which agency
        agency: AgencyId,
        /// Why, 20 to 500 characters; everybody of the agency sees it
        #[arg(long)]
        reason: String,
    },
    /// List when it was open
    #[command(after_help = "Example:\n  canvass break-glass list")]
    List,
    /// End it at once
    #[command(after_help = "Example:\n  canvass break-glass end bgl_…")]
    End {
        /// Which
        glass: BreakGlassId,
    },
}

/// Runs one of them.
pub async fn run(command: BreakGlassCommand, context: &Context) -> Result<(), Failure> {
    let desk = Desk::new(context)?;
    match command {
        BreakGlassCommand::Begin { agency, reason } => {
            let glass: BreakGlass = desk.post("/break-glass", &NewBreakGlass { agency, reason }).await?;
            desk.show(&glass, &[line(&glass)])
        }
        BreakGlassCommand::List => {
            let all: Vec<BreakGlass> = desk.get("/break-glass").await?;
            desk.show(&all, &all.iter().map(line).collect::<Vec<_>>())
        }
        BreakGlassCommand::End { glass } => {
            let glass: BreakGlass = desk.post(&format!("/break-glass/{glass}/end"), &json!({})).await?;
            desk.show(&glass, &[line(&glass)])
        }
    }
}

fn line(glass: &BreakGlass) -> String {
    let end = glass.ended.map_or_else(|| format!("until {}", glass.until), |at| format!("ended {at}"));
    format!(
        "{}  {}  from {} {end}  by {}  {}",
        glass.id,
        glass.agency,
        glass.begun,
        glass.by,
        super::desk::plain(&glass.reason)
    )
}
