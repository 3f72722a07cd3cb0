//! Faults in one line, for the command line.

use std::str::FromStr;
use std::time::Duration;

use super::{
    Change, Effect, Fault, MemberRef, Recomputation, RetryAfter, Shape, UnknownJoin, When,
};
use crate::endpoint::{Endpoint, UnknownEndpoint};
use crate::key::Key;

/// How a fault is written, for profiles.
pub const GRAMMAR: &str = "\
PLACE[@CONDITION,...]:EFFECT

PLACE       any, or an endpoint, or ENDPOINT/ID. Endpoints: accounts, account, lists, list,
            list-profiles, list-profile-ids, segments, segment, segment-profiles,
            segment-profile-ids, profiles, profile, and for writing: create-event, create-events,
            events, metrics, update-profile, upsert-profile, start-import, import-job, import-errors,
            imported-profiles, add-to-list, remove-from-list, create-list, list-flows, segment-flows,
            metric-flows, unsubscribe, and subscribe, suppress, unsuppress, which nobody should call
CONDITION   page=N      this page of a scan, counted from 1
            request=N   from this request on, counted from 1
            account=ID  with a key of this account
            times=N     so often (usually once); times=all for ever
            for=costly  only with a costly parameter, such as profile_count
EFFECT      429[=AFTER]         too many requests; AFTER is seconds, or date:SECONDS,
                                text:ANYTHING, none
            4xx[=AFTER],        that status (400-599) with a page of HTML, as a network in front
            5xx[=AFTER]         of Klaviyo answers; AFTER as above
            refuse=STATUS       that status (400-599) with Klaviyo's own error document
            challenge           a 403 with HTML that says nothing about the key
            slow=MS             the answer begins that much later
            stall=MS            the answer stops in its middle for that long
            truncate            the answer ends in its middle
            reset               the connection is reset without an answer; what the request asked for is done
            no-effect           the write is answered as usual, and nothing is done
            half-effect         the first half of the members of a list write is done
            job-stuck, job-fails
                                the import job stays `processing`; ends `complete` with all rows failed
            empty               a 200 without a body
            shape=WHAT          a 200 with another body: not-json, data-is-text, data-is-null,
                                no-links, no-ids, no-attributes
            surrogate           half of a surrogate pair in a name
            broken-byte         a byte that is no UTF-8 in a name
            doubled-name        an attribute twice in an object
            byte-order-mark     the mark before the document
            enlarge=BYTES       longer names, so that the answer is so many bytes larger
            loop, fresh-loop    the next page is this one; is the first, with a new cursor
            foreign-link        the next page is on another host
            forget-cursor       a 400 for the cursor of the request, if it has one
            refuse-filter, refuse-sort
                                a 400 for the filter or order of the request, if it has one
            join=N              so many new profiles join the list first
            leave=WHO           WHO leaves first; WHO is first, last, #N in the order of joining,
                                or an id
            forget-join=WHO[,first]
                                WHO has no join time any more, and comes last, or first, by it
            rejoin=WHO, delete=WHO
            join-ahead=WHO,SECONDS
                                WHO joins, also if there already, with a join time so far ahead
            update=WHO[,SECONDS]
                                WHO's `updated` is now, or so far ahead
            merge=WHO,WHO       the first becomes the second, which shows after a minute
            merge=WHO,WHO,SECONDS
                                the same at once; the first one's id answers for so long yet
            delete-collection, rename=NAME
            count-lag=SECONDS   from now on profile_count is so far behind
            processing=on, processing=off
                                the segment says that it is being computed, or no more
            redefine            the segment gets another definition: it is empty until profiles join
            recompute=N[,untold]
                                the same, and who was in it joins again, N in a minute; the segment
                                says that it is being computed, or does not
            revoke-key, drop-scope=SCOPE, add-key=KEY

Examples    list-profiles@page=5,times=3:429=30
            list-profiles/RtPqXs@page=2:leave=first
            list-profiles@request=10:revoke-key
            any@times=all:slow=2000
            list@for=costly,times=all:refuse=500
            accounts:503
            segment-profiles/Ac7EgS@page=2:recompute=600,untold

At once     The program takes specs while it runs, one a line: POST /control/faults plans them, DELETE
            /control/faults forgets all that are planned, and POST /control/changes makes a change (join
            and what follows) at once, of the list or segment in PLACE, in the first account or in that of
            account=ID. revoke-key then revokes all keys of the account.
                curl -d 'segment/Ac7EgS:recompute=600' http://HOST:PORT/control/changes

Journal     GET /control/journal answers with all that requests have written, an entry a line, and with
            ?without=requests but for the requests themselves; GET /control/summary with the number of
            events, and of those that came again; GET /control/breaches with what of it no client of Fanfare's may do, such as a subscription";

/// A text that describes no fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SpecError {
    /// There is no colon.
    #[error("a fault is written PLACE:EFFECT")]
    NoEffect,
    /// The place is none.
    #[error(transparent)]
    Place(#[from] UnknownEndpoint),
    /// A condition is none.
    #[error("{0:?} is no condition; there are page=N, request=N, account=ID, times=N, for=costly")]
    Condition(String),
    /// The effect is none.
    #[error("{0:?} is no effect, or lacks its value")]
    Effect(String),
}

impl FromStr for Fault {
    type Err = SpecError;

    fn from_str(text: &str) -> Result<Self, SpecError> {
        let (target, effect) = text.split_once(':').ok_or(SpecError::NoEffect)?;
        let mut fault = Self::new(self::effect(effect)?);
        let (place, conditions) = target.split_once('@').unwrap_or((target, ""));
        let (endpoint, id) = match place.split_once('/') {
            Some((endpoint, id)) => (endpoint, Some(id)),
            None => (place, None),
        };
        if endpoint != "any" {
            fault.endpoint = Some(endpoint.parse::<Endpoint>()?);
        }
        fault.id = id.map(str::to_owned);
        for condition in conditions.split(',').filter(|text| !text.is_empty()) {
            fault = fault
                .condition(condition)
                .ok_or_else(|| SpecError::Condition(condition.to_owned()))?;
        }
        Ok(fault)
    }
}

impl Fault {
    fn condition(self, text: &str) -> Option<Self> {
        let (name, value) = text.split_once('=')?;
        let number = || value.parse::<u32>().ok().filter(|number| *number > 0);
        Some(match name {
            "page" => Self {
                when: When::Page(number()?),
                ..self
            },
            "request" => Self {
                when: When::Request(number()?),
                ..self
            },
            "account" => self.account(value),
            "for" if value == "costly" => self.costly(),
            "times" if value == "all" => self.forever(),
            "times" => self.times(number()?),
            _ => return None,
        })
    }
}

fn effect(text: &str) -> Result<Effect, SpecError> {
    let (name, value) = match text.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (text, None),
    };
    read(name, value).ok_or_else(|| SpecError::Effect(text.to_owned()))
}

fn read(name: &str, value: Option<&str>) -> Option<Effect> {
    let delay = || Some(Duration::from_millis(value?.parse().ok()?));
    let one = || value.filter(|value| !value.is_empty()).map(who);
    if let Ok(status) = name.parse::<u16>() {
        let after = match value {
            Some(value) => Some(retry_after(value)?),
            None => None,
        };
        return match status {
            429 => Some(Effect::Throttle(after.unwrap_or(RetryAfter::Seconds(1)))),
            400..=599 => Some(Effect::Status(status, after)),
            _ => None,
        };
    }
    Some(match (name, value) {
        ("challenge", None) => Effect::Challenge,
        ("slow", _) => Effect::Slow(delay()?),
        ("stall", _) => Effect::Stall(delay()?),
        ("truncate", None) => Effect::Truncate,
        ("reset", None) => Effect::Reset,
        ("empty", None) => Effect::Empty,
        ("no-effect", None) => Effect::NoEffect,
        ("half-effect", None) => Effect::HalfEffect,
        ("job-stuck", None) => Effect::JobStuck,
        ("job-fails", None) => Effect::JobFails,
        ("refuse", Some(status)) => {
            let status = status.parse().ok();
            Effect::Refuse(status.filter(|status| (400..=599).contains(status))?)
        }
        ("shape", Some(shape)) => Effect::Shape(self::shape(shape)?),
        ("surrogate", None) => Effect::Surrogate,
        ("broken-byte", None) => Effect::BrokenByte,
        ("doubled-name", None) => Effect::DoubledName,
        ("byte-order-mark", None) => Effect::ByteOrderMark,
        ("enlarge", Some(bytes)) => Effect::Enlarge(bytes.parse().ok()?),
        ("loop", None) => Effect::Loop,
        ("fresh-loop", None) => Effect::FreshLoop,
        ("foreign-link", None) => Effect::ForeignLink,
        ("forget-cursor", None) => Effect::ForgetCursor,
        ("refuse-filter", None) => Effect::RefuseFilter,
        ("refuse-sort", None) => Effect::RefuseSort,
        ("forget-join", Some(value)) => {
            let (member, place) = match value.strip_suffix(",first") {
                Some(member) => (member, UnknownJoin::First),
                None => (value, UnknownJoin::Last),
            };
            let member = Some(member).filter(|text| !text.is_empty())?;
            Effect::Change(Change::ForgetJoin(who(member), place))
        }
        ("join", Some(count)) => Effect::Change(Change::Join(count.parse().ok()?)),
        ("leave", _) => Effect::Change(Change::Leave(one()?)),
        ("rejoin", _) => Effect::Change(Change::Rejoin(one()?)),
        ("delete", _) => Effect::Change(Change::Delete(one()?)),
        ("join-ahead", Some(value)) => {
            let (member, seconds) = value.split_once(',')?;
            Effect::Change(Change::JoinAhead(who(member), self::seconds(seconds)?))
        }
        ("update", _) => {
            let value = value.filter(|value| !value.is_empty())?;
            let (member, ahead) = match value.split_once(',') {
                Some((member, seconds)) => (member, self::seconds(seconds)?),
                None => (value, Duration::ZERO),
            };
            Effect::Change(Change::Touch(who(member), ahead))
        }
        ("merge", Some(value)) => {
            let (from, rest) = value.split_once(',')?;
            Effect::Change(match rest.split_once(',') {
                Some((into, seconds)) => {
                    Change::MergeAtOnce(who(from), who(into), self::seconds(seconds)?)
                }
                None => Change::Merge(who(from), who(rest)),
            })
        }
        ("count-lag", Some(value)) => Effect::Change(Change::LagCount(seconds(value)?)),
        ("delete-collection", None) => Effect::Change(Change::DeleteCollection),
        ("rename", Some(name)) => Effect::Change(Change::Rename(name.to_owned())),
        ("processing", Some("on")) => Effect::Change(Change::Process(true)),
        ("processing", Some("off")) => Effect::Change(Change::Process(false)),
        ("redefine", None) => Effect::Change(Change::Recompute(Recomputation::at(0))),
        ("recompute", Some(value)) => {
            let how = match value.strip_suffix(",untold") {
                Some(rate) => Recomputation::at(rate.parse().ok()?).untold(),
                None => Recomputation::at(value.parse().ok()?),
            };
            Effect::Change(Change::Recompute(how))
        }
        ("add-key", Some(secret)) if !secret.is_empty() => {
            Effect::Change(Change::AddKey(Key::new(secret)))
        }
        ("revoke-key", None) => Effect::Change(Change::RevokeKey),
        ("drop-scope", Some(scope)) => Effect::Change(Change::DropScope(scope.to_owned())),
        _ => return None,
    })
}

fn seconds(text: &str) -> Option<Duration> {
    text.parse().ok().map(Duration::from_secs)
}

fn retry_after(text: &str) -> Option<RetryAfter> {
    if text == "none" {
        return Some(RetryAfter::Missing);
    }
    match text.split_once(':') {
        Some(("date", seconds)) => Some(RetryAfter::Date(seconds.parse().ok()?)),
        Some(("text", text)) => Some(RetryAfter::Text(text.to_owned())),
        _ => Some(RetryAfter::Seconds(text.parse().ok()?)),
    }
}

fn shape(text: &str) -> Option<Shape> {
    Some(match text {
        "not-json" => Shape::NotJson,
        "data-is-text" => Shape::DataIsText,
        "data-is-null" => Shape::DataIsNull,
        "no-links" => Shape::NoLinks,
        "no-ids" => Shape::NoIds,
        "no-attributes" => Shape::NoAttributes,
        _ => return None,
    })
}

fn who(text: &str) -> MemberRef {
    let nth = text
        .strip_prefix('#')
        .and_then(|number| number.parse().ok());
    match (text, nth) {
        (_, Some(number)) => MemberRef::Nth(number),
        ("first", _) => MemberRef::First,
        ("last", _) => MemberRef::Last,
        _ => MemberRef::Id(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kind::Kind;

    fn parse(text: &str) -> Result<Fault, SpecError> {
        text.parse()
    }

    #[test]
    fn every_example_of_the_grammar_is_understood() {
        let (_, examples) = GRAMMAR.split_once("Examples").unwrap();
        let (examples, _) = examples.split_once("At once").unwrap();
        let examples = examples.trim_end();
        for example in examples.lines() {
            assert!(parse(example.trim()).is_ok(), "{example}");
        }
    }

    #[test]
    fn places_and_conditions_narrow_a_fault() {
        let members = Endpoint::Members(Kind::Segment);
        let reset = Fault::new(Effect::Reset);
        assert_eq!(parse("any:reset"), Ok(reset.clone()));
        assert_eq!(
            parse("segment-profiles/AbC@request=3,times=all,account=X1:reset"),
            Ok(reset
                .on(members)
                .of("AbC")
                .account("X1")
                .request(3)
                .forever())
        );
    }

    #[test]
    fn effects_have_values() {
        let effect = |text: &str| parse(&format!("any:{text}")).map(|fault| fault.effect);
        let throttle = |after| Ok(Effect::Throttle(after));
        assert_eq!(effect("429"), throttle(RetryAfter::Seconds(1)));
        assert_eq!(effect("429=3600"), throttle(RetryAfter::Seconds(3_600)));
        assert_eq!(effect("429=date:9"), throttle(RetryAfter::Date(9)));
        assert_eq!(
            effect("429=text:a=b"),
            throttle(RetryAfter::Text("a=b".to_owned()))
        );
        assert_eq!(effect("429=none"), throttle(RetryAfter::Missing));
        assert_eq!(effect("524"), Ok(Effect::Status(524, None)));
        assert_eq!(effect("407"), Ok(Effect::Status(407, None)));
        assert_eq!(effect("refuse=403"), Ok(Effect::Refuse(403)));
        assert_eq!(effect("enlarge=9000"), Ok(Effect::Enlarge(9_000)));
        assert_eq!(
            effect("503=5"),
            Ok(Effect::Status(503, Some(RetryAfter::Seconds(5))))
        );
        for (text, place) in [("#2", UnknownJoin::Last), ("#2,first", UnknownJoin::First)] {
            assert_eq!(
                effect(&format!("forget-join={text}")),
                Ok(Effect::Change(Change::ForgetJoin(MemberRef::Nth(2), place)))
            );
        }
        assert_eq!(
            effect("merge=#2,01ABC"),
            Ok(Effect::Change(Change::Merge(
                MemberRef::Nth(2),
                MemberRef::Id("01ABC".to_owned())
            )))
        );
    }

    #[test]
    fn changes_have_times_and_rates() {
        let change = |text: &str| match parse(&format!("any:{text}")).unwrap().effect {
            Effect::Change(change) => change,
            other => panic!("{other:?}"),
        };
        let hour = Duration::from_hours(1);
        let (first, last) = (MemberRef::First, MemberRef::Last);
        assert_eq!(
            change("join-ahead=first,3600"),
            Change::JoinAhead(first.clone(), hour)
        );
        assert_eq!(
            change("update=last"),
            Change::Touch(last.clone(), Duration::ZERO)
        );
        assert_eq!(
            change("update=last,3600"),
            Change::Touch(last.clone(), hour)
        );
        assert_eq!(
            change("merge=first,last,3600"),
            Change::MergeAtOnce(first, last, hour)
        );
        assert_eq!(change("count-lag=3600"), Change::LagCount(hour));
        assert_eq!(change("redefine"), Change::Recompute(Recomputation::at(0)));
        assert_eq!(
            change("recompute=60,untold"),
            Change::Recompute(Recomputation::at(60).untold())
        );
        let added = change("add-key=pk_secret");
        assert_eq!(added, Change::AddKey(Key::new("pk_secret")));
        assert!(!format!("{added:?}").contains("pk_secret"));
    }

    #[test]
    fn a_malformed_fault_is_refused() {
        for text in [
            "",
            "reset",
            "nowhere:reset",
            "any:",
            "any:explode",
            "any:slow",
            "any:399",
            "any:refuse=200",
            "any@for=free:reset",
            "any:429=soon",
            "any:leave",
            "any:enlarge",
            "any:forget-join",
            "any:forget-join=,first",
            "any:merge=first",
            "any:merge=first,last,soon",
            "any:join-ahead=first",
            "any:update",
            "any:update=first,soon",
            "any:count-lag",
            "any:recompute",
            "any:recompute=slowly",
            "any:add-key=",
            "any:reset=1",
            "any@page=0:reset",
            "any@page:reset",
            "any@moon=full:reset",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
