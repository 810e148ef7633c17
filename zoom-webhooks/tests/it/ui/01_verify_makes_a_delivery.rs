use zoom_webhooks::{Delivery, Verifier, WebhookSecret};

fn main() {
    let verifier = Verifier::new(WebhookSecret::new("secret").unwrap());
    let delivery: Option<Delivery> = verifier.verify(&http::HeaderMap::new(), b"{}").ok();
    assert!(delivery.is_none());
}
