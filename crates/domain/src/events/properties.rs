//! The properties of an event in Klaviyo: what its data tell, without anything that opens a door.

use serde_json::{Map, Value};

/// How deep Klaviyo takes nested values, and how deep what is nested deeper is left out.
const MAX_DEPTH: usize = 10;

/// The most properties: Klaviyo's guide names 300.
const MAX_PROPERTIES: usize = 290;

/// The longest text in bytes, and the longest list: Klaviyo takes 100 KB and 4,000.
const MAX_TEXT: usize = 100_000;
const MAX_ITEMS: usize = 4_000;

/// Words of a key whose value is a secret, whoever sent it under whatever name.
const SECRET: &[&str] = &[
    "token",
    "tokens",
    "secret",
    "secrets",
    "password",
    "passwords",
    "passcode",
    "otp",
    "pin",
    "jwt",
    "signature",
    "credential",
    "credentials",
    "authorization",
    "cookie",
    "bearer",
];

/// Words of a key that says something of a person's machine, or what Fanfare thinks of it.
const PRIVATE: &[&str] = &["ip", "bot", "fingerprint"];

/// Before these words `code` means a verification code or the like; behind these it is the name of something.
const CODES_OF: &[&str] = &[
    "currency", "country", "language", "locale", "region", "reason", "error",
];

/// Who it is stands beside the properties.
const PERSON: &[&str] = &["email", "phone", "full_name"];

/// The properties of an event's data: in snake case, without tokens, codes and secrets at any depth.
pub fn properties(data: &Map<String, Value>) -> Map<String, Value> {
    let mut all = object(data, 1);
    all.retain(|key, _| !PERSON.contains(&key.as_str()));
    all.into_iter().take(MAX_PROPERTIES).collect()
}

fn object(members: &Map<String, Value>, depth: usize) -> Map<String, Value> {
    let kept = members.iter().filter_map(|(key, value)| {
        let key = snake_case(key);
        if key.is_empty() || is_left_out(&key) {
            return None;
        }
        Some((key, kept_value(value, depth)?))
    });
    kept.collect()
}

fn kept_value(value: &Value, depth: usize) -> Option<Value> {
    match value {
        Value::Object(_) | Value::Array(_) if depth >= MAX_DEPTH => None,
        Value::Object(members) => Some(Value::Object(object(members, depth + 1))),
        Value::Array(items) => {
            let items = items.iter().take(MAX_ITEMS);
            let kept = items.filter_map(|item| kept_value(item, depth + 1));
            Some(Value::Array(kept.collect()))
        }
        Value::String(text) if text.len() > MAX_TEXT => None,
        // No store keeps it.
        Value::String(text) if text.contains('\0') => None,
        other => Some(other.clone()),
    }
}

fn is_left_out(key: &str) -> bool {
    let words: Vec<&str> = key.split('_').collect();
    let has = |of: &[&str]| words.iter().any(|word| of.contains(word));
    let is_code = words.iter().enumerate().any(|(place, word)| {
        let before = place.checked_sub(1).and_then(|place| words.get(place));
        matches!(*word, "code" | "codes") && !before.is_some_and(|of| CODES_OF.contains(of))
    });
    // Words that were run together: `accesstoken`.
    let is_run_together = ["token", "secret", "password"]
        .iter()
        .any(|word| key.contains(word));
    is_code || is_run_together || has(SECRET) || has(PRIVATE)
}

/// `waitTimeSeconds` is `wait_time_seconds`, and `consumerID` is `consumer_id`.
fn snake_case(key: &str) -> String {
    let characters: Vec<char> = key.chars().filter(|c| !c.is_control()).collect();
    let mut snake = String::with_capacity(key.len() + 4);
    for (place, c) in characters.iter().enumerate() {
        let before = place.checked_sub(1).and_then(|place| characters.get(place));
        let after = characters.get(place + 1);
        let begins_word = c.is_uppercase()
            && (before.is_some_and(|c| c.is_lowercase() || c.is_ascii_digit())
                || (before.is_some_and(|c| c.is_uppercase())
                    && after.is_some_and(|c| c.is_lowercase())));
        let is_letter = c.is_alphanumeric();
        if (begins_word || !is_letter) && !snake.is_empty() && !snake.ends_with('_') {
            snake.push('_');
        }
        if is_letter {
            snake.extend(c.to_lowercase());
        }
    }
    snake.trim_end_matches('_').to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn of(data: Value) -> Value {
        let Value::Object(data) = data else {
            unreachable!("an object")
        };
        Value::Object(properties(&data))
    }

    #[test]
    fn keys_are_in_snake_case_at_any_depth() {
        let data = json!({"waitTimeSeconds": 4, "consumerID": "c", "HTTPStatus": 1, "a-b c": 2,
            "items": [{"productId": "p", "quantity": 2}], "position2nd": 5});
        let want = json!({"wait_time_seconds": 4, "consumer_id": "c", "http_status": 1, "a_b_c": 2,
            "items": [{"product_id": "p", "quantity": 2}], "position2nd": 5});
        assert_eq!(of(data), want);
    }

    #[test]
    fn what_opens_a_door_is_left_out_at_any_depth() {
        let data = json!({
            "admissionToken": "x", "paymentToken": "x", "payment_token": "x", "ACCESS_TOKEN": "x",
            "accesstoken": "x", "clientSecret": "x", "verificationCode": "x", "code": "x",
            "otp": "x", "ipAddress": "x", "botScore": "x", "email": "x", "fullName": "x",
            "currencyCode": "EUR", "reason": "ORDER_LIMIT_EXCEEDED", "shippingOption": "fast",
            "deep": [[{"more": {"Token": "x", "kept": 1}}]],
        });
        let want = json!({"currency_code": "EUR", "reason": "ORDER_LIMIT_EXCEEDED",
            "shipping_option": "fast", "deep": [[{"more": {"kept": 1}}]]});
        assert_eq!(of(data), want);
    }

    #[test]
    fn what_klaviyo_does_not_take_is_left_out() {
        let many: Map<String, Value> = (0..500).map(|n| (format!("k{n}"), json!(n))).collect();
        assert_eq!(properties(&many).len(), MAX_PROPERTIES);
        let deep = (0..40).fold(json!(1), |inner, _| json!({ "in": inner }));
        let depth = std::iter::successors(Some(of(deep)), |value| value.get("in").cloned());
        assert_eq!(depth.count(), MAX_DEPTH);
        assert_eq!(
            of(json!({"long": "x".repeat(MAX_TEXT + 1), "zero": "a\0"})),
            json!({})
        );
    }

    /// Any JSON, whose keys are often those of secrets.
    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![Just(json!("canary")), any::<i32>().prop_map(|n| json!(n))];
        leaf.prop_recursive(6, 64, 4, |inner| {
            let key = prop_oneof![
                Just("admissionToken".to_owned()),
                Just("X-Secret-Key".to_owned()),
                Just("kept".to_owned()),
                "[a-zA-Z_]{1,12}",
            ];
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
                prop::collection::vec((key, inner), 0..4)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn no_key_of_a_secret_is_left_whatever_the_data_are(value in any_json()) {
            let data = Map::from_iter([("data".to_owned(), value)]);
            let text = Value::Object(properties(&data)).to_string();
            prop_assert!(!text.contains("token") && !text.contains("secret"), "{}", text);
        }
    }
}
