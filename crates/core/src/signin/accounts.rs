//! A member's accounts at their agency's provider: bound by an enrolment, seen and removed as passkeys are.

use canvass_types::{AccountId, Digest, MemberId, Time};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::{passkeys::whole, providers::Provider};
use crate::{
    App, CoreError,
    access::{AccountRemove, Actor, PasskeyList, Target},
    ports::{Query, Records, RecordsExt, Versioned},
    records::{FederatedAccount, Opener},
};

/// A federated account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AccountView {
    /// Its id.
    pub id: AccountId,
    /// Whose it is.
    pub member: MemberId,
    /// The provider.
    pub provider: String,
    /// What the provider was called when the account was bound.
    pub name: String,
    /// When it was bound.
    pub created: Time,
    /// When it was last used.
    pub last_used: Option<Time>,
    /// When it was removed.
    pub stopped: Option<Time>,
}

impl From<&FederatedAccount> for AccountView {
    fn from(it: &FederatedAccount) -> Self {
        let FederatedAccount { id, member, provider, name, created, last_used, stopped, .. } = it.clone();
        Self { id, member, provider, name, created, last_used, stopped }
    }
}

/// The digest under which an account is known: of issuer and subject, which together are unique and never reassigned
/// (OpenID Connect Core 1.0, section 5.7).
pub(super) fn subject_hash(provider: &Provider, subject: &str) -> Digest {
    Digest::of(format!("canvass/account/v1\n{}\n{subject}", provider.issuer).as_bytes())
}

impl<R: Records> App<R> {
    pub(super) async fn accounts_of(
        &self,
        member: &MemberId,
    ) -> Result<Vec<Versioned<FederatedAccount>>, CoreError> {
        Ok(self.records().list(Query::<FederatedAccount>::new().with("member", member)).await?)
    }

    /// The accounts in use under a digest: one, unless two enrolments were used at the same moment.
    pub(super) async fn by_subject(
        &self,
        hash: Digest,
    ) -> Result<Vec<Versioned<FederatedAccount>>, CoreError> {
        let query = Query::<FederatedAccount>::new().with("subject_hash", hash);
        let mut found = self.records().list(query).await?;
        found.retain(|it| it.record.stopped.is_none());
        Ok(found)
    }

    /// The actor's own federated accounts, oldest first.
    ///
    /// # Errors
    /// The store's.
    pub async fn my_accounts(&self, actor: &Actor) -> Result<Vec<AccountView>, CoreError> {
        Ok(self.accounts_of(&actor.member).await?.iter().map(|it| (&it.record).into()).collect())
    }

    /// A member's federated accounts, oldest first.
    ///
    /// # Errors
    /// When the actor may not, or the member does not exist.
    pub async fn accounts(&self, actor: &Actor, member: &MemberId) -> Result<Vec<AccountView>, CoreError> {
        let member = self.member(member).await?.record;
        let target = Target::maybe(member.agency.as_ref(), &member.id);
        self.look::<PasskeyList>(actor, &target).await?;
        Ok(self.accounts_of(&member.id).await?.iter().map(|it| (&it.record).into()).collect())
    }

    /// Removes a federated account, one's own or a member's; sessions that it opened end at once.
    ///
    /// # Errors
    /// When the actor may not, there is none, or it is the actor's last way to sign in.
    pub async fn remove_account(&self, actor: &Actor, id: &AccountId) -> Result<AccountView, CoreError> {
        let before =
            self.records().get::<FederatedAccount>(id.as_str()).await?.ok_or(CoreError::Hidden("account"))?;
        let member = self.member(&before.record.member).await?;
        let mine = actor.member == member.record.id;
        let intent = if mine {
            whole(actor, &member.record)?;
            self.own::<AccountRemove>(actor, id).await?
        } else {
            let target = Target::maybe(member.record.agency.as_ref(), id);
            self.allow::<AccountRemove>(actor, target, None).await?
        };
        let opener = Opener::Account(id.clone());
        if mine && before.record.stopped.is_none() && !self.other_way(&member.record.id, &opener).await? {
            return Err(CoreError::state(
                "it is your last way to sign in",
                "add a passkey first, then remove this account",
            ));
        }
        let now = self.now();
        let mut account = before.record.clone();
        account.stopped = account.stopped.or(Some(now));
        let sessions = self.opened_by(&account.member, &opener).await?;
        intent
            .detail(json!({ "member": account.member, "sessions": sessions.len() }))
            .with(|changes| {
                let changes = changes.update(&before, &account).depends_on(&member);
                super::passkeys::ended(changes, &sessions, now)
            })
            .commit(self.records())
            .await?;
        Ok((&account).into())
    }
}
