//! Accounts.

use serde_json::{Map, Value, json};

use crate::query::{Fields, leads_somewhere};
use crate::state::Account;

/// An account as a resource.
pub(crate) fn account(account: &Account, fields: &Fields, base: &str) -> Value {
    let id = &account.id;
    let mut shown = Map::new();
    if let Value::Object(attributes) = attributes(account) {
        for (name, value) in attributes {
            if let Some(part) = fields.prune(&name, || value.clone()) {
                shown.insert(name, part);
            }
        }
    }
    json!({
        "type": "account",
        "id": id,
        "attributes": shown,
        "links": {"self": format!("{base}/api/accounts/{id}/")},
    })
}

/// Whether a name can stand in `fields[account]`.
pub(crate) fn is_field(account: &Account, name: &str) -> bool {
    name == "id" || leads_somewhere(&attributes(account), name)
}

fn attributes(account: &Account) -> Value {
    json!({
        "test_account": true,
        "contact_information": {
            "default_sender_name": account.name,
            "default_sender_email": "customer@example.com",
            "website_url": "http://www.example.com",
            "organization_name": account.name,
            "street_address": {
                "address1": "1 Main St",
                "address2": null,
                "city": "Boston",
                "region": "MA",
                "country": "United States",
                "zip": "02111",
            },
        },
        "industry": "Software / SaaS",
        "timezone": "US/Eastern",
        "preferred_currency": "USD",
        "public_api_key": account.id,
        "locale": "en-US",
    })
}
