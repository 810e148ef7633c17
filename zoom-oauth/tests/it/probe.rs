//! An app's registration is looked at without anybody's consent.

use std::sync::Arc;

use token_store::MemoryStore;
use zoom_oauth::{App, AppProbe, ClientSecret, Connections, Endpoints, Opinion};
use zoom_simulator::{Config, Simulator};

use crate::zoom::vault;

async fn probe(simulator: &Simulator, secret: &str, redirect: &str) -> AppProbe {
    let app = App::new(
        &simulator.config().client_id,
        ClientSecret::new(secret),
        redirect.parse().unwrap(),
    );
    let connections = Connections::builder(app, Arc::new(MemoryStore::new()), vault())
        .endpoints(Endpoints::at(&simulator.base_url()))
        .build()
        .unwrap();
    connections.probe().await.unwrap()
}

#[tokio::test]
async fn wrong_credentials_and_a_wrong_redirect_are_told_apart() {
    let mut config = Config::default();
    config.redirect_uris = vec!["https://app.example/callback".into()];
    let simulator = Simulator::start(config).await.unwrap();
    let secret = simulator.config().client_secret.clone();
    let right = probe(&simulator, &secret, "https://app.example/callback").await;
    assert_eq!(
        (right.credentials, right.redirect),
        (Opinion::Right, Opinion::Right)
    );
    assert!(right.clock_ahead.is_some());
    let wrong = probe(&simulator, "another-secret", "https://app.example/callback").await;
    assert_eq!(
        (wrong.credentials, wrong.redirect),
        (Opinion::Wrong, Opinion::Right)
    );
    let wrong = probe(&simulator, &secret, "https://elsewhere.example/callback").await;
    assert_eq!(
        (wrong.credentials, wrong.redirect),
        (Opinion::Right, Opinion::Wrong)
    );
    assert_eq!(simulator.count("token.authorization_code.granted"), 0);
    let gone = simulator.base_url();
    drop(simulator);
    let app = App::new(
        "id",
        ClientSecret::new("s"),
        "https://app.example/callback".parse().unwrap(),
    );
    let connections = Connections::builder(app, Arc::new(MemoryStore::new()), vault())
        .endpoints(Endpoints::at(&gone))
        .build()
        .unwrap();
    let silent = connections.probe().await.unwrap();
    assert_eq!(
        (silent.credentials, silent.redirect),
        (Opinion::Unknown, Opinion::Unknown)
    );
}
