//! `GET /api/accounts`: whose credential it is.

use fanfare_domain::ids::AccountId;
use fanfare_domain::klaviyo::{Account, KlaviyoError};
use serde::Deserialize;

use crate::document::{Single, broken_id, parse};
use crate::origin::Origin;
use crate::request::Request;

/// Asks for one harmless field: the account's address is not needed.
pub(crate) fn request(origin: &Origin) -> Request {
    let parameters = [("fields[account]", "test_account")];
    Request::get(origin, ["accounts"], &parameters, None)
}

#[derive(Deserialize)]
struct Identifier {
    id: String,
}

/// Reads the account. The credential's own account is the only one in the document.
pub(crate) fn read(body: &[u8]) -> Result<Account, KlaviyoError> {
    let document: Single<Vec<Identifier>> = parse(body)?;
    let [account] = <[Identifier; 1]>::try_from(document.data)
        .map_err(|_| KlaviyoError::Invalid("it does not name one account".to_owned()))?;
    let id = AccountId::parse(account.id).map_err(|_| broken_id("account"))?;
    Ok(Account { id })
}
