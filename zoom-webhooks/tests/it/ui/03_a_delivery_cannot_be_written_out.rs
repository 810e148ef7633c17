use zoom_webhooks::Delivery;

fn main() {
    let _forged = Delivery {
        body: Default::default(),
        secret_id: "secret".into(),
        head: Default::default(),
    };
}
