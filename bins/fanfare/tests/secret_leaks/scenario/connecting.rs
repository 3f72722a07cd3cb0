//! Organizations get secret keys, and connect good and bad keys of Klaviyo.

use super::connect;
use crate::client::{Client, text};
use crate::environment::Environment;
use crate::fixture::{FORGED, KEY, LIMITED, OF_THE_WRONG_KIND, OTHER, UNKNOWN};
use crate::programs::Programs;

/// Makes two organizations with keys, and tries Klaviyo's keys. Returns the first owner's secret key.
pub(super) fn from_the_command_line(environment: &Environment, programs: &Programs<'_>) -> String {
    let create = ["org", "create", "--name", "Shop", "--json"];
    let created = programs.make_secret(&create);
    programs.make_secret(&["org", "create", "--name", "Neighbour", "--json"]);
    let organization = text(&created, "organizationId");
    let of = |command: &[&str]| {
        let mut arguments = command.to_vec();
        arguments.extend(["--org", organization]);
        programs.run(&arguments, KEY)
    };
    for role in ["admin", "viewer"] {
        let create = ["key", "create", "--org", organization, "--role", role];
        let made = programs.make_secret(&[&create[..], &["--test", "--json"]].concat());
        let key = text(&made, "keyId");
        let revoke = ["key", "revoke", key, "--org", organization];
        assert_eq!(programs.run(&revoke, ""), Some(0));
    }
    assert_eq!(of(&["key", "list"]), Some(0));
    assert_eq!(programs.run(&["org", "list"], ""), Some(0));

    for key in OF_THE_WRONG_KIND.into_iter().chain([UNKNOWN, LIMITED]) {
        let arguments = ["klaviyo", "connect", "--org", organization];
        assert_eq!(programs.run(&arguments, key), Some(1));
    }
    // Operators pass a key as an argument by mistake.
    for arguments in [
        &["klaviyo", "connect", KEY][..],
        &["klaviyo", "import", KEY],
        &["--key", KEY, "doctor"],
    ] {
        assert_eq!(of(arguments), Some(2));
    }
    assert_eq!(of(&["klaviyo", "connect"]), Some(0));
    for command in ["lists", "segments", "status"] {
        assert_eq!(of(&["klaviyo", command]), Some(0));
        assert_eq!(of(&["klaviyo", command, "--json"]), Some(0));
    }
    for command in ["doctor", "rekey"] {
        assert_eq!(programs.run(&[command], ""), Some(0));
        assert_eq!(programs.run(&[command, "--json"], ""), Some(0));
    }
    environment.assert_store_is_clean();
    text(&created, "secretKey").to_owned()
}

/// The same over HTTP.
pub(super) fn over_http(environment: &Environment, client: &Client<'_>) {
    for key in OF_THE_WRONG_KIND.into_iter().chain([UNKNOWN, LIMITED]) {
        assert_eq!(connect(client, key, false), 400);
    }
    assert_eq!(connect(client, OTHER, false), 409);
    assert_eq!(connect(client, OTHER, true), 200);
    assert_eq!(connect(client, KEY, true), 200);
    assert_eq!(client.get("/api/settings").status, 200);
    for secret in [FORGED, KEY] {
        let stranger = client.with_secret(secret);
        assert_eq!(stranger.get("/api/settings").status, 401);
    }
    environment.assert_store_is_clean();
}
