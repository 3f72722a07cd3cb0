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
fn a_name_with_its_suffix_is_never_too_long_and_keeps_the_whole_suffix() {
    let name = usable_name(&"☆ ".repeat(200)).unwrap();
    let distinct = distinct_name(&name, &list());
    assert_eq!(
        distinct.chars().count(),
        254,
        "a blank before the suffix goes"
    );
    assert!(distinct.starts_with("☆ ☆"));
    assert!(distinct.ends_with("☆ (Klaviyo RtPqXs)"));
}

proptest! {
    #[test]
    fn names_of_different_lists_fit_and_stay_distinct(
        name in "\\PC{1,300}", id in "[A-Za-z0-9]{1,64}", other in "[A-Za-z0-9]{1,64}",
    ) {
        prop_assume!(id != other);
        let of = |id: &str| {
            // As many characters as an id can have, with the difference at the end.
            let id = CollectionId::parse(format!("{id:0>64}")).unwrap();
            CollectionRef { kind: CollectionKind::List, id }
        };
        let name = usable_name(&name).unwrap_or_else(|| "VIP".to_owned());
        let names = [distinct_name(&name, &of(&id)), name_from(&of(&id), None)];
        let others = [distinct_name(&name, &of(&other)), name_from(&of(&other), None)];
        for (one, two) in names.iter().zip(&others) {
            prop_assert!(one.chars().count() <= 255);
            prop_assert_ne!(one, two);
        }
    }
}

#[test]
fn audiences_with_the_same_name_are_distinguished_by_the_lists_id() {
    assert_eq!(distinct_name("VIP", &list()), "VIP (Klaviyo RtPqXs)");
    assert_eq!(name_from(&list(), Some("\u{0} \n")), "Klaviyo list RtPqXs");
    assert_eq!(usable_name("\u{0}VIP\u{0}").as_deref(), Some("VIP"));
}
