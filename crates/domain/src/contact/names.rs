//! A full name in the two parts that Klaviyo has.

/// The first and the last name: the last word is the last name, because the joined form of both is what counts, and it is the same.
pub fn split_name(full: &str) -> (&str, Option<&str>) {
    match full.trim().rsplit_once(' ') {
        Some((first, last)) => (first.trim_end(), Some(last)),
        None => (full.trim(), None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::FullName;
    use proptest::prelude::*;

    #[test]
    fn the_last_word_is_the_last_name() {
        assert_eq!(split_name("Ada"), ("Ada", None));
        assert_eq!(split_name("Ada Lovelace"), ("Ada", Some("Lovelace")));
        assert_eq!(split_name("Ana de la Cruz"), ("Ana de la", Some("Cruz")));
    }

    proptest! {
        #[test]
        fn the_parts_join_to_the_same_name(
            first in "[a-zA-Zéß'-]{1,6}( [a-z]{1,3}){0,2}", last in prop::option::of("[a-zA-Z]{1,8}"),
        ) {
            let (full, _) = FullName::join(Some(&first), last.as_deref());
            let full = full.unwrap();
            let (first, last) = split_name(full.as_str());
            let (again, _) = FullName::join(Some(first), last);
            prop_assert_eq!(again, Some(full));
        }
    }
}
