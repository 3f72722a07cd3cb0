//! What an audience is called.

use fanfare_domain::audience::{distinct_name, name_from, usable_name};
use fanfare_domain::ids::CollectionId;
use fanfare_domain::source::{CollectionKind, CollectionRef};
use proptest::prelude::*;

fn list() -> CollectionRef {
    CollectionRef {
        kind: CollectionKind::List,
        id: CollectionId::parse("RtPqXs").unwrap(),
    }
}

proptest! {
    #[test]
    fn a_usable_name_can_be_stored_and_stays_as_it_is(text: String) {
        if let Some(name) = usable_name(&text) {
            prop_assert_eq!(usable_name(&name), Some(name.clone()));
            prop_assert!(!name.is_empty() && name.chars().count() <= 255);
            prop_assert!(!name.contains(char::is_control));
        }
    }

    #[test]
    fn an_audience_always_has_a_name(text in prop::option::of(any::<String>())) {
        let name = name_from(&list(), text.as_deref());
        prop_assert!(!name.trim().is_empty());
    }
}

#[test]
fn audiences_with_the_same_name_are_distinguished_by_the_lists_id() {
    assert_eq!(distinct_name("VIP", &list()), "VIP (Klaviyo RtPqXs)");
    assert_eq!(name_from(&list(), Some("\u{0} \n")), "Klaviyo list RtPqXs");
    assert_eq!(usable_name("\u{0}VIP\u{0}").as_deref(), Some("VIP"));
}
