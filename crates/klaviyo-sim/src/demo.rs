//! The account that the program shows when it is told nothing else.

use crate::kind::Kind;
use crate::plan::{AccountPlan, CollectionPlan, FlowPlan, FlowTrigger};

/// The account's id.
const ID: &str = "FnfDm0";

/// An account with a newsletter of 12,000, eight hundred of the best customers, and enough other lists
/// and segments for several pages.
pub fn account() -> AccountPlan {
    let mut account = AccountPlan::new(ID)
        .list("RtPqXs", "Newsletter Subscribers", 12_000)
        .list("XyZaBc", "VIP Customers", 800);
    account = account.with(CollectionPlan {
        is_double_opt_in: true,
        ..CollectionPlan::new(Kind::List, "Qw3rTy", "SMS Subscribers").generated(1_500)
    });
    account = account.with(CollectionPlan {
        name: None,
        ..CollectionPlan::new(Kind::List, "Nn0nAm", "").generated(40)
    });
    let lists = [
        ("Bk7LmQ", "Back in Stock", 2_400),
        ("Em9tyL", "Nobody Yet", 0),
        ("Fl4shS", "Flash Sale Waitlist", 3_100),
        ("Gv5wyP", "Giveaway – Spring 🌷", 950),
        ("Hd6RtK", "Holiday Drop", 4_200),
        ("Lp8YuD", "Loyalty Programme", 1_900),
        ("Pr2VwN", "Press & Partners", 60),
        ("Sn1KrS", "Sneaker Drops", 5_000),
        ("Vp3ArC", "VIP Customers", 120),
    ];
    for (id, name, profiles) in lists {
        account = account.list(id, name, profiles);
    }
    let segments = [
        ("Ac7EgS", "Engaged, 30 days", 3_000),
        ("Bd8FhT", "Repeat Purchasers", 1_200),
        ("Ce9GjU", "Churn Risk", 700),
        ("Df1HkV", "Never Purchased", 6_000),
        ("Eg2JlW", "Birthday This Month", 330),
        ("Fh3KmX", "Berlin", 250),
        ("Gj4LnY", "High Lifetime Value", 400),
        ("Hk5MpZ", "Opened Last Campaign", 2_800),
        ("Jl6NqA", "SMS Consent", 1_400),
        ("Km7PrB", "Lapsed", 900),
    ];
    for (id, name, profiles) in segments {
        account = account.segment(id, name, profiles);
    }
    // What the merchant mails when Fanfare tells of a draw.
    for (id, name, metric) in [
        ("WiNnEr", "You have won", "Fanfare Draw Winner"),
        ("NoLuCk", "Not this time", "Fanfare Draw Not Selected"),
    ] {
        let metric = FlowTrigger::Metric(metric.to_owned());
        account = account.flow(FlowPlan::live(id, name, metric));
    }
    account.with(CollectionPlan {
        is_processing: true,
        is_active: false,
        ..CollectionPlan::new(Kind::Segment, "Ln8QsC", "Being Computed")
    })
}
