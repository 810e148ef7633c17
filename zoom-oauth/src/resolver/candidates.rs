use token_store::OwnerId;

use super::AccountKind;

/// Whose account may be used, the best first. Behind them stands the product's own, unless
/// [told otherwise](Self::without_system).
///
/// ```
/// use zoom_oauth::Candidates;
///
/// // The recruiter's own account, else the organisation's, else the product's.
/// let candidates = Candidates::new().user("maya".into()).organisation("org-7".into());
/// # let _ = candidates;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidates {
    owners: Vec<(AccountKind, OwnerId)>,
    system: bool,
}

impl Default for Candidates {
    fn default() -> Self {
        Self::new()
    }
}

impl Candidates {
    /// Nobody's but the product's.
    #[must_use]
    pub fn new() -> Self {
        Self {
            owners: Vec::new(),
            system: true,
        }
    }

    /// Next, the account that this user has connected.
    #[must_use]
    pub fn user(mut self, owner: OwnerId) -> Self {
        self.owners.push((AccountKind::User, owner));
        self
    }

    /// Next, the account that this organisation has connected.
    #[must_use]
    pub fn organisation(mut self, owner: OwnerId) -> Self {
        self.owners.push((AccountKind::Organisation, owner));
        self
    }

    /// Rather none than the product's own account.
    #[must_use]
    pub fn without_system(mut self) -> Self {
        self.system = false;
        self
    }

    pub(super) fn owners(&self) -> impl Iterator<Item = (&AccountKind, &OwnerId)> {
        self.owners.iter().map(|(kind, owner)| (kind, owner))
    }

    pub(super) fn with_system(&self) -> bool {
        self.system
    }
}

/// The owner's own account.
impl From<&OwnerId> for Candidates {
    fn from(owner: &OwnerId) -> Self {
        Self::new().user(owner.clone())
    }
}
