//! What happened around somebody: what came from Klaviyo, and what went there.

use fanfare_domain::delivery::{Delivery, DeliveryKind};
use fanfare_domain::history::ChangeKind;
use fanfare_domain::ids::ConsumerId;
use fanfare_domain::timeline::{Mark, MembershipChange, Moment};
use fanfare_sync::{Integration, SYSTEM_ACTOR, Timeline};
use maud::{Markup, html};

use crate::components::{badge, long_text, pager, time};
use crate::error::PageError;
use crate::fields::Fields;
use crate::pages::deliveries::reason;
use crate::visitor::Visitor;
use crate::words;

/// Moments of a page.
const SHOWN: u32 = 25;

/// After how many seconds a script looks for news.
const SECONDS_BETWEEN_LOOKS: u32 = 5;

/// The part of the page of somebody that tells it.
pub(super) async fn part(
    application: &Integration,
    visitor: &Visitor,
    id: &ConsumerId,
    fields: &Fields,
) -> Result<Markup, PageError> {
    let page = fields.page(SHOWN);
    let timeline = application.timeline(visitor.organization(), id, &page);
    let timeline = timeline.await?;
    let path = format!("/app/customers/{id}");
    let address = format!("{path}{}", fields.set("notice", None).query());
    Ok(html! {
        section.panel #timeline data-refresh=(address) data-every=(SECONDS_BETWEEN_LOOKS) {
            h2 { "Timeline" }
            p.hint {
                "What came from Klaviyo, and what went there; the latest first. "
                a href={ "/app/deliveries?search=" (id) } { "Deliveries alone" }
            }
            ol.timeline {
                @for moment in &timeline.moments {
                    li {
                        (time(moment.at(), visitor.now))
                        div { (told(visitor, &timeline, moment)) }
                    }
                }
            }
            (pager(&path, fields, timeline.next.as_deref()))
        }
    })
}

fn told(visitor: &Visitor, timeline: &Timeline, moment: &Moment) -> Markup {
    match moment {
        Moment::Mark(mark) => marked(mark),
        Moment::Membership(change) => changed(timeline, change),
        Moment::Delivery(delivery) => delivered(visitor, delivery),
    }
}

fn marked(mark: &Mark) -> Markup {
    let is_klaviyo = mark.by == SYSTEM_ACTOR;
    html! {
        (badge("info", if is_klaviyo { "From Klaviyo" } else { "In Fanfare" })) " "
        @if mark.is_creation { "Became a consumer" } @else { "Was changed last" }
        @if is_klaviyo { " by a sync" }
    }
}

fn changed(timeline: &Timeline, change: &MembershipChange) -> Markup {
    let id = &change.audience;
    let name = timeline
        .audiences
        .get(id)
        .map_or(id.as_str(), String::as_str);
    html! {
        (badge("info", if timeline.by_hand.contains(id) { "In Fanfare" } else { "From Klaviyo" })) " "
        @match change.kind {
            ChangeKind::Joined => "Joined ",
            ChangeKind::Left => "Left ",
        }
        a href={ "/app/audiences/" (id) } { (long_text(name)) }
    }
}

fn delivered(visitor: &Visitor, delivery: &Delivery) -> Markup {
    html! {
        (badge("out", "To Klaviyo")) " "
        (long_text(&words::delivery(delivery)))
        @if let Some(target) = &delivery.target {
            @match delivery.kind {
                DeliveryKind::Membership | DeliveryKind::Consent => " of the list ",
                DeliveryKind::Event | DeliveryKind::Contact => " as ",
            }
            (long_text(target))
        }
        " " (words::delivery_badge(delivery.status))
        (reason(visitor, delivery))
    }
}
