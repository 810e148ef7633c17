#![doc = include_str!("../README.md")]

mod access;
mod app;
mod attributes;
mod authorize;
mod cache;
mod callback;
mod connect;
mod connection;
mod connections;
mod detached;
mod digest;
mod disconnect;
mod error;
mod events;
mod exchange;
mod http;
mod records;
mod refresh;
mod refusal;
mod region;
mod resolver;
mod server_to_server;
mod tokens;

pub use app::{App, AppKind, ClientSecret, Endpoints};
pub use authorize::{Authorization, AuthorizeRequest, SessionBinding};
pub use callback::Callback;
pub use connection::Connection;
pub use connections::{Connections, ConnectionsBuilder};
pub use disconnect::Disconnected;
pub use error::{Error, ErrorKind};
pub use events::{ConnectionEvent, ConnectionEvents, EventKind};
pub use resolver::{AccountKind, Considered, Reason, Resolution, ResolvedAccount, Resolver};
pub use server_to_server::{ServerToServer, ServerToServerBuilder};
pub use token_store::{ConnectionId, Entry, History, OwnerId, Status};
