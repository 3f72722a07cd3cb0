//! The arguments of the command line.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand};
use fanfare_domain::ids::{AudienceId, CollectionId, ConsumerId, KeyId, OrganizationId, ProfileId};
use fanfare_domain::organization::{Role, parse_name};
use fanfare_domain::schedule::DEFAULT_INTERVAL;

/// Operates Fanfare's Klaviyo integration: works on the store itself, so that no program need run.
///
/// Settings are variables (`FANFARE_DATABASE_URL` and others) or stand in fanfare.toml;
/// `fanfare doctor` shows those in force.
#[derive(Debug, Parser)]
#[command(name = "fanfare", version)]
pub(crate) struct Arguments {
    /// Print JSON instead of tables
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve the API and work sync runs, in one process
    Up,
    /// Bring the store's schema up to date
    Migrate {
        /// Only tell what would be done; exit status 1 if something would
        #[arg(long)]
        check: bool,
    },
    /// Organizations
    #[command(subcommand)]
    Org(OrgCommand),
    /// Secret keys of the API
    #[command(subcommand)]
    Key(KeyCommand),
    /// The connection to Klaviyo, and syncs
    #[command(subcommand)]
    Klaviyo(KlaviyoCommand),
    /// Fanfare's events
    #[command(subcommand)]
    Events(EventsCommand),
    /// Tell why somebody is, or is not, a member of an audience, and what to do
    Explain(Explain),
    /// Seal all stored Klaviyo keys with the present master key, while all programs run
    ///
    /// Every program must know both master keys by then: docs/OPERATIONS.md has the steps. It may be ended and
    /// run again at any time. Exit status 1 if a stored key is sealed by none of the configured master keys.
    Rekey {
        /// The master key is lost: take the present one in its place, though it opens nothing that is stored
        #[arg(long)]
        lost: bool,
    },
    /// List the secret keys that are valid in a store that was restored from a backup, and end the warning of it
    ///
    /// Keys that were revoked after the backup was made are valid again in it.
    Restored {
        /// Revoke all of them
        #[arg(long)]
        revoke_keys: bool,
    },
    /// Check store, schema, master key, Klaviyo and worker, and show the settings in force
    Doctor,
}

#[derive(Debug, Subcommand)]
pub(crate) enum OrgCommand {
    /// Make an organization with an owner's secret key, which is shown this once
    Create {
        /// Its name
        #[arg(long, value_parser = parse_name)]
        name: String,
    },
    /// List the organizations
    List,
}

/// The organization that a command is about.
#[derive(Debug, Args)]
pub(crate) struct OrganizationOption {
    /// The organization; may be left out where there is only one
    #[arg(long, value_name = "ID", value_parser = organization)]
    pub(crate) org: Option<OrganizationId>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// Make a secret key, which is shown this once
    Create {
        #[command(flatten)]
        of: OrganizationOption,
        /// What its holder may do
        #[arg(long, value_parser = role())]
        role: Role,
        /// A key for trying things out (`sk_test_…`)
        #[arg(long)]
        test: bool,
    },
    /// List the keys, revoked ones too
    List {
        #[command(flatten)]
        of: OrganizationOption,
    },
    /// Revoke a key: it opens nothing from now on
    Revoke {
        #[command(flatten)]
        of: OrganizationOption,
        /// The key's id, `key_…`
        #[arg(value_name = "KEY", value_parser = key)]
        key: KeyId,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum KlaviyoCommand {
    /// Connect Klaviyo, or replace its key
    ///
    /// The private API key is read from the variable `KLAVIYO_API_KEY`, or else from standard input;
    /// on a terminal it is asked for.
    Connect {
        #[command(flatten)]
        of: OrganizationOption,
        /// Take a key of another Klaviyo account than the one connected
        #[arg(long)]
        confirm_account_change: bool,
    },
    /// List Klaviyo's lists
    Lists {
        #[command(flatten)]
        of: OrganizationOption,
    },
    /// List Klaviyo's segments
    Segments {
        #[command(flatten)]
        of: OrganizationOption,
    },
    /// Import lists and segments as audiences
    Import(Import),
    /// End Klaviyo's rate-limit blocks before their time, and let the syncs go on that wait for them
    ///
    /// A block is what Klaviyo asked for by its Retry-After. If it was meant, Klaviyo refuses the next requests too,
    /// and may ask to wait for longer: end one only if it cannot be meant. On a terminal this is asked first.
    Unblock {
        #[command(flatten)]
        of: OrganizationOption,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// Show the connection and every audience's sync
    Status {
        #[command(flatten)]
        of: OrganizationOption,
        /// Follow the syncs under way until they have ended
        #[arg(long, conflicts_with = "json")]
        watch: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum EventsCommand {
    /// Send an event as Fanfare does, signed with the organization's present secret
    ///
    /// Without --to it is taken by this program, as the API would take it.
    Send(SendEvent),
}

#[derive(Debug, Args)]
pub(crate) struct SendEvent {
    #[command(flatten)]
    pub(crate) of: OrganizationOption,
    /// Its type, such as `draw.consumer.won`
    #[arg(long = "type", value_name = "TYPE")]
    pub(crate) event_type: String,
    /// The consumer whom it concerns, `cons_…`
    #[arg(long, value_name = "ID", value_parser = consumer)]
    pub(crate) consumer: Option<ConsumerId>,
    /// What else it tells: a JSON object
    #[arg(long, value_name = "JSON")]
    pub(crate) data: Option<String>,
    /// Its id; a new one if left out
    #[arg(long, value_name = "ID")]
    pub(crate) id: Option<String>,
    /// The address of an API that takes it, such as `http://127.0.0.1:4800`
    #[arg(long, value_name = "URL")]
    pub(crate) to: Option<String>,
}

#[derive(Debug, Args)]
#[group(id = "what", required = true, multiple = true, args = ["lists", "segments"])]
pub(crate) struct Import {
    #[command(flatten)]
    pub(crate) of: OrganizationOption,
    /// Klaviyo's ids of lists
    #[arg(value_name = "LIST", value_parser = collection)]
    pub(crate) lists: Vec<CollectionId>,
    /// Klaviyo's id of a segment; may be repeated
    #[arg(long = "segment", value_name = "SEGMENT", value_parser = collection)]
    pub(crate) segments: Vec<CollectionId>,
    /// Keep the audiences up to date from now on
    #[arg(long)]
    pub(crate) continuous: bool,
    /// Seconds between the syncs of a continuous audience
    #[arg(long, value_name = "SECONDS", requires = "continuous", default_value_t = DEFAULT_INTERVAL)]
    pub(crate) every: u32,
    /// Follow the imports until they have ended; exit status 1 if one fails
    #[arg(long)]
    pub(crate) wait: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Explain {
    #[command(flatten)]
    pub(crate) of: OrganizationOption,
    /// The audience, `aud_…`
    #[arg(long, value_name = "ID", value_parser = audience)]
    pub(crate) audience: AudienceId,
    #[command(flatten)]
    pub(crate) person: Person,
    /// Ask Klaviyo, too
    #[arg(long)]
    pub(crate) live: bool,
}

/// Who is asked about: by exactly one of these.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Person {
    /// Their e-mail
    #[arg(long, value_name = "EMAIL")]
    pub(crate) email: Option<String>,
    /// The consumer, `cons_…`
    #[arg(long, value_name = "ID", value_parser = consumer)]
    pub(crate) consumer: Option<ConsumerId>,
    /// Klaviyo's id of a profile
    #[arg(long, value_name = "ID", value_parser = profile)]
    pub(crate) profile: Option<ProfileId>,
}

fn audience(text: &str) -> Result<AudienceId, String> {
    AudienceId::parse(text).map_err(|error| error.to_string())
}

fn consumer(text: &str) -> Result<ConsumerId, String> {
    ConsumerId::parse(text).map_err(|error| error.to_string())
}

fn profile(text: &str) -> Result<ProfileId, String> {
    ProfileId::parse(text).map_err(|error| error.to_string())
}

fn organization(text: &str) -> Result<OrganizationId, String> {
    OrganizationId::parse(text).map_err(|error| error.to_string())
}

fn key(text: &str) -> Result<KeyId, String> {
    KeyId::parse(text).map_err(|error| error.to_string())
}

fn collection(text: &str) -> Result<CollectionId, String> {
    CollectionId::parse(text).map_err(|error| error.to_string())
}

fn role() -> impl TypedValueParser<Value = Role> {
    let roles = [Role::Owner, Role::Admin, Role::Editor, Role::Viewer];
    PossibleValuesParser::new(roles.map(Role::as_str))
        .try_map(|text| Role::parse(&text).ok_or("there is no such role"))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn no_secret_is_an_argument() {
        for line in [
            ["fanfare", "klaviyo", "connect", "pk_canary"],
            ["fanfare", "klaviyo", "connect", "--key=pk_canary"],
        ] {
            assert!(Arguments::try_parse_from(line).is_err());
        }
    }
}
