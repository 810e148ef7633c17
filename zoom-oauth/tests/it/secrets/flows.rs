//! Everything that works.

use std::{sync::Arc, time::Duration};

use futures_util::{FutureExt as _, StreamExt as _};
use token_store::{Filter, Quarantined, Rotation, TokenStoreExt as _};
use zoom_core::{TokenSource as _, UserId};
use zoom_oauth::{
    AuthorizeRequest, Candidates, Connections, Feature, Keeper, Opener, Resolver, SEALED_FIELDS, StateKind,
    Viewer,
};
use zoom_simulator::{Failure, Fault};

use super::stage::{BASIL, ELEANOR, MARK, MAYA, Mood, Stage, owner, session};

/// Connecting in every way there is.
pub(crate) async fn connecting(stage: &Stage) -> Connections {
    let shown = &stage.shown;
    shown.debug(&session());
    let connections = stage.connections();
    shown.json(&connections.probe().await.unwrap());
    stage.connect(&connections, "maya", MAYA).await.unwrap();
    stage.connect(&connections, "maya", MAYA).await.unwrap();

    // With a state that carries itself, all features, and the verifier in nobody's store.
    let sealed = stage.builder_for(stage.app()).with_state(StateKind::Sealed);
    let sealed = sealed.features(Feature::ALL).build().unwrap();
    let basil = stage.connect(&sealed, "basil", BASIL).await.unwrap();
    assert!(!basil.missing.is_empty(), "it lacks a licence");
    shown.json(&basil.missing);
    shown.json(&basil.cause().map(|cause| (cause.message(), cause.action())));

    // From the Marketplace.
    let config = stage.zoom.config();
    let redirect = connections.app().redirect_uri();
    let back = stage
        .zoom
        .install(&config.client_id, ELEANOR, Some(redirect))
        .unwrap();
    let callback = stage.callback(back.query().unwrap());
    let parked = connections.park(&callback, &session()).await.unwrap();
    let again = connections.park(&callback, &session()).await.unwrap();
    for parked in [&parked, &again] {
        shown.secret(&parked.ticket);
        shown.debug(parked);
        shown.json(&parked.view);
    }
    shown.json(&connections.parked(&parked.ticket, &session()).await.unwrap());
    let signed_in = session().with_owner(owner("eleanor"));
    let request = AuthorizeRequest::new(&owner("eleanor"), &signed_in).opened_by("eleanor");
    shown.debug(&request);
    shown.json(&connections.claim_with(&parked.ticket, &request).await.unwrap());
    connections
}

/// Calls, refreshes, looks.
pub(crate) async fn using(stage: &Stage, connections: &Connections) {
    let shown = &stage.shown;
    let maya = owner("maya");
    let source = connections.token_source(&maya).await.unwrap();
    shown.debug(&source);
    let token = source.access_token().await.unwrap();
    assert!(token.expose_secret().contains(MARK), "tokens carry the mark");
    shown.debug(&token);
    let client = connections.client_for(&maya).await.unwrap();
    shown.debug(&client);
    shown.debug(&client.users().me().await.unwrap());
    source.invalidate(&token).await.unwrap();
    stage.pass(60);
    client.users().me().await.unwrap();
    shown.json(&connections.refresh(&maya).await.unwrap());
    let health = connections.test(&maya).await.unwrap();
    assert!(health.answered);
    shown.json(&health);
    let connection = connections.connection(&maya).await.unwrap().unwrap();
    let (account, user) = (connection.account_id.clone(), connection.user_id.clone());
    let now = stage.clock().now();
    connections
        .note_webhook(&account, Some(&user), now)
        .await
        .unwrap();
    shown.json(&connections.find_by_zoom(&account, Some(&user)).await.unwrap());
    shown.json(&connections.list().await.unwrap());
    for viewer in [Viewer::admin("ada"), Viewer::member("mo")] {
        for opener in [Opener::named("maya"), Opener::left()] {
            shown.json(&viewer.view(Some(&connection), opener));
        }
    }
    let keeper = Keeper::new(connections.clone()).with_refresh_idle_after(Duration::ZERO);
    shown.debug(&keeper);
    shown.debug(&keeper.once().await);
    // An answer that is lost leaves the intent on the record.
    stage.pass(60);
    let reset = Failure::new(Fault::ConnectionReset).on("/oauth/token");
    stage.zoom.fail_next(reset.times(9));
    let lost = connections.refresh(&owner("eleanor")).await.unwrap_err();
    shown.error(lost);
    stage.zoom.clear_faults();
    stage.pass(10);
    let settled = connections.settle_interrupted().await.unwrap();
    assert!(!settled.is_empty(), "there was something to settle");
    shown.json(&settled);
    shown.debug(&connections.finish(&maya).await.unwrap());
    shown.json(&connections.history(&maya, 100).await.unwrap());
}

/// The system account, and who it steps in for.
pub(crate) async fn resolving(stage: &Stage, connections: &Connections) {
    let shown = &stage.shown;
    let system = stage.system();
    let token = system.access_token().await.unwrap();
    assert!(token.expose_secret().contains(MARK));
    system.invalidate(&token).await.unwrap();
    shown.debug(&system.client());
    shown.debug(&system.client().users().get(&UserId::new(MAYA)).await.unwrap());
    let resolver = Resolver::new(connections.clone()).with_system(Arc::new(system), UserId::new(MAYA));
    shown.debug(&resolver);
    for name in ["maya", "basil", "eleanor", "nobody"] {
        for needs in [&[][..], &Feature::ALL[..]] {
            let candidates = Candidates::new().user(owner(name)).organisation(owner("org"));
            shown.debug(&candidates);
            let resolution = resolver.resolve_for(&candidates, needs).await.unwrap();
            shown.debug(&resolution);
            shown.json(&resolution.account);
            shown.json(&resolution.record(stage.clock().now()));
            shown.text(resolution.explain());
        }
    }
}

/// Keys change; what does not open is put aside.
pub(crate) async fn rotating(stage: &Stage) {
    let shown = &stage.shown;
    shown.debug(&stage.key_file);
    shown.debug(&stage.vault());
    let old = stage.key_file.ids().unwrap().remove(0);
    shown.debug(&stage.key_file.add_primary().unwrap());
    let rotation = || {
        Rotation::new(
            Arc::clone(&stage.home.store),
            stage.vault(),
            SEALED_FIELDS.iter().copied(),
        )
        .with_rate(0)
    };
    shown.debug(&rotation());
    stage.keys.set(Mood::RefusesAll);
    let lost = rotation()
        .run(|progress| shown.text(format!("{progress} {progress:?}")))
        .await;
    shown.debug(&lost);
    if let Err(error) = lost {
        shown.any_error(&error);
    }
    for quarantined in Quarantined::list(&*stage.home.store).await.unwrap() {
        shown.debug(&quarantined);
    }
    stage.keys.set(Mood::Good);
    let done = rotation()
        .run(|progress| shown.text(progress.to_string()))
        .await
        .unwrap();
    shown.debug(&done);
    assert!(done.rotated > 0 || done.recovered > 0, "{done:?}");
    shown.debug(&stage.key_file.retire(&old));
}

/// The ways out.
pub(crate) async fn leaving(stage: &Stage, connections: &Connections) {
    let shown = &stage.shown;
    stage.connect(connections, "leaver", MAYA).await.unwrap();
    // Zoom is down: the tokens are in memory only, and tried again and again.
    stage.zoom.fail_next(
        Failure::new(Fault::ConnectionReset)
            .on("POST /oauth/revoke")
            .times(5),
    );
    for name in ["maya", "leaver"] {
        shown.json(&connections.disconnect(&owner(name)).await.unwrap());
    }
    shown.json(&connections.revocations());
    shown.json(&connections.drain().await);
    stage.zoom.clear_faults();
    shown.json(&connections.connection(&owner("maya")).await.unwrap());
    shown.json(&connections.erase(&owner("leaver")).await.unwrap());
    let basil = connections.connection(&owner("basil")).await.unwrap().unwrap();
    stage.zoom.deauthorize(BASIL);
    let ended = connections
        .deauthorize(&basil.account_id, &basil.user_id)
        .await
        .unwrap();
    assert_eq!(ended, 1);
    shown.json(&connections.flush().await);
}

/// What waits in the database until somebody comes for it.
pub(crate) async fn waiting(stage: &Stage) {
    let connections = stage.connections();
    stage.connect(&connections, "maya", MAYA).await.unwrap();
    let (id, redirect) = (&stage.zoom.config().client_id, connections.app().redirect_uri());
    let back = stage.zoom.install(id, BASIL, Some(redirect)).unwrap();
    let callback = stage.callback(back.query().unwrap());
    let parked = connections.park(&callback, &session()).await.unwrap();
    stage.shown.secret(&parked.ticket);
    stage.authorize(&connections, "nobody").await;
    stage.system().access_token().await.unwrap();
}

/// What the records say for everybody to read.
pub(crate) async fn records(stage: &Stage) {
    let records = stage.home.store.find_all(&Filter::all()).await.unwrap();
    let sealed = records.iter().filter(|record| record.value.sealed.is_some());
    assert!(sealed.count() > 3, "{records:?}");
    for record in records {
        stage.shown.debug(&record);
        stage.shown.debug(&record.value.attributes);
        stage.shown.text(record.value.id.as_str());
        let entries = stage.home.history.entries(&record.value.id, 100).await.unwrap();
        stage.shown.json(&entries);
    }
}

/// All of it, with a reader of the stream.
pub(crate) async fn all(stage: &Stage) {
    let connections = connecting(stage).await;
    let mut events = connections.events();
    using(stage, &connections).await;
    resolving(stage, &connections).await;
    rotating(stage).await;
    leaving(stage, &connections).await;
    let mut count = 0;
    while let Some(Some(event)) = events.next().now_or_never() {
        stage.shown.json(&event);
        count += 1;
    }
    assert!(count > 3, "{count} events");
}
