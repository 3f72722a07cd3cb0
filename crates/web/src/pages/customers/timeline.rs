//! What happened around somebody: what came from Klaviyo, and what went there.

use fanfare_domain::delivery::{Delivery, DeliveryKind};
use fanfare_domain::history::ChangeKind;
use fanfare_domain::ids::{CollectionId, ConsumerId};
use fanfare_domain::paging::PageRequest;
use fanfare_domain::timeline::{Mark, MembershipChange, Moment};
use fanfare_sync::{SYSTEM_ACTOR, Timeline};
use maud::{Markup, html};

use crate::components::{badge, long_text, pager, time};
use crate::fields::Fields;
use crate::pages::deliveries::reason;
use crate::visitor::Visitor;
use crate::words;

/// Moments of a page.
const SHOWN: u32 = 25;

/// After how many seconds a script looks for news.
const SECONDS_BETWEEN_LOOKS: u32 = 5;

/// The page of it that is asked for.
pub(super) fn page(fields: &Fields) -> PageRequest {
    fields.page(SHOWN)
}

/// The part of the page of somebody that tells it.
pub(super) fn part(
    visitor: &Visitor,
    id: &ConsumerId,
    fields: &Fields,
    timeline: &Timeline,
) -> Markup {
    let path = format!("/app/customers/{id}");
    let address = format!("{path}{}", fields.set("notice", None).query());
    html! {
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
                        div { (told(visitor, timeline, moment)) }
                    }
                }
            }
            (pager(&path, fields, timeline.next.as_deref()))
        }
    }
}

fn told(visitor: &Visitor, timeline: &Timeline, moment: &Moment) -> Markup {
    match moment {
        Moment::Mark(mark) => marked(mark),
        Moment::Membership(change) => changed(timeline, change),
        Moment::Delivery(delivery) => delivered(visitor, timeline, delivery),
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

/// What a delivery is about: a list by its name, where an audience is kept in it.
fn target<'a>(timeline: &'a Timeline, delivery: &'a Delivery) -> Option<&'a str> {
    let target = delivery.target.as_deref()?;
    let list = CollectionId::parse(target).ok();
    let named = list.and_then(|list| timeline.lists.get(&list));
    Some(named.map_or(target, String::as_str))
}

fn delivered(visitor: &Visitor, timeline: &Timeline, delivery: &Delivery) -> Markup {
    html! {
        (badge("out", "To Klaviyo")) " "
        (long_text(&words::delivery(delivery)))
        @if let Some(target) = target(timeline, delivery) {
            @match delivery.kind {
                DeliveryKind::Membership => ": ",
                DeliveryKind::Consent => " of the list ",
                DeliveryKind::Event | DeliveryKind::Contact => " as ",
            }
            (long_text(target))
        }
        " " (words::delivery_badges(delivery))
        (reason(visitor, delivery, true))
    }
}
