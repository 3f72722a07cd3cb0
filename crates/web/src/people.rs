//! Somebody whom a visitor names by what is exactly theirs.

use fanfare_domain::ids::{ConsumerId, OrganizationId};
use fanfare_domain::ports::{ConsumerRecord, Lookup};
use fanfare_domain::value::{Email, Phone};
use fanfare_sync::{Error, Integration};

/// The phone number that a text is, however people group its digits.
pub(crate) fn phone(text: &str) -> Option<Phone> {
    let bare: String = text
        .chars()
        .filter(|c| !c.is_whitespace() && !['-', '.', '/', '(', ')'].contains(c))
        .collect();
    let bare = match bare.strip_prefix("00") {
        Some(rest) => format!("+{rest}"),
        None => bare,
    };
    Phone::parse(&bare).ok()
}

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
        phone(text).map(|phone| Lookup::Phone(phone.as_str().to_owned()))
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

#[cfg(test)]
mod tests {
    use super::phone;

    #[test]
    fn a_phone_number_is_known_however_its_digits_are_grouped() {
        let known = |text| phone(text).map(|phone| phone.as_str().to_owned());
        for text in ["+491510000002", "+49 151 000-0002", "0049 (151) 0000002"] {
            assert_eq!(known(text).as_deref(), Some("+491510000002"), "{text}");
        }
        for text in ["491510000002", "+0151", "Ann Lee", ""] {
            assert_eq!(known(text), None, "{text}");
        }
    }
}
