//! The host's own code panics in the middle, with all it was given in its last words.

use zoom_oauth::ErrorKind;

use super::stage::{MAYA, Mood, Stage, owner};

pub(crate) async fn all(stage: &Stage) {
    let connections = stage.connections();
    let shown = &stage.shown;
    // A listener: nobody notices.
    stage.listener.set(Mood::PanicsAtSaves);
    for _ in 0..2 {
        stage.connect(&connections, "panicky", MAYA).await.unwrap();
    }
    stage.listener.set(Mood::Good);

    // A store and a key provider: those who wait get an error, and it works again when they do.
    stage.store.set(Mood::PanicsAtSaves);
    let left = connections.disconnect(&owner("panicky")).await;
    shown.refusal(left, ErrorKind::Unavailable);
    stage.store.set(Mood::Good);
    for (number, in_store, mood) in [
        (1, true, Mood::PanicsAtSaves),
        (2, false, Mood::PanicsAtSaves),
        (3, false, Mood::PanicsAtLoads),
    ] {
        let name = format!("panicky-{number}");
        stage.connect(&connections, &name, MAYA).await.unwrap();
        let set = |mood| {
            if in_store {
                stage.store.set(mood);
            } else {
                stage.keys.set(mood);
            }
        };
        set(mood);
        let (caller, whose) = (connections.clone(), owner(&name));
        let refreshed = tokio::spawn(async move { caller.refresh(&whose).await });
        match refreshed.await {
            Ok(refreshed) => shown.refusal(refreshed, ErrorKind::Unavailable),
            // It happened before anything was begun that others may wait for.
            Err(error) => assert!(error.is_panic() && mood == Mood::PanicsAtLoads),
        }
        set(Mood::Good);
        let again = stage.connect(&connections, &name, MAYA).await.unwrap();
        assert!(again.is_live());
    }
}
