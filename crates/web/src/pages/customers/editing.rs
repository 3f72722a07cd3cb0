//! `/app/customers/new` and `/app/customers/{id}/edit`: somebody is made, or changed.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use fanfare_domain::ids::ConsumerId;
use fanfare_domain::ports::ConsumerRecord;
use fanfare_domain::value::{Email, FullName, Phone};
use fanfare_sync::{ConsumerUpdate, Entity, Error, Integration, NewConsumer, Patch};
use maud::{Markup, html};

use super::{PATH, name};
use crate::components::{csrf, long_text, text_field};
use crate::error::PageError;
use crate::fields::{Fields, Form};
use crate::layout::Section;
use crate::people::phone;
use crate::router::{PageRoute, page};
use crate::visitor::{Visitor, see};

/// The routes of this file.
pub(super) fn routes() -> Vec<PageRoute> {
    vec![
        page!(GET Editor "/app/customers/new", begin),
        page!(POST Editor "/app/customers/new", make),
        page!(GET Editor "/app/customers/{id}/edit", show),
        page!(POST Editor "/app/customers/{id}/edit", save),
    ]
}

/// The fields of the form.
const FIELDS: [&str; 3] = ["fullName", "email", "phone"];

/// What is wrong with what was typed.
#[derive(Default)]
struct Faults {
    email: Option<String>,
    phone: Option<String>,
    full_name: Option<String>,
}

/// What was typed.
#[derive(Default)]
struct Values {
    email: Option<Email>,
    phone: Option<Phone>,
    full_name: Option<FullName>,
}

impl Faults {
    fn is_empty(&self) -> bool {
        self.email.is_none() && self.phone.is_none() && self.full_name.is_none()
    }

    /// What an error says of a field; the error itself if it is of none.
    fn of(error: Error) -> Result<Self, Error> {
        let mut faults = Self::default();
        match error {
            Error::EmailExists => {
                faults.email = Some("Another consumer has this e-mail.".to_owned());
            }
            Error::PersonErased => {
                let text = "This person was erased, and cannot be made anew.";
                faults.email = Some(text.to_owned());
            }
            other => return Err(other),
        }
        Ok(faults)
    }
}

/// Reads the form: each value, or each fault.
fn read(typed: &Fields) -> Result<Values, Faults> {
    let (mut values, mut faults) = (Values::default(), Faults::default());
    if let Some(text) = typed.text("email") {
        match Email::parse(text) {
            Ok(email) => values.email = Some(email),
            Err(_) => faults.email = Some("This is no e-mail address.".to_owned()),
        }
    }
    if let Some(text) = typed.text("phone") {
        if let Some(phone) = phone(text) {
            values.phone = Some(phone);
        } else {
            let text = "Write it with its country: + and 7 to 15 digits, like +491511234567.";
            faults.phone = Some(text.to_owned());
        }
    }
    if let Some(text) = typed.text("fullName") {
        match FullName::join(Some(text), None) {
            (Some(name), _) => values.full_name = Some(name),
            (None, _) => faults.full_name = Some("This cannot be a name.".to_owned()),
        }
    }
    if faults.is_empty() {
        Ok(values)
    } else {
        Err(faults)
    }
}

async fn begin(visitor: Visitor) -> HttpResponse {
    answer(&visitor, None, &Fields::default(), &Faults::default())
}

async fn make(
    application: Data<Integration>,
    visitor: Visitor,
    form: Form,
) -> Result<HttpResponse, PageError> {
    let Form(typed) = form;
    let values = match read(&typed) {
        Ok(values) => values,
        Err(faults) => return Ok(invalid(&visitor, None, &typed, &faults)),
    };
    // By the API there may be people of whom nothing is known; nobody means to make one by a form.
    if values.email.is_none() && values.phone.is_none() {
        let faults = Faults {
            email: Some(
                "Give an e-mail or a phone number: nobody is reached by a name alone.".to_owned(),
            ),
            ..Faults::default()
        };
        return Ok(invalid(&visitor, None, &typed, &faults));
    }
    let new = NewConsumer {
        email: values.email,
        phone: values.phone,
        full_name: values.full_name,
        metadata: None,
        actor: visitor.actor(),
    };
    let made = application
        .create_consumer(visitor.organization(), new)
        .await;
    match made.map_err(Faults::of) {
        Ok(record) => Ok(see(&format!("{PATH}/{}?notice=made", record.consumer.id))),
        Err(Ok(faults)) => Ok(invalid(&visitor, None, &typed, &faults)),
        Err(Err(error)) => Err(error.into()),
    }
}

async fn show(
    application: Data<Integration>,
    visitor: Visitor,
    path: Path<String>,
) -> Result<HttpResponse, PageError> {
    let person = person(&application, &visitor, path).await?;
    let consumer = &person.consumer;
    let email = consumer.email.as_ref().map(Email::as_str);
    let phone = consumer.phone.as_ref().map(|phone| phone.value.as_str());
    let full_name = consumer.full_name.as_ref().map(|name| name.value.as_str());
    let mut stored = Fields::default();
    for (name, value) in FIELDS.into_iter().zip([full_name, email, phone]) {
        stored = stored.set(name, value);
        stored = stored.set(&format!("was.{name}"), value);
    }
    Ok(answer(&visitor, Some(&person), &stored, &Faults::default()))
}

async fn save(
    application: Data<Integration>,
    visitor: Visitor,
    path: Path<String>,
    form: Form,
) -> Result<HttpResponse, PageError> {
    let Form(typed) = form;
    let person = person(&application, &visitor, path).await?;
    let values = match read(&typed) {
        Ok(values) => values,
        Err(faults) => return Ok(invalid(&visitor, Some(&person), &typed, &faults)),
    };
    let id = &person.consumer.id;
    let update = ConsumerUpdate {
        email: changed(&typed, "email", values.email),
        phone: changed(&typed, "phone", values.phone),
        full_name: changed(&typed, "fullName", values.full_name),
        actor: visitor.actor(),
        ..ConsumerUpdate::default()
    };
    let saved = application
        .update_consumer(visitor.organization(), id, update)
        .await;
    match saved.map_err(Faults::of) {
        Ok(_) => Ok(see(&format!("{PATH}/{id}?notice=saved"))),
        Err(Ok(faults)) => Ok(invalid(&visitor, Some(&person), &typed, &faults)),
        Err(Err(error)) => Err(error.into()),
    }
}

/// What a field changes. One that still has what it had when the form was opened changes nothing: a sync may have brought
/// another value meanwhile.
fn changed<T>(typed: &Fields, name: &str, value: Option<T>) -> Patch<T> {
    if typed.text(name) == typed.text(&format!("was.{name}")) {
        Patch::Keep
    } else {
        Patch::Set(value)
    }
}

/// The consumer of a path.
pub(super) async fn person(
    application: &Integration,
    visitor: &Visitor,
    path: Path<String>,
) -> Result<ConsumerRecord, PageError> {
    let not_found = |_| PageError::from(Error::NotFound(Entity::Consumer));
    let id = ConsumerId::parse(path.into_inner()).map_err(not_found)?;
    Ok(application.consumer(visitor.organization(), &id).await?)
}

fn invalid(
    visitor: &Visitor,
    person: Option<&ConsumerRecord>,
    typed: &Fields,
    faults: &Faults,
) -> HttpResponse {
    let mut answer = answer(visitor, person, typed, faults);
    *answer.status_mut() = StatusCode::BAD_REQUEST;
    answer
}

fn answer(
    visitor: &Visitor,
    person: Option<&ConsumerRecord>,
    typed: &Fields,
    faults: &Faults,
) -> HttpResponse {
    let (title, action, back) = match person {
        None => ("Add customer", format!("{PATH}/new"), PATH.to_owned()),
        Some(person) => {
            let path = format!("{PATH}/{}", person.consumer.id);
            ("Edit consumer", format!("{path}/edit"), path)
        }
    };
    let value = |name| typed.get(name).unwrap_or_default();
    let body: Markup = html! {
        div.head {
            h1 {
                @match person {
                    None => (title),
                    Some(person) => { "Edit " (long_text(&name(person))) },
                }
            }
        }
        form.panel method="post" action=(action) {
            (csrf(visitor))
            @for name in FIELDS {
                @let was = format!("was.{name}");
                @if let Some(value) = typed.text(&was) { input type="hidden" name=(was) value=(value); }
            }
            (text_field("fullName", "Name", value("fullName"), "", faults.full_name.as_deref()))
            (text_field("email", "Email", value("email"), email_hint(person), faults.email.as_deref()))
            (text_field("phone", "Phone", value("phone"), "With its country, like +491511234567.", faults.phone.as_deref()))
            p.hint {
                @if person.is_some() {
                    "An empty field takes the value away. While contacts are sent to Klaviyo, a name and a phone number change there, too."
                } @else { "An e-mail or a phone number is needed." }
            }
            div.actions {
                button type="submit" { "Save" }
                a.button.quiet href=(back) { "Discard" }
            }
        }
    };
    visitor.page(title, Section::Customers, &body)
}

fn email_hint(person: Option<&ConsumerRecord>) -> &'static str {
    match person {
        Some(person) if person.consumer.primary.is_some() => {
            "The next sync takes the e-mail of the Klaviyo profile again: to change whom Klaviyo mails, change it in Klaviyo."
        }
        _ => "",
    }
}
