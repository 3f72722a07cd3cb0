//! Wrong calls: exit status 2.

use crate::support::Installation;

#[test]
fn wrong_arguments_end_with_status_2() {
    let installation = Installation::new();
    for arguments in [
        &[][..],
        &["fly"],
        &["org", "create"],
        &["org", "create", "--name", ""],
        &["org", "create", "--name", " "],
        &["org", "create", "--name", "a\nb"],
        &["key", "create", "--role", "king"],
        &["klaviyo", "import"],
        &["klaviyo", "status", "--watch", "--json"],
        &["klaviyo", "connect", "pk_canary"],
        &["key", "list", "--org", "not an id"],
        &["explain", "--email", "a@b.example"],
        &["explain", "--audience", "aud_1"],
        &[
            "explain",
            "--audience",
            "aud_1",
            "--email",
            "a@b.example",
            "--profile",
            "P",
        ],
    ] {
        let result = installation.run(arguments);
        assert_eq!(result.status, 2, "{arguments:?}: {result:?}");
        assert_eq!(result.output, "", "{arguments:?}");
    }
    assert!(!installation.store().exists(), "nothing was made");
}

#[test]
fn help_ends_with_status_0() {
    let result = Installation::new().run(&["help"]);
    assert_eq!((result.status, result.errors.as_str()), (0, ""));
    for command in [
        "up", "migrate", "org", "key", "klaviyo", "explain", "rekey", "restored", "doctor",
    ] {
        assert!(result.output.contains(command), "{command}");
    }
}

#[test]
fn the_organization_may_be_left_out_where_there_is_one() {
    let installation = Installation::new();
    let explanation = "there is no organization yet; `fanfare org create --name NAME`";
    installation
        .run(&["key", "list"])
        .assert_refused(1, explanation);

    let (first, _) = installation.create_organization();
    assert_eq!(installation.run(&["key", "list"]).status, 0);

    installation.create_organization();
    let explanation = "there are several organizations; say which with --org ID";
    installation
        .run(&["key", "list"])
        .assert_refused(2, explanation);
    let named = installation.run(&["key", "list", "--org", &first]);
    assert_eq!(named.status, 0);

    let unknown = installation.run(&["key", "list", "--org", "org_nobody"]);
    unknown.assert_refused(1, "there is no such organization");
}

#[test]
fn an_organization_needs_a_name() {
    let result = Installation::new().run(&["org", "create", "--name", " "]);
    assert_eq!(result.status, 2, "{result:?}");
    let explanation = "give the organization a name of 1 to 255 characters";
    assert!(result.errors.contains(explanation), "{result:?}");
}

#[test]
fn a_reader_that_closes_the_pipe_is_no_error() {
    let installation = Installation::new();
    installation.create_organization();
    let mut child = installation.command(&["org", "list"]).spawn().unwrap();
    drop(child.stdout.take());
    assert!(child.wait().unwrap().success());
}
