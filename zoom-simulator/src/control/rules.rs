//! The rules that can change while it runs.

use std::time::Duration;

use axum::{body::Bytes, extract::State};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{body, refused};
use crate::{
    answer::Answer,
    config::{ApiUrl, Config, Rotation},
    json::Fields as _,
    simulator::Shared,
};

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Rules {
    rotation: Option<Rotation>,
    api_url: Option<ApiUrl>,
    /// In seconds, like the others.
    access_token_life: Option<u64>,
    refresh_token_life: Option<u64>,
    code_life: Option<u64>,
    device_code_life: Option<u64>,
    device_interval: Option<u64>,
    s2s_single_token: Option<bool>,
    paid_account: Option<bool>,
    quirks: Option<Value>,
}

fn shown(config: &Config) -> Value {
    json!({
        "rotation": config.rotation,
        "api_url": config.api_url,
        "access_token_life": config.access_token_life.as_secs(),
        "refresh_token_life": config.refresh_token_life.as_secs(),
        "code_life": config.code_life.as_secs(),
        "device_code_life": config.device_code_life.as_secs(),
        "device_interval": config.device_interval.as_secs(),
        "s2s_single_token": config.s2s_single_token,
        "paid_account": config.paid_account,
        "quirks": config.quirks,
    })
}

pub(super) async fn show(State(sim): State<Shared>) -> Answer {
    Answer::ok(&shown(&sim.config()))
}

pub(super) async fn change(State(sim): State<Shared>, bytes: Bytes) -> Answer {
    let wanted: Rules = match body(&bytes) {
        Ok(wanted) => wanted,
        Err(answer) => return answer,
    };
    let mut quirks = json!(sim.config().quirks);
    if let Some(change) = wanted.quirks {
        quirks.lay_over(change);
    }
    let quirks = match serde_json::from_value(quirks) {
        Ok(quirks) => quirks,
        Err(error) => return refused(&error.to_string()),
    };
    sim.change_config(|config| {
        config.quirks = quirks;
        for (field, seconds) in [
            (&mut config.access_token_life, wanted.access_token_life),
            (&mut config.refresh_token_life, wanted.refresh_token_life),
            (&mut config.code_life, wanted.code_life),
            (&mut config.device_code_life, wanted.device_code_life),
            (&mut config.device_interval, wanted.device_interval),
        ] {
            if let Some(seconds) = seconds {
                *field = Duration::from_secs(seconds);
            }
        }
        config.rotation = wanted.rotation.unwrap_or(config.rotation);
        config.s2s_single_token = wanted.s2s_single_token.unwrap_or(config.s2s_single_token);
        config.paid_account = wanted.paid_account.unwrap_or(config.paid_account);
        if let Some(api_url) = wanted.api_url {
            config.api_url = api_url;
        }
    });
    show(State(sim)).await
}
