//! What misuse detection found, and members' own vehicles.

use canvass_core::{
    misuse::{ChangeVehicles, FindingView, HandleFinding},
    records::{Finding, FindingState, OwnVehicle},
};
use canvass_types::{FindingId, MemberId};
use clap::Subcommand;
use reqwest::Method;

use super::desk::{Desk, plain};
use crate::common::{Context, Failure};

/// Findings.
#[derive(Debug, Subcommand)]
pub enum FindingCommand {
    /// List what misuse detection found
    #[command(after_help = "Example:\n  canvass finding list --state open")]
    List {
        /// open, explained or confirmed
        #[arg(long)]
        state: Option<FindingState>,
    },
    /// Show a finding with its acts
    #[command(after_help = "Example:\n  canvass finding show fnd_…")]
    Show {
        /// Which
        finding: FindingId,
    },
    /// Answer for a finding
    #[command(
        after_help = "Example:\n  canvass finding handle fnd_… explained --answer 'Case numbers were mixed up; corrected on 3 May'"
    )]
    Handle {
        /// Which
        finding: FindingId,
        /// explained or confirmed
        outcome: FindingState,
        /// Why, 10 to 500 characters
        #[arg(long)]
        answer: String,
    },
}

/// A member's own vehicles.
#[derive(Debug, Subcommand)]
pub enum VehicleCommand {
    /// Register a vehicle as a member's own; its plate is not kept
    #[command(after_help = "Example:\n  canvass member vehicle add mbr_… 'ABC 1234'")]
    Add {
        /// Whose
        member: MemberId,
        /// Its plate, without the state
        plate: String,
    },
    /// List a member's vehicles
    #[command(after_help = "Example:\n  canvass member vehicle list mbr_…")]
    List {
        /// Whose
        member: MemberId,
    },
    /// Remove a vehicle
    #[command(after_help = "Example:\n  canvass member vehicle remove mbr_… 'ABC 1234'")]
    Remove {
        /// Whose
        member: MemberId,
        /// Its plate, or the pseudonym that the list shows
        plate: String,
    },
}

fn line(finding: &Finding) -> String {
    let numbers: Vec<String> =
        finding.why.numbers.iter().map(|(name, number)| format!("{name} {number}")).collect();
    format!(
        "{}  {}  {}  {}  score {}  {}  {} to {}",
        finding.id,
        finding.state.as_str(),
        finding.rule.as_str(),
        finding.member,
        finding.score,
        numbers.join(", "),
        finding.first,
        finding.last
    )
}

/// Runs one of them.
///
/// # Errors
/// What the desk refuses.
pub async fn finding(command: FindingCommand, context: &Context) -> Result<(), Failure> {
    let desk = Desk::new(context)?;
    match command {
        FindingCommand::List { state } => {
            let state = state.map(|state| state.as_str().to_owned());
            let all: Vec<Finding> = desk.all("/findings", &[("state", state)]).await?;
            let lines: Vec<String> = all.iter().map(line).collect();
            desk.show(&all, &lines)
        }
        FindingCommand::Show { finding } => {
            let view: FindingView = desk.get(&format!("/findings/{finding}")).await?;
            let mut lines = vec![line(&view.finding)];
            for act in &view.acts {
                let purpose = act.purpose.as_ref().map(|purpose| plain(&purpose.line())).unwrap_or_default();
                lines.push(format!("{}  {}  {}  {purpose}", act.at, act.action, act.id));
            }
            if let Some(handled) = &view.finding.handled {
                lines.push(format!("{} by {}: {}", handled.at, handled.by, plain(&handled.answer)));
            }
            desk.show(&view, &lines)
        }
        FindingCommand::Handle { finding, outcome, answer } => {
            let wish = HandleFinding { state: outcome, answer };
            let done: Finding = desk.post(&format!("/findings/{finding}/handle"), &wish).await?;
            desk.show(&done, &[line(&done)])
        }
    }
}

/// Runs one of them.
///
/// # Errors
/// What the desk refuses.
pub async fn vehicle(desk: &Desk<'_>, command: VehicleCommand) -> Result<(), Failure> {
    let path = |member: &MemberId| format!("/members/{member}/vehicles");
    let all: Vec<OwnVehicle> = match command {
        VehicleCommand::List { member } => desk.get(&path(&member)).await?,
        VehicleCommand::Add { member, plate } => {
            let wish = ChangeVehicles { add: vec![plate], remove: Vec::new() };
            desk.send(Method::PUT, &path(&member), &wish).await?
        }
        VehicleCommand::Remove { member, plate } => {
            let wish = ChangeVehicles { add: Vec::new(), remove: vec![plate] };
            desk.send(Method::PUT, &path(&member), &wish).await?
        }
    };
    let lines: Vec<String> = all
        .iter()
        .map(|one| format!("{}  registered {} by {}", one.plate.as_str(), one.added, one.by))
        .collect();
    desk.show(&all, &lines)
}
