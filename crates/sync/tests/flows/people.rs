//! Members of a list, by number.

use fanfare_domain::profile::Profile;
use fanfare_domain::source::CollectionRef;
use fanfare_testkit::build::profile;
use fanfare_testkit::fake_klaviyo::FakeKlaviyo;

/// A profile with an e-mail, which joined at `number` seconds.
pub(crate) fn member(number: i64) -> Profile {
    let id = format!("P{number:03}");
    profile(&id)
        .email(&format!("p{number:03}@x.io"))
        .joined(number)
        .build()
}

pub(crate) fn members(numbers: impl IntoIterator<Item = i64>) -> Vec<Profile> {
    numbers.into_iter().map(member).collect()
}

/// The e-mails of the members with these numbers.
pub(crate) fn emails(numbers: impl IntoIterator<Item = i64>) -> Vec<String> {
    numbers
        .into_iter()
        .map(|number| format!("p{number:03}@x.io"))
        .collect()
}

/// A Klaviyo with one list of `count` members, two on a page.
pub(crate) fn klaviyo_with(list: &CollectionRef, count: i64) -> FakeKlaviyo {
    FakeKlaviyo::default()
        .page_size(2)
        .with(list.clone(), "VIP", members(0..count))
}
