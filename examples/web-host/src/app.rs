//! What the pages share, and where each of them is.

use std::{path::PathBuf, sync::Arc};

use axum::{
    Router, middleware,
    routing::{get, post},
};
use backend::Backend;
use jiff::tz::TimeZone;
use url::Url;

use crate::{
    failure::Failure, held::HeldMeetings, notice::Notice, page::Page, pages, query, security, session,
};

/// Everything here belongs to one rep. A product has its own sign-in and takes the owner from it; the crates only need to
/// be told which one.
pub(crate) const OWNER: &str = "demo-rep";

/// Shared by all requests; cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct App(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    backend: Backend,
    redirect: Url,
    calendar: Option<PathBuf>,
    held: HeldMeetings,
    zone: TimeZone,
}

impl App {
    pub(crate) fn new(backend: Backend, redirect: Url, calendar: Option<PathBuf>) -> Self {
        Self(Arc::new(Inner {
            backend,
            redirect,
            calendar,
            held: HeldMeetings::default(),
            zone: TimeZone::system(),
        }))
    }

    pub(crate) fn backend(&self) -> &Backend {
        &self.0.backend
    }

    /// Where Zoom sends the browser back to.
    pub(crate) fn redirect(&self) -> &Url {
        &self.0.redirect
    }

    /// The calendar file of the environment.
    pub(crate) fn calendar(&self) -> Option<&PathBuf> {
        self.0.calendar.as_ref()
    }

    /// What was held at the simulated Zoom.
    pub(crate) fn held(&self) -> &HeldMeetings {
        &self.0.held
    }

    /// The zone that times are shown in where a call has none of its own.
    pub(crate) fn zone(&self) -> &TimeZone {
        &self.0.zone
    }

    pub(crate) fn is_simulated(&self) -> bool {
        self.backend().simulated.is_some()
    }

    pub(crate) fn owner(&self) -> zoom_oauth::OwnerId {
        zoom_oauth::OwnerId::new(OWNER)
    }

    /// The same owner, as the store of calls names them.
    pub(crate) fn call_owner(&self) -> zoom_calls::OwnerId {
        zoom_calls::OwnerId::new(OWNER)
    }

    /// What every page begins with; the query may carry the key of a notice.
    pub(crate) fn page(&self, section: &'static str, query: Option<&str>) -> Page {
        let notice = query::param(query, "notice").and_then(|key| Notice::from_key(&key));
        Page {
            section,
            simulated: self.is_simulated(),
            notice,
            refresh: None,
        }
    }

    /// The pages with sessions and looks, and beside them what machines ask for.
    pub(crate) fn router(&self) -> Router {
        let visited = Router::new()
            .route("/", get(pages::home))
            .route("/integrations", get(pages::integrations::show))
            .route("/connect", get(pages::connect::start))
            .route("/oauth/callback", get(pages::connect::finish))
            .route("/claim", post(pages::install::claim))
            .route("/disconnect", post(pages::connect::leave))
            .route("/calls", get(pages::calls::show))
            .route("/calls/{id}", get(pages::call::show))
            .route("/time", get(pages::time::show))
            .route("/time.csv", get(pages::time::csv))
            .route("/simulate/meeting", post(pages::simulate::hold))
            .fallback(async || Failure::NotFound)
            .method_not_allowed_fallback(async || Failure::NotAllowed)
            .layer(middleware::from_fn_with_state(self.clone(), session::guard))
            .with_state(self.clone());
        Router::new()
            .route("/assets/style.css", get(pages::assets::style))
            .route("/assets/icon.svg", get(pages::assets::icon))
            .route("/health", get(pages::health))
            .with_state(self.clone())
            .nest("/webhooks/zoom", self.backend().webhooks())
            .merge(visited)
            .layer(middleware::from_fn_with_state(self.clone(), security::dress))
    }
}
