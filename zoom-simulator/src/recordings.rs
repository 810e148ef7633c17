//! Recordings: how they are written in JSON, and how their bytes are served.

mod cdn;
mod download;
mod json;
mod timeline;

pub(crate) use self::{
    cdn::routes as cdn_routes,
    download::routes as download_routes,
    json::{Files, recording_object, trashed_object},
    timeline::timeline,
};
