//! What a journal proves: that a client has raised no consent, and has taken off a list nobody but whom it added.

use crate::journal::{By, Entry, Written};

/// The endpoints that no client of ours may call, whatever their answer.
const FORBIDDEN: [&str; 3] = ["subscribe", "suppress", "unsuppress"];

/// What a journal holds that it must not hold, in words; empty if all is well. To be asked of every simulation that a client
/// wrote to.
pub fn breaches(journal: &[Entry]) -> Vec<String> {
    journal.iter().filter_map(breach_of).collect()
}

fn breach_of(entry: &Entry) -> Option<String> {
    match &entry.what {
        Written::Request { endpoint, path, .. } if FORBIDDEN.contains(&endpoint.as_str()) => {
            Some(format!("{path} was called"))
        }
        Written::Consent {
            profile,
            channel,
            from,
            to,
            by: By::Request,
        } if to > from => Some(format!(
            "the consent of {profile} to {channel:?} was raised from {from:?} to {to:?}"
        )),
        Written::Unsuppressed { profile } => {
            Some(format!("the suppressions of {profile} were lifted"))
        }
        Written::UnsubscribedOutside { list, profile } => Some(format!(
            "{profile} is not in the list {list} and was unsubscribed from everything"
        )),
        Written::Left {
            list,
            profile,
            was_added: false,
        } => Some(format!(
            "{profile} was taken off the list {list} and had not been put on it"
        )),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::journal::{Channel, ConsentLevel};

    fn count(what: Written) -> usize {
        breaches(&[Entry { at: 0, what }]).len()
    }

    #[test]
    fn each_forbidden_thing_is_found_and_nothing_else() {
        let request = |endpoint: &str| Written::Request {
            endpoint: endpoint.to_owned(),
            path: String::new(),
            key: String::new(),
            body: Value::Null,
            status: 403,
        };
        assert_eq!(count(request("subscribe")), 1);
        assert_eq!(count(request("unsuppress")), 1);
        assert_eq!(count(request("unsubscribe")), 0);
        let consent = |from, to, by| Written::Consent {
            profile: "P".to_owned(),
            channel: Channel::Email,
            from,
            to,
            by,
        };
        let (never, yes, no) = (
            ConsentLevel::NeverSubscribed,
            ConsentLevel::Subscribed,
            ConsentLevel::Unsubscribed,
        );
        assert_eq!(count(consent(never, yes, By::Request)), 1);
        assert_eq!(count(consent(no, never, By::Request)), 1);
        assert_eq!(count(consent(yes, no, By::Request)), 0);
        assert_eq!(count(consent(never, yes, By::World)), 0);
        let left = |was_added| Written::Left {
            list: "L".to_owned(),
            profile: "P".to_owned(),
            was_added,
        };
        assert_eq!(count(left(false)), 1);
        assert_eq!(count(left(true)), 0);
    }
}
