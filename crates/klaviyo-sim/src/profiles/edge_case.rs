//! Edge cases of real data: missing, malformed and huge values.

use serde_json::{Map, Value, json};

use super::profile::Profile;

/// Which edge cases the generated profiles of an account have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum EdgeCases {
    /// Of a thousand profiles about one has each edge case; huge values are rarer. All other profiles have an
    /// e-mail or a phone number.
    #[default]
    Usual,
    /// None: every profile has an e-mail of its own.
    None,
    /// Every profile has an edge case, each in turn.
    All,
}

/// What is unusual about a profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EdgeCase {
    NeitherEmailNorPhone,
    SameEmailInCapitals,
    SameEmailPadded,
    EmptyEmail,
    EmailWithoutAt,
    EmailWithTwoAts,
    EmailWithBlank,
    EmailWithoutDot,
    EmailTooLong,
    UnicodeEmail,
    PhoneWithLetters,
    PhoneNational,
    PhoneTooLong,
    PhonePadded,
    BrokenEmailButPhone,
    BlankNames,
    UnicodeNames,
    RightToLeftNames,
    NamesWithNul,
    NamesWithMarkup,
    HugeName,
    HugeProperties,
    StrangeProperties,
    UpdatedMissing,
    UpdatedInFuture,
    UpdatedWithMicroseconds,
    UpdatedElsewhere,
    UpdatedNotATime,
    CreatedMissing,
    CoordinatesAsText,
    SameEmailBetweenInvisibles,
    EmailInPunycode,
    EmailDecomposed,
    EmailWithSoftHyphenInDomain,
    EmailInBrackets,
    EmailWithSemicolon,
    EmailWithInvisible,
    PhoneBetweenInvisibles,
    InvisibleNames,
    DecomposedNames,
    NamesWithControls,
    UpdatedInWeekDate,
    UpdatedInOrdinalDate,
    UpdatedInBasicFormat,
    UpdatedWithoutZone,
    UpdatedAsLeapSecond,
}

/// Characters of a huge name: more than 64 KiB.
const HUGE_NAME: usize = 70_000;

/// Bytes of huge properties: near the 100 KB that Klaviyo takes as a whole profile.
const HUGE_PROPERTIES: usize = 90_000;

/// How many edge cases a round has.
const A_ROUND: u32 = 30;

/// One profile in so many has each edge case.
const ONE_IN: u32 = 1_000;

/// One profile in so many has each edge case with a huge value.
const ONE_HUGE_IN: u32 = 6_000;

impl EdgeCase {
    pub(crate) const ALL: [Self; 46] = [
        Self::NeitherEmailNorPhone,
        Self::SameEmailInCapitals,
        Self::SameEmailPadded,
        Self::EmptyEmail,
        Self::EmailWithoutAt,
        Self::EmailWithTwoAts,
        Self::EmailWithBlank,
        Self::EmailWithoutDot,
        Self::EmailTooLong,
        Self::UnicodeEmail,
        Self::PhoneWithLetters,
        Self::PhoneNational,
        Self::PhoneTooLong,
        Self::PhonePadded,
        Self::BrokenEmailButPhone,
        Self::BlankNames,
        Self::UnicodeNames,
        Self::RightToLeftNames,
        Self::NamesWithNul,
        Self::NamesWithMarkup,
        Self::HugeName,
        Self::HugeProperties,
        Self::StrangeProperties,
        Self::UpdatedMissing,
        Self::UpdatedInFuture,
        Self::UpdatedWithMicroseconds,
        Self::UpdatedElsewhere,
        Self::UpdatedNotATime,
        Self::CreatedMissing,
        Self::CoordinatesAsText,
        Self::SameEmailBetweenInvisibles,
        Self::EmailInPunycode,
        Self::EmailDecomposed,
        Self::EmailWithSoftHyphenInDomain,
        Self::EmailInBrackets,
        Self::EmailWithSemicolon,
        Self::EmailWithInvisible,
        Self::PhoneBetweenInvisibles,
        Self::InvisibleNames,
        Self::DecomposedNames,
        Self::NamesWithControls,
        Self::UpdatedInWeekDate,
        Self::UpdatedInOrdinalDate,
        Self::UpdatedInBasicFormat,
        Self::UpdatedWithoutZone,
        Self::UpdatedAsLeapSecond,
    ];

    /// The edge case of the profile in this slot.
    pub(crate) fn of(slot: u32, how: EdgeCases) -> Option<Self> {
        match how {
            EdgeCases::None => None,
            EdgeCases::All => Some(Self::ALL[slot as usize % Self::ALL.len()]),
            EdgeCases::Usual => {
                // Spread over each thousand in two rounds, 32 apart.
                let (place, rest) = ((slot % ONE_IN) / 32, (slot % ONE_IN) % 32);
                let place = match rest {
                    17 if place < A_ROUND => place,
                    5 => A_ROUND + place,
                    _ => return None,
                };
                let edge_case = Self::ALL.get(place as usize)?;
                let is_huge = matches!(edge_case, Self::HugeName | Self::HugeProperties);
                (!is_huge || slot % ONE_HUGE_IN < ONE_IN).then_some(*edge_case)
            }
        }
    }

    /// Changes the profile into the edge case. `neighbour` is the e-mail of the profile before it.
    pub(crate) fn apply_to(self, profile: &mut Profile, neighbour: &str) {
        let text = |text: &str| Some(text.to_owned());
        let name = |profile: &mut Profile, first: &str, last: &str| {
            profile.first_name = text(first);
            profile.last_name = text(last);
        };
        match self {
            Self::NeitherEmailNorPhone => {
                profile.external_id = Some(format!("only-{}", profile.id));
                profile.email = None;
                profile.phone_number = None;
            }
            Self::SameEmailInCapitals => profile.email = Some(neighbour.to_uppercase()),
            Self::SameEmailPadded => profile.email = Some(format!("  {neighbour}\t")),
            Self::EmptyEmail => profile.email = text(""),
            Self::EmailWithoutAt => profile.email = text("not-an-address.example"),
            Self::EmailWithTwoAts => profile.email = text("a@b@example.com"),
            Self::EmailWithBlank => profile.email = text("a b@example.com"),
            Self::EmailWithoutDot => profile.email = text("root@localhost"),
            Self::EmailTooLong => {
                profile.email = Some(format!("{}@example.com", "a".repeat(260)));
            }
            Self::UnicodeEmail => {
                profile.email = Some(format!("Jürgen.ÄÖÜ.{}@exämple.org", profile.id));
            }
            Self::PhoneWithLetters => profile.phone_number = text("+1 CALL ME"),
            Self::PhoneNational => profile.phone_number = text("0171 2345678"),
            Self::PhoneTooLong => profile.phone_number = text("+1234567890123456"),
            Self::PhonePadded => profile.phone_number = text(" +14155552671 "),
            Self::BrokenEmailButPhone => {
                profile.email = text("nobody@");
                profile.phone_number = text("+4915112345678");
            }
            Self::BlankNames => name(profile, "   ", "\u{a0}"),
            Self::UnicodeNames => name(profile, "Zoë 🦊", "李\u{301}-Ñandú"),
            Self::RightToLeftNames => name(profile, "\u{202e}נועה", "محمد"),
            Self::NamesWithNul => name(profile, "Nul\0Byte", "Bell\u{7}"),
            Self::NamesWithMarkup => {
                name(profile, "<script>alert(1)</script>", "O'Brien\"; -- \\");
            }
            Self::HugeName => profile.first_name = Some("N".repeat(HUGE_NAME)),
            Self::HugeProperties => {
                let big = Value::String("p".repeat(HUGE_PROPERTIES));
                profile.properties.insert("essay".to_owned(), big);
            }
            Self::StrangeProperties => profile.properties = strange_properties(),
            Self::UpdatedMissing => profile.updated = None,
            Self::UpdatedInFuture => profile.updated = text("2999-01-01T00:00:00+00:00"),
            Self::UpdatedWithMicroseconds => {
                profile.updated = text("2025-06-01T12:00:00.123456+00:00");
            }
            Self::UpdatedElsewhere => profile.updated = text("2025-06-01T12:00:00+05:30"),
            Self::UpdatedNotATime => profile.updated = text("a while ago"),
            Self::CreatedMissing => profile.created = None,
            Self::CoordinatesAsText => {
                profile.location.latitude = Some(json!("52.5200"));
                profile.location.longitude = Some(json!(13.405));
            }
            Self::SameEmailBetweenInvisibles => {
                profile.email = Some(format!("\u{feff}\u{202a}{neighbour}\u{202c}\u{200b}"));
            }
            Self::EmailInPunycode => {
                profile.email = Some(format!("Punycode.{}@XN--EXMPLE-CUA.org", profile.id));
            }
            Self::EmailDecomposed => {
                profile.email = Some(format!("Ju\u{308}rgen.{}@exa\u{308}mple.org", profile.id));
            }
            Self::EmailWithSoftHyphenInDomain => {
                profile.email = Some(format!("soft.{}@exam\u{ad}ple\u{3002}org", profile.id));
            }
            Self::EmailInBrackets => profile.email = Some(format!("<{neighbour}>")),
            Self::EmailWithSemicolon => profile.email = Some(format!("{neighbour};")),
            Self::EmailWithInvisible => profile.email = text("in\u{200b}visible@example.com"),
            Self::PhoneBetweenInvisibles => {
                profile.phone_number = text("\u{202a}+14155552671\u{202c}");
            }
            Self::InvisibleNames => name(profile, "\u{200b}\u{3164}", "\u{2800}\u{feff}"),
            Self::DecomposedNames => name(profile, "Zoe\u{308}", "A\u{30a}ngstro\u{308}m"),
            Self::NamesWithControls => name(profile, "Line\nBreak", "Tab\tStop\u{85}"),
            Self::UpdatedInWeekDate => profile.updated = text("2025-W22-7T12:00:00Z"),
            Self::UpdatedInOrdinalDate => profile.updated = text("2025-152 12:00:00 +0200"),
            Self::UpdatedInBasicFormat => profile.updated = text("20250601T120000,5+02"),
            Self::UpdatedWithoutZone => profile.updated = text("2025-06-01T12:00"),
            Self::UpdatedAsLeapSecond => profile.updated = text("2016-12-31T23:59:60Z"),
        }
    }
}

fn strange_properties() -> Map<String, Value> {
    let properties = json!({
        "$consent": ["email", "sms"],
        "größe": "XL",
        "": null,
        "last.order": {"total": 12.5, "items": [{"sku": "A"}, []], "paid": true},
        "a key with blanks": -1e30,
        "deep": [[[[[[["deeper"]]]]]]],
    });
    match properties {
        Value::Object(properties) => properties,
        _ => Map::new(),
    }
}
