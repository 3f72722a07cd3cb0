//! Filters that Klaviyo takes and refuses.

use super::*;

const FIELDS: [Filterable; 3] = [
    Filterable {
        name: "name",
        operators: &[Operator::Any, Operator::Equals],
        kind: ValueKind::Text,
    },
    Filterable {
        name: "at",
        operators: &[Operator::GreaterOrEqual, Operator::LessThan],
        kind: ValueKind::Time,
    },
    Filterable {
        name: "is_active",
        operators: &[Operator::Any, Operator::Equals],
        kind: ValueKind::Flag,
    },
];

fn parse(text: &str) -> Result<Vec<(&'static str, Operator, Value)>, String> {
    Condition::parse(text, &FIELDS, Some(2))
        .map(|conditions| {
            let conditions = conditions.into_iter();
            conditions.map(|c| (c.field, c.operator, c.value)).collect()
        })
        .map_err(|refusal| {
            refusal.document()["errors"][0]["detail"]
                .as_str()
                .unwrap()
                .to_owned()
        })
}

#[test]
fn commas_join_conditions_and_stand_in_texts() {
    let text = |text: &str| Value::Text(text.to_owned());
    assert_eq!(
        parse(r#"equals(name,"a, (b)"),less-than(at,1970-01-01T01:00:01+01:00)"#),
        Ok(vec![
            ("name", Operator::Equals, text("a, (b)")),
            ("at", Operator::LessThan, Value::Time(1_000_000)),
        ])
    );
    assert_eq!(
        parse(r#"equals(name,'say "hi"') , equals(is_active,true)"#),
        Ok(vec![
            ("name", Operator::Equals, text(r#"say "hi""#)),
            ("is_active", Operator::Equals, Value::Flag(true)),
        ])
    );
    assert_eq!(
        parse(r#"equals(name,"O\"Neil")"#),
        Ok(vec![("name", Operator::Equals, text("O\"Neil"))])
    );
}

#[test]
fn lists_have_brackets() {
    let texts = vec!["a".to_owned(), "b]".to_owned()];
    assert_eq!(
        parse(r#"any(name,["a", 'b]'])"#),
        Ok(vec![("name", Operator::Any, Value::Texts(texts))])
    );
    assert_eq!(
        parse("any(is_active,[true,false])"),
        Ok(vec![(
            "is_active",
            Operator::Any,
            Value::Flags(vec![true, false])
        )])
    );
    assert_eq!(
        parse("any(name,[])"),
        Ok(vec![("name", Operator::Any, Value::Texts(Vec::new()))])
    );
    assert!(parse(r#"any(name,"a")"#).is_err());
    assert!(
        parse(r#"any(name,["a","b","c"])"#).is_err(),
        "more than allowed"
    );
}

#[test]
fn refusals_say_what_would_be_right() {
    assert_eq!(
        parse("equals(nom,\"a\")").unwrap_err(),
        "'nom' is not a filterable field for this resource. The filterable fields on this \
         resource are: at, is_active, name"
    );
    assert_eq!(
        parse("equals(at,1970-01-01T00:00:00Z)").unwrap_err(),
        "'equals' is not an allowed filter operator for at.  Allowed operators are \
         greater-or-equal, less-than"
    );
}

#[test]
fn a_malformed_filter_is_refused() {
    for text in [
        "",
        "name",
        "equals(name)",
        "equals(name,\"a\"",
        "equals(name,\"a",
        "equals(name,a)",
        "equals(name,\"a\")equals(name,\"b\")",
        "equals(name,\"a\"),",
        "less-than(at,2026-01-01)",
        "less-than(at,\"1970-01-01T00:00:00Z\")",
        "less-than(at,1970-01-01T00:00:00 00:00)",
        "like(name,\"a\")",
        "equals(is_active,yes)",
        "any(name,[\"a\"",
        "any(name,[\"a\",])",
    ] {
        assert!(parse(text).is_err(), "{text}");
    }
}
