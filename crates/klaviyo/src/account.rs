//! `GET /api/accounts`: the account that a credential belongs to.

use fanfare_domain::ids::AccountId;
use fanfare_domain::klaviyo::{Account, KlaviyoError};
use serde::Deserialize;

use crate::document::{Single, broken_id, parse};
use crate::origin::Origin;
use crate::request::Request;

/// Requests one field that holds no personal data, because only the id is needed.
pub(crate) fn request(origin: &Origin) -> Request {
    let parameters = [("fields[account]", "test_account")];
    Request::get(origin, ["accounts"], &parameters, None)
}

#[derive(Deserialize)]
struct Identifier {
    id: String,
}

/// Reads the account. The document holds only the account of the credential.
pub(crate) fn read(body: &[u8]) -> Result<Account, KlaviyoError> {
    let document: Single<Vec<Identifier>> = parse(body)?;
    let [account] = <[Identifier; 1]>::try_from(document.data)
        .map_err(|_| KlaviyoError::Invalid("it does not name one account".to_owned()))?;
    let id = AccountId::parse(account.id).map_err(|_| broken_id("account"))?;
    Ok(Account { id })
}
