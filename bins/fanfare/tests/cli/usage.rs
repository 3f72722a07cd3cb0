//! Wrong calls: exit status 2.

use crate::support::Place;

#[test]
fn what_clap_refuses_is_status_2() {
    let place = Place::new();
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
    ] {
        let ran = place.run(arguments);
        assert_eq!(ran.status, 2, "{arguments:?}: {ran:?}");
        assert_eq!(ran.output, "", "{arguments:?}");
    }
    assert!(!place.store().exists(), "nothing was made");
}

#[test]
fn help_is_no_error() {
    let ran = Place::new().run(&["help"]);
    assert_eq!((ran.status, ran.errors.as_str()), (0, ""));
    for command in ["up", "migrate", "org", "key", "klaviyo", "doctor"] {
        assert!(ran.output.contains(command), "{command}");
    }
}

#[test]
fn the_organization_may_be_left_out_where_there_is_one() {
    let place = Place::new();
    let explanation = "there is no organization yet; `fanfare org create --name NAME`";
    place.run(&["key", "list"]).assert_refused(1, explanation);

    let (first, _) = place.create_organization();
    assert_eq!(place.run(&["key", "list"]).status, 0);

    place.create_organization();
    let explanation = "there are several organizations; say which with --org ID";
    place.run(&["key", "list"]).assert_refused(2, explanation);
    let named = place.run(&["key", "list", "--org", &first]);
    assert_eq!(named.status, 0);

    let unknown = place.run(&["key", "list", "--org", "org_nobody"]);
    unknown.assert_refused(1, "there is no such organization");
}

#[test]
fn an_organization_needs_a_name() {
    let ran = Place::new().run(&["org", "create", "--name", " "]);
    assert_eq!(ran.status, 2, "{ran:?}");
    let explanation = "give the organization a name of 1 to 255 characters";
    assert!(ran.errors.contains(explanation), "{ran:?}");
}

#[test]
fn whoever_reads_no_further_is_no_error() {
    let place = Place::new();
    place.create_organization();
    let mut child = place.command(&["org", "list"]).spawn().unwrap();
    drop(child.stdout.take());
    assert!(child.wait().unwrap().success());
}
