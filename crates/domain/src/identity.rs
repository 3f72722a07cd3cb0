//! Identity: which consumer a profile belongs to.

use crate::ids::ConsumerId;

/// The link a profile already has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Linked {
    /// The consumer it is linked to.
    pub consumer: ConsumerId,
    /// Whether other profiles are linked to that consumer too.
    pub shared: bool,
}

/// What is known about a profile when its consumer is to be found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// Whether the profile has a usable e-mail.
    pub has_email: bool,
    /// Whether the profile has a usable phone number.
    pub has_phone: bool,
    /// The consumer that has the profile's e-mail.
    pub email_owner: Option<ConsumerId>,
    /// The link the profile already has.
    pub linked: Option<Linked>,
}

/// The consumer that a profile belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Identity {
    /// This consumer, as it is.
    Known(ConsumerId),
    /// This consumer, whose e-mail becomes the profile's.
    Readdressed(ConsumerId),
    /// A new consumer.
    New,
    /// No consumer: the profile has neither an e-mail nor a phone number.
    Unreachable,
}

/// Decides which consumer a profile belongs to: the one with its e-mail; else the one it is linked to,
/// unless the profile's new e-mail would replace an e-mail that other profiles share; else a new one. Phone
/// numbers never match, because families share them.
pub fn identify(evidence: Evidence) -> Identity {
    let Evidence {
        has_email,
        has_phone,
        email_owner,
        linked,
    } = evidence;
    match (email_owner, linked) {
        (Some(owner), _) if has_email => Identity::Known(owner),
        (_, Some(linked)) if !has_email => Identity::Known(linked.consumer),
        (_, Some(linked)) if !linked.shared => Identity::Readdressed(linked.consumer),
        _ if has_email || has_phone => Identity::New,
        _ => Identity::Unreachable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(
        has: (bool, bool),
        owner: Option<&str>,
        linked: Option<(&str, bool)>,
        want: &Identity,
    ) {
        let id = |text: &str| ConsumerId::parse(text).unwrap();
        let evidence = Evidence {
            has_email: has.0,
            has_phone: has.1,
            email_owner: owner.map(id),
            linked: linked.map(|(consumer, shared)| Linked {
                consumer: id(consumer),
                shared,
            }),
        };
        assert_eq!(identify(evidence.clone()), *want, "{evidence:?}");
    }

    #[test]
    fn the_consumer_with_the_email_wins_over_the_link() {
        let a = Identity::Known(ConsumerId::parse("a").unwrap());
        check((true, false), Some("a"), None, &a);
        check((true, true), Some("a"), Some(("b", false)), &a);
        check((true, true), Some("a"), Some(("b", true)), &a);
        check((true, true), Some("a"), Some(("a", true)), &a);
    }

    #[test]
    fn a_linked_consumer_takes_a_new_email_unless_it_is_shared() {
        let b = ConsumerId::parse("b").unwrap();
        check(
            (true, false),
            None,
            Some(("b", false)),
            &Identity::Readdressed(b),
        );
        check((true, false), None, Some(("b", true)), &Identity::New);
    }

    #[test]
    fn a_profile_without_email_stays_with_its_consumer() {
        let b = Identity::Known(ConsumerId::parse("b").unwrap());
        for shared in [false, true] {
            check((false, true), None, Some(("b", shared)), &b);
            check((false, false), None, Some(("b", shared)), &b);
        }
    }

    #[test]
    fn an_unknown_profile_is_a_new_consumer_only_if_it_can_be_reached() {
        check((true, false), None, None, &Identity::New);
        check((false, true), None, None, &Identity::New);
        check((false, false), None, None, &Identity::Unreachable);
    }
}
