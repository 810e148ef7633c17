use zoom_webhooks::Delivery;

fn main() {
    let _forged = Delivery::verified(b"{}", "secret".into());
}
