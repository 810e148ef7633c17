//! A thousand calls at once on a token that has run out: one refresh, and no call fails.

use std::{collections::BTreeSet, sync::Arc};

use crate::{
    children::{Orders, Process},
    stage::{Stage, owner},
};

/// What processes that all begin at the same time say at the end.
async fn together(orders: Vec<Orders>) -> Vec<String> {
    let run = move || {
        let mut processes: Vec<_> = orders.iter().map(Process::start).collect();
        for process in &mut processes {
            assert_eq!(process.says().unwrap(), "ready");
        }
        for process in &mut processes {
            process.go();
        }
        let mut said = Vec::new();
        for process in &mut processes {
            said.extend(std::iter::from_fn(|| process.says()));
        }
        said
    };
    tokio::task::spawn_blocking(run).await.unwrap()
}

fn tokens(said: &[String]) -> BTreeSet<&str> {
    let tokens = said.iter().map(String::as_str);
    tokens.filter(|said| *said != "done").collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_calls_in_one_process_make_one_exchange() {
    let stage = Stage::open(1, |_| {}).await;
    let connections = stage.place().connections().await;
    stage.connect(&connections, 0).await;
    stage.pass_an_hour();
    let connections = stage.place().connections().await;
    let source = connections.token_source(&owner(0)).await.unwrap();
    let calls: Vec<_> = (0..1000)
        .map(|_| {
            let source = Arc::clone(&source);
            tokio::spawn(async move { source.access_token().await.unwrap().fingerprint() })
        })
        .collect();
    let mut tokens = BTreeSet::new();
    for call in calls {
        tokens.insert(call.await.unwrap());
    }
    assert_eq!(
        (tokens.len(), stage.zoom.count("token.refresh_token")),
        (1, 1),
        "{tokens:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_calls_in_four_processes_make_one_exchange() {
    let stage = Stage::open(1, |_| {}).await;
    let connections = stage.place().connections().await;
    stage.connect(&connections, 0).await;
    for round in 1..=3 {
        stage.pass_an_hour();
        let orders = Orders::Stampede {
            place: stage.place(),
            owner: owner(0).to_string(),
            callers: 250,
        };
        let said = together(vec![orders; 4]).await;
        assert_eq!(said.len(), 1004, "a process has died");
        assert_eq!(tokens(&said).len(), 1, "{:?}", tokens(&said));
        assert_eq!(stage.zoom.count("token.refresh_token"), round);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn four_processes_share_the_one_token_that_the_system_account_may_have() {
    let stage = Stage::open(0, |config| config.s2s_single_token = true).await;
    for round in 1..=3 {
        let orders = Orders::System {
            place: stage.place(),
            callers: 50,
        };
        let said = together(vec![orders; 4]).await;
        assert_eq!(said.len(), 204, "a process has died");
        assert_eq!(tokens(&said).len(), 1, "{:?}", tokens(&said));
        assert_eq!(stage.zoom.count("token.account_credentials"), round);
        // Now Zoom refuses it, and one of them has the next.
        if round == 1 {
            stage.zoom.expire_access_tokens();
        } else {
            stage.pass_an_hour();
        }
    }
}
