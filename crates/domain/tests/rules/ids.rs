//! Ids of Klaviyo's, which are opaque, and ours.

use fanfare_domain::ids::{CollectionId, ProfileId, RunId};

#[test]
fn an_id_of_klaviyos_is_any_text_of_up_to_255_characters() {
    let long = ["a".repeat(255), "\u{1f98a}".repeat(255)];
    let odd = [
        "01M1PAAR5HBCRHA3NN9NG5WRTA",
        "a b",
        "a/b?c#d%20",
        "..",
        "Zo\u{eb}",
    ];
    for id in long.iter().map(String::as_str).chain(odd) {
        assert_eq!(ProfileId::parse(id).unwrap().as_str(), id);
        assert_eq!(CollectionId::parse(id).unwrap().as_str(), id);
    }
    let longer = ["a".repeat(256), "\u{1f98a}".repeat(256)];
    for text in longer.iter().map(String::as_str).chain(["", "a\0", "a\nb"]) {
        assert!(ProfileId::parse(text).is_err(), "{text:?}");
        assert!(CollectionId::parse(text).is_err(), "{text:?}");
    }
}

#[test]
fn an_id_of_ours_is_short_and_plain() {
    assert!(RunId::parse("run_01ABC").is_ok());
    for text in ["", "run 1", "r\u{fc}n", &"a".repeat(65)] {
        assert!(RunId::parse(text).is_err(), "{text:?}");
    }
}
