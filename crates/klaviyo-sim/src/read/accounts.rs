//! `GET /api/accounts`: the key's own account and no other.

use super::{ReadContext, json};
use crate::query::Fields;
use crate::refusal::Refusal;
use crate::wire::{self, Links, Many, One};

impl ReadContext<'_> {
    pub(super) fn accounts(&self) -> Result<Vec<u8>, Refusal> {
        let fields = self.account_fields()?;
        json(&Many {
            data: vec![wire::account(self.account, &fields, self.base)],
            included: None,
            links: Links {
                itself: self.own_link(),
                next: None,
                prev: None,
            },
        })
    }

    pub(super) fn own_account(&self) -> Result<Vec<u8>, Refusal> {
        let fields = self.account_fields()?;
        if self.route.id != self.account.id {
            return Err(Refusal::no_resource("account", &self.route.id));
        }
        json(&One {
            data: wire::account(self.account, &fields, self.base),
            included: None,
        })
    }

    fn account_fields(&self) -> Result<Fields, Refusal> {
        Fields::read(self.parameters, "account", |name| {
            wire::is_account_field(self.account, name)
        })
    }
}
