//! Why somebody is, or is not, a member of an audience: from what our rows tell, and from what Klaviyo says now, to
//! reasons with words that say what to do.

use std::collections::BTreeSet;

use crate::consumer::ProfileLink;
use crate::failure::FailureCode;
use crate::history::{Membership, MembershipEnd};
use crate::ids::{ConsumerId, ProfileId, RunId};
use crate::issue::IssueCode;
use crate::text_enum::text_enum;
use crate::time::Timestamp;

text_enum! {
    /// Why somebody is, or is not, a member: the strongest first. A reason that tells what happened is stronger than one
    /// that tells what is not there.
    ReasonCode {
        /// The person is a member.
        Member = "member",
        /// A member who may be in the list no more: no pass removes anybody until a user confirms it.
        RemovalHeld = "removal_held",
        /// The profile was in the list, and could not be taken.
        Skipped = "skipped",
        /// The profile's e-mail has changed: the person is a member as another consumer.
        Readdressed = "readdressed",
        /// The person was a member until a time.
        Left = "left",
        /// No pass has read the whole list yet, or the person has joined since the last one.
        NotReadYet = "not_read_yet",
        /// The person is known, and was not seen in the last complete pass.
        NotInList = "not_in_list",
        /// Nobody is known by what was asked for.
        UnknownPerson = "unknown_person",
        /// Klaviyo was to be asked, and could not be.
        LiveUnavailable = "live_unavailable",
    }
}

/// A reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// Which one it is.
    pub code: ReasonCode,
    /// What it means, and what to do. It holds no personal data.
    pub message: String,
    /// The profile that it is about.
    pub profile: Option<ProfileId>,
    /// The run that it comes from.
    pub run: Option<RunId>,
    /// When it came about.
    pub at: Option<Timestamp>,
}

/// A profile of the list that a run could not take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkippedProfile {
    /// The profile.
    pub profile: ProfileId,
    /// Why.
    pub code: IssueCode,
    /// The run.
    pub run: RunId,
    /// When.
    pub at: Timestamp,
}

impl SkippedProfile {
    /// Whether the issue is one with which a profile is skipped, rather than taken without a value.
    pub const fn is_skipped(&self) -> bool {
        matches!(
            self.code,
            IssueCode::MissingContact | IssueCode::InvalidEmail | IssueCode::Erased
        )
    }
}

/// A profile that wrote values of the consumer, and is linked now to another one, who is a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Readdressed {
    /// The profile.
    pub profile: ProfileId,
    /// The member.
    pub consumer: ConsumerId,
}

/// Why the last pass removed nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeldRemovals {
    /// Too many would have left.
    Guard,
    /// Too few profiles were seen.
    Incomplete,
    /// Klaviyo was still computing the segment.
    Deferred,
}

impl HeldRemovals {
    /// What the guard and the latest failure of a source say, and whether its latest run deferred removals.
    pub fn of(is_guard_holding: bool, last_error: Option<&str>, is_deferred: bool) -> Option<Self> {
        let is_incomplete = last_error == Some(FailureCode::IncompleteRead.as_str());
        match (is_guard_holding, is_incomplete, is_deferred) {
            (true, _, _) => Some(Self::Guard),
            (false, true, _) => Some(Self::Incomplete),
            (false, false, true) => Some(Self::Deferred),
            (false, false, false) => None,
        }
    }
}

/// What our rows tell of a person and an audience, all of one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// The consumer that was asked for, or whom the e-mail or the profile names.
    pub consumer: Option<ConsumerId>,
    /// The profiles that are linked to it.
    pub links: Vec<ProfileLink>,
    /// Its membership of the audience.
    pub membership: Option<Membership>,
    /// How its last membership ended, where it has none now and that is kept.
    pub left: Option<MembershipEnd>,
    /// A profile that was asked for or that Klaviyo names, which is linked to nobody and which a run has skipped.
    pub skipped: Option<SkippedProfile>,
    /// Where its profile is now.
    pub readdressed: Option<Readdressed>,
    /// When a run of the audience last succeeded.
    pub as_of: Option<Timestamp>,
    /// The latest run.
    pub last_run: Option<RunId>,
    /// Whether it is queued or syncing.
    pub is_syncing: bool,
    /// Why it removed nobody, if so.
    pub held: Option<HeldRemovals>,
}

/// A person's profile in the list, as Klaviyo says now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveMember {
    /// The profile.
    pub profile: ProfileId,
    /// When it last joined.
    pub joined_at: Option<Timestamp>,
}

/// What Klaviyo says now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Live {
    /// It was not asked.
    #[default]
    NotAsked,
    /// It could not be asked.
    Unavailable,
    /// The person's profiles that are in the list.
    Members(Vec<LiveMember>),
}

impl Live {
    /// Whether the person is in the list; `None` if that is not known.
    pub const fn in_list(&self) -> Option<bool> {
        match self {
            Self::Members(members) => Some(!members.is_empty()),
            Self::NotAsked | Self::Unavailable => None,
        }
    }

    fn member(&self, profile: &ProfileId) -> Option<&LiveMember> {
        match self {
            Self::Members(members) => members.iter().find(|one| one.profile == *profile),
            Self::NotAsked | Self::Unavailable => None,
        }
    }
}

/// What is known of one of the person's profiles and the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProfileFacts {
    /// The profile.
    pub profile: ProfileId,
    /// Whether it is in the list; `None` if that is not known.
    pub in_list: Option<bool>,
    /// When it joined, where Klaviyo was asked.
    pub joined_at: Option<Timestamp>,
    /// The last time at which a run is known to have read it: in this list, or in another.
    pub last_seen_at: Option<Timestamp>,
}

/// The person's profiles, by id: those linked, the one that was skipped, and those that Klaviyo names.
pub fn profiles(facts: &Facts, live: &Live) -> Vec<ProfileFacts> {
    let linked = facts.links.iter().map(|link| &link.profile);
    let skipped = facts.skipped.iter().map(|skipped| &skipped.profile);
    let named: Vec<&ProfileId> = match live {
        Live::Members(members) => members.iter().map(|one| &one.profile).collect(),
        Live::NotAsked | Live::Unavailable => Vec::new(),
    };
    let ids: BTreeSet<&ProfileId> = linked.chain(skipped).chain(named).collect();
    ids.into_iter().map(|id| profile(facts, live, id)).collect()
}

fn profile(facts: &Facts, live: &Live, id: &ProfileId) -> ProfileFacts {
    let member = live.member(id);
    let link = facts.links.iter().find(|link| link.profile == *id);
    // After a complete pass the members are the consumers of the profiles in the list, and no others.
    let by_rows = match (link, &facts.membership, facts.as_of) {
        (Some(_), Some(_), Some(_)) if facts.links.len() == 1 && facts.held.is_none() => Some(true),
        (Some(_), None, Some(_)) => Some(false),
        _ => None,
    };
    let in_list = live.in_list().map(|_| member.is_some()).or(by_rows);
    let seen_in_list = facts.as_of.filter(|_| by_rows == Some(true));
    let skipped = facts
        .skipped
        .as_ref()
        .filter(|skipped| skipped.profile == *id);
    ProfileFacts {
        profile: id.clone(),
        in_list,
        joined_at: member.and_then(|member| member.joined_at),
        last_seen_at: link
            .map(|link| link.changed_at)
            .max(seen_in_list)
            .max(skipped.map(|skipped| skipped.at)),
    }
}

/// The reasons, the strongest first. There is at least one.
pub fn reasons(facts: &Facts, live: &Live) -> Vec<Reason> {
    let mut reasons = Vec::new();
    if let Some(membership) = &facts.membership {
        reasons.push(member(facts, membership, live));
        reasons.extend(held(facts, live));
    } else {
        reasons.extend(facts.skipped.as_ref().map(skipped));
        reasons.extend(facts.readdressed.as_ref().map(readdressed));
        reasons.extend(facts.left.as_ref().map(left));
        reasons.extend(not_read_yet(facts, live));
        reasons.extend(not_in_list(facts));
        reasons.extend(unknown_person(facts));
    }
    if *live == Live::Unavailable {
        reasons.push(reason(ReasonCode::LiveUnavailable, LIVE_UNAVAILABLE));
    }
    reasons
}

fn reason(code: ReasonCode, message: impl Into<String>) -> Reason {
    Reason {
        code,
        message: message.into(),
        profile: None,
        run: None,
        at: None,
    }
}

const LIVE_UNAVAILABLE: &str = "Klaviyo could not be asked: it is not connected, refuses the key, has no quota left, or \
    did not answer. Look at the connection under Settings, Integrations, and ask again in a minute.";

fn member(facts: &Facts, membership: &Membership, live: &Live) -> Reason {
    let message = if live.in_list() == Some(false) && facts.held.is_none() {
        "The person is a member, and Klaviyo has them in the list no longer: the next complete pass takes them out. Sync \
         the audience to do it now."
    } else {
        "The person is a member. There is nothing to do."
    };
    Reason {
        run: membership.joined_by.clone(),
        at: Some(membership.began),
        ..reason(ReasonCode::Member, message)
    }
}

fn held(facts: &Facts, live: &Live) -> Option<Reason> {
    let held = facts.held.filter(|_| live.in_list() != Some(true))?;
    let message = match held {
        HeldRemovals::Guard => {
            "A sync would have removed more than half of the members, so no sync removes anybody, even if they have left \
             the list. Look at the list in Klaviyo; if it is right, sync with confirmRemovals."
        }
        HeldRemovals::Incomplete => {
            "The last sync saw clearly fewer profiles than Klaviyo had counted, so it removed nobody, even if they have \
             left the list. Sync again; if what it sees is right, sync with confirmRemovals."
        }
        HeldRemovals::Deferred => {
            "Klaviyo was still computing the segment, so the last sync removed nobody, even if they have left it. Wait for \
             the next sync, or sync again when Klaviyo is done."
        }
    };
    Some(Reason {
        run: facts.last_run.clone(),
        ..reason(ReasonCode::RemovalHeld, message)
    })
}

fn skipped(skipped: &SkippedProfile) -> Reason {
    let remedy = match skipped.code {
        IssueCode::Erased => "Erasing cannot be undone.",
        _ => "Mend the profile in Klaviyo, then sync the audience.",
    };
    let (code, why) = (skipped.code, skipped.code.message());
    Reason {
        profile: Some(skipped.profile.clone()),
        run: Some(skipped.run.clone()),
        at: Some(skipped.at),
        ..reason(
            ReasonCode::Skipped,
            format!("The profile was in the list and was not taken ({code}). {why} {remedy}"),
        )
    }
}

fn readdressed(to: &Readdressed) -> Reason {
    let consumer = &to.consumer;
    Reason {
        profile: Some(to.profile.clone()),
        ..reason(
            ReasonCode::Readdressed,
            format!(
                "The profile's e-mail has changed in Klaviyo, and the person is a member as {consumer}. Ask for their \
                 present e-mail, or for that consumer."
            ),
        )
    }
}

fn left(end: &MembershipEnd) -> Reason {
    let at = end.at;
    Reason {
        run: end.left_by.clone(),
        at: Some(at),
        ..reason(
            ReasonCode::Left,
            format!(
                "The person was a member until {at}, when a complete pass no longer saw them in the list. To have them \
                 back, put them into the list in Klaviyo, then sync the audience."
            ),
        )
    }
}

fn not_read_yet(facts: &Facts, live: &Live) -> Option<Reason> {
    let message = match (facts.as_of, live.in_list(), facts.is_syncing) {
        // What was read and skipped has been read.
        (Some(_), Some(true), _) if facts.skipped.is_none() => {
            "Klaviyo has the person in the list, and they were not there at the last complete pass. Sync the audience to \
             take them in."
        }
        (None, _, true) if facts.skipped.is_none() => {
            "The list has not been read to its end yet. A sync is under way: ask again when it has ended."
        }
        (None, _, false) if facts.skipped.is_none() => {
            "The list has not been read to its end yet. Sync the audience, and see why its last sync failed, if it did."
        }
        _ => return None,
    };
    let at = match live {
        Live::Members(members) => members.iter().filter_map(|member| member.joined_at).max(),
        Live::NotAsked | Live::Unavailable => None,
    };
    Some(Reason {
        run: facts.last_run.clone().filter(|_| facts.as_of.is_none()),
        at,
        ..reason(ReasonCode::NotReadYet, message)
    })
}

fn not_in_list(facts: &Facts) -> Option<Reason> {
    facts.consumer.as_ref()?;
    let as_of = facts.as_of.filter(|_| facts.skipped.is_none())?;
    Some(Reason {
        at: Some(as_of),
        ..reason(
            ReasonCode::NotInList,
            format!(
                "The person is known, and was not in the list when it was last read to its end, at {as_of}. Put them into \
                 the list in Klaviyo; if they have joined since, sync the audience."
            ),
        )
    })
}

fn unknown_person(facts: &Facts) -> Option<Reason> {
    let is_unknown = facts.consumer.is_none() && facts.skipped.is_none();
    is_unknown.then(|| {
        reason(
            ReasonCode::UnknownPerson,
            "Nobody here is known by this. Compare it with the profile in Klaviyo, letter by letter; if the profile is in \
             the list, sync the audience.",
        )
    })
}
