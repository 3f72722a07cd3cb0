//! E-mails, phone numbers and names.

use fanfare_domain::value::{Email, FullName, InvalidValue, Phone};
use proptest::prelude::*;

/// Texts that look like e-mails more often than chance has it.
fn almost_email() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[ \t]?[A-ZÀ-ÞΑ-Ωİ𝐀a-z.+@-]{1,12}@[A-ZΣa-z.@ -]{1,12}[ \n]?",
        "[a-z\u{0}\u{7f}\u{a0}\u{2003}]{1,4}@[a-z.]{1,6}\\.[a-z]{1,4}",
    ]
}

proptest! {
    #[test]
    fn an_email_is_parsed_to_a_form_that_stays(text in almost_email()) {
        if let Ok(email) = Email::parse(&text) {
            let stored = email.as_str();
            prop_assert_eq!(Email::parse(stored), Ok(email.clone()));
            prop_assert_eq!(stored.to_lowercase(), stored);
            prop_assert!(!stored.chars().any(|c| c.is_whitespace() || c.is_control()));
            prop_assert_eq!(stored.matches('@').count(), 1);
            prop_assert!(stored.chars().count() <= 254);
            let (local, domain) = stored.split_once('@').unwrap();
            prop_assert!(!local.is_empty() && domain.contains('.'));
            prop_assert!(domain.split('.').all(|label| !label.is_empty()));
        }
    }

    #[test]
    fn every_plain_address_is_taken(text in "[a-zA-Z0-9_+.'-]{1,64}@([a-zA-Z0-9-]{1,20}\\.){1,3}[a-z]{2,9}") {
        let email = Email::parse(&format!("\t {text}  ")).unwrap();
        prop_assert_eq!(email.as_str(), text.to_lowercase());
    }

    #[test]
    fn an_email_may_have_254_characters_of_any_width(local in "[a-zé☆]{1,250}") {
        let fill = 254 - local.chars().count() - "@.io".len();
        let text = |fill| format!("{local}@{}.io", "x".repeat(fill));
        if fill > 0 {
            prop_assert!(Email::parse(&text(fill)).is_ok());
        }
        prop_assert_eq!(Email::parse(&text(fill + 1)), Err(InvalidValue::Broken));
    }

    #[test]
    fn a_phone_number_is_e164_or_none(text in "\\PC{0,4}|[ +]{0,2}[0-9]{0,18}[ x]?") {
        let trimmed = text.trim();
        let digits = trimmed.strip_prefix('+').unwrap_or("0");
        let is_e164 = (7..=15).contains(&digits.len())
            && digits.chars().all(|c| c.is_ascii_digit())
            && !digits.starts_with('0');
        let parsed = Phone::parse(&text);
        prop_assert_eq!(parsed.is_ok(), is_e164);
        if let Ok(phone) = parsed {
            prop_assert_eq!(phone.as_str(), trimmed);
        }
    }

    #[test]
    fn a_name_is_its_usable_parts_joined_by_one_space(first in "\\PC{0,8}", last in "[ \t]{0,2}[a-z ]{0,8}") {
        let parts: Vec<&str> = [first.trim(), last.trim()].into_iter().filter(|part| !part.is_empty()).collect();
        let (name, issues) = FullName::join(Some(&first), Some(&last));
        prop_assert!(!issues.first && !issues.last);
        prop_assert_eq!(name.as_ref().map_or("", |name| name.as_str()), parts.join(" "));
        prop_assert_eq!(name.is_none(), parts.is_empty());
    }
}

#[test]
fn what_is_no_email_is_refused() {
    for text in [
        "a",
        "@",
        "a@",
        "@b.c",
        "a@b",
        "a@b.",
        "a@.b",
        "a@b..c",
        "a@b@c.d",
        "a b@c.d",
        "a@c .d",
        "a\0@b.c",
        "a@b.c\u{7f}",
    ] {
        assert_eq!(Email::parse(text), Err(InvalidValue::Broken), "{text:?}");
    }
    for blank in ["", " ", "\u{2003}\n"] {
        assert_eq!(Email::parse(blank), Err(InvalidValue::Blank), "{blank:?}");
        assert_eq!(Phone::parse(blank), Err(InvalidValue::Blank), "{blank:?}");
    }
}

#[test]
fn a_broken_part_of_a_name_leaves_the_other() {
    let (name, issues) = FullName::join(Some("A\0"), Some(" Bo "));
    assert_eq!(name.unwrap().as_str(), "Bo");
    assert!(issues.first && !issues.last);

    let longest = "x".repeat(64 * 1024);
    assert!(!FullName::join(Some(&longest), None).1.first);
    let (name, issues) = FullName::join(None, Some(&format!("{longest}x")));
    assert!(name.is_none() && issues.last);
}

#[test]
fn no_value_shows_itself_in_debug() {
    let shown = format!(
        "{:?} {:?} {:?}",
        Email::parse("canary@x.io").unwrap(),
        Phone::parse("+15550001").unwrap(),
        FullName::join(Some("canary"), None),
    );
    assert!(
        !shown.contains("canary") && !shown.contains("5550001"),
        "{shown}"
    );
}
