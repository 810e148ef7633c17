#![doc = include_str!("../README.md")]

mod api_error;
#[cfg(feature = "client")]
mod client;
mod decode;
mod error;
mod id;
pub mod lenient;
mod link;
mod meeting_ref;
pub mod model;
mod open_enum;
mod page;
mod request;
mod scope;
mod secret;
mod time;

#[cfg(feature = "client")]
pub mod http;

pub use api_error::{ApiError, FieldError, RateLimit};
#[cfg(feature = "client")]
pub use client::{
    AuthError, Client, ClientBuilder, DeleteAction, ListMeetings, ListParticipants, ListRecordings,
    MeetingListType, Meetings, PastMeetings, Recordings, RetryPolicy, Sleeper, StaticToken, StubTokenSource,
    TokenSource, Users,
};
pub use decode::{Answer, NoContent};
pub use error::{Error, ErrorKind};
pub use id::{
    AccountId, MeetingId, MeetingUuid, OccurrenceId, ParseIdError, ParticipantId, RecordingFileId,
    RegistrantId, UserId,
};
pub use link::Link;
pub use meeting_ref::MeetingRef;
pub use page::{Page, PageItem, PageToken, SkippedItem};
pub use request::{PathSegment, Request};
pub use scope::Scopes;
pub use secret::{AccessToken, DownloadToken, Passcode, StartUrl};
pub use time::Clock;

#[doc(hidden)]
pub mod __private;
