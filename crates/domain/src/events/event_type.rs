//! The types of Fanfare's events.

use crate::text_enum::text_enum;

text_enum! {
    /// A type of event that Fanfare's webhooks send.
    EventType {
        /// Somebody joined a queue.
        QueueEntered = "queue.consumer.entered",
        /// Somebody's turn in a queue has come.
        QueueAdmitted = "queue.consumer.admitted",
        /// Somebody bought after a queue.
        QueueCompleted = "queue.consumer.completed",
        /// Somebody left a queue.
        QueueLeft = "queue.consumer.left",
        /// Somebody was not let into a queue.
        QueueDenied = "queue.consumer.denied",
        /// Somebody entered a draw.
        DrawEntered = "draw.consumer.entered",
        /// Somebody won a draw.
        DrawWon = "draw.consumer.won",
        /// Somebody did not win a draw.
        DrawLost = "draw.consumer.lost",
        /// A draw has ended. It concerns nobody.
        DrawCompleted = "draw.completed",
        /// Somebody placed a bid.
        BidPlaced = "auction.bid.placed",
        /// Somebody's bid was exceeded.
        BidOutbid = "auction.bid.outbid",
        /// Somebody won an auction.
        AuctionWon = "auction.consumer.won",
        /// An auction has ended. It concerns nobody.
        AuctionSettled = "auction.settled",
        /// An order was made.
        OrderCreated = "order.created",
        /// An order was paid.
        OrderCompleted = "order.completed",
        /// An order was cancelled.
        OrderCancelled = "order.cancelled",
        /// A consumer was made.
        ConsumerCreated = "consumer.created",
        /// A consumer was changed.
        ConsumerUpdated = "consumer.updated",
        /// A distribution was changed. It concerns nobody.
        DistributionUpdated = "distribution.updated",
        /// A distribution has begun. It concerns nobody.
        DistributionOpened = "distribution.opened",
        /// A distribution has ended. It concerns nobody.
        DistributionClosed = "distribution.closed",
    }
}

impl EventType {
    /// The type of that name, in any of the spellings that Fanfare's documents have: `queue.consumer_entered` is
    /// `queue.consumer.entered`.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::parse(name).or_else(|| {
            let (group, verb) = name.split_once('_')?;
            Self::parse(&format!("{group}.{verb}"))
        })
    }

    /// Whether it tells what one consumer did, so that Klaviyo can be told of it.
    pub const fn is_of_a_consumer(self) -> bool {
        !matches!(
            self,
            Self::DrawCompleted
                | Self::AuctionSettled
                | Self::DistributionUpdated
                | Self::DistributionOpened
                | Self::DistributionClosed
        )
    }

    /// The types that Klaviyo can be told of.
    pub fn forwardable() -> impl Iterator<Item = Self> {
        let all = Self::ALL.iter().copied();
        all.filter(|event_type| event_type.is_of_a_consumer())
    }

    /// The metric that it becomes unless the merchant says otherwise; `None`: it is not forwarded.
    pub const fn default_metric(self) -> Option<&'static str> {
        Some(match self {
            Self::QueueEntered => "Fanfare Queue Joined",
            Self::QueueAdmitted => "Fanfare Admitted",
            Self::QueueCompleted | Self::OrderCompleted => "Fanfare Purchase",
            Self::QueueLeft => "Fanfare Left Queue",
            Self::DrawEntered => "Fanfare Draw Entered",
            Self::DrawWon => "Fanfare Draw Winner",
            Self::DrawLost => "Fanfare Draw Not Selected",
            Self::AuctionWon => "Fanfare Auction Winner",
            _ => return None,
        })
    }

    /// The member of `data` that says when it happened.
    pub(super) const fn time_field(self) -> &'static str {
        match self {
            Self::QueueEntered | Self::DrawEntered => "enteredAt",
            Self::QueueAdmitted => "admittedAt",
            Self::QueueCompleted | Self::DrawCompleted | Self::OrderCompleted => "completedAt",
            Self::QueueLeft => "leftAt",
            Self::QueueDenied => "deniedAt",
            Self::DrawWon | Self::AuctionWon => "wonAt",
            Self::DrawLost => "lostAt",
            Self::BidPlaced => "bidTime",
            Self::BidOutbid => "outbidAt",
            Self::AuctionSettled => "settledAt",
            Self::OrderCreated | Self::ConsumerCreated => "createdAt",
            Self::OrderCancelled => "cancelledAt",
            Self::ConsumerUpdated | Self::DistributionUpdated => "updatedAt",
            Self::DistributionOpened => "openedAt",
            Self::DistributionClosed => "closedAt",
        }
    }

    /// The member of `data` that holds an amount of money, if it tells of one.
    pub(super) const fn amount_field(self) -> Option<&'static str> {
        match self {
            Self::QueueCompleted | Self::OrderCreated | Self::OrderCompleted => Some("amount"),
            Self::BidPlaced => Some("bidAmount"),
            Self::AuctionWon => Some("winningBidAmount"),
            _ => None,
        }
    }

    /// Whether it tells of a purchase, of which another event may tell too.
    pub(super) const fn is_purchase(self) -> bool {
        matches!(self, Self::QueueCompleted | Self::OrderCompleted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_known_in_every_spelling() {
        let entered = Some(EventType::QueueEntered);
        assert_eq!(EventType::of_name("queue.consumer.entered"), entered);
        assert_eq!(EventType::of_name("queue.consumer_entered"), entered);
        assert_eq!(EventType::of_name("queue.consumer"), None);
        assert_eq!(EventType::of_name("webhook.delivery.failed"), None);
        assert_eq!(EventType::of_name(""), None);
    }

    #[test]
    fn what_concerns_nobody_has_no_metric() {
        for event_type in EventType::ALL {
            let has_metric = event_type.default_metric().is_some();
            assert!(!has_metric || event_type.is_of_a_consumer(), "{event_type}");
        }
    }
}
