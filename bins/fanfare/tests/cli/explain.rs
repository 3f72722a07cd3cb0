//! Why somebody is, or is not, a member, against the simulator.

use serde_json::Value;

use crate::support::{Installation, KLAVIYO_KEY, klaviyo, text};

#[test]
fn a_membership_is_explained_with_what_klaviyo_says_and_in_the_apis_shape() {
    let simulator = klaviyo();
    let installation = Installation::new().with("FANFARE_KLAVIYO_BASE_URL", simulator.url());
    let (_, key) = installation.create_organization();
    let connect = ["klaviyo", "connect", "--json"];
    installation.run_with(&connect, &format!("{KLAVIYO_KEY}\n"));
    let up = installation.up();
    let import = ["klaviyo", "import", "XyZaBc", "RtPqXs", "--wait", "--json"];
    let outcome = installation.run(&import).json();
    let audience = text(&outcome["imported"][0], "audienceId");
    let get = |path: &str| -> Value {
        let request = ureq::get(format!("{}{path}", up.api));
        let request = request.header("authorization", format!("Bearer {key}"));
        request.call().unwrap().body_mut().read_json().unwrap()
    };
    let members = get(&format!("/api/audiences/{audience}/members?first=100"));
    let members = members["data"].as_array().unwrap();
    let member = members.iter().find(|member| member["email"].is_string());
    let member = member.expect("a member with an e-mail");
    let (id, profile) = (text(member, "id"), text(member, "primaryExternalId"));
    let email = text(member, "email");

    for selector in [
        ["--email", &email],
        ["--consumer", &id],
        ["--profile", &profile],
    ] {
        let explain = ["explain", "--audience", &audience, "--live", "--json"];
        let shown = installation
            .run(&[&explain[..], &selector[..]].concat())
            .json();
        assert_eq!(shown["isMember"], true, "{shown}");
        assert_eq!(shown["consumerId"], id);
        assert_eq!(shown["reasons"][0]["code"], "member");
        assert_eq!(shown["live"]["inList"], true, "{shown}");
        assert!(shown["live"]["joinedAt"].is_string(), "{shown}");
        let path = format!("/api/audiences/{audience}/explain?consumerId={id}&live=true");
        assert_eq!(shown, get(&path), "the API says the same");
    }
    let other = [
        "explain",
        "--audience",
        &audience,
        "--email",
        "nobody@example.com",
    ];
    let shown = installation.run(&other);
    assert_eq!(shown.status, 0, "{shown:?}");
    assert!(shown.output.contains("unknown_person: "), "{shown:?}");
    let unknown = ["explain", "--audience", "aud_none", "--profile", "X"];
    let unknown = installation.run(&unknown);
    unknown.assert_refused(1, "the organization has no such audience");
}
