#![doc = include_str!("../README.md")]

mod booking;
mod calendar;
mod directory;
mod instance;
mod join_link;
mod meeting_time;
mod pairing;
mod past_meetings;
mod presence;
mod schedule;
mod spans;
mod time_report;
mod week;

#[cfg(feature = "sqlite")]
pub use booking::SqliteBookingStore;
pub use booking::{
    BookedAccount, BookedInstance, Booking, BookingError, BookingStore, Claim, Intent, MemoryBookingStore,
    SessionId, SessionState,
};
pub use calendar::{
    Attendee, Calendar, CalendarError, CalendarEvent, CalendarEvents, CalendarWarning, EventStatus,
    IcsCalendar, Response, TimeWindow,
};
pub use directory::{Customer, Directory, Side};
pub use instance::{Attendance, Instance, MeetingHistory, Place, UnknownReason, Visit};
pub use join_link::{EventTexts, JoinLink, LinkKind, LinkSource};
pub use meeting_time::{Measured, MeetingStatus, MeetingTime, Policy};
pub use pairing::{Pairing, pair};
pub use past_meetings::PastMeetings;
pub use presence::{PersonKey, PersonTime, Presence};
pub use schedule::{ScheduleError, ScheduleRequest, Scheduler};
pub use spans::Spans;
pub use time_report::{CsvError, TimeReport, TimeReportBuilder, TimeRow, Times};
pub use week::IsoWeek;
