//! `GET /api/profiles`: by id, and those that have changed.

use fanfare_domain::ids::ProfileId;
use fanfare_domain::klaviyo::ChangedFrom;

use crate::consent::ADDITIONAL;
use crate::member::{PAGE_SIZE, PROFILE_FIELDS};
use crate::origin::Origin;
use crate::request::Request;

/// Requests these profiles.
pub(crate) fn by_id_request(origin: &Origin, ids: &[ProfileId]) -> Request {
    let filter = filter_any("id", ids.iter().map(ProfileId::as_str));
    let parameters = [
        ("fields[profile]", PROFILE_FIELDS),
        ADDITIONAL,
        ("page[size]", PAGE_SIZE),
        ("filter", &filter),
    ];
    Request::get(origin, ["profiles"], &parameters, None)
}

/// Requests a page of the profiles that have changed, in the order of their changes.
pub(crate) fn changed_request(origin: &Origin, from: &ChangedFrom) -> Request {
    let filter = format!("greater-than(updated,{})", from.after.to_whole_seconds());
    let parameters = [
        ("fields[profile]", PROFILE_FIELDS),
        ADDITIONAL,
        ("page[size]", PAGE_SIZE),
        ("sort", "updated"),
        ("filter", &filter),
    ];
    Request::get(origin, ["profiles"], &parameters, from.cursor.as_ref())
}

/// A filter for resources whose field has one of these values. A value that would end its own quotation is left out:
/// nothing in Klaviyo that is looked for has such characters.
pub(crate) fn filter_any<'a>(field: &str, values: impl Iterator<Item = &'a str>) -> String {
    let is_plain = |value: &&str| !value.contains(['"', '\\']) && !value.contains(char::is_control);
    let quoted: Vec<String> = values
        .filter(is_plain)
        .map(|value| format!("\"{value}\""))
        .collect();
    format!("any({field},[{}])", quoted.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_cannot_end_its_quotation() {
        let values = ["a+b@example.com", "\"),x", "b\\", "o'c@example.com"];
        let filter = filter_any("email", values.into_iter());
        assert_eq!(
            filter,
            r#"any(email,["a+b@example.com","o'c@example.com"])"#
        );
    }
}
