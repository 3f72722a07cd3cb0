//! Purchases, which two events may tell of.

use std::time::Duration;

use crate::writing::MetricName;

/// How long a purchase that was told without an amount waits for the order's event, which has one.
pub const AMOUNT_TIMEOUT: Duration = Duration::from_mins(1);

/// What makes two events one purchase: they become the same metric, and tell of the same order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PurchaseKey(String);

impl PurchaseKey {
    pub(super) fn of(metric: &MetricName, order: &str) -> Self {
        // Neither holds a control character.
        Self(format!("{metric}\n{order}"))
    }

    /// The key as a store keeps it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
