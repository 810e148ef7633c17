//! Users and apps.

use axum::{body::Bytes, extract::State};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{body, done, refused};
use crate::{
    answer::Answer,
    config::{AppKind, AppSpec, UserSpec},
    error::Error,
    simulator::{Inner, Shared},
    world::{AppChange, UserChange},
};

/// Takes fields out of an object that is then read as something else.
fn take(object: &mut Value, name: &str) -> Option<Value> {
    object.as_object_mut()?.remove(name)
}

fn take_text(object: &mut Value, name: &str) -> Option<String> {
    take(object, name)?.as_str().map(str::to_owned)
}

fn read<T: for<'a> Deserialize<'a>>(value: Value) -> Result<T, Error> {
    serde_json::from_value(value).map_err(|error| Error::refused(error.to_string()))
}

/// Changes a user; adds one that is not there and has an address.
pub(super) async fn change_user(State(sim): State<Shared>, bytes: Bytes) -> Answer {
    let mut wanted: Value = match body(&bytes) {
        Ok(wanted) => wanted,
        Err(answer) => return answer,
    };
    let Some(user) = take_text(&mut wanted, "user") else {
        return refused("user is missing");
    };
    done(read(wanted).and_then(|change| put_user(&sim, &user, change)))
}

fn put_user(sim: &Inner, user: &str, change: UserChange) -> Result<Value, Error> {
    if sim.world().user(user).is_none() && user.contains('@') {
        sim.add_user(&UserSpec::licensed(user, "New", "User"))?;
    }
    let after = change.email.clone().unwrap_or_else(|| user.to_owned());
    sim.change_user(user, change)?;
    let world = sim.world();
    Ok(world
        .user(user)
        .or_else(|| world.user(&after))
        .map_or(Value::Null, |user| user.summary()))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RemoveUser {
    user: String,
}

pub(super) async fn remove_user(State(sim): State<Shared>, bytes: Bytes) -> Answer {
    match body::<RemoveUser>(&bytes) {
        Ok(wanted) => done(sim.remove_user(&wanted.user).map(|()| json!({}))),
        Err(answer) => answer,
    }
}

/// Changes an app; with a `kind`, adds one.
pub(super) async fn change_app(State(sim): State<Shared>, bytes: Bytes) -> Answer {
    let mut wanted: Value = match body(&bytes) {
        Ok(wanted) => wanted,
        Err(answer) => return answer,
    };
    let Some(client_id) = take_text(&mut wanted, "client_id") else {
        return refused("client_id is missing");
    };
    done(put_app(&sim, &client_id, wanted))
}

fn put_app(sim: &Inner, client_id: &str, mut wanted: Value) -> Result<Value, Error> {
    if let Some(kind) = take(&mut wanted, "kind") {
        let kind: AppKind = read(kind)?;
        let secret = take_text(&mut wanted, "client_secret").unwrap_or_else(|| format!("{client_id}-secret"));
        let mut app = AppSpec::new(kind, client_id, &secret);
        if take(&mut wanted, "classic").is_some_and(|classic| classic == true) {
            app = app.classic();
        }
        if let Some(name) = take_text(&mut wanted, "name") {
            app = app.name(&name);
        }
        app.account_id = take_text(&mut wanted, "account_id");
        let change: AppChange = read(wanted)?;
        sim.add_app(app)?;
        sim.change_app(client_id, change)?;
    } else {
        sim.change_app(client_id, read(wanted)?)?;
    }
    Ok(sim
        .world()
        .app(client_id)
        .map_or(Value::Null, crate::world::App::summary))
}
