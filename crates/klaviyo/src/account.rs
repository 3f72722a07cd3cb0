//! `GET /api/accounts`: the account that a credential belongs to.

use fanfare_domain::ids::AccountId;
use fanfare_domain::klaviyo::{Account, KlaviyoError};

use crate::document::{Single, broken_id, parse};
use crate::lenient::{Object, Raw, object, value};
use crate::origin::Origin;
use crate::request::Request;

/// Requests one field that holds no personal data, because only the id is needed.
pub(crate) fn request(origin: &Origin) -> Request {
    let parameters = [("fields[account]", "test_account")];
    Request::get(origin, ["accounts"], &parameters, None)
}

object! {
    struct Identifier<'a> {
        id: Raw<'a>,
    }
}

/// Reads the account. The document holds only the account of the credential.
pub(crate) fn read(text: &str) -> Result<Account, KlaviyoError> {
    let accounts: Vec<Object<Identifier<'_>>> = parse::<Single<'_>>(text)?.data()?;
    let [Object(account)] = accounts.as_slice() else {
        let many = "it does not name one account".to_owned();
        return Err(KlaviyoError::Invalid(many));
    };
    let id = value::<String>(account.id).and_then(|id| AccountId::parse(id).ok());
    Ok(Account {
        id: id.ok_or_else(|| broken_id("account"))?,
    })
}
