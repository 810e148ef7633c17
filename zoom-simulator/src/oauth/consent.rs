//! `/oauth/authorize`: a user says yes or no.

use axum::{body::Bytes, extract::State};
use http::{StatusCode, Uri};
use url::Url;

use super::{denied::Denied, issue::after, mint, page, tokens::Code};
use crate::{
    answer::Answer,
    config::AppKind,
    faults::Surface,
    params::Params,
    simulator::{Inner, Shared},
    world::{App, User, World},
};

/// What an app asks a user for.
#[derive(Clone, Debug)]
pub(crate) struct Consent {
    pub(super) client_id: String,
    pub(super) redirect_uri: String,
    pub(super) state: Option<String>,
    pub(super) challenge: Option<(String, String)>,
    /// Scopes the address asked for; without, everything the app has.
    asked: Option<Vec<String>>,
}

/// What the user says.
#[derive(Clone, Debug)]
pub(crate) enum Decision {
    Deny,
    Allow {
        /// Id or address.
        user: String,
        /// Those they did not decline; nothing said is none declined.
        optional_scopes: Option<Vec<String>>,
    },
}

/// The browser stays where it is: Zoom shows a page, or its numbers.
#[derive(Clone, Debug)]
pub(crate) struct Turned {
    pub(crate) answer: Answer,
    pub(crate) reason: String,
}

impl Turned {
    pub(super) fn number(code: u16, text: &str) -> Self {
        Self {
            answer: Answer::web_error(StatusCode::BAD_REQUEST, code.into(), text),
            reason: text.to_owned(),
        }
    }

    fn page(title: &str, text: &str) -> Self {
        Self {
            answer: Answer::html(StatusCode::FORBIDDEN, page::notice(title, text)),
            reason: text.to_owned(),
        }
    }
}

pub(super) async fn page(State(sim): State<Shared>, uri: Uri) -> Answer {
    let params = Params::parse(uri.query());
    let mut world = sim.world();
    world.count("authorize");
    match Consent::read(&sim, &world, &params) {
        Ok(consent) => {
            let Some(app) = world.app(&consent.client_id) else {
                return Answer::not_found();
            };
            let form = page::Form {
                action: "/oauth/authorize",
                request: uri.query().unwrap_or_default(),
                anybody: sim.config().quirks.admin_apps_for_all,
            };
            Answer::html(StatusCode::OK, page::render(app, &world.users, &form))
        }
        Err(stop) => stop.answer(),
    }
}

/// The form of [`page`]; it carries the query of the request it answers.
pub(super) async fn decide(State(sim): State<Shared>, uri: Uri, body: Bytes) -> Answer {
    let form = Params::default().and(&body);
    let query = form.get("request").or(uri.query()).unwrap_or_default().to_owned();
    let mut world = sim.world();
    match Consent::read(&sim, &world, &Params::parse(Some(&query))) {
        Ok(consent) => consent
            .decide(&sim, &mut world, &Decision::read(&form))
            .map_or_else(|turned| turned.answer, |to| Answer::found(to.as_str())),
        Err(stop) => stop.answer(),
    }
}

impl Decision {
    /// What the form of a consent page says.
    pub(super) fn read(form: &Params) -> Self {
        match form.get("decision") {
            Some("allow") => Self::Allow {
                user: form.get("user").unwrap_or_default().to_owned(),
                optional_scopes: Some(form.all("optional_scope").map(str::to_owned).collect()),
            },
            _ => Self::Deny,
        }
    }
}

/// A request that gets no consent page.
#[derive(Clone, Debug)]
pub(crate) enum Stop {
    Turned(Turned),
    /// The app is told by its redirect address.
    Back(Url),
}

impl Stop {
    pub(crate) fn answer(self) -> Answer {
        match self {
            Self::Turned(turned) => turned.answer,
            Self::Back(to) => Answer::found(to.as_str()),
        }
    }
}

impl From<Turned> for Stop {
    fn from(turned: Turned) -> Self {
        Self::Turned(turned)
    }
}

impl Consent {
    /// Checks the request as Zoom does before it shows anything. What is wrong with the redirect is never redirected.
    pub(crate) fn read(sim: &Inner, world: &World, params: &Params) -> Result<Self, Stop> {
        let quirks = &sim.config().quirks;
        let denied = |denied: Denied| Turned::number(denied.number(), denied.web_text());
        let id = params
            .get("client_id")
            .ok_or_else(|| denied(Denied::NoCredentials))?;
        let app = world
            .app(id)
            .filter(|app| app.kind != AppKind::ServerToServer)
            .ok_or_else(|| denied(Denied::UnknownClient))?;
        if app.disabled {
            return Err(denied(Denied::AppDisabled).into());
        }
        let redirect_uri = params
            .get("redirect_uri")
            .ok_or_else(|| denied(Denied::RedirectMismatch))?;
        if !app.allows_redirect(redirect_uri, quirks.redirects_below) {
            return Err(Turned::number(4700, &format!("Invalid redirect: {redirect_uri}")).into());
        }
        let asked: Option<Vec<String>> = params
            .get("scope")
            .map(|scopes| scopes.split_whitespace().map(str::to_owned).collect());
        let consent = Self {
            client_id: app.client_id.clone(),
            redirect_uri: redirect_uri.to_owned(),
            state: params.get("state").map(str::to_owned),
            challenge: params.get("code_challenge").map(|challenge| {
                (
                    challenge.to_owned(),
                    params.get("code_challenge_method").unwrap_or("plain").to_owned(),
                )
            }),
            asked,
        };
        let odd_method = consent
            .challenge
            .as_ref()
            .is_some_and(|(_, method)| !matches!(method.as_str(), "S256" | "plain"));
        if params.get("response_type") != Some("code") || odd_method {
            return Err(Stop::Back(consent.back(&[("error", "invalid_request")])?));
        }
        let all = app.all_scopes();
        let unknown = consent.asked.as_ref().is_some_and(|asked| {
            quirks.refuse_scope_parameter || asked.iter().any(|scope| !all.contains(scope))
        });
        if unknown {
            return Err(Turned::number(4700, "Invalid scope").into());
        }
        Ok(consent)
    }

    /// Where the browser goes next.
    pub(crate) fn decide(&self, sim: &Inner, world: &mut World, decision: &Decision) -> Result<Url, Turned> {
        let Decision::Allow {
            user,
            optional_scopes,
        } = decision
        else {
            return self.back(&[("error", "access_denied")]);
        };
        if world
            .faults
            .strike(Surface::Authorize, "POST /oauth/authorize")
            .is_some()
        {
            return Err(Turned::number(4732, "Creating authorization code error."));
        }
        let app = world
            .app(&self.client_id)
            .cloned()
            .ok_or_else(|| Turned::number(4702, "Invalid client."))?;
        let user = consenting(sim, world, &app, user)?;
        let config = sim.config();
        let code = mint::code(&mut world.random, &config.token_prefix);
        let mut scopes = optional_scopes
            .as_ref()
            .map_or_else(|| app.all_scopes(), |chosen| app.granted(chosen));
        if let Some(asked) = &self.asked {
            scopes.retain(|scope| asked.contains(scope));
        }
        world.tokens.codes.insert(
            code.clone(),
            Code {
                client_id: self.client_id.clone(),
                user_id: user.id,
                scopes,
                redirect_uri: self.redirect_uri.clone(),
                challenge: self.challenge.clone(),
                expires: after(sim.clock.now(), config.code_life),
            },
        );
        self.back(&[("code", &code)])
    }

    fn back(&self, with: &[(&str, &str)]) -> Result<Url, Turned> {
        let mut to = Url::parse(&self.redirect_uri)
            .map_err(|_| Turned::number(4700, &format!("Invalid redirect: {}", self.redirect_uri)))?;
        let state = self.state.as_deref().map(|state| ("state", state));
        to.query_pairs_mut()
            .extend_pairs(with.iter().copied().chain(state));
        Ok(to)
    }
}

/// The user who says yes, if they are there and may.
pub(super) fn consenting(sim: &Inner, world: &World, app: &App, who: &str) -> Result<User, Turned> {
    let user = world
        .user(who)
        .filter(|user| user.active())
        .cloned()
        .ok_or_else(|| {
            Turned::page(
                "Nobody can sign in like this",
                &format!("Nobody who can sign in is called {who}."),
            )
        })?;
    if !may_install(app, &user, sim.config().quirks.admin_apps_for_all) {
        return Err(Turned::page(
            "You cannot authorize this app",
            &format!(
                "{} is for the whole account. Ask an admin of your Zoom account to add it; {} is not one.",
                app.name, user.email
            ),
        ));
    }
    if !app.approved_in(&user.account_id) {
        return Err(Turned::page(
            "This app needs approval",
            &format!(
                "{} is not approved for your account. Ask an admin of your Zoom account to approve it.",
                app.name
            ),
        ));
    }
    Ok(user)
}

/// Account-wide apps are for those who manage the account.
pub(super) fn may_install(app: &App, user: &User, anybody: bool) -> bool {
    app.kind == AppKind::UserManaged || anybody || user.manages_account()
}
