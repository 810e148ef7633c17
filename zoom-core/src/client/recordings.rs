use std::time::Duration;

use futures_util::Stream;
use jiff::civil::Date;

use super::Client;
use crate::{
    Error, MeetingRef, NoContent, Page, PageToken, RecordingFileId, Request, UserId, model::Recording,
    open_enum,
};

/// Cloud recordings. From [`Client::recordings`].
#[derive(Clone, Copy, Debug)]
pub struct Recordings<'a> {
    client: &'a Client,
}

impl<'a> Recordings<'a> {
    pub(super) const fn new(client: &'a Client) -> Self {
        Self { client }
    }

    /// One page of a user's recordings, the newest first.
    ///
    /// `GET /users/{userId}/recordings` · scopes `cloud_recording:read:list_user_recordings`,
    /// `cloud_recording:read:list_user_recordings:admin` (classic `recording:read`, `recording:read:admin`) · rate limit
    /// Medium · <https://developers.zoom.us/docs/api/meetings/>
    ///
    /// # Errors
    /// Fails as [`Client::send`] does.
    pub async fn list(&self, user: &UserId, list: ListRecordings) -> Result<Page<Recording>, Error> {
        self.client.send(list.request(user)).await
    }

    /// All of a user's recordings, page after page.
    pub fn list_all(
        &self,
        user: &UserId,
        list: ListRecordings,
    ) -> impl Stream<Item = Result<Recording, Error>> + Send + use<> {
        self.client.items(list.request(user))
    }

    /// The recording of a meeting: of exactly this instance when asked by uuid, of the latest one by number.
    ///
    /// `GET /meetings/{meetingId}/recordings` · scopes `cloud_recording:read:list_recording_files`,
    /// `cloud_recording:read:list_recording_files:admin` (classic `recording:read`, `recording:read:admin`) · rate limit
    /// Light · <https://developers.zoom.us/docs/api/meetings/>
    ///
    /// # Errors
    /// Fails as [`Client::send`] does; [`Error::is_not_found`] when nothing was recorded, or is not ready.
    pub async fn get(&self, meeting: &MeetingRef) -> Result<Recording, Error> {
        self.client.send(get(meeting)).await
    }

    /// As [`get`](Self::get), with a token that opens the files for `ttl`, seven days at most.
    ///
    /// # Errors
    /// Fails as [`get`](Self::get) does.
    pub async fn get_with_token(&self, meeting: &MeetingRef, ttl: Duration) -> Result<Recording, Error> {
        self.client.send(get_with_token(meeting, ttl)).await
    }

    /// Deletes all files of a recording.
    ///
    /// `DELETE /meetings/{meetingId}/recordings` · scopes `cloud_recording:delete:meeting_recording`,
    /// `cloud_recording:delete:meeting_recording:admin` (classic `recording:write`, `recording:write:admin`) · rate limit
    /// Light · <https://developers.zoom.us/docs/api/meetings/>
    ///
    /// # Errors
    /// Fails as [`Client::send`] does; [`Error::is_not_found`] when there is nothing to delete.
    pub async fn delete(&self, meeting: &MeetingRef, action: DeleteAction) -> Result<(), Error> {
        self.client
            .send(delete(meeting, &action))
            .await
            .map(|NoContent { .. }| ())
    }

    /// Deletes one file of a recording.
    ///
    /// # Errors
    /// Fails as [`delete`](Self::delete) does; code 3303 while it is being recorded.
    pub async fn delete_file(
        &self,
        meeting: &MeetingRef,
        file: &RecordingFileId,
        action: DeleteAction,
    ) -> Result<(), Error> {
        self.client
            .send(delete_file(meeting, file, &action))
            .await
            .map(|NoContent { .. }| ())
    }
}

/// Which recordings to list.
#[derive(Clone, Debug)]
pub struct ListRecordings {
    from: Date,
    to: Date,
    trash: bool,
    page_size: Option<u32>,
    page_token: Option<PageToken>,
}

impl ListRecordings {
    /// Those of meetings that began on these days, in UTC, the last one included. Zoom takes a month at most.
    #[must_use]
    pub const fn between(from: Date, to: Date) -> Self {
        Self {
            from,
            to,
            trash: false,
            page_size: None,
            page_token: None,
        }
    }

    /// Lists what is in the trash instead.
    #[must_use]
    pub const fn trash(mut self, trash: bool) -> Self {
        self.trash = trash;
        self
    }

    /// Sets how many entries a page has, up to 300.
    #[must_use]
    pub const fn page_size(mut self, page_size: u32) -> Self {
        self.page_size = Some(page_size);
        self
    }

    /// Sets which page.
    #[must_use]
    pub fn page_token(mut self, token: PageToken) -> Self {
        self.page_token = Some(token);
        self
    }

    fn request(&self, user: &UserId) -> Request {
        Request::get("/users/{userId}/recordings")
            .path_param("userId", user)
            .query("from", self.from)
            .query("to", self.to)
            .query_opt("trash", self.trash.then_some(true))
            .query_opt("page_size", self.page_size)
            .query_opt("next_page_token", self.page_token.as_ref().map(PageToken::as_str))
    }
}

open_enum! {
    /// What deleting a recording means.
    pub enum DeleteAction {
        /// Into the trash, from where it can be had back for 30 days.
        Trash => "trash",
        /// For good.
        Delete => "delete",
    }
}

fn get(meeting: &MeetingRef) -> Request {
    Request::get("/meetings/{meetingId}/recordings").path_param("meetingId", meeting)
}

fn get_with_token(meeting: &MeetingRef, ttl: Duration) -> Request {
    get(meeting)
        .query("include_fields", "download_access_token")
        .query("ttl", ttl.as_secs())
}

fn delete(meeting: &MeetingRef, action: &DeleteAction) -> Request {
    Request::delete("/meetings/{meetingId}/recordings")
        .path_param("meetingId", meeting)
        .query("action", action)
}

fn delete_file(meeting: &MeetingRef, file: &RecordingFileId, action: &DeleteAction) -> Request {
    Request::delete("/meetings/{meetingId}/recordings/{recordingId}")
        .path_param("meetingId", meeting)
        .path_param("recordingId", file)
        .query("action", action)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::{
        MeetingUuid,
        client::tests::{NO_BODY, sent},
    };

    #[test]
    fn each_call_is_the_one_zoom_documents() {
        let uuid = MeetingRef::from(MeetingUuid::new("k3T9xQ0lRr2/1yZ+fG8aAA=="));
        let path = "/v2/meetings/k3T9xQ0lRr2%2F1yZ%2BfG8aAA%3D%3D/recordings";
        assert_eq!(sent(&get(&uuid)), ("GET".into(), path.into(), NO_BODY));
        assert_eq!(
            sent(&get_with_token(&uuid, Duration::from_secs(3600))).1,
            format!("{path}?include_fields=download_access_token&ttl=3600")
        );
        assert_eq!(
            sent(&delete(&uuid, &DeleteAction::Trash)),
            ("DELETE".into(), format!("{path}?action=trash"), NO_BODY)
        );
        let file = RecordingFileId::new("0b6f6a0e/1");
        assert_eq!(
            sent(&delete_file(&uuid, &file, &DeleteAction::Delete)).1,
            format!("{path}/0b6f6a0e%2F1?action=delete")
        );
    }

    #[test]
    fn a_list_asks_for_what_was_set() {
        let list = ListRecordings::between(date(2026, 1, 1), date(2026, 1, 31));
        assert_eq!(
            sent(&list.request(&UserId::me())).1,
            "/v2/users/me/recordings?from=2026-01-01&to=2026-01-31"
        );
        let list = list.trash(true).page_size(300).page_token(PageToken::new("x"));
        assert_eq!(
            sent(&list.request(&UserId::me())).1,
            "/v2/users/me/recordings?from=2026-01-01&to=2026-01-31&trash=true&page_size=300&next_page_token=x"
        );
    }
}
