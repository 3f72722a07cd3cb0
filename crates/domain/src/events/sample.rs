//! What each type of event may tell, for previews.

use serde_json::{Map, Value, json};

use super::event_type::EventType;

impl EventType {
    /// Data as Fanfare's events of this type have them, of an act at a time. It holds a token where they do, so that a preview shows
    /// that none is sent.
    pub fn sample_data(self, at: &str) -> Map<String, Value> {
        let mut data = match self {
            Self::QueueEntered => json!({"queueId": "queue_sample", "position": 42}),
            Self::QueueAdmitted => json!({"queueId": "queue_sample", "enteredAt": at,
                "admissionToken": "sample", "waitTimeSeconds": 840}),
            Self::QueueCompleted => json!({"queueId": "queue_sample", "orderId": "order_sample"}),
            Self::QueueLeft => json!({"queueId": "queue_sample", "positionWhenLeft": 17}),
            Self::QueueDenied => {
                json!({"queueId": "queue_sample", "reason": "ORDER_LIMIT_EXCEEDED"})
            }
            Self::DrawEntered => json!({"drawId": "draw_sample", "entrantNumber": 128}),
            Self::DrawWon => {
                json!({"drawId": "draw_sample", "admissionToken": "sample", "winnerPosition": 3})
            }
            Self::DrawLost => json!({"drawId": "draw_sample"}),
            Self::BidPlaced => json!({"auctionId": "auction_sample", "bidId": "bid_sample",
                "bidAmount": "120.00", "currencyCode": "EUR", "isHighestBid": true}),
            Self::BidOutbid => json!({"auctionId": "auction_sample", "previousBidAmount": "120.00",
                "newHighBidAmount": "130.00"}),
            Self::AuctionWon => json!({"auctionId": "auction_sample", "winningBidAmount": "130.00",
                "currencyCode": "EUR", "paymentToken": "sample"}),
            Self::OrderCreated => {
                json!({"orderId": "order_sample", "amount": "49.90", "currencyCode": "EUR",
                "items": [{"productId": "product_sample", "variantId": "variant_sample", "quantity": 1}]})
            }
            Self::OrderCompleted => {
                json!({"orderId": "order_sample", "amount": "49.90", "currencyCode": "EUR"})
            }
            Self::OrderCancelled => {
                json!({"orderId": "order_sample", "reason": "customer_request"})
            }
            Self::ConsumerCreated => json!({"source": "otp_login"}),
            Self::ConsumerUpdated => json!({"changedFields": ["fullName"]}),
            Self::DrawCompleted
            | Self::AuctionSettled
            | Self::DistributionUpdated
            | Self::DistributionOpened
            | Self::DistributionClosed => json!({}),
        };
        data[self.time_field()] = at.into();
        data["experienceId"] = "experience_sample".into();
        match data {
            Value::Object(data) => data,
            _ => Map::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::properties;
    use super::*;

    #[test]
    fn every_type_has_a_sample_of_which_no_token_is_sent() {
        for event_type in EventType::forwardable() {
            let data = event_type.sample_data("2026-11-29T10:00:00Z");
            let sent = properties(&data);
            assert!(sent.len() > 1, "{event_type}");
            assert!(
                sent.keys().all(|key| !key.contains("token")),
                "{event_type}"
            );
        }
    }
}
