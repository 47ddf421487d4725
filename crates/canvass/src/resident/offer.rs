//! `canvass offer`: what became of it, what the agency asks, and taking it back.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::PathBuf;

use canvass_core::publishing::{OfferStatus, QuestionStatus};
use canvass_seal::Recipient;
use canvass_seal::offer::{MAX_TEXT_BYTES, open_text, seal_text};
use canvass_types::{QuestionId, Time};
use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::json;

use super::files::{Files, OfferFile};
use super::give::{server, status};
use super::requests::plain;
use crate::common::{Context, Failure, count};

/// Follow an offer, answer questions about it, withdraw it
#[derive(Debug, Subcommand)]
pub enum OfferCommand {
    Status(Which),
    Questions(Which),
    Answer(Answer),
    Withdraw(Withdraw),
}

/// See what became of it
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  canvass offer status --offer porch.offer.json\n  canvass offer questions --offer porch.offer.json"
)]
pub struct Which {
    /// The offer file
    #[arg(long, value_name = "FILE")]
    offer: PathBuf,
}

/// Answer a question; only the agency can read the answer
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  canvass offer answer --offer porch.offer.json 'The clock is four minutes fast.'
  canvass offer answer --offer porch.offer.json --question qst_… - < answer.txt")]
pub struct Answer {
    #[command(flatten)]
    which: Which,
    /// Which question, when several wait
    #[arg(long, value_name = "ID")]
    question: Option<QuestionId>,
    /// The answer, or - to read it from standard input
    #[arg(value_name = "TEXT")]
    text: String,
}

/// Take it back; once it is opened, the agency decides
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  canvass offer withdraw --offer porch.offer.json")]
pub struct Withdraw {
    #[command(flatten)]
    which: Which,
    /// Do it without being asked
    #[arg(long)]
    yes: bool,
}

/// Runs one of them.
///
/// # Errors
/// What it failed with.
pub async fn run(command: OfferCommand, context: &Context) -> Result<(), Failure> {
    match command {
        OfferCommand::Status(which) => show(&which, context).await,
        OfferCommand::Questions(which) => questions(&which, context).await,
        OfferCommand::Answer(command) => answer(command, context).await,
        OfferCommand::Withdraw(command) => withdraw(command, context).await,
    }
}

async fn load(which: &Which) -> Result<(OfferFile, OfferStatus), Failure> {
    let offer = Files::of(&which.offer).read_offer()?;
    let status = status(&server(&offer)?, &offer).await?;
    let status = status.ok_or_else(|| {
        Failure::new("nothing is known of this offer yet; give it first, or look again in a minute (after a long time its status is removed)")
    })?;
    Ok((offer, status))
}

async fn show(which: &Which, context: &Context) -> Result<(), Failure> {
    let (offer, status) = load(which).await?;
    let console = context.console();
    console.line(format!("{} to {}: {}", offer.destination, plain(&offer.agency), words(&status.state)));
    if let Some(reason) = &status.reason {
        console.line(format!("  {}", plain(reason)));
    }
    for clip in &status.clips {
        console.line(format!("  clip {}: {}", clip.number, plain(&clip.state)));
    }
    let told = mailbox(&status.questions, &Files::of(&which.offer).read_answers());
    told.iter().for_each(|line| console.line(format!("  {line}")));
    if status.questions.iter().any(|asked| asked.answered.is_none()) {
        console.line(format!("  read them: canvass offer questions --offer {}", which.offer.display()));
    }
    if let Some(wish) = &status.withdrawal {
        let answer = match wish.granted {
            Some(true) => "granted",
            Some(false) => "refused",
            None => "waits for the agency",
        };
        console.line(format!("  withdrawal asked at {}: {answer}", wish.at));
        if let Some(reason) = &wish.reason {
            console.line(format!("    {}", plain(reason)));
        }
    }
    console.result(&status)
}

/// How many questions wait, and how many are answered: as the server says, or sent from here and not shown by it yet.
fn mailbox(questions: &[QuestionStatus], sent: &BTreeMap<String, Time>) -> Vec<String> {
    let answered = questions.iter().filter(|asked| asked.answered.is_some()).count();
    let open = questions.iter().filter(|asked| asked.answered.is_none());
    let (under_way, waiting): (Vec<_>, Vec<_>) = open.partition(|asked| sent.contains_key(&asked.id));
    [
        (waiting.len(), "question waits for your answer", "questions wait for your answer"),
        (under_way.len(), "answer is sent and on its way", "answers are sent and on their way"),
        (answered, "question is answered", "questions are answered"),
    ]
    .into_iter()
    .filter(|(number, ..)| *number > 0)
    .map(|(number, one, many)| count(number, one, many))
    .collect()
}

fn words(state: &str) -> String {
    match state {
        "received" => "received, sealed, not opened yet".into(),
        "opened" => "opened by the agency".into(),
        "triaged" => "looked through by the agency".into(),
        "withdrawn" => "withdrawn".into(),
        "destroyed" => "destroyed".into(),
        "refused" => "refused and destroyed".into(),
        other => plain(other),
    }
}

fn open_question(offer: &OfferFile, asked: &QuestionStatus) -> Result<String, Failure> {
    let text = open_text(&asked.sealed, &offer.secret()?.mailbox()?)?;
    // Line breaks are kept, other control characters could take over a terminal.
    Ok(text.chars().map(|c| if c.is_control() && c != '\n' { ' ' } else { c }).collect())
}

async fn questions(which: &Which, context: &Context) -> Result<(), Failure> {
    let (offer, status) = load(which).await?;
    let console = context.console();
    let sent = Files::of(&which.offer).read_answers();
    let mut shown = Vec::new();
    for asked in &status.questions {
        let text = open_question(&offer, asked)?;
        let answered = match (asked.answered, sent.get(&asked.id)) {
            (Some(at), _) => format!("answered {at}"),
            (None, Some(at)) => format!("answer sent {at}, on its way"),
            (None, None) => "not answered".to_owned(),
        };
        console.line(format!("{} asked {}, {answered}", plain(&asked.id), asked.asked));
        text.lines().for_each(|line| console.line(format!("  {line}")));
        shown.push(json!({"id": asked.id, "asked": asked.asked, "answered": asked.answered, "text": text}));
    }
    if shown.is_empty() {
        console.line("Nothing was asked.");
    }
    console.result(&shown)
}

fn text_of(given: &str) -> Result<String, Failure> {
    let most = u64::try_from(MAX_TEXT_BYTES).unwrap_or(u64::MAX);
    let text = if given == "-" {
        let mut text = String::new();
        std::io::stdin().lock().take(most.saturating_add(1)).read_to_string(&mut text)?;
        text
    } else {
        given.to_owned()
    };
    match text.trim() {
        "" => Err(Failure::usage("the answer is empty; write something")),
        trimmed => Ok(trimmed.to_owned()),
    }
}

async fn answer(command: Answer, context: &Context) -> Result<(), Failure> {
    let text = text_of(&command.text)?;
    let (offer, status) = load(&command.which).await?;
    let files = Files::of(&command.which.offer);
    let sent = files.read_answers();
    let open = |asked: &&QuestionStatus| asked.answered.is_none() && !sent.contains_key(&asked.id);
    let mut waiting = status.questions.iter().filter(open);
    let asked = match &command.question {
        Some(id) => waiting.find(|asked| asked.id == id.as_str()),
        None => waiting.next().filter(|_| waiting.next().is_none()),
    };
    let asked = asked.ok_or_else(|| {
        Failure::usage("not exactly one such question waits; see `canvass offer questions`, and name one with --question")
    })?;
    let recipient: Recipient = offer.recipient.parse()?;
    // The signature covers the body alone, so the question stands in it.
    let body = format!("question: {}\n{}", asked.id, seal_text(&text, &recipient)?);
    send(&offer, "answer", &body, context).await?;
    files.answered(&asked.id, context.now())?;
    context.console().line("Answered; only the agency can read it.");
    context.console().result(&json!({"answered": asked.id}))
}

async fn withdraw(command: Withdraw, context: &Context) -> Result<(), Failure> {
    let console = context.console();
    let (offer, status) = load(&command.which).await?;
    if !status.can_withdraw {
        return Err(Failure::new(format!("there is nothing to withdraw: it is {}", words(&status.state))));
    }
    if !command.yes {
        if !console.can_ask() {
            return Err(Failure::usage("nobody can be asked here; give --yes to withdraw"));
        }
        if !console.agree("Withdraw the whole offer?")? {
            return Err(Failure::new("nothing was withdrawn"));
        }
    }
    send(&offer, "withdraw", "", context).await?;
    let unopened = status.state == "received";
    console.line(if unopened {
        "Withdrawn: it was not opened when its status was written, and will be destroyed unless it was opened meanwhile."
    } else {
        "Asked: it was opened already, so the agency decides. See `canvass offer status`."
    });
    console.result(&json!({"asked": true, "opened": !unopened}))
}

async fn send(offer: &OfferFile, kind: &str, body: &str, context: &Context) -> Result<(), Failure> {
    let signed = offer.secret()?.sign_message(kind, body.as_bytes(), &context.now().to_string())?;
    let message = json!({
        "lookup": signed.lookup, "offer_key": signed.offer_key, "kind": kind, "at": signed.at, "body": body,
        "signature": signed.signature,
    });
    let _: serde_json::Value = server(offer)?.call(Method::POST, "/messages", &message).await?;
    Ok(())
}
