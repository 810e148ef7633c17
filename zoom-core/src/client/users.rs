use super::Client;
use crate::{
    Error, Request, UserId,
    model::{User, UserSettings},
};

/// Users and their settings. From [`Client::users`].
#[derive(Clone, Copy, Debug)]
pub struct Users<'a> {
    client: &'a Client,
}

impl<'a> Users<'a> {
    pub(super) const fn new(client: &'a Client) -> Self {
        Self { client }
    }

    /// The user the token belongs to.
    ///
    /// # Errors
    /// Fails as [`Client::send`] does.
    pub async fn me(&self) -> Result<User, Error> {
        self.get(&UserId::me()).await
    }

    /// A user, by id or e-mail address.
    ///
    /// `GET /users/{userId}` · scopes `user:read:user`, `user:read:user:admin` (classic `user:read`, `user:read:admin`)
    /// · rate limit Light · <https://developers.zoom.us/docs/api/users/>
    ///
    /// # Errors
    /// Fails as [`Client::send`] does; [`Error::is_not_found`] when there is no such user in the account.
    pub async fn get(&self, user: &UserId) -> Result<User, Error> {
        self.client.send(get(user)).await
    }

    /// A user's settings.
    ///
    /// `GET /users/{userId}/settings` · scopes `user:read:settings`, `user:read:settings:admin` (classic `user:read`,
    /// `user:read:admin`) · rate limit Medium · <https://developers.zoom.us/docs/api/users/>
    ///
    /// # Errors
    /// Fails as [`Client::send`] does; code 1000 when the user has not accepted the invitation yet.
    pub async fn settings(&self, user: &UserId) -> Result<UserSettings, Error> {
        self.client.send(settings(user)).await
    }
}

fn get(user: &UserId) -> Request {
    Request::get("/users/{userId}").path_param("userId", user)
}

fn settings(user: &UserId) -> Request {
    Request::get("/users/{userId}/settings").path_param("userId", user)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::tests::{NO_BODY, sent};

    #[test]
    fn each_call_is_the_one_zoom_documents() {
        assert_eq!(
            sent(&get(&UserId::me())),
            ("GET".into(), "/v2/users/me".into(), NO_BODY)
        );
        let user = UserId::new("a@sim.example");
        assert_eq!(
            sent(&settings(&user)),
            ("GET".into(), "/v2/users/a%40sim.example/settings".into(), NO_BODY)
        );
    }
}
