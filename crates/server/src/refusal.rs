//! What the domain refuses, as problem+json: the one place where its errors get their status.

use std::io::ErrorKind;

use axum::http::{HeaderValue, StatusCode, header};
use canvass_core::{CoreError, access::Denied, plates::ReadsError, ports::StoreError, signin::limits};
use canvass_store_objects::BlobError;

use crate::problem::Problem;

/// The rule that keeps people from approving their own proposals.
const OWN_PROPOSAL: &str = "second-person.own-proposal";

impl From<CoreError> for Problem {
    fn from(error: CoreError) -> Self {
        let said = error.to_string();
        match error {
            CoreError::SignIn => sign_in(),
            CoreError::Denied(Denied::Role { .. }) => {
                Self::new(StatusCode::FORBIDDEN, "role", "Your roles do not allow this")
                    .detail(said)
                    .remedy("ask somebody who has one of these roles, or your administrator for the role")
            }
            CoreError::Denied(Denied::StepUp { .. }) => {
                Self::new(StatusCode::FORBIDDEN, "step-up", "Confirm with your passkey first")
                    .detail(said)
                    .remedy("POST /api/v1/session/begin and /api/v1/session/finish, then send this again")
            }
            CoreError::Denied(Denied::Machine { .. }) => {
                Self::new(StatusCode::FORBIDDEN, "machine", "A machine's token does not do this")
                    .detail(said)
                    .remedy("use a person's sign-in")
            }
            CoreError::Locked => Self::new(StatusCode::UNAUTHORIZED, "locked", "The session is locked")
                .detail(said)
                .remedy("POST /api/v1/session/begin and /api/v1/session/finish unlock it"),
            CoreError::LockedOut { until } => {
                Self::new(StatusCode::TOO_MANY_REQUESTS, "locked-out", "Too many failures to sign in")
                    .detail(said)
                    .remedy(format!("try again after {until}"))
                    .retry_after(limits::LOCKED_OUT_MINUTES * 60)
            }
            CoreError::ProviderDown { .. } => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "provider-down",
                "The agency's sign-in does not work at the moment",
            )
            .detail(said)
            .remedy("use a passkey meanwhile, or try again later")
            .retry_after(30),
            CoreError::Denied(Denied::Hidden) | CoreError::Hidden(_) => hidden(),
            CoreError::Denied(Denied::Purpose { problems, .. }) => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "purpose", "The purpose can't be accepted")
                    .detail(
                        "it is missing, says too little, or is one that the law forbids; nothing was opened",
                    )
                    .remedy("mend the fields named and send it again")
                    .problems(problems)
            }
            CoreError::Denied(Denied::Rule { rules, needs, .. }) => {
                let remedy = match needs.is_empty() {
                    _ if rules.iter().any(|rule| rule == OWN_PROPOSAL) => {
                        "let somebody else who may approve decide on it".to_owned()
                    }
                    true => "read the rule; no sign-in or approval changes it".to_owned(),
                    false => {
                        let needs: Vec<&str> = needs.iter().map(|need| need.as_str()).collect();
                        format!("supply what is missing: {}", needs.join(", "))
                    }
                };
                Self::new(StatusCode::FORBIDDEN, "rule", "A rule forbids this")
                    .detail(format!("{said} ({})", rules.join(", ")))
                    .remedy(remedy)
            }
            CoreError::Invalid(problems) => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", "Some fields can't be accepted")
                    .detail(said)
                    .remedy("mend the fields named and send it again")
                    .problems(problems)
            }
            CoreError::State { what, remedy } => {
                Self::new(StatusCode::CONFLICT, "state", "It is not in a state in which this can be done")
                    .detail(what)
                    .remedy(remedy)
            }
            CoreError::Store(error) => error.into(),
            CoreError::Reads(error) => error.into(),
        }
    }
}

impl From<ReadsError> for Problem {
    fn from(error: ReadsError) -> Self {
        let said = error.to_string();
        match error {
            ReadsError::Full => {
                tracing::error!("the disk for plate reads is full; make space");
                full("reads-full", "The disk for plate reads is full")
            }
            ReadsError::Query(_) => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", "Some fields can't be accepted")
                    .detail(said)
                    .remedy("narrow the search")
            }
            ReadsError::Much(_) => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "reads-much",
                "The store of plate reads takes no more",
            )
            .detail(said)
            .remedy("tell the operator")
            .retry_after(60),
            ReadsError::Damaged => broken("stored plate reads are damaged"),
            ReadsError::Unavailable(_) => {
                tracing::error!("the store of plate reads does not answer; look at the disk");
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "store", "The store does not answer")
                    .detail("plate reads can't be read or written")
                    .remedy("try again in a moment")
                    .retry_after(5)
            }
        }
    }
}

fn full(kind: &'static str, title: &'static str) -> Problem {
    Problem::new(StatusCode::INSUFFICIENT_STORAGE, kind, title)
        .detail("nothing of this was stored, and what was stored before is as it was")
        .remedy("send it again in a minute; the operator has to make space")
        .retry_after(60)
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict { table, .. } => {
                Self::new(StatusCode::CONFLICT, "conflict", "Somebody else changed it at the same time")
                    .detail(format!("{table}: nothing was stored"))
                    .remedy("read it again and repeat")
            }
            StoreError::Unavailable(_) => {
                tracing::error!("the store of records does not answer; look at the disk");
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "store", "The store does not answer")
                    .detail("nothing is known to be stored")
                    .remedy("try again in a moment")
                    .retry_after(5)
            }
            StoreError::Full => {
                tracing::error!("the disk for records is full; make space");
                full("disk-full", "The disk is full")
            }
            StoreError::Corrupt { table, .. } => {
                tracing::error!(table, "a stored record can't be read; run `canvass check`");
                broken("a stored record can't be read")
            }
        }
    }
}

impl From<BlobError> for Problem {
    fn from(error: BlobError) -> Self {
        match error {
            BlobError::Range { bytes, .. } => {
                let answer = Self::new(StatusCode::RANGE_NOT_SATISFIABLE, "range", "The range is not inside")
                    .detail(format!("there are {bytes} bytes"))
                    .remedy("ask for a range inside them");
                match HeaderValue::from_str(&format!("bytes */{bytes}")) {
                    Ok(value) => answer.header(header::CONTENT_RANGE, value),
                    Err(_) => answer,
                }
            }
            BlobError::Integrity { .. } => {
                tracing::error!("sealed bytes differ from their digest; run `canvass check`");
                broken("the sealed bytes are not those that were stored")
            }
            BlobError::Missing { .. } | BlobError::Nothing => {
                Self::not_found().detail("the sealed bytes are gone").remedy("see the chain of custody")
            }
            BlobError::Taken { .. } | BlobError::Key => broken("the sealed bytes can't be named"),
            BlobError::File { source, .. }
                if matches!(source.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded) =>
            {
                tracing::error!("the disk for blobs is full; make space");
                full("disk-full", "The disk is full")
            }
            BlobError::File { .. } | BlobError::Store(_) => {
                tracing::error!("the store of blobs does not answer; look at the disk");
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "store", "The store does not answer")
                    .detail("sealed bytes can't be read or written")
                    .remedy("try again in a moment")
                    .retry_after(5)
            }
        }
    }
}

/// An upload that is not there, or not finished, or another agency's.
pub(crate) fn unknown_upload() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "upload-unknown", "There is no such finished upload")
        .field("upload")
        .detail("it is unknown, unfinished, expired or used")
        .remedy("upload the sealed clip to /api/v1/uploads and name that upload")
}

/// What does not exist and what is not for the asker to know of look the same, to the letter.
pub(crate) fn hidden() -> Problem {
    Problem::not_found()
        .detail("there is none under this id that you may see")
        .remedy("check the id, or list what there is")
}

/// Nobody, or nobody who counts.
pub(crate) fn sign_in() -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, "sign-in", "Sign in")
        .detail("the token or session is missing, unknown, expired, revoked or ended")
        .remedy("sign in at the desk by passkey, or send `Authorization: Bearer cvt_…`; administrators issue both")
        .header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
}

/// A session's cookie without what only the desk's own page sends.
pub(crate) fn not_from_desk() -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, "not-from-desk", "The desk's own page did not send this")
        .field("Canvass-Desk")
        .detail("the session's cookie came without the header Canvass-Desk, or from another origin")
        .remedy("open the desk at its own address; programs use a token")
}

/// Evidence without a reason.
pub(crate) fn purpose() -> Problem {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "purpose", "Say why")
        .field("Canvass-Purpose")
        .detail("reading evidence needs a purpose in the header Canvass-Purpose, as JSON; it is kept with the record")
        .remedy("send {\"class\": \"case-work\", \"offence\": \"none\", \"reason\": \"…\"}, in one line")
}

/// Something of ours is wrong; what, is in the log.
pub(crate) fn broken(detail: &str) -> Problem {
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "broken", "Something is wrong on this side")
        .detail(detail)
        .remedy("tell the operator: `canvass check` names what is damaged")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_error_has_its_status_and_says_nothing_of_what_is_stored() {
        let secret = || "a body with a name".to_owned();
        for (error, status) in [
            (CoreError::SignIn, 401),
            (CoreError::Denied(Denied::Role { action: "item.read", takes: "custodian".into() }), 403),
            (CoreError::Denied(Denied::StepUp { action: "key.destroy" }), 403),
            (CoreError::Denied(Denied::Machine { action: "passkey.add" }), 403),
            (CoreError::Locked, 401),
            (CoreError::ProviderDown { name: "City".into(), reason: "it can't be reached".into() }, 503),
            (CoreError::LockedOut { until: canvass_types::Time::from_second(0) }, 429),
            (CoreError::Denied(Denied::Hidden), 404),
            (CoreError::Denied(Denied::Purpose { action: "item.read", problems: Vec::new() }), 422),
            (
                CoreError::Denied(Denied::Rule {
                    action: "item.read",
                    rules: vec!["never.operator-opens".into()],
                    because: Vec::new(),
                    needs: Vec::new(),
                }),
                403,
            ),
            (CoreError::Hidden("case"), 404),
            (CoreError::field("name", "length", "too long", "shorten it"), 422),
            (CoreError::state("it is closed", "open it"), 409),
            (StoreError::Conflict { table: "cases", key: secret() }.into(), 409),
            (StoreError::Unavailable(secret()).into(), 503),
            (StoreError::Corrupt { table: "cases", reason: secret() }.into(), 500),
            (ReadsError::Full.into(), 507),
            (StoreError::Full.into(), 507),
            (ReadsError::Unavailable(secret()).into(), 503),
            (ReadsError::Damaged.into(), 500),
        ] {
            let problem = Problem::from(error);
            assert_eq!(problem.status().as_u16(), status);
            assert!(
                status != 404 || problem.to_json() == hidden().to_json(),
                "what is hidden can be told apart"
            );
            assert!(problem.to_json().contains("remedy") && !problem.to_json().contains("a body with"));
        }
    }
}
