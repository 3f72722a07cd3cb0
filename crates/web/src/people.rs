//! Somebody whom a visitor names by what is exactly theirs.

use fanfare_domain::ids::{ConsumerId, OrganizationId};
use fanfare_domain::ports::{ConsumerRecord, Lookup};
use fanfare_domain::value::{Email, Phone};
use fanfare_sync::{Error, Integration};

/// The people whom a text names: those of an e-mail, of a phone number, or of the id of a consumer. Nobody if it is none of them.
pub(crate) async fn named(
    application: &Integration,
    organization: &OrganizationId,
    text: &str,
) -> Result<Vec<ConsumerRecord>, Error> {
    let lookup = if text.contains('@') {
        let email = Email::parse(text).ok();
        email.map(|email| Lookup::Email(email.as_str().to_owned()))
    } else if text.starts_with('+') {
        let phone = Phone::parse(text).ok();
        phone.map(|phone| Lookup::Phone(phone.as_str().to_owned()))
    } else {
        let Ok(id) = ConsumerId::parse(text) else {
            return Ok(Vec::new());
        };
        return match application.consumer(organization, &id).await {
            Ok(person) => Ok(vec![person]),
            Err(Error::NotFound(_)) => Ok(Vec::new()),
            Err(error) => Err(error),
        };
    };
    match lookup {
        Some(lookup) => application.lookup_consumers(organization, &lookup).await,
        None => Ok(Vec::new()),
    }
}
