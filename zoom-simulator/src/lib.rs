#![doc = include_str!("../README.md")]

mod answer;
mod clock;
mod config;
mod control;
mod error;
mod faults;
mod hold;
mod json;
mod oauth;
mod params;
mod random;
mod rate;
mod recordings;
mod requests;
mod rest;
pub mod samples;
mod server;
mod simulator;
mod webhooks;
mod world;

pub use clock::VirtualClock;
pub use config::{
    ApiUrl, AppKind, AppSpec, Config, EventTs, Quirks, Role, Rotation, TokenReasons, UserKind, UserSpec,
    UserStatus,
};
pub use error::Error;
pub use faults::{Failure, Fault};
pub use hold::{Attendance, HeldMeeting, HoldMeeting};
pub use rate::{RateLimit, RateLimits};
pub use requests::RequestLine;
pub use simulator::Simulator;
pub use webhooks::{Attempt, DeliveryRecord, DeliveryState, Disruption, Order, Subscription, Webhooks};
pub use world::{AppChange, UserChange};
