//! The issues of a page: first by what became of the profile, then by reason.

use std::collections::BTreeMap;

use fanfare_domain::consumer::Consumer;
use fanfare_domain::ids::ProfileId;
use fanfare_domain::issue::{Field, Issue, IssueCode};
use fanfare_domain::value::Email;
use maud::{Markup, html};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::klaviyo_address;
use crate::components::{cell, heading, long_text, number, table, time};
use crate::pages::audience::Frame;
use crate::visitor::Visitor;

/// The consumers of a page's profiles.
type People = BTreeMap<ProfileId, Consumer>;

/// What became of a profile that has an issue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fate {
    LeftOut,
    BroughtIn,
    OnePerson,
}

impl Fate {
    /// Whoever is linked to a consumer was brought in: only a value was not.
    fn of(issue: &Issue, people: &People) -> Self {
        match issue.kind.code {
            IssueCode::MissingContact | IssueCode::Erased => Self::LeftOut,
            IssueCode::DuplicateEmail => Self::OnePerson,
            IssueCode::InvalidEmail | IssueCode::InvalidPhone | IssueCode::InvalidValue => {
                if people.contains_key(&issue.profile) {
                    Self::BroughtIn
                } else {
                    Self::LeftOut
                }
            }
        }
    }

    const fn heading(self) -> &'static str {
        match self {
            Self::LeftOut => "Left out",
            Self::BroughtIn => "Brought in, without this value",
            Self::OnePerson => "Brought in, as one consumer",
        }
    }
}

/// The issues of a page.
pub(super) fn groups(
    visitor: &Visitor,
    frame: &Frame,
    issues: &[Issue],
    people: &People,
    totals: &[(IssueCode, u64)],
) -> Markup {
    let mut groups = BTreeMap::<Fate, BTreeMap<IssueCode, Vec<&Issue>>>::new();
    for issue in issues {
        let by_code = groups.entry(Fate::of(issue, people)).or_default();
        by_code.entry(issue.kind.code).or_default().push(issue);
    }
    html! {
        @for (fate, by_code) in groups {
            section.panel {
                h2 { (fate.heading()) }
                @for (code, issues) in by_code {
                    @let total = totals.iter().find(|(of, _)| *of == code).map_or(0, |(_, count)| *count);
                    h3 { (code.message()) }
                    p.hint { (number(issues.len() as u64)) " shown here, of " (number(total)) " for this reason. " (remedy(code)) }
                    (rows(visitor, frame, code, &issues, people))
                }
            }
        }
    }
}

fn rows(
    visitor: &Visitor,
    frame: &Frame,
    code: IssueCode,
    issues: &[&Issue],
    people: &People,
) -> Markup {
    let headings = html! {
        @for name in ["Profile", "Consumer", "Field", "Found", "Membership"] { (heading(name)) }
    };
    let rows = html! {
        @for issue in issues {
            @let profile = issue.profile.as_str();
            tr {
                th scope="row" {
                    a href=(klaviyo_address(profile)) rel="noreferrer" target="_blank" { (long_text(profile)) }
                }
                (cell("Consumer", &who(people.get(&issue.profile))))
                (cell("Field", &html! { (field(issue)) }))
                (cell("Found", &time(issue.at, visitor.now)))
                (cell("Membership", &html! {
                    a href={ (frame.path()) "/why?profileId=" (utf8_percent_encode(profile, NON_ALPHANUMERIC)) } {
                        "Why?" span.hidden { " " (profile) }
                    }
                }))
            }
        }
    };
    table(code.message(), &headings, &rows)
}

/// Whom the profile is.
fn who(person: Option<&Consumer>) -> Markup {
    let Some(person) = person else {
        return html! { span.none { "None" } };
    };
    let name = person.full_name.as_ref().map(|name| name.value.as_str());
    let email = person.email.as_ref().map(Email::as_str);
    let phone = person.phone.as_ref().map(|phone| phone.value.as_str());
    let known = name.or(email).or(phone).unwrap_or(person.id.as_str());
    html! {
        a href={ "/app/customers/" (person.id) } { (long_text(known)) }
        @if let Some(email) = email.filter(|email| *email != known) { " " (long_text(email)) }
    }
}

/// The field that an issue is about, in words.
pub(super) fn field(issue: &Issue) -> &'static str {
    match issue.kind.field {
        Some(Field::Email) => "E-mail",
        Some(Field::PhoneNumber) => "Phone number",
        Some(Field::FirstName) => "First name",
        Some(Field::LastName) => "Last name",
        Some(Field::Updated) => "Time of the last change",
        Some(Field::JoinedGroupAt) => "Time of joining",
        None => "The whole profile",
    }
}

fn remedy(code: IssueCode) -> &'static str {
    match code {
        IssueCode::Erased => "Erasing cannot be undone.",
        IssueCode::DuplicateEmail => "Merge the profiles in Klaviyo if they are one person.",
        IssueCode::MissingContact => {
            "Give the profile an e-mail or a phone number in Klaviyo, then sync."
        }
        _ => "Mend the value in Klaviyo, then sync.",
    }
}
