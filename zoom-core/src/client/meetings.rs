use futures_util::Stream;
use jiff::civil::Date;

use super::Client;
use crate::{
    Error, MeetingId, NoContent, OccurrenceId, Page, PageToken, Request, UserId,
    model::{Meeting, MeetingListItem, MeetingUpdate, NewMeeting},
    open_enum,
};

/// Meetings that are planned or under way. From [`Client::meetings`].
#[derive(Clone, Copy, Debug)]
pub struct Meetings<'a> {
    client: &'a Client,
}

impl<'a> Meetings<'a> {
    pub(super) const fn new(client: &'a Client) -> Self {
        Self { client }
    }

    /// Makes a meeting for a host.
    ///
    /// Never sent twice: when [`Error::is_outcome_unknown`], list the host's meetings and look before making another. A
    /// host has 100 creations and changes a day.
    ///
    /// `POST /users/{userId}/meetings` · scopes `meeting:write:meeting`, `meeting:write:meeting:admin` (classic
    /// `meeting:write`, `meeting:write:admin`) · rate limit Light · <https://developers.zoom.us/docs/api/meetings/>
    ///
    /// # Errors
    /// Fails as [`Client::send`] does; code 3161 when the host has no licence for meetings.
    pub async fn create(&self, host: &UserId, meeting: &NewMeeting) -> Result<Meeting, Error> {
        self.client.send(create(host, meeting)).await
    }

    /// A meeting, with a fresh start link.
    ///
    /// `GET /meetings/{meetingId}` · scopes `meeting:read:meeting`, `meeting:read:meeting:admin` (classic
    /// `meeting:read`, `meeting:read:admin`) · rate limit Light · <https://developers.zoom.us/docs/api/meetings/>
    ///
    /// # Errors
    /// Fails as [`Client::send`] does; [`Error::is_not_found`] when it was deleted or has expired.
    pub async fn get(&self, meeting: MeetingId) -> Result<Meeting, Error> {
        self.client.send(get(meeting)).await
    }

    /// Changes a meeting. Setting the same values twice is setting them once, so it is sent again if need be.
    ///
    /// `PATCH /meetings/{meetingId}` · scopes `meeting:update:meeting`, `meeting:update:meeting:admin` (classic
    /// `meeting:write`, `meeting:write:admin`) · rate limit Light · <https://developers.zoom.us/docs/api/meetings/>
    ///
    /// # Errors
    /// Fails as [`Client::send`] does.
    pub async fn update(&self, meeting: MeetingId, update: &MeetingUpdate) -> Result<(), Error> {
        self.client
            .send(self::update(meeting, update))
            .await
            .map(|NoContent { .. }| ())
    }

    /// Deletes a meeting, or the whole series.
    ///
    /// `DELETE /meetings/{meetingId}` · scopes `meeting:delete:meeting`, `meeting:delete:meeting:admin` (classic
    /// `meeting:write`, `meeting:write:admin`) · rate limit Light · <https://developers.zoom.us/docs/api/meetings/>
    ///
    /// # Errors
    /// Fails as [`Client::send`] does; code 3002 while the meeting is going on.
    pub async fn delete(&self, meeting: MeetingId) -> Result<(), Error> {
        self.client.send(delete(meeting)).await.map(|NoContent { .. }| ())
    }

    /// Takes one date out of a series.
    ///
    /// # Errors
    /// Fails as [`delete`](Self::delete) does.
    pub async fn delete_occurrence(
        &self,
        meeting: MeetingId,
        occurrence: &OccurrenceId,
    ) -> Result<(), Error> {
        self.client
            .send(delete(meeting).query("occurrence_id", occurrence))
            .await
            .map(|NoContent { .. }| ())
    }

    /// One page of a host's meetings.
    ///
    /// `GET /users/{userId}/meetings` · scopes `meeting:read:list_meetings`, `meeting:read:list_meetings:admin` (classic
    /// `meeting:read`, `meeting:read:admin`) · rate limit Medium · <https://developers.zoom.us/docs/api/meetings/>
    ///
    /// # Errors
    /// Fails as [`Client::send`] does.
    pub async fn list(&self, host: &UserId, list: ListMeetings) -> Result<Page<MeetingListItem>, Error> {
        self.client.send(list.request(host)).await
    }

    /// All of a host's meetings, page after page.
    pub fn list_all(
        &self,
        host: &UserId,
        list: ListMeetings,
    ) -> impl Stream<Item = Result<MeetingListItem, Error>> + Send + use<> {
        self.client.items(list.request(host))
    }
}

/// Which meetings to list. Instant meetings are never among them.
#[derive(Clone, Debug, Default)]
pub struct ListMeetings {
    list_type: Option<MeetingListType>,
    from: Option<Date>,
    to: Option<Date>,
    timezone: Option<String>,
    page_size: Option<u32>,
    page_token: Option<PageToken>,
}

impl ListMeetings {
    /// Those that are scheduled and not expired.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets which kind.
    #[must_use]
    pub fn list_type(mut self, list_type: MeetingListType) -> Self {
        self.list_type = Some(list_type);
        self
    }

    /// Sets the first day.
    #[must_use]
    pub const fn from(mut self, from: Date) -> Self {
        self.from = Some(from);
        self
    }

    /// Sets the last day.
    #[must_use]
    pub const fn to(mut self, to: Date) -> Self {
        self.to = Some(to);
        self
    }

    /// Sets the time zone the days are of, as an IANA name.
    #[must_use]
    pub fn timezone(mut self, timezone: impl Into<String>) -> Self {
        self.timezone = Some(timezone.into());
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

    fn request(&self, host: &UserId) -> Request {
        Request::get("/users/{userId}/meetings")
            .path_param("userId", host)
            .query_opt("type", self.list_type.as_ref())
            .query_opt("from", self.from)
            .query_opt("to", self.to)
            .query_opt("timezone", self.timezone.as_ref())
            .query_opt("page_size", self.page_size)
            .query_opt("next_page_token", self.page_token.as_ref().map(PageToken::as_str))
    }
}

open_enum! {
    /// Which of a host's meetings to list.
    pub enum MeetingListType {
        /// All that are scheduled and not expired; what Zoom takes if nothing is said.
        Scheduled => "scheduled",
        /// Those going on.
        Live => "live",
        /// Those to come, and those going on.
        Upcoming => "upcoming",
        /// Those to come.
        UpcomingMeetings => "upcoming_meetings",
        /// Those that are over, of the last six months.
        PreviousMeetings => "previous_meetings",
    }
}

fn create(host: &UserId, meeting: &NewMeeting) -> Request {
    Request::post("/users/{userId}/meetings")
        .path_param("userId", host)
        .json(meeting)
}

fn get(meeting: MeetingId) -> Request {
    Request::get("/meetings/{meetingId}").path_param("meetingId", &meeting)
}

fn update(meeting: MeetingId, update: &MeetingUpdate) -> Request {
    Request::patch("/meetings/{meetingId}")
        .path_param("meetingId", &meeting)
        .json(update)
        .with_idempotent(true)
}

fn delete(meeting: MeetingId) -> Request {
    Request::delete("/meetings/{meetingId}").path_param("meetingId", &meeting)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::client::tests::{NO_BODY, sent};

    const ID: MeetingId = MeetingId::new(85_512_345_678);

    #[test]
    fn each_call_is_the_one_zoom_documents() {
        assert_eq!(
            sent(&get(ID)),
            ("GET".into(), "/v2/meetings/85512345678".into(), NO_BODY)
        );
        assert_eq!(
            sent(&delete(ID)),
            ("DELETE".into(), "/v2/meetings/85512345678".into(), NO_BODY)
        );
        let new = NewMeeting::instant("Now");
        assert_eq!(
            sent(&create(&UserId::me(), &new)),
            (
                "POST".into(),
                "/v2/users/me/meetings".into(),
                Some(serde_json::json!({"topic":"Now","type":1}))
            )
        );
        let change = MeetingUpdate::new().duration(45);
        assert_eq!(
            sent(&update(ID, &change)),
            (
                "PATCH".into(),
                "/v2/meetings/85512345678".into(),
                Some(serde_json::json!({"duration":45}))
            )
        );
    }

    #[test]
    fn a_meeting_is_changed_as_often_as_need_be_and_made_once() {
        assert!(update(ID, &MeetingUpdate::new()).is_idempotent());
        assert!(!create(&UserId::me(), &NewMeeting::new()).is_idempotent());
    }

    #[test]
    fn a_list_asks_for_what_was_set() {
        let list = ListMeetings::new()
            .list_type(MeetingListType::PreviousMeetings)
            .from(date(2026, 1, 1))
            .to(date(2026, 1, 31))
            .timezone("Europe/Lisbon")
            .page_size(300)
            .page_token(PageToken::new("a b"));
        assert_eq!(
            sent(&list.request(&UserId::me())).1,
            "/v2/users/me/meetings?type=previous_meetings&from=2026-01-01&to=2026-01-31&timezone=Europe%2FLisbon&page_size=300&next_page_token=a+b"
        );
        assert_eq!(
            sent(&ListMeetings::new().request(&UserId::me())).1,
            "/v2/users/me/meetings"
        );
    }
}
