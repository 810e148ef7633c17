//! The simulator as a program.

use std::{
    error::Error as StdError,
    io::{self, Write as _},
    net::IpAddr,
    time::Duration,
};

use clap::Parser;
use tracing_subscriber::EnvFilter;
use url::Url;
use zoom_simulator::{Config, RateLimits, Rotation, Simulator, UserKind, UserSpec, VirtualClock};

/// A Zoom on this machine: OAuth, REST, recordings, webhooks, faults.
#[derive(Debug, Parser)]
#[command(version)]
struct Args {
    /// Address to listen on.
    #[arg(long, default_value = "127.0.0.1")]
    bind: IpAddr,
    /// Port to listen on; 0 takes a free one.
    #[arg(long, default_value_t = 8085)]
    port: u16,
    /// Port of the origin that serves recordings; 0 takes a free one.
    #[arg(long, default_value_t = 0)]
    cdn_port: u16,
    /// How clients reach it, if not by the address it listens on.
    #[arg(long)]
    public_url: Option<Url>,
    /// How clients reach the origin that serves recordings.
    #[arg(long)]
    public_cdn_url: Option<Url>,
    /// Client id of the user-managed app.
    #[arg(long)]
    client_id: Option<String>,
    /// Client secret of the user-managed app.
    #[arg(long)]
    client_secret: Option<String>,
    /// Redirect address that the app allows; several may be given, none allows every one.
    #[arg(long)]
    redirect_uri: Vec<String>,
    /// Scope of the app; several may be given.
    #[arg(long)]
    scope: Vec<String>,
    /// The Secret Token that signs webhooks.
    #[arg(long)]
    webhook_secret: Option<String>,
    /// Send webhooks here; the receiver must be up and answer the URL validation.
    #[arg(long)]
    webhook_url: Vec<Url>,
    /// The account's id.
    #[arg(long)]
    account_id: Option<String>,
    /// One more licensed user, as `address:First:Last`.
    #[arg(long)]
    user: Vec<String>,
    /// Seconds an access token lives.
    #[arg(long, default_value_t = 3600)]
    access_token_life: u64,
    /// Seconds an unused refresh token lives.
    #[arg(long, default_value_t = 90 * 24 * 3600)]
    refresh_token_life: u64,
    /// How often a refresh token works after it was replaced.
    #[arg(long, default_value_t = 0)]
    refresh_tolerance: u32,
    /// A new Server-to-Server token kills the one before it.
    #[arg(long)]
    s2s_single_token: bool,
    /// Limit requests as this plan of Zoom does.
    #[arg(long, value_enum)]
    limits: Option<Plan>,
    /// Put in front of every token.
    #[arg(long, default_value = "")]
    token_prefix: String,
    /// Ids and tokens come from this number; without it they are others each time.
    #[arg(long)]
    seed: Option<u64>,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Plan {
    Free,
    Pro,
    Business,
}

impl Args {
    fn config(self) -> Config {
        let mut config = Config::default();
        config.bind = self.bind;
        config.port = self.port;
        config.cdn_port = self.cdn_port;
        config.public_url = self.public_url;
        config.public_cdn_url = self.public_cdn_url;
        config.redirect_uris = self.redirect_uri;
        config.access_token_life = Duration::from_secs(self.access_token_life);
        config.refresh_token_life = Duration::from_secs(self.refresh_token_life);
        config.s2s_single_token = self.s2s_single_token;
        config.token_prefix = self.token_prefix;
        // a client that kept its database must not meet the same meetings again
        config.seed = self
            .seed
            .unwrap_or_else(|| VirtualClock::new().now().as_microsecond().unsigned_abs());
        if self.refresh_tolerance > 0 {
            config.rotation = Rotation::Tolerance(self.refresh_tolerance);
        }
        for (field, value) in [
            (&mut config.client_id, self.client_id),
            (&mut config.client_secret, self.client_secret),
            (&mut config.webhook_secret, self.webhook_secret),
            (&mut config.account_id, self.account_id),
        ] {
            if let Some(value) = value {
                *field = value;
            }
        }
        if !self.scope.is_empty() {
            config.scopes = self.scope;
        }
        match self.limits {
            None => {}
            Some(Plan::Free) => config.rate_limits = RateLimits::free(),
            Some(Plan::Pro) => config.rate_limits = RateLimits::pro(),
            Some(Plan::Business) => config.rate_limits = RateLimits::business(),
        }
        for user in self.user {
            let mut parts = user.splitn(3, ':');
            let mut part = || parts.next().unwrap_or_default();
            config.users.push(UserSpec::licensed(part(), part(), part()));
        }
        config
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn StdError>> {
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info")))
        .with_writer(io::stderr)
        .init();
    let mut args = Args::parse();
    let webhooks = std::mem::take(&mut args.webhook_url);
    let simulator = Simulator::start(args.config()).await?;
    introduce(&simulator)?;
    for url in webhooks {
        simulator.subscribe(&url).await?;
    }
    tokio::signal::ctrl_c().await?;
    Ok(())
}

/// Where it listens, and what a client has to know.
fn introduce(simulator: &Simulator) -> io::Result<()> {
    let (base, config) = (simulator.base_url(), simulator.config());
    let mut out = io::stdout().lock();
    writeln!(out, "listening on {base}")?;
    writeln!(out, "  recordings      {}", simulator.media_origin())?;
    writeln!(out, "  authorize       {base}oauth/authorize")?;
    writeln!(out, "  token           {base}oauth/token")?;
    writeln!(out, "  api             {base}v2")?;
    writeln!(out, "  control         {base}control")?;
    writeln!(out, "  client id       {}", config.client_id)?;
    writeln!(out, "  client secret   {}", config.client_secret)?;
    writeln!(out, "  webhook secret  {}", config.webhook_secret)?;
    writeln!(out, "  account id      {}", config.account_id)?;
    writeln!(
        out,
        "  s2s             {} / {}",
        config.s2s_client_id, config.s2s_client_secret
    )?;
    for user in &config.users {
        let plan = if user.kind == UserKind::Licensed {
            "Licensed"
        } else {
            "Basic"
        };
        writeln!(out, "  user            {} ({plan})", user.email)?;
    }
    out.flush()
}
