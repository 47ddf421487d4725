//! What may be asked: every rule that a draft has to meet before a moderator sees it.
//!
//! [`check`] tells an investigator everything that is wrong at once, in the order of the form. It separates *problems*,
//! which a draft can't be submitted with, from *findings*, words that a moderator weighs. Nothing here reads a clock,
//! a file or a database: the moment and the limits are passed in.

pub mod content;
mod form;
mod place;
mod when;
mod words;

use canvass_types::{AgencyClass, Area, AskLimits, FieldProblem, RequestDraft, Time, TimeFrame};
use unicode_normalization::is_nfc;

pub use content::{Rule, rules};
pub use form::{ContactForm, DraftForm};
pub use place::area_sq_mi;

/// A draft and all that is needed to judge it.
#[derive(Debug, Clone, Copy)]
pub struct AskInput<'a> {
    /// What the investigator wrote.
    pub draft: &'a RequestDraft,
    /// The class of their agency.
    pub class: AgencyClass,
    /// Where their agency may ask.
    pub jurisdiction: &'a Area,
    /// The age recipient of this request alone, once its key is made.
    pub recipient: Option<&'a str>,
    /// The limits in force.
    pub limits: &'a AskLimits,
    /// The present moment.
    pub now: Time,
}

/// What was found out about a draft.
#[derive(Debug, Clone, PartialEq)]
pub struct Checked {
    /// The moments asked for, when both could be read (they may still break a limit).
    pub frame: Option<TimeFrame>,
    /// The investigation code, trimmed and in capitals, when it is well formed.
    pub code: Option<String>,
    /// Size of the area on the ellipsoid in square miles, when its outline is sound.
    pub area_sq_mi: Option<f64>,
    /// Elapsed minutes asked for, begun minutes not counted.
    pub minutes: Option<i64>,
    /// What stands in the way of submitting, in the order of the form.
    pub problems: Vec<FieldProblem>,
    /// What the content rules met; a moderator decides.
    pub findings: Vec<FieldProblem>,
}

/// Judges a draft. All problems are reported together.
pub fn check(input: &AskInput<'_>) -> Checked {
    let AskInput { draft, limits, .. } = *input;
    let mut problems = Vec::new();
    class(input.class, limits, &mut problems);
    let code = code(&draft.code, &mut problems);
    details(&draft.details, limits, &mut problems);
    contact(draft, &mut problems);
    let area_sq_mi = place::check(&draft.area, input.jurisdiction, limits, &mut problems);
    let frame = when::check(draft, limits, input.now, &mut problems);
    languages(&draft.languages, &mut problems);
    if draft.active_days < 1 || draft.active_days > limits.active_days {
        problems.push(problem(
            "active_days",
            "range",
            format!(
                "offers would be taken for {} days; 1 to {} are allowed",
                draft.active_days, limits.active_days
            ),
            format!("choose 1 to {} days", limits.active_days),
        ));
    }
    if !draft.own_case {
        problems.push(problem(
            "own_case",
            "proxy",
            "it is not confirmed that this is your agency's own case",
            "confirm it, or let the agency whose case it is ask for itself; nobody may ask for another body",
        ));
    }
    if let Some(text) = input.recipient {
        recipient(text, &mut problems);
    }
    let findings = match content::content(draft) {
        Ok(findings) => findings,
        Err(error) => {
            // Without its rules nothing may pass: fail closed.
            problems.push(problem(
                "details",
                "rules",
                error.to_string(),
                "tell the operator of this Canvass",
            ));
            Vec::new()
        }
    };
    let minutes = frame.as_ref().map(|frame| frame.seconds() / 60);
    Checked { frame, code, area_sq_mi, minutes, problems, findings }
}

pub(crate) fn problem(
    field: &str,
    rule: &str,
    message: impl Into<String>,
    remedy: impl Into<String>,
) -> FieldProblem {
    let (message, remedy) = (message.into(), remedy.into());
    FieldProblem {
        field: field.into(),
        rule: rule.into(),
        message,
        remedy,
        matched: None,
        ranges: Vec::new(),
    }
}

fn class(class: AgencyClass, limits: &AskLimits, problems: &mut Vec<FieldProblem>) {
    if limits.classes.contains(&class) {
        return;
    }
    let allowed: Vec<_> = limits.classes.iter().map(|class| class.as_str()).collect();
    problems.push(problem(
        "agency",
        "class",
        format!("an agency of class {} may not ask residents for footage here", class.as_str()),
        format!(
            "only agencies of class {} may ask, for their own cases; no agency is exempt",
            allowed.join(", ")
        ),
    ));
}

fn code(text: &str, problems: &mut Vec<FieldProblem>) -> Option<String> {
    let code = text.trim().to_ascii_uppercase();
    let mut fail = |rule: &str, message: &str, remedy: &str| {
        problems.push(problem("code", rule, message, remedy));
        None
    };
    if !(3..=40).contains(&code.chars().count()) {
        return fail(
            "length",
            "the investigation code must have 3 to 40 characters",
            "give the code of your own records",
        );
    }
    if !code.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b"-/.".contains(&b)) {
        return fail(
            "characters",
            "the investigation code may hold letters A-Z, digits, `-`, `/` and `.` only",
            "leave out spaces and other characters",
        );
    }
    if !code.bytes().any(|b| b.is_ascii_digit()) {
        return fail(
            "digit",
            "the investigation code has no digit, so it can't be one of a single case",
            "give the full code of the case, for example 26-004512",
        );
    }
    Some(code)
}

// Characters that change how a text reads without being seen: controls, bidirectional overrides, zero widths.
// Joiners (U+200C, U+200D) stay: several scripts need them.
fn hidden(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200b}' | '\u{2060}' | '\u{feff}' | '\u{ad}')
}

fn details(text: &str, limits: &AskLimits, problems: &mut Vec<FieldProblem>) {
    let length = text.trim().chars().count();
    let (least, most) = (limits.min_details as usize, limits.max_details as usize);
    if length < least {
        problems.push(problem(
            "details",
            "too-short",
            format!("the details have {length} characters; at least {least} are needed"),
            "say what happened, where and when, and what people may have recorded",
        ));
    }
    if text.chars().count() > most {
        problems.push(problem(
            "details",
            "too-long",
            format!("the details have {} characters; at most {most} are allowed", text.chars().count()),
            "shorten them to what people need in order to look",
        ));
    }
    if let Some((at, found)) = text.chars().enumerate().find(|(_, c)| *c != '\n' && hidden(*c)) {
        problems.push(problem(
            "details",
            "control",
            format!(
                "character {} of the details (U+{:04X}) is a control or invisible character",
                at + 1,
                u32::from(found)
            ),
            "type the text as plain text; line ends (U+000A) are the only control characters allowed",
        ));
    }
    if !is_nfc(text) {
        problems.push(problem(
            "details",
            "nfc",
            "the details are not in Unicode normalization form C, so the same words could be signed as two texts",
            "normalize the text to NFC before sending it",
        ));
    }
}

fn contact(draft: &RequestDraft, problems: &mut Vec<FieldProblem>) {
    let contact = &draft.contact;
    let name = contact.name.trim();
    if !(2..=100).contains(&name.chars().count()) || !name.chars().any(char::is_alphabetic) {
        problems.push(problem(
            "contact.name",
            "name",
            "the contact has no name of 2 to 100 characters",
            "name the person who answers questions about this request, with their rank if you like",
        ));
    } else if contact.name.chars().any(hidden) || !is_nfc(name) {
        problems.push(problem(
            "contact.name",
            "control",
            "the contact's name holds control or invisible characters, or is not in Unicode form C",
            "type the name as plain text",
        ));
    }
    if let Some(phone) = contact.phone.as_deref().filter(|phone| !plausible_phone(phone)) {
        problems.push(problem(
            "contact.phone",
            "phone",
            format!(
                "the telephone number ({} characters) is not one that people can dial",
                phone.chars().count()
            ),
            "write 7 to 15 digits, with + and spaces, dots, hyphens or brackets, for example +1 603 555 0100",
        ));
    }
    if contact.email.as_deref().is_some_and(|email| !plausible_email(email)) {
        problems.push(problem(
            "contact.email",
            "email",
            "the e-mail address is not complete",
            "write it as name@example.org",
        ));
    }
    if contact.phone.is_none() && contact.email.is_none() {
        problems.push(problem(
            "contact",
            "reachable",
            "the contact has neither a telephone number nor an e-mail address",
            "give at least one, so that residents can ask whether the request is real",
        ));
    }
}

fn plausible_phone(text: &str) -> bool {
    let (number, extension) = text.trim().split_once(" x").unwrap_or((text.trim(), "0"));
    let digits = number.bytes().filter(u8::is_ascii_digit).count();
    (7..=15).contains(&digits)
        && number.len() <= 30
        && number
            .bytes()
            .enumerate()
            .all(|(at, b)| b.is_ascii_digit() || b" .-()".contains(&b) || (b == b'+' && at == 0))
        && (1..=8).contains(&extension.len())
        && extension.bytes().all(|b| b.is_ascii_digit())
}

fn plausible_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let local_ok = (1..=64).contains(&local.len())
        && !local.starts_with('.')
        && !local.ends_with('.')
        && !local.contains("..")
        && local.chars().all(|c| c.is_alphanumeric() || "!#$%&'*+/=?^_`{|}~.-".contains(c));
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_alphanumeric() || c == '-')
    };
    let last = domain.rsplit('.').next().unwrap_or_default();
    local_ok
        && text.len() <= 254
        && domain.contains('.')
        && domain.split('.').all(label)
        && last.len() >= 2
        && !last.bytes().all(|b| b.is_ascii_digit())
}

// BCP 47 in outline: a language of two or three letters, then subtags of one to eight letters or digits.
fn plausible_language(tag: &str) -> bool {
    let mut parts = tag.split('-');
    let primary = parts.next().unwrap_or_default();
    (2..=3).contains(&primary.len())
        && primary.bytes().all(|b| b.is_ascii_alphabetic())
        && tag.len() <= 35
        && !tag.ends_with("-x")
        && parts.all(|part| (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric()))
}

fn languages(tags: &[String], problems: &mut Vec<FieldProblem>) {
    if !(1..=5).contains(&tags.len()) {
        problems.push(problem(
            "languages",
            "count",
            format!("{} languages are named; 1 to 5 are allowed", tags.len()),
            "name the languages that the details are written in",
        ));
    }
    let mut seen = Vec::new();
    for (at, tag) in tags.iter().take(20).enumerate() {
        if !plausible_language(tag) {
            problems.push(problem(
                "languages",
                "tag",
                format!("language {} is not a language tag", at + 1),
                "write BCP 47 tags such as en, es or pt-BR",
            ));
        }
        let folded = tag.to_ascii_lowercase();
        if seen.contains(&folded) {
            problems.push(problem(
                "languages",
                "twice",
                format!("language {} stands twice", at + 1),
                "name each language once",
            ));
        }
        seen.push(folded);
    }
}

// An age X25519 recipient: bech32 (BIP 173) with the prefix `age` over 32 bytes, in lower case.
fn recipient(text: &str, problems: &mut Vec<FieldProblem>) {
    use bech32::primitives::decode::CheckedHrpstring;
    let sound = text.len() == 62
        && !text.bytes().any(|b| b.is_ascii_uppercase())
        && CheckedHrpstring::new::<bech32::Bech32>(text).is_ok_and(|decoded| {
            decoded.hrp().as_str() == "age"
                && decoded.byte_iter().count() == 32
                && decoded.byte_iter().any(|byte| byte != 0)
        });
    if !sound {
        problems.push(problem(
            "recipient",
            "recipient",
            "the recipient is not an age X25519 recipient (`age1` and 58 more characters whose checksum fits)",
            "make the request's key again and send its recipient unchanged; never send a secret key",
        ));
    }
}

#[cfg(test)]
mod tests;
