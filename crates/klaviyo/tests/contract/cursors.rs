//! The cursor of a next page: how it is found in the link, and how it goes back.

use fanfare_domain::ports::KlaviyoError;
use serde_json::{Value, json};
use url::form_urlencoded;

use crate::support::{document, members, only_request, page, server, server_of};

#[tokio::test]
async fn a_next_link_gives_its_cursor_or_is_refused() {
    let check = async |next: Value| {
        let other = next.clone();
        let server = server_of(|own| {
            let next = next.as_str().map(|next| next.replace("OWN", own));
            document(&page(&[], &next.map_or(other, Value::from)))
        })
        .await;
        let answer = members(&server.uri(), None).await;
        answer.map(|answer| answer.value.next.map(|cursor| cursor.to_string()))
    };
    let taken = check(json!("OWN/api/x?page[cursor]=abc")).await;
    assert_eq!(taken, Ok(Some("abc".to_owned())));
    let relative = check(json!("/api/x?page%5Bcursor%5D=abc")).await;
    assert_eq!(relative, Ok(Some("abc".to_owned())));
    assert_eq!(check(json!(null)).await, Ok(None));

    for foreign in [
        "https://evil.example/api/x?page[cursor]=abc",
        "http://127.0.0.1:1/api/x?page[cursor]=abc",
        "//evil.example/api/x?page[cursor]=abc",
    ] {
        assert_eq!(check(json!(foreign)).await, Err(KlaviyoError::ForeignLink));
    }
    let long = format!("OWN/api/x?page[cursor]={}", "a".repeat(60_001));
    for broken in [
        json!("OWN/api/x"),
        json!("OWN/api/x?page[cursor]="),
        json!("OWN/api/x?page[cursor]=a&page[cursor]=b"),
        json!("http://"),
        json!(""),
        json!(7),
        json!({"href": "OWN/api/x?page[cursor]=a"}),
        json!(long),
    ] {
        let got = check(broken.clone()).await;
        assert!(
            matches!(got, Err(KlaviyoError::Invalid(_))),
            "{broken}: {got:?}"
        );
    }
}

#[tokio::test]
async fn a_cursor_goes_back_as_it_came_whatever_it_is() {
    let long = "ü".repeat(4_097);
    let texts = [
        "bmV4dDo6aWQ6OjAxRg==",
        "a b",
        "a\tb",
        "a\nb",
        "ü",
        "100%",
        "%41",
        "a&b=c#d",
        "+",
        "\0",
        "\u{fffd}",
        r#"[1788529134, "7qW", true]"#,
        "<Filters: any(id,['x'])>",
        &long,
    ];
    for text in texts {
        let form: String = form_urlencoded::byte_serialize(text.as_bytes()).collect();
        let percent = form.replace('+', "%20");
        let mut links = vec![(form, text.to_owned()), (percent, text.to_owned())];
        if !text.contains(['&', '#', '%', '+', '\0']) {
            links.push((text.to_owned(), text.to_owned()));
        }
        // A raw plus is a blank in a query.
        links.push(("a+b".to_owned(), "a b".to_owned()));
        for (value, want) in links {
            let next = format!("/api/x?sort=id&page[cursor]={value}");
            let from_klaviyo = server(document(&page(&[], &json!(next)))).await;
            let answer = members(&from_klaviyo.uri(), None).await.unwrap();

            let to_klaviyo = server(document(&page(&[], &json!(null)))).await;
            let cursor = answer.value.next.unwrap();
            members(&to_klaviyo.uri(), Some(cursor.as_str()))
                .await
                .unwrap();

            let request = only_request(&to_klaviyo).await;
            let mut pairs = request
                .url
                .query_pairs()
                .filter(|(name, _)| name == "page[cursor]");
            assert_eq!(pairs.next().unwrap().1, want);
            assert_eq!(pairs.next(), None);
        }
    }
}

#[tokio::test]
async fn the_longest_cursor_that_is_taken_can_be_sent() {
    let server = server(document(&page(&[], &json!(null)))).await;
    members(&server.uri(), Some(&"a".repeat(60_000)))
        .await
        .unwrap();
}
