use std::{
    collections::VecDeque,
    error::Error as StdError,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;

use crate::{AccessToken, Error};

/// Where access tokens come from. The client never learns what a refresh token is.
///
/// # Contract
/// 1. `access_token` returns a token that is good for at least the time of one call, refreshing it first if need be.
/// 2. After `invalidate(t)` returns, `access_token` does not return `t` again if another can be had.
/// 3. `invalidate` of a token that is no longer the present one changes nothing: somebody else was faster.
///
/// # Clone
/// Shared as `Arc<dyn TokenSource>`; all users of one source share its token.
///
/// # Cancellation
/// A caller that goes away must not cost a token: a refresh that has begun is finished.
///
/// # Errors
/// [`AuthError::reauthorize`] when the connection is dead, [`AuthError::unavailable`] for everything that may pass.
#[async_trait]
pub trait TokenSource: fmt::Debug + Send + Sync + 'static {
    /// A token for the next call.
    async fn access_token(&self) -> Result<AccessToken, AuthError>;

    /// Zoom did not accept this token.
    async fn invalidate(&self, refused: &AccessToken) -> Result<(), AuthError>;
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<S: TokenSource + ?Sized> TokenSource for Arc<S> {
    async fn access_token(&self) -> Result<AccessToken, AuthError> {
        (**self).access_token().await
    }

    async fn invalidate(&self, refused: &AccessToken) -> Result<(), AuthError> {
        (**self).invalidate(refused).await
    }
}

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
#[error("{}", if *.dead { "the connection must be authorized again" } else { "no token is available at the moment" })]
pub struct AuthError {
    dead: bool,
    source: Box<dyn StdError + Send + Sync>,
}

impl AuthError {
    /// The connection is dead: somebody must authorise it again.
    #[must_use]
    pub fn reauthorize(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self {
            dead: true,
            source: source.into(),
        }
    }

    /// No token at the moment: a store, a lock or Zoom did not answer.
    #[must_use]
    pub fn unavailable(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self {
            dead: false,
            source: source.into(),
        }
    }

    /// Show the way to connect again.
    #[must_use]
    pub const fn needs_reauthorization(&self) -> bool {
        self.dead
    }

    /// Try again later.
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        !self.dead
    }
}

impl From<AuthError> for Error {
    fn from(error: AuthError) -> Self {
        if error.dead {
            Self::reauthorize(error)
        } else {
            Self::token_unavailable(error)
        }
    }
}

/// One token for ever: for scripts, and for tokens that somebody else keeps fresh.
#[derive(Clone, Debug)]
pub struct StaticToken(AccessToken);

impl StaticToken {
    /// Takes the token.
    #[must_use]
    pub const fn new(token: AccessToken) -> Self {
        Self(token)
    }
}

#[async_trait]
impl TokenSource for StaticToken {
    async fn access_token(&self) -> Result<AccessToken, AuthError> {
        Ok(self.0.clone())
    }

    /// Does nothing: there is no other token.
    async fn invalidate(&self, _refused: &AccessToken) -> Result<(), AuthError> {
        Ok(())
    }
}

/// Gives the tokens it was made with, one after the other, and remembers what was refused. For tests.
#[derive(Debug, Default)]
pub struct StubTokenSource {
    state: Mutex<StubState>,
}

#[derive(Debug, Default)]
struct StubState {
    tokens: VecDeque<AccessToken>,
    refused: Vec<AccessToken>,
}

impl StubTokenSource {
    /// A source that goes to the next token whenever the present one is refused. With none left, it asks for
    /// authorisation.
    #[must_use]
    pub fn new<T: Into<String>>(tokens: impl IntoIterator<Item = T>) -> Self {
        let tokens = tokens.into_iter().map(AccessToken::new).collect();
        Self {
            state: Mutex::new(StubState {
                tokens,
                refused: vec![],
            }),
        }
    }

    /// What was refused so far.
    #[must_use]
    pub fn refused(&self) -> Vec<AccessToken> {
        self.state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .refused
            .clone()
    }
}

#[async_trait]
impl TokenSource for StubTokenSource {
    async fn access_token(&self) -> Result<AccessToken, AuthError> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state
            .tokens
            .front()
            .cloned()
            .ok_or_else(|| AuthError::reauthorize("no token is left"))
    }

    async fn invalidate(&self, refused: &AccessToken) -> Result<(), AuthError> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.refused.push(refused.clone());
        if state
            .tokens
            .front()
            .is_some_and(|present| present.expose_secret() == refused.expose_secret())
        {
            state.tokens.pop_front();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static_assertions::assert_obj_safe!(TokenSource);

    #[test]
    fn an_auth_error_keeps_its_meaning() {
        let error = Error::from(AuthError::reauthorize("invalid_grant"));
        assert!(error.needs_reauthorization() && !error.is_retryable());
        let error = Error::from(AuthError::unavailable("locked"));
        assert!(!error.needs_reauthorization() && error.is_retryable());
    }

    #[tokio::test]
    async fn a_token_refused_late_does_not_cost_the_present_one() {
        let source = Arc::new(StubTokenSource::new(["one", "two"]));
        let one = source.access_token().await.unwrap();
        source.invalidate(&one).await.unwrap();
        source.invalidate(&one).await.unwrap();
        assert_eq!(source.access_token().await.unwrap().expose_secret(), "two");
        assert_eq!(source.refused().len(), 2);
    }
}
