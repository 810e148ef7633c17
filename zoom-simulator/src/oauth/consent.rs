//! `/oauth/authorize`: a user says yes or no.

use axum::{body::Bytes, extract::State};
use http::{StatusCode, Uri};
use jiff::SignedDuration;
use url::Url;

use super::{mint, page, tokens::Code};
use crate::{
    answer::Answer,
    config::AppKind,
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
}

/// What the user says.
#[derive(Clone, Debug)]
pub(crate) enum Decision {
    Deny,
    Allow {
        /// Id or address.
        user: String,
        optional_scopes: Vec<String>,
    },
}

pub(super) async fn page(State(sim): State<Shared>, uri: Uri) -> Answer {
    let params = Params::parse(uri.query());
    let mut world = sim.world();
    world.count("authorize");
    match Consent::read(&world, &params) {
        Ok(consent) => {
            let Some(app) = world.app(&consent.client_id) else {
                return Answer::not_found();
            };
            Answer::html(
                StatusCode::OK,
                page::render(app, &world.users, uri.query().unwrap_or_default()),
            )
        }
        Err(answer) => answer,
    }
}

/// The form of [`page`]; it carries the query of the request it answers.
pub(super) async fn decide(State(sim): State<Shared>, uri: Uri, body: Bytes) -> Answer {
    let form = Params::default().and(&body);
    let query = form.get("request").or(uri.query()).unwrap_or_default().to_owned();
    let decision = match form.get("decision") {
        Some("allow") => Decision::Allow {
            user: form.get("user").unwrap_or_default().to_owned(),
            optional_scopes: form.all("optional_scope").map(str::to_owned).collect(),
        },
        _ => Decision::Deny,
    };
    let mut world = sim.world();
    match Consent::read(&world, &Params::parse(Some(&query))) {
        Ok(consent) => consent.decide(&sim, &mut world, &decision).map_or_else(
            |reason| Answer::web_error(StatusCode::BAD_REQUEST, 4700, &reason),
            |to| Answer::found(to.as_str()),
        ),
        Err(answer) => answer,
    }
}

impl Consent {
    /// Checks the request as Zoom does before it shows anything. What is wrong with the redirect is never redirected.
    pub(crate) fn read(world: &World, params: &Params) -> Result<Self, Answer> {
        let error = |code, message: &str| Answer::web_error(StatusCode::BAD_REQUEST, code, message);
        let app = params
            .get("client_id")
            .and_then(|id| world.app(id))
            .filter(|app| app.kind != AppKind::ServerToServer)
            .ok_or_else(|| error(4702, "Invalid client."))?;
        let redirect_uri = params.get("redirect_uri").unwrap_or_default();
        if !app.allows_redirect(redirect_uri) {
            return Err(error(4700, &format!("Invalid redirect: {redirect_uri}")));
        }
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
        };
        if params.get("response_type") != Some("code") {
            return Err(consent.failed("invalid_request"));
        }
        if consent
            .challenge
            .as_ref()
            .is_some_and(|(_, method)| !matches!(method.as_str(), "S256" | "plain"))
        {
            return Err(consent.failed("invalid_request"));
        }
        let unknown = params.get("scope").is_some_and(|scopes| {
            scopes.split(' ').any(|scope| {
                !app.scopes
                    .iter()
                    .chain(&app.optional_scopes)
                    .any(|own| own == scope)
            })
        });
        if unknown {
            return Err(error(4700, "Invalid scope"));
        }
        Ok(consent)
    }

    /// Where the browser goes next.
    pub(crate) fn decide(&self, sim: &Inner, world: &mut World, decision: &Decision) -> Result<Url, String> {
        let Decision::Allow {
            user,
            optional_scopes,
        } = decision
        else {
            return self.back(&[("error", "access_denied")]);
        };
        let app = world.app(&self.client_id).cloned().ok_or("Invalid client.")?;
        let user = world
            .user(user)
            .cloned()
            .ok_or_else(|| format!("nobody here is called {user}"))?;
        if !may_install(&app, &user) {
            return Err(format!(
                "{} cannot install this app: ask an admin of the account",
                user.email
            ));
        }
        let code = mint::code(&mut world.random, &sim.config.token_prefix);
        let life = SignedDuration::try_from(sim.config.code_life).unwrap_or(SignedDuration::MAX);
        world.tokens.codes.insert(
            code.clone(),
            Code {
                client_id: self.client_id.clone(),
                user_id: user.id,
                scopes: app.granted(optional_scopes),
                redirect_uri: self.redirect_uri.clone(),
                challenge: self.challenge.clone(),
                expires: sim
                    .clock
                    .now()
                    .saturating_add(life)
                    .unwrap_or(jiff::Timestamp::MAX),
            },
        );
        self.back(&[("code", &code)])
    }

    fn back(&self, with: &[(&str, &str)]) -> Result<Url, String> {
        let mut to =
            Url::parse(&self.redirect_uri).map_err(|_| format!("Invalid redirect: {}", self.redirect_uri))?;
        let state = self.state.as_deref().map(|state| ("state", state));
        to.query_pairs_mut()
            .extend_pairs(with.iter().copied().chain(state));
        Ok(to)
    }

    fn failed(&self, error: &str) -> Answer {
        self.back(&[("error", error)]).map_or_else(
            |reason| Answer::web_error(StatusCode::BAD_REQUEST, 4700, &reason),
            |to| Answer::found(to.as_str()),
        )
    }
}

/// Account-wide apps are for those who manage the account.
pub(super) fn may_install(app: &App, user: &User) -> bool {
    app.kind == AppKind::UserManaged || user.manages_account()
}
