//! Courts' orders that keep a search from the owner of the plate.

use canvass_core::{asked::NewSeal, records::CourtSeal};
use canvass_types::{AuditId, CourtSealId, Time};
use clap::Subcommand;
use reqwest::Method;

use super::desk::{Desk, plain};
use crate::common::{Context, Failure};

/// Courts' orders over searches.
#[derive(Debug, Subcommand)]
pub enum CourtSealCommand {
    /// List them
    #[command(after_help = "Example:\n  canvass court-seal list")]
    List,
    /// Propose one; it holds nothing back before another supervisor or custodian confirms it
    #[command(after_help = "\
Example:
  canvass court-seal propose aud_… --court 'Superior Court of Merrimack County' --order 217-2026-CR-00077 \\
    --until 2027-01-31T00:00:00Z

The record of a search is found with `canvass audit --action plate.search`.")]
    Propose {
        /// The record of the search
        #[arg(value_name = "RECORD")]
        search: AuditId,
        /// Which court, 3 to 200 characters
        #[arg(long)]
        court: String,
        /// The order's number, 1 to 100 characters
        #[arg(long)]
        order: String,
        /// When the order ends: then the search becomes public
        #[arg(long, value_name = "TIME")]
        until: Time,
    },
    /// Confirm, as the second person, what somebody else proposed
    #[command(after_help = "Example:\n  canvass court-seal confirm csl_…")]
    Confirm {
        /// Which
        seal: CourtSealId,
    },
}

fn line(seal: &CourtSeal) -> String {
    format!(
        "{}  {}  {}  {}, order {}  until {}",
        seal.id,
        seal.state.as_str(),
        seal.search,
        plain(&seal.court),
        plain(&seal.order),
        seal.until
    )
}

/// Runs one of them.
///
/// # Errors
/// What the desk refuses.
pub async fn run(command: CourtSealCommand, context: &Context) -> Result<(), Failure> {
    let desk = Desk::new(context)?;
    match command {
        CourtSealCommand::List => {
            let all: Vec<CourtSeal> = desk.all("/asked/seals", &[]).await?;
            let lines: Vec<String> = all.iter().map(line).collect();
            desk.show(&all, &lines)
        }
        CourtSealCommand::Propose { search, court, order, until } => {
            let wish = NewSeal { search, court, order, until };
            let seal: CourtSeal = desk.post("/asked/seals", &wish).await?;
            desk.show(&seal, &[line(&seal), "Another supervisor or custodian confirms it.".to_owned()])
        }
        CourtSealCommand::Confirm { seal } => {
            let seal: CourtSeal = desk.act(Method::POST, &format!("/asked/seals/{seal}/confirm")).await?;
            desk.show(&seal, &[line(&seal)])
        }
    }
}
