//! `canvass disclose`: fields of records, opened to an auditor.

use std::path::PathBuf;

use canvass_core::disclosure::NewDisclosure;
use canvass_package::DisclosureFile;
use canvass_types::{AuditId, CaseId, MemberId, Time};
use clap::Args;
use serde_json::json;

use super::desk::Desk;
use crate::common::{Context, Failure, count, exists};

/// Which records, what of them, to whom.
#[derive(Debug, Args)]
pub struct DiscloseArgs {
    /// What is opened of each record, once for each field: action, at, actor, subject, case, purpose, purpose.class,
    /// purpose.reason, detail, …
    #[arg(long = "field", value_name = "FIELD", required = true)]
    fields: Vec<String>,
    /// Who gets it
    #[arg(long, value_name = "NAME")]
    to: String,
    /// By which right
    #[arg(long)]
    basis: String,
    /// Only this record, once for each
    #[arg(long = "record", value_name = "AUD_…")]
    records: Vec<AuditId>,
    /// Only what was done to this
    #[arg(long)]
    subject: Option<String>,
    /// Only this action, for example item.read
    #[arg(long)]
    action: Option<String>,
    /// Only what this member did
    #[arg(long)]
    actor: Option<MemberId>,
    /// Only what was done for this case
    #[arg(long)]
    case: Option<CaseId>,
    /// Not before this moment, for example 2026-11-01T00:00:00Z
    #[arg(long)]
    from: Option<Time>,
    /// Before this moment
    #[arg(long)]
    until: Option<Time>,
    /// A new file for the disclosure
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Makes a disclosure.
pub async fn run(args: DiscloseArgs, context: &Context) -> Result<(), Failure> {
    let desk = Desk::new(context)?;
    if exists(&args.out) {
        return Err(Failure::usage(format!("{}: it exists already; choose a new file", args.out.display())));
    }
    let wish = NewDisclosure {
        records: args.records,
        subject: args.subject,
        action: args.action,
        actor: args.actor,
        case: args.case,
        from: args.from,
        until: args.until,
        fields: args.fields,
        to: args.to,
        basis: args.basis,
    };
    let made: DisclosureFile = desk.post("/disclosures", &wish).await?;
    let bytes = serde_json::to_vec_pretty(&made).map_err(|error| Failure::new(error.to_string()))?;
    std::fs::write(&args.out, bytes).map_err(|error| Failure::from(error).context(args.out.display()))?;
    let records = made.disclosure.records.len().saturating_sub(1);
    let lines = [
        format!("{}: {}", args.out.display(), count(records, "record", "records")),
        format!("Whoever gets it checks it with: canvass verify disclosure {}", args.out.display()),
    ];
    desk.show(&json!({ "out": args.out, "records": records }), &lines)
}
