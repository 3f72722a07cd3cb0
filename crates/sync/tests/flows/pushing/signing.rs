//! Whose webhooks are taken.

use std::time::Duration;

use fanfare_domain::ids::OrganizationId;
use fanfare_sync::{Error, Webhook};
use serde_json::json;

use super::Shop;

impl Shop {
    fn seconds(&self) -> i64 {
        self.org.now().as_micros() / 1_000_000
    }

    async fn signed(&self, timestamp: &str, body: &[u8]) -> String {
        let (integration, organization) = (&self.org.integration, &self.org.organization);
        let signed = integration.sign_webhook(organization, timestamp, body);
        signed.await.unwrap()
    }

    async fn receive(&self, timestamp: &str, signature: &str, body: &[u8]) -> Result<(), Error> {
        let webhook = Webhook {
            timestamp,
            signature,
            body,
        };
        let (integration, organization) = (&self.org.integration, &self.org.organization);
        integration
            .receive_webhook(organization, webhook)
            .await
            .map(drop)
    }
}

fn is_refused(result: &Result<(), Error>) -> bool {
    matches!(result, Err(Error::SignatureInvalid))
}

#[tokio::test(start_paused = true)]
async fn a_signature_is_of_the_body_the_time_and_the_secret() {
    let shop = Shop::new(1).await;
    let body = shop.body("whk_1", "draw.completed", &json!({}));
    let now = shop.seconds().to_string();
    let good = shop.signed(&now, &body).await;

    let other_time = (shop.seconds() - 1).to_string();
    let mut other_body = body.clone();
    other_body.push(b' ');
    let mut other_code = good.clone();
    let last = if good.ends_with('0') { "1" } else { "0" };
    other_code.replace_range(good.len() - 1.., last);
    for (timestamp, signature, body) in [
        (other_time.as_str(), good.as_str(), &body),
        (&now, &good, &other_body),
        (&now, &other_code, &body),
        (&now, "", &body),
        ("", &good, &body),
        (&now, good.strip_prefix("sha256=").unwrap(), &body),
    ] {
        let received = shop.receive(timestamp, signature, body).await;
        assert!(is_refused(&received), "{received:?}");
    }
    assert!(shop.receive(&now, &good, &body).await.is_ok());
    assert_eq!(shop.deliveries().await.len(), 1);

    shop.wait(Duration::from_secs(301)).await;
    assert!(is_refused(&shop.receive(&now, &good, &body).await));
    let future = (shop.seconds() + 60).to_string();
    let signature = shop.signed(&future, &body).await;
    assert!(is_refused(&shop.receive(&future, &signature, &body).await));
}

#[tokio::test(start_paused = true)]
async fn a_secret_of_before_is_good_for_a_day() {
    let shop = Shop::new(1).await;
    let (integration, organization) = (&shop.org.integration, &shop.org.organization);
    let body = shop.body("whk_1", "draw.completed", &json!({}));
    // Signatures by the secret of before, made as long as it is the present one.
    let days = [0, 23, 25].map(|hours| (shop.seconds() + hours * 3_600).to_string());
    let mut before = Vec::new();
    for at in &days {
        before.push(shop.signed(at, &body).await);
    }
    integration
        .rotate_webhook_secret(organization)
        .await
        .unwrap();

    assert!(shop.receive(&days[0], &before[0], &body).await.is_ok());
    let now = shop.seconds().to_string();
    let present = shop.signed(&now, &body).await;
    assert_ne!(present, before[0]);
    assert!(shop.receive(&now, &present, &body).await.is_ok());
    shop.wait(Duration::from_hours(23)).await;
    assert!(shop.receive(&days[1], &before[1], &body).await.is_ok());
    shop.wait(Duration::from_hours(2)).await;
    assert!(is_refused(&shop.receive(&days[2], &before[2], &body).await));
}

#[tokio::test(start_paused = true)]
async fn an_unknown_organization_is_refused_as_a_bad_signature_is() {
    let shop = Shop::new(1).await;
    let body = shop.body("whk_1", "draw.completed", &json!({}));
    let now = shop.seconds().to_string();
    let signature = shop.signed(&now, &body).await;
    let webhook = Webhook {
        timestamp: &now,
        signature: &signature,
        body: &body,
    };
    let nobody = OrganizationId::parse("org_nobody").unwrap();
    let received = shop.org.integration.receive_webhook(&nobody, webhook).await;
    assert!(
        matches!(received, Err(Error::SignatureInvalid)),
        "{received:?}"
    );
}
