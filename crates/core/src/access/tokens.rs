//! Sign-in by API token: random secrets, stored as their SHA-256, with roles and an end.

use canvass_types::{Digest, MemberId, Role, Time, TokenId, env::random};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Actor, By, Target, TokenIssue, TokenRevoke};
use crate::{
    App, CoreError,
    error::problem,
    ports::{Query, Records, RecordsExt},
    records::{Member, Token},
};

/// What a token is to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewToken {
    /// What it is for, 1 to 80 characters.
    pub label: String,
    /// Roles that it may use; all of the member's when empty.
    #[serde(default)]
    pub roles: Vec<Role>,
    /// How many days it counts, 1 to 365.
    pub days: u32,
    /// For a machine: id of the one camera or feed that it acts for. A person's token has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
}

/// A token, shown this once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct IssuedToken {
    /// Its id, for revoking.
    pub id: TokenId,
    /// The secret for the `Authorization: Bearer` header. It can't be shown again.
    pub token: String,
    /// Until when it counts.
    pub expires: Time,
}

/// A token without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TokenView {
    /// Its id.
    pub id: TokenId,
    /// Whose it is.
    pub member: MemberId,
    /// What it is for.
    pub label: String,
    /// Roles that it may use.
    pub roles: Vec<Role>,
    /// When it was issued.
    pub issued: Time,
    /// Until when it counts.
    pub expires: Time,
    /// When it was revoked.
    pub revoked: Option<Time>,
    /// The one thing that it acts for; null for a person's token.
    #[serde(default)]
    pub scope: Option<String>,
}

impl From<&Token> for TokenView {
    fn from(token: &Token) -> Self {
        Self {
            id: token.id.clone(),
            member: token.member.clone(),
            label: token.label.clone(),
            roles: token.roles.clone(),
            issued: token.issued,
            expires: token.expires,
            revoked: token.revoked,
            scope: token.scope.clone(),
        }
    }
}

/// What every secret of a token begins with, so that scanners for leaked secrets can know it.
pub const TOKEN_PREFIX: &str = "cvt_";

fn is_scope(text: &str) -> bool {
    let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'/' | b':');
    (1..=80).contains(&text.len()) && text.bytes().all(fits)
}

impl<R: Records> App<R> {
    /// Who a bearer secret belongs to.
    ///
    /// # Errors
    /// [`CoreError::SignIn`] for any secret that does not count now, whatever the reason.
    pub async fn sign_in(&self, secret: &str) -> Result<Actor, CoreError> {
        let now = self.now();
        let hash = Digest::of(secret.as_bytes());
        let found: Option<_> = self.records().first(Query::<Token>::new().with("secret_hash", hash)).await?;
        let token = found.ok_or(CoreError::SignIn)?.record;
        if token.revoked.is_some() || token.expires <= now {
            return Err(CoreError::SignIn);
        }
        let member =
            self.records().get::<Member>(token.member.as_str()).await?.ok_or(CoreError::SignIn)?.record;
        if !member.active {
            return Err(CoreError::SignIn);
        }
        let roles = token.roles.iter().copied().filter(|role| member.roles.contains(role)).collect();
        self.actor(&member, roles, By::Token { id: token.id, scope: token.scope }).await
    }

    /// Issues a token to a member.
    ///
    /// # Errors
    /// When the actor may not, the member does not exist or the wish is out of limits.
    pub async fn issue_token(
        &self,
        actor: &Actor,
        member: &MemberId,
        wish: NewToken,
    ) -> Result<IssuedToken, CoreError> {
        let member = self.member(member).await?;
        let facts = self.about_people(actor, member.record.agency.as_ref()).await?;
        let target = Target::maybe(member.record.agency.as_ref(), &member.record.id).with(facts);
        let intent = self.allow::<TokenIssue>(actor, target, None).await?;
        let (token, secret) = self.new_token(&member.record, wish)?;
        intent
            .detail(serde_json::json!({
                "token": token.id, "roles": token.roles, "expires": token.expires, "scope": token.scope,
            }))
            .with(|changes| changes.insert(&token).depends_on(&member))
            .commit(self.records())
            .await?;
        Ok(IssuedToken { id: token.id, token: secret, expires: token.expires })
    }

    pub(crate) fn new_token(&self, member: &Member, wish: NewToken) -> Result<(Token, String), CoreError> {
        let mut problems = Vec::new();
        if !(1..=80).contains(&wish.label.trim().chars().count()) {
            problems.push(problem(
                "label",
                "length",
                "the label has no or too many characters",
                "say in 1 to 80 characters what the token is for",
            ));
        }
        if !(1..=365).contains(&wish.days) {
            problems.push(problem(
                "days",
                "range",
                "a token counts 1 to 365 days",
                "give a number of days in that range",
            ));
        }
        if wish.scope.as_ref().is_some_and(|scope| !is_scope(scope)) {
            problems.push(problem(
                "scope",
                "form",
                "this is no id of a camera or feed",
                "give 1 to 80 letters, digits, `-`, `_`, `.`, `/` or `:`, or leave it out for a person's token",
            ));
        }
        if let Some(role) = wish.roles.iter().find(|role| !member.roles.contains(role)) {
            problems.push(problem(
                "roles",
                "not-held",
                &format!("the member is no {}", role.as_str()),
                "name only roles that the member has",
            ));
        }
        if !problems.is_empty() {
            return Err(CoreError::Invalid(problems));
        }
        let bytes: [u8; 32] = random(self.entropy());
        let secret = format!("{TOKEN_PREFIX}{}", data_encoding::HEXLOWER.encode(&bytes));
        let now = self.now();
        let token = Token {
            id: TokenId::random(self.entropy()),
            member: member.id.clone(),
            label: wish.label.trim().to_owned(),
            secret_hash: Digest::of(secret.as_bytes()),
            roles: if wish.roles.is_empty() { member.roles.clone() } else { wish.roles },
            issued: now,
            expires: now.plus_days(wish.days),
            revoked: None,
            scope: wish.scope,
        };
        Ok((token, secret))
    }

    /// A member's tokens, without their secrets.
    ///
    /// # Errors
    /// When the actor may not, or the member does not exist.
    pub async fn tokens(&self, actor: &Actor, member: &MemberId) -> Result<Vec<TokenView>, CoreError> {
        let member = self.member(member).await?.record;
        let facts = self.about_people(actor, member.agency.as_ref()).await?;
        let target = Target::maybe(member.agency.as_ref(), &member.id).with(facts);
        self.look::<TokenIssue>(actor, &target).await?;
        let tokens =
            self.records().list(Query::<Token>::new().with("member", &member.id).newest_first()).await?;
        Ok(tokens.iter().map(|token| TokenView::from(&token.record)).collect())
    }

    /// Revokes a token at once.
    ///
    /// # Errors
    /// When the actor may not, or the token does not exist.
    pub async fn revoke_token(&self, actor: &Actor, id: &TokenId) -> Result<TokenView, CoreError> {
        let before = self.records().get::<Token>(id.as_str()).await?.ok_or(CoreError::Hidden("token"))?;
        let member = self.member(&before.record.member).await?.record;
        let intent = if actor.member == member.id {
            self.own::<TokenRevoke>(actor, &before.record.id).await?
        } else {
            let target = Target::maybe(member.agency.as_ref(), id);
            self.allow::<TokenRevoke>(actor, target, None).await?
        };
        let mut token = before.record.clone();
        token.revoked = token.revoked.or(Some(self.now()));
        intent.with(|changes| changes.update(&before, &token)).commit(self.records()).await?;
        Ok(TokenView::from(&token))
    }
}
