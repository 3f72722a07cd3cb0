//! A Klaviyo in memory that holds one list of four profiles, two on a page.
//!
//! A service that embeds the integration gives it `fanfare-klaviyo`'s `KlaviyoHttp` instead.

use fanfare_domain::ids::AccountId;
use fanfare_domain::source::CollectionRef;
use fanfare_testkit::build::{self, profile};
use fanfare_testkit::fake_klaviyo::FakeKlaviyo;

/// The list that the example imports.
pub(crate) fn newsletter() -> CollectionRef {
    build::list("RtPqXs")
}

/// Two of the profiles have one e-mail, one has an unusable phone number, and one has neither.
pub(crate) fn with_a_newsletter(account: AccountId) -> FakeKlaviyo {
    let members = [
        profile("P1")
            .email(" Ann@Example.com")
            .phone("+15550001111")
            .first_name("Ann")
            .last_name("Lee"),
        profile("P2")
            .email("bo@example.com")
            .phone("555-1234")
            .first_name("Bo"),
        profile("P3")
            .email("ann@example.com")
            .first_name("Anna")
            .last_name("Lee"),
        profile("P4").first_name("Di"),
    ];
    let klaviyo = FakeKlaviyo::default().page_size(2);
    let klaviyo = klaviyo.with(newsletter(), "Newsletter Subscribers", members);
    klaviyo.change(|contents| contents.account = Some(account));
    klaviyo
}
