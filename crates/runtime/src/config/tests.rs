use std::fs;
use std::os::unix::ffi::OsStringExt;

use super::*;

const KEY: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

/// The settings that come of variables and a file.
fn read(variables: &[(&str, &str)], toml: &str) -> Result<Config, ConfigError> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(FILE);
    if !toml.is_empty() {
        fs::write(&file, toml).unwrap();
    }
    let variables = variables
        .iter()
        .map(|(name, value)| (OsString::from(name), OsString::from(value)));
    Config::read(variables, &file)
}

/// What is in force of one setting, as it is shown.
fn shown(config: &Config, name: &str) -> String {
    let setting = SETTINGS.iter().find(|setting| setting.name == name);
    (setting.unwrap().shown)(config)
}

#[track_caller]
fn check(variables: &[(&str, &str)], toml: &str, name: &str, want: &str) {
    let config = read(variables, toml).unwrap();
    assert_eq!(shown(&config, name), want);
}

#[track_caller]
fn check_refused(variables: &[(&str, &str)], toml: &str, want: &str) {
    let error = read(variables, toml).unwrap_err().to_string();
    assert_eq!(error, want);
}

#[test]
fn without_anything_the_defaults_are_in_force() {
    for (name, want) in [
        ("FANFARE_DATABASE_URL", "sqlite://.fanfare/fanfare.db"),
        ("FANFARE_MIGRATION_DATABASE_URL", "as FANFARE_DATABASE_URL"),
        ("FANFARE_API_ADDR", "127.0.0.1:4800"),
        ("FANFARE_WORKER_ADDR", "127.0.0.1:4801"),
        ("FANFARE_PUBLIC_URL", "http://127.0.0.1:4800"),
        ("FANFARE_KLAVIYO_BASE_URL", "https://a.klaviyo.com"),
        ("FANFARE_MASTER_KEY", "not set"),
        ("FANFARE_MASTER_KEY_FILE", ".fanfare/master.key"),
        ("FANFARE_MASTER_KEY_PREVIOUS", "not set"),
        ("FANFARE_MASTER_KEY_PREVIOUS_FILE", "not set"),
        ("FANFARE_LEASE_SECONDS", "10"),
        ("FANFARE_MIN_REFRESH_SECONDS", "60"),
        ("FANFARE_FULL_PASS_SECONDS", "86400"),
        ("FANFARE_KLAVIYO_SHARE", "100"),
        ("FANFARE_RETENTION_DAYS", "90"),
        ("FANFARE_HISTORY_DAYS", "400"),
        ("FANFARE_LOG", "info"),
        ("FANFARE_LOG_FORMAT", "text on a terminal, else json"),
    ] {
        check(&[], "", name, want);
    }
    assert_eq!(SETTINGS.len(), 18, "each setting has a line above");
}

#[test]
fn the_environment_goes_before_the_file_and_the_file_before_the_default() {
    let name = "FANFARE_LEASE_SECONDS";
    check(&[], "lease_seconds = 30", name, "30");
    check(&[], "lease_seconds = \"30\"", name, "30");
    check(&[(name, "20")], "lease_seconds = 30", name, "20");
    check(&[(name, " ")], "lease_seconds = 30", name, "30");
    check(&[(name, "")], "lease_seconds = \"\"", name, "10");

    let config = read(&[(name, "20")], "log = \"debug\"").unwrap();
    let sources: Vec<_> = SETTINGS
        .iter()
        .map(|setting| (setting.name, config.source(setting)))
        .filter(|(_, source)| *source != Source::Default)
        .collect();
    let want = [(name, Source::Environment), ("FANFARE_LOG", Source::File)];
    assert_eq!(sources, want);
}

#[test]
fn every_setting_can_be_given_in_the_file() {
    let toml = "
        database_url = 'postgres://ann:canary@db/fanfare'
        migration_database_url = 'postgres://owner:canary@db/fanfare'
        api_addr = '0.0.0.0:80'
        worker_addr = '[::1]:0'
        public_url = 'https://fanfare.example.com/'
        klaviyo_base_url = 'http://127.0.0.1:4900'
        master_key_file = '/run/secrets/key'
        master_key_previous_file = '/run/secrets/previous'
        lease_seconds = 5
        klaviyo_share = 50
        history_days = 30
        min_refresh_seconds = 1
        full_pass_seconds = 3600
        log = 'warn,fanfare_sync=debug'
        log_format = 'json'
    ";
    for (name, want) in [
        ("FANFARE_DATABASE_URL", "postgres://••••@db/fanfare"),
        (
            "FANFARE_MIGRATION_DATABASE_URL",
            "postgres://••••@db/fanfare",
        ),
        ("FANFARE_API_ADDR", "0.0.0.0:80"),
        ("FANFARE_WORKER_ADDR", "[::1]:0"),
        ("FANFARE_PUBLIC_URL", "https://fanfare.example.com"),
        ("FANFARE_KLAVIYO_BASE_URL", "http://127.0.0.1:4900"),
        ("FANFARE_MASTER_KEY_FILE", "/run/secrets/key"),
        ("FANFARE_MASTER_KEY_PREVIOUS_FILE", "/run/secrets/previous"),
        ("FANFARE_LEASE_SECONDS", "5"),
        ("FANFARE_HISTORY_DAYS", "30"),
        ("FANFARE_MIN_REFRESH_SECONDS", "1"),
        ("FANFARE_FULL_PASS_SECONDS", "3600"),
        ("FANFARE_KLAVIYO_SHARE", "50"),
        ("FANFARE_LOG", "warn,fanfare_sync=debug"),
        ("FANFARE_LOG_FORMAT", "json"),
    ] {
        check(&[], toml, name, want);
    }
    let key = format!("master_key = '{KEY}'");
    check(&[], &key, "FANFARE_MASTER_KEY", "••••");
    let previous = format!("master_key_previous = '{KEY},{KEY}'");
    check(&[], &previous, "FANFARE_MASTER_KEY_PREVIOUS", "••••");
}

#[test]
fn a_file_with_a_secret_is_exposed_if_others_may_read_it_or_the_group_may_change_it() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, content: &str, mode| {
        let path = folder.path().join(name);
        // One that may not be written is not overwritten.
        fs::remove_file(&path).ok();
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path
    };
    for (mode, is_exposed) in [
        (0o600, false),
        (0o400, false),
        (0o440, false),
        (0o444, true),
        (0o604, true),
        (0o660, true),
        (0o602, true),
    ] {
        let key = file("key", KEY, mode).to_string_lossy().into_owned();
        for name in [
            "FANFARE_MASTER_KEY_FILE",
            "FANFARE_MASTER_KEY_PREVIOUS_FILE",
        ] {
            let config = read(&[(name, &key)], "").unwrap();
            let exposed = config.exposed_files();
            assert_eq!(exposed.len(), usize::from(is_exposed), "{mode:o}");
            for told in exposed {
                let told = told.to_string();
                assert!(told.contains(&format!("`chmod 600 {key}`")), "{told}");
            }
        }
    }
    for (toml, holds_secret) in [
        ("master_key = 'canary'", true),
        ("master_key_previous = 'canary'", true),
        ("database_url = 'postgres://ann:canary@db/fanfare'", true),
        ("database_url = 'sqlite://a.db'", false),
        ("lease_seconds = 20", false),
    ] {
        let settings = file("fanfare.toml", toml, 0o644);
        let config = Config::read([], &settings).unwrap();
        let exposed = config.exposed_files();
        assert_eq!(exposed.len(), usize::from(holds_secret), "{toml}");
        assert!(!format!("{exposed:?}").contains("canary"));
    }
}

#[test]
fn the_master_key_is_made_beside_the_embedded_store_and_nowhere_else() {
    let store = ("FANFARE_DATABASE_URL", "sqlite:///data/shop.db");
    let file = "FANFARE_MASTER_KEY_FILE";
    check(&[store], "", file, "/data/master.key");

    let postgres = ("FANFARE_DATABASE_URL", "postgres://db/fanfare");
    check(&[postgres], "", file, "not set");
    let config = read(&[postgres], "").unwrap();
    assert!(matches!(config.master_key, MasterKeySource::Unset));
}

#[test]
fn a_number_that_is_none_is_named_with_the_ones_that_would_do() {
    check_refused(
        &[("FANFARE_MIN_REFRESH_SECONDS", "0")],
        "",
        "FANFARE_MIN_REFRESH_SECONDS: it must be a whole number of seconds from 1 to 604800",
    );
    check_refused(
        &[("FANFARE_FULL_PASS_SECONDS", "0")],
        "",
        "FANFARE_FULL_PASS_SECONDS: it must be a whole number of seconds from 1 to 31536000",
    );
    check_refused(
        &[("FANFARE_LEASE_SECONDS", "0")],
        "",
        "FANFARE_LEASE_SECONDS: it must be a whole number of seconds from 1 to 3600",
    );
    for share in ["0", "101", "50%", "-1", "99999999999"] {
        check_refused(
            &[("FANFARE_KLAVIYO_SHARE", share)],
            "",
            "FANFARE_KLAVIYO_SHARE: it must be a whole number of percent from 1 to 100",
        );
    }
    check_refused(
        &[("FANFARE_RETENTION_DAYS", "0")],
        "",
        "FANFARE_RETENTION_DAYS: it must be a whole number of days from 1 to 36525",
    );
    check_refused(
        &[("FANFARE_HISTORY_DAYS", "36526")],
        "",
        "FANFARE_HISTORY_DAYS: it must be a whole number of days from 1 to 36525",
    );
    check_refused(
        &[],
        "lease_seconds = 1.5",
        "lease_seconds in fanfare.toml: it must be a whole number of seconds from 1 to 3600",
    );
    check_refused(
        &[],
        "lease_seconds = [5]",
        "lease_seconds in fanfare.toml must be text or a number",
    );
    check_refused(
        &[],
        "lease_seconds = 3601",
        "lease_seconds in fanfare.toml: it must be a whole number of seconds from 1 to 3600",
    );
}

#[test]
fn a_mistake_is_named_as_it_was_written_with_what_would_do() {
    check_refused(
        &[("FANFARE_API_ADDR", "4800")],
        "",
        "FANFARE_API_ADDR: it must be HOST:PORT, such as 127.0.0.1:4800",
    );
    check_refused(
        &[("FANFARE_WORKER_ADDR", "http://127.0.0.1:4801")],
        "",
        "FANFARE_WORKER_ADDR: it must be HOST:PORT, such as 127.0.0.1:4800",
    );
    check_refused(
        &[("FANFARE_DATABASE_URL", "mysql://db")],
        "",
        "FANFARE_DATABASE_URL: a store is sqlite://PATH or postgres://…",
    );
    check_refused(
        &[("FANFARE_MIGRATION_DATABASE_URL", "postgres://db/fanfare")],
        "",
        "FANFARE_MIGRATION_DATABASE_URL: it is for Postgres, where FANFARE_DATABASE_URL is of \
         Postgres too",
    );
    check_refused(
        &[("FANFARE_PUBLIC_URL", "fanfare.example.com")],
        "",
        "FANFARE_PUBLIC_URL: it must be an address such as https://fanfare.example.com, without user, \
         query or fragment",
    );
    check_refused(
        &[("FANFARE_KLAVIYO_BASE_URL", "http://a.klaviyo.com")],
        "",
        "FANFARE_KLAVIYO_BASE_URL: plain http is allowed to this machine only; use https",
    );
    check_refused(
        &[("FANFARE_MASTER_KEY", KEY)],
        "master_key_file = 'key'",
        "FANFARE_MASTER_KEY: master_key_file in fanfare.toml is given too; keep one of the two",
    );
    check_refused(
        &[
            ("FANFARE_MASTER_KEY_PREVIOUS_FILE", "key"),
            ("FANFARE_MASTER_KEY_PREVIOUS", KEY),
        ],
        "",
        "FANFARE_MASTER_KEY_PREVIOUS: FANFARE_MASTER_KEY_PREVIOUS_FILE is given too; keep one of \
         the two",
    );
    check_refused(
        &[("FANFARE_LOG", "info,=loud")],
        "",
        "FANFARE_LOG: it is no filter such as info or info,fanfare_sync=debug",
    );
    check_refused(
        &[("FANFARE_LOG_FORMAT", "xml")],
        "",
        "FANFARE_LOG_FORMAT: it must be text or json",
    );
}

#[test]
fn a_misspelt_name_is_a_mistake_and_a_foreign_one_is_not() {
    check_refused(
        &[("FANFARE_DATABSE_URL", "sqlite://a.db")],
        "",
        "there is no setting FANFARE_DATABSE_URL; did you mean FANFARE_DATABASE_URL?",
    );
    check_refused(
        &[],
        "databse_url = 'sqlite://a.db'",
        "there is no setting databse_url in fanfare.toml; did you mean database_url?",
    );
    check_refused(
        &[],
        "colour = 'red'",
        "there is no setting colour, which fanfare.toml gives; docs/OPERATIONS.md lists those \
         there are",
    );

    // What container platforms set for a service that is called fanfare-api.
    let foreign = ("FANFARE_API_PORT", "tcp://10.0.0.1:4800");
    let test = ("FANFARE_TEST_DATABASE_URL", "postgres://db/test");
    let config = read(&[foreign, test, ("HOME", "/root")], "").unwrap();
    assert_eq!(config.unknown_variables, ["FANFARE_API_PORT"]);
}

#[test]
fn no_secret_shows_in_debug_or_in_a_fault() {
    for (name, key) in [
        ("FANFARE_MASTER_KEY", "master_key"),
        ("FANFARE_MASTER_KEY_PREVIOUS", "master_key_previous"),
    ] {
        let config = read(&[(name, KEY)], "").unwrap();
        assert!(!format!("{config:?}").contains(KEY));

        let error = read(&[], &format!("{key} = '{KEY}")).unwrap_err();
        let text = error.to_string();
        assert!(text.starts_with("fanfare.toml cannot be read"), "{text}");
        assert!(!text.contains(KEY) && !text.contains('\n'), "{text}");
    }
}

#[test]
fn a_value_that_is_no_text_is_named() {
    let value = OsString::from_vec(vec![0xff]);
    let variables = [(OsString::from("FANFARE_LOG"), value)];
    let error = Config::read(variables, Path::new("/nonexistent/fanfare.toml")).unwrap_err();
    assert_eq!(error, ConfigError::NotText("FANFARE_LOG".to_owned()));
}
