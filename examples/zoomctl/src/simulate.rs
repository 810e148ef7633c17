//! `zoomctl simulate`: a Zoom on a port.

use anyhow::Result;
use clap::Args;
use url::Url;
use zoom_core::Clock;
use zoom_simulator::{Config, Simulator};

/// Arguments of `zoomctl simulate`.
#[derive(Debug, Args)]
pub(crate) struct Simulate {
    /// Where to listen on 127.0.0.1; 0 takes a free port
    #[arg(long, default_value_t = 8090)]
    port: u16,
    /// Send webhooks here from the start
    #[arg(long)]
    webhooks: Option<Url>,
}

impl Simulate {
    pub(crate) async fn run(self) -> Result<()> {
        let mut config = Config::default();
        config.port = self.port;
        // a client that keeps its database must not meet the meetings of an earlier run again
        config.seed = u64::try_from(Clock::system().now().as_microsecond())?;
        let simulator = Simulator::start(config).await?;
        let known = simulator.config();
        println!("export ZOOM_BASE_URL={}", simulator.base_url());
        println!("export ZOOM_MEDIA_ORIGIN={}", simulator.media_origin());
        println!("export ZOOM_CLIENT_ID={}", known.client_id);
        println!("export ZOOM_CLIENT_SECRET={}", known.client_secret);
        println!("export ZOOM_WEBHOOK_SECRET={}", known.webhook_secret);
        println!("export ZOOM_ACCOUNT_ID={}", known.account_id);
        println!("export ZOOM_S2S_CLIENT_ID={}", known.s2s_client_id);
        println!("export ZOOM_S2S_CLIENT_SECRET={}", known.s2s_client_secret);
        if let Some(url) = &self.webhooks {
            simulator.subscribe(url).await?;
        }
        tokio::signal::ctrl_c().await?;
        Ok(())
    }
}
