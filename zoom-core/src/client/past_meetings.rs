use futures_util::Stream;

use super::{Client, paging};
use crate::{
    Error, MeetingId, MeetingRef, Page, PageToken, Request,
    model::{Participant, PastInstance, PastMeeting},
};

/// Meetings that are over. From [`Client::past_meetings`].
#[derive(Clone, Copy, Debug)]
pub struct PastMeetings<'a> {
    client: &'a Client,
}

impl<'a> PastMeetings<'a> {
    pub(super) const fn new(client: &'a Client) -> Self {
        Self { client }
    }

    /// What is known of a meeting that is over; the latest instance when asked by number.
    ///
    /// `GET /past_meetings/{meetingId}` · scopes `meeting:read:past_meeting`, `meeting:read:past_meeting:admin` (classic
    /// `meeting:read`, `meeting:read:admin`) · rate limit Light · <https://developers.zoom.us/docs/api/meetings/>
    ///
    /// # Errors
    /// Fails as [`Client::send`] does; [`Error::is_not_found`] for some minutes after the end, and while it is going on;
    /// code 12702 when it is more than a year ago.
    pub async fn get(&self, meeting: &MeetingRef) -> Result<PastMeeting, Error> {
        self.client.send(get(meeting)).await
    }

    /// Every time a meeting took place, of the last 15 months.
    ///
    /// `GET /past_meetings/{meetingId}/instances` · scopes `meeting:read:list_past_instances`,
    /// `meeting:read:list_past_instances:admin` (classic `meeting:read`, `meeting:read:admin`) · rate limit Medium ·
    /// <https://developers.zoom.us/docs/api/meetings/>
    ///
    /// # Errors
    /// Fails as [`Client::send`] does.
    pub async fn instances(&self, meeting: MeetingId) -> Result<Vec<PastInstance>, Error> {
        let page: Page<PastInstance> = self.client.send(instances(meeting)).await?;
        Ok(paging::entries(page))
    }

    /// One page of who was there, one entry per stay.
    ///
    /// `GET /past_meetings/{meetingId}/participants` · scopes `meeting:read:list_past_participants`,
    /// `meeting:read:list_past_participants:admin` (classic `meeting:read`, `meeting:read:admin`) · rate limit Medium ·
    /// <https://developers.zoom.us/docs/api/meetings/>
    ///
    /// # Errors
    /// Fails as [`Client::send`] does; code 200 on accounts that do not pay.
    pub async fn participants(
        &self,
        meeting: &MeetingRef,
        list: ListParticipants,
    ) -> Result<Page<Participant>, Error> {
        self.client.send(list.request(meeting)).await
    }

    /// Everybody who was there, page after page.
    pub fn participants_all(
        &self,
        meeting: &MeetingRef,
        list: ListParticipants,
    ) -> impl Stream<Item = Result<Participant, Error>> + Send + use<> {
        self.client.items(list.request(meeting))
    }
}

/// How to list participants.
#[derive(Clone, Debug, Default)]
pub struct ListParticipants {
    page_size: Option<u32>,
    page_token: Option<PageToken>,
}

impl ListParticipants {
    /// From the first page, in pages of Zoom's size.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
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

    fn request(&self, meeting: &MeetingRef) -> Request {
        Request::get("/past_meetings/{meetingId}/participants")
            .path_param("meetingId", meeting)
            .query_opt("page_size", self.page_size)
            .query_opt("next_page_token", self.page_token.as_ref().map(PageToken::as_str))
    }
}

fn get(meeting: &MeetingRef) -> Request {
    Request::get("/past_meetings/{meetingId}").path_param("meetingId", meeting)
}

fn instances(meeting: MeetingId) -> Request {
    Request::get("/past_meetings/{meetingId}/instances").path_param("meetingId", &meeting)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        MeetingUuid,
        client::tests::{NO_BODY, sent},
    };

    #[test]
    fn each_call_is_the_one_zoom_documents() {
        let uuid = MeetingRef::from(MeetingUuid::new("/ajXp112QmuoKj4854875=="));
        let id = MeetingId::new(81_234_567_890);
        assert_eq!(
            sent(&get(&uuid)),
            (
                "GET".into(),
                "/v2/past_meetings/%252FajXp112QmuoKj4854875%253D%253D".into(),
                NO_BODY
            )
        );
        assert_eq!(sent(&get(&id.into())).1, "/v2/past_meetings/81234567890");
        assert_eq!(sent(&instances(id)).1, "/v2/past_meetings/81234567890/instances");
        assert_eq!(
            sent(
                &ListParticipants::new()
                    .page_size(300)
                    .page_token(PageToken::new("x"))
                    .request(&id.into())
            )
            .1,
            "/v2/past_meetings/81234567890/participants?page_size=300&next_page_token=x"
        );
    }
}
