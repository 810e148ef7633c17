//! A recording becomes a call: against a server that plays Zoom, with real jobs and real files.

mod events;
mod failures;
mod files;
mod passing;
mod world;
