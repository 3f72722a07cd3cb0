//! E-mails, phone numbers and names.

use fanfare_domain::value::{BrokenNameParts, Email, FullName, InvalidValue, Phone};
use proptest::prelude::*;

/// Texts that look like e-mails more often than chance has it.
fn almost_email() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[ \t]?[A-ZÀ-ÞΑ-Ωİ𝐀a-z.+@-]{1,12}@[A-ZΣa-z.@ -]{1,12}[ \n]?",
        "[a-z\u{0}\u{7f}\u{a0}\u{2003}]{1,4}@[a-z.]{1,6}\\.[a-z]{1,4}",
        "[\\PC]{1,4}@[\\PC]{1,6}\\.[\\PC]{1,4}",
        "[aA-CéÅe\u{301}\u{30a}\u{37e}\u{212a}\u{212b}<>\",;']{1,8}@[aü\u{308}xn\u{ad}。．ｘ-]{1,8}\\.[a-z]{1,4}",
        "[a-z]{1,3}@xn--[a-z0-9-]{1,12}\\.[a-z]{1,4}",
    ]
}

/// What the rule says of a stored address, without the parser.
fn is_an_address(stored: &str) -> bool {
    let Some((local, domain)) = stored.split_once('@') else {
        return false;
    };
    let is_refused = |c: char| c.is_whitespace() || c.is_control() || "<>\",;".contains(c);
    let is_label = |label: &str| {
        let ends = [label.chars().next(), label.chars().next_back()];
        let is_within = |c: char| c == '-' || !c.is_ascii() || c.is_ascii_alphanumeric();
        !label.is_empty() && !ends.contains(&Some('-')) && label.chars().all(is_within)
    };
    !local.is_empty()
        && !local.contains(is_refused)
        && !local.contains(INVISIBLE)
        && domain.contains('.')
        && domain.split('.').all(is_label)
        && !domain.contains("xn--")
        && stored.chars().count() <= 254
}

/// Characters that show nothing, of each kind.
const INVISIBLE: [char; 10] = [
    '\u{ad}', '\u{34f}', '\u{115f}', '\u{200b}', '\u{200d}', '\u{202e}', '\u{2060}', '\u{2800}',
    '\u{fe0f}', '\u{feff}',
];

proptest! {
    #[test]
    fn an_email_is_stored_in_a_form_that_stays_and_that_the_rule_allows(text in almost_email()) {
        if let Ok(email) = Email::parse(&text) {
            let stored = email.as_str();
            prop_assert_eq!(Email::parse(stored), Ok(email.clone()));
            prop_assert_eq!(Email::parse(&format!("\u{200e} {stored}\u{a0}\u{200b}")), Ok(email.clone()));
            prop_assert!(is_an_address(stored), "{}", stored);
            let (local, _) = stored.split_once('@').unwrap();
            prop_assert_eq!(local.to_lowercase(), local);
        }
    }

    #[test]
    fn every_plain_address_is_taken(text in "[a-zA-Z0-9_+.'-]{1,64}@([a-zA-Z0-9]([a-zA-Z0-9-]{0,18}[a-zA-Z0-9])?\\.){1,3}[a-z]{2,9}") {
        prop_assume!(!text.to_lowercase().contains("xn--"));
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
        let trimmed = text.trim_matches(|c: char| !c.is_ascii() || c == ' ');
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
    fn a_name_of_plain_text_is_its_parts_joined_by_one_space(first in "[!-~é🦊]{0,8}", last in "[ \t]{0,2}[a-z ]{0,8}") {
        let parts: Vec<&str> = [first.trim(), last.trim()].into_iter().filter(|part| !part.is_empty()).collect();
        let (name, issues) = FullName::join(Some(&first), Some(&last));
        prop_assert!(!issues.first && !issues.last);
        prop_assert_eq!(name.as_ref().map_or("", |name| name.as_str()), parts.join(" "));
        prop_assert_eq!(name.is_none(), parts.is_empty());
    }

    #[test]
    fn a_name_is_stored_in_a_form_that_stays(
        first in any::<String>(), last in "[ae\u{1}\u{7f}\u{85}\u{301}\u{200b}\u{202e}\u{fe0f} ]{0,8}",
    ) {
        let (name, _) = FullName::join(Some(&first), Some(&last));
        if let Some(name) = name {
            let stored = name.as_str();
            prop_assert!(!stored.contains(char::is_control));
            prop_assert_eq!(stored.trim(), stored);
            let (again, broken) = FullName::join(Some(stored), None);
            prop_assert_eq!(again, Some(name.clone()));
            prop_assert!(!broken.first);
        }
    }

    #[test]
    fn every_form_of_a_domain_is_one(label in "[a-zà-öø-ÿ]{1,12}") {
        let unicode = Email::parse(&format!("a@{label}.de")).unwrap();
        let ascii = idna_of(&label);
        prop_assert_eq!(Email::parse(&format!("a@{ascii}.de")), Ok(unicode.clone()));
        prop_assert_eq!(Email::parse(&format!("A@{}.DE", ascii.to_uppercase())), Ok(unicode));
    }
}

/// The label as domain names of ASCII spell it.
fn idna_of(label: &str) -> String {
    let url = url::Url::parse(&format!("http://{label}.de/")).unwrap();
    let host = url.host_str().unwrap();
    host.strip_suffix(".de").unwrap().to_owned()
}

#[test]
fn every_spelling_of_an_address_is_stored_in_one_form() {
    for (stored, spellings) in [
        (
            "jose\u{301}@bu\u{308}cher.de",
            &[
                "Jos\u{e9}@B\u{dc}CHER.de",
                "jos\u{e9}@xn--bcher-kva.de",
                "JOSE\u{301}@XN--BCHER-KVA.DE",
                "\u{feff}jos\u{e9}@b\u{fc}cher\u{3002}de\u{200b}",
                "\u{202a}jos\u{e9}@b\u{ad}\u{fc}cher.de\u{202c}\u{a0}",
                "jos\u{e9}@\u{ff42}\u{fc}cher\u{ff0e}de",
            ][..],
        ),
        ("k\u{e5}@x.io", &["\u{212a}\u{212b}@x.io", "kA\u{30a}@x.io"]),
        ("o'neil@x.io", &["O'Neil@X.io", " o'neil@x.io\r\n"]),
        (
            "a@\u{3b2}\u{3cc}\u{3bb}\u{3bf}\u{3c2}.com",
            &["a@xn--nxasmm1c.com"],
        ),
        (
            "a@\u{928}\u{947}\u{92a}\u{93e}\u{932}.in",
            &["A@xn--l2bey1c2b.in"],
        ),
        ("a@r3---sn.example", &["a@R3---sn.example"]),
    ] {
        let stored = Email::parse(stored).unwrap();
        for spelling in spellings {
            assert_eq!(Email::parse(spelling), Ok(stored.clone()), "{spelling:?}");
        }
    }
    let stored = Email::parse("jos\u{e9}@xn--bcher-kva.de").unwrap();
    assert_eq!(stored.as_str(), "jos\u{e9}@b\u{fc}cher.de");
}

#[test]
fn a_text_of_nothing_visible_is_blank() {
    for blank in [
        "",
        " ",
        "\u{2003}\n",
        "\u{200b}",
        "\u{feff}\u{200e}",
        "\u{3164}",
        "\u{2800}",
    ] {
        assert_eq!(Email::parse(blank), Err(InvalidValue::Blank), "{blank:?}");
        assert_eq!(Phone::parse(blank), Err(InvalidValue::Blank), "{blank:?}");
        let (name, broken) = FullName::join(Some(blank), Some("\u{1}\u{7f}"));
        assert_eq!(name, None, "{blank:?}");
        assert_eq!(broken, BrokenNameParts::default(), "{blank:?}");
    }
}

#[test]
fn a_phone_number_may_stand_between_invisible_characters() {
    let phone = Phone::parse("\u{202a}+15550001\u{202c}").unwrap();
    assert_eq!(phone.as_str(), "+15550001");
}

#[test]
fn a_name_keeps_what_it_shows_and_nothing_else() {
    for (sent, stored) in [
        ("A\tn\u{7}n\u{85}", "Ann"),
        ("\u{200b}Zoe\u{308}\u{200e}", "Zo\u{eb}"),
        ("\u{202e}\u{5e0}\u{5d5}", "\u{5e0}\u{5d5}"),
        ("e\u{1}\u{301}", "\u{e9}"),
        // An ideograph with its variant, an emoji, and a flag that is made of tags.
        ("\u{845b}\u{e0100}", "\u{845b}\u{e0100}"),
        ("\u{2764}\u{fe0f} ", "\u{2764}\u{fe0f}"),
        ("\u{1f3f4}\u{e0067}\u{e007f}", "\u{1f3f4}\u{e0067}\u{e007f}"),
    ] {
        let (name, broken) = FullName::join(Some(sent), None);
        assert_eq!(name.unwrap().as_str(), stored, "{sent:?}");
        assert!(!broken.first);
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
        "a@b.c\0",
        "a@b.c\u{7f}",
        "<a@b.c>",
        "Ann <a@b.c>",
        "a@b.c;",
        "a@b.c,",
        "a;b@c.d",
        "a\u{37e}b@c.d",
        "\"a\"@b.c",
        "<\u{338}a@b.c>",
        "a\u{200b}b@c.d",
        "a\u{fe0f}@c.d",
        "a@b_c.d",
        "a@-b.c",
        "a@b-.c",
        "a@b.c:25",
        "a@[127.0.0.1]",
        "a@\u{2764}.ws",
        "a@xn--.de",
        "a@xn--a.de",
        "a@xn--bcher-kva\u{fc}.de",
        "a@b\u{ff20}c.d",
        "a@b\u{200d}c.d",
    ] {
        assert_eq!(Email::parse(text), Err(InvalidValue::Broken), "{text:?}");
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
    let email = format!("{longest}@x.io");
    assert_eq!(Email::parse(&email), Err(InvalidValue::Broken));
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
