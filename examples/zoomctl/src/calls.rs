//! `zoomctl calls list|show|search`.

use anyhow::{Context as _, Result};
use backend::Config;
use clap::Subcommand;
use zoom_calls::{CallFilter, CallId, CallReport, CallStore, Scope, SearchQuery};

use crate::{on_backend, output, story};

/// What to do with calls.
#[derive(Debug, Subcommand)]
pub(crate) enum Calls {
    /// The newest calls
    List {
        #[arg(long, default_value_t = 50)]
        limit: usize,
        #[arg(long)]
        json: bool,
    },
    /// One call, with its quotes
    Show {
        id: String,
        #[arg(long)]
        json: bool,
    },
    /// Where words were said: `budget`, `"next steps"`, `Route*`
    Search {
        query: String,
        #[arg(long, default_value_t = 20)]
        limit: usize,
        #[arg(long)]
        json: bool,
    },
}

impl Calls {
    pub(crate) async fn run(self, config: Config) -> Result<()> {
        on_backend(config, async |backend| {
            let calls = backend.calls.as_ref();
            match self {
                Self::List { limit, json } => list(calls, limit, json).await,
                Self::Show { id, json } => show(calls, &id, json).await,
                Self::Search { query, limit, json } => search(calls, &query, limit, json).await,
            }
        })
        .await
    }
}

async fn list(calls: &dyn CallStore, limit: usize, json: bool) -> Result<()> {
    let found = calls.list(&Scope::All, &CallFilter::new().limit(limit)).await?;
    if json {
        return output::json(&found);
    }
    output::table(
        [
            "id",
            "topic",
            "customer",
            "score",
            "sentiment",
            "next steps",
            "status",
        ],
        found.into_iter().map(|call| {
            [
                call.id.to_string(),
                call.topic,
                output::or_dash(call.contact),
                output::or_dash(call.closing_score),
                output::or_dash(call.sentiment_0_100),
                call.next_steps.to_string(),
                call.status.as_str().to_owned(),
            ]
        }),
    );
    Ok(())
}

async fn show(calls: &dyn CallStore, id: &str, json: bool) -> Result<()> {
    let call = calls.load(&Scope::All, &CallId::new(id)).await?;
    let call = call.with_context(|| format!("there is no call {id}; `zoomctl calls list` has the ids"))?;
    if json {
        return output::json(
            &serde_json::json!({ "call": CallReport::from(&call), "transcript": call.transcript }),
        );
    }
    print!("{}", story::call(&call));
    for line in call
        .transcript
        .iter()
        .flat_map(|transcript| &transcript.utterances)
    {
        println!(
            "{:>7}  {}: {}",
            output::clock(line.start_ms),
            output::or_dash(line.speaker.as_ref()),
            line.text
        );
    }
    Ok(())
}

async fn search(calls: &dyn CallStore, query: &str, limit: usize, json: bool) -> Result<()> {
    let hits = calls
        .search(&Scope::All, &SearchQuery::parse(query), limit)
        .await?;
    if json {
        return output::json(&hits);
    }
    for hit in &hits {
        let at = hit.start_ms.map(output::clock).unwrap_or_default();
        println!(
            "{}  {} {at} {}\n    {}",
            hit.call_id,
            hit.topic,
            output::or_dash(hit.speaker.as_ref()),
            hit.snippet
        );
    }
    if hits.is_empty() {
        println!("Nobody said that.");
    }
    Ok(())
}
