//! The merge is a maximum.

use fanfare_domain::consumer::{Stamp, Stamped, merge};
use fanfare_domain::ids::ProfileId;
use proptest::prelude::*;

use crate::world::at;

type Slot = Option<Stamped<String>>;

/// A slot that a profile has written, or an empty one. Each stamp belongs to one value.
fn slot() -> impl Strategy<Value = Slot> {
    let stamp = (prop::option::of(0_i64..4), 0_u8..3).prop_map(|(updated, who)| {
        let by = Stamp {
            updated: updated.map(at),
            profile: ProfileId::parse(format!("P{who}")).unwrap(),
        };
        Stamped {
            value: format!("{by:?}"),
            by: Some(by),
        }
    });
    prop::option::of(stamp)
}

/// Both slots' values in one.
fn join(a: &Slot, b: &Slot) -> Slot {
    let mut joined = a.clone();
    if let Some(Stamped {
        value,
        by: Some(by),
    }) = b
    {
        merge(&mut joined, Some(value.clone()), by);
    }
    joined
}

proptest! {
    #[test]
    fn merging_is_commutative_associative_and_idempotent(a in slot(), b in slot(), c in slot()) {
        prop_assert_eq!(join(&a, &b), join(&b, &a));
        prop_assert_eq!(join(&join(&a, &b), &c), join(&a, &join(&b, &c)));
        prop_assert_eq!(join(&a, &a), a);
    }

    #[test]
    fn an_absent_value_never_wipes(a in slot(), b in slot()) {
        let mut kept = a.clone();
        if let Some(by) = b.and_then(|stamped| stamped.by) {
            merge(&mut kept, None, &by);
        }
        prop_assert_eq!(kept, a);
    }

    #[test]
    fn a_value_that_came_from_elsewhere_is_replaced_by_any_profile(b in slot()) {
        let foreign = Some(Stamped { value: "typed in".to_owned(), by: None });
        let joined = join(&foreign, &b);
        prop_assert_eq!(joined, b.or(foreign));
    }
}
