//! What Zoom says, and what it means for a connection.

use std::time::Duration;

use jiff::SignedDuration;
use token_store::Status;
use zoom_core::TokenSource as _;
use zoom_oauth::ErrorKind;

use super::{source, status};
use crate::zoom::{Fault, Zoom, owner};

#[tokio::test]
async fn invalid_grant_expires_the_connection_once_and_with_its_reason() {
    let (zoom, connections) = Zoom::connected().await;
    let source = source(&connections).await;
    zoom.revoke_all();
    zoom.pass_an_hour();
    let error = source.access_token().await.unwrap_err();
    assert!(error.needs_reauthorization());
    assert_eq!(
        status(&connections).await,
        (Status::Expired, Some("invalid_grant".into()))
    );
    assert!(source.access_token().await.unwrap_err().needs_reauthorization());
    assert_eq!(
        zoom.calls("refresh_token"),
        1,
        "a dead token is never tried again"
    );
    let error = connections.client_for(&owner("rep")).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.code()),
        (ErrorKind::Expired, Some("invalid_grant"))
    );
    zoom.connect(&connections, "rep").await;
    assert_eq!(
        status(&connections).await,
        (Status::Active, None),
        "connecting again brings it back"
    );
}

#[tokio::test]
async fn a_500_is_tried_again_and_passes() {
    let (zoom, connections) = Zoom::connected().await;
    let source = source(&connections).await;
    zoom.pass_an_hour();
    zoom.fail_next(Fault::Status(500));
    source.access_token().await.unwrap();
    assert_eq!(zoom.calls("refresh_token"), 2);
    assert_eq!(status(&connections).await, (Status::Active, None));
}

#[tokio::test]
async fn a_zoom_that_is_down_never_logs_anybody_out() {
    let (zoom, connections) = Zoom::connected().await;
    let source = source(&connections).await;
    zoom.pass_an_hour();
    for fault in [
        Fault::Status(500),
        Fault::Status(503),
        Fault::Status(502),
        Fault::Status(504),
    ] {
        zoom.fail_next(fault);
    }
    for _ in 0..2 {
        let error = source.access_token().await.unwrap_err();
        assert!(
            error.is_retryable() && !error.needs_reauthorization(),
            "{error:?}"
        );
        assert_eq!(status(&connections).await, (Status::Active, None));
    }
    assert_eq!(zoom.calls("refresh_token"), 4);
    source.access_token().await.unwrap();
}

#[tokio::test]
async fn a_429_is_not_tried_again_at_once_and_says_when() {
    let (zoom, connections) = Zoom::connected().await;
    zoom.pass_an_hour();
    zoom.fail_next(Fault::RateLimited(17));
    let error = source(&connections).await.access_token().await.unwrap_err();
    assert!(error.is_retryable());
    let error = std::error::Error::source(&error)
        .unwrap()
        .downcast_ref::<zoom_oauth::Error>()
        .unwrap();
    assert_eq!(
        (error.kind(), error.retry_after()),
        (ErrorKind::Unavailable, Some(Duration::from_secs(17)))
    );
    assert_eq!(zoom.calls("refresh_token"), 1);
}

#[tokio::test]
async fn a_refused_app_does_not_log_its_users_out() {
    let (zoom, connections) = Zoom::connected().await;
    zoom.pass_an_hour();
    zoom.fail_next(Fault::InvalidClient);
    let error = source(&connections).await.access_token().await.unwrap_err();
    assert!(!error.needs_reauthorization());
    assert_eq!(status(&connections).await, (Status::Active, None));
}

#[tokio::test]
async fn while_zoom_does_not_answer_a_token_with_a_minute_left_still_serves() {
    let (zoom, connections) = Zoom::connected().await;
    let source = source(&connections).await;
    let present = source.access_token().await.unwrap();
    zoom.pass(SignedDuration::from_mins(58));
    for _ in 0..2 {
        zoom.fail_next(Fault::Status(503));
    }
    assert_eq!(
        source.access_token().await.unwrap().expose_secret(),
        present.expose_secret()
    );
    for _ in 0..2 {
        zoom.fail_next(Fault::Status(503));
    }
    assert!(
        source.invalidate(&present).await.is_err(),
        "but not one that was refused"
    );
}

#[tokio::test]
async fn an_answer_that_was_lost_is_named_as_the_reason() {
    let (zoom, connections) = Zoom::connected().await;
    let source = source(&connections).await;
    zoom.pass_an_hour();
    zoom.fail_next(Fault::LostAnswer);
    assert!(source.access_token().await.unwrap_err().is_retryable());
    assert_eq!(
        status(&connections).await,
        (Status::Active, None),
        "one strange answer is no reason"
    );
    assert!(source.access_token().await.unwrap_err().needs_reauthorization());
    assert_eq!(
        status(&connections).await,
        (Status::Expired, Some("answer_lost".into()))
    );
}
