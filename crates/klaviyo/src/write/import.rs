//! `POST /api/profile-bulk-import-jobs`: many profiles; how far such a job is, and which of its rows were refused.

use fanfare_domain::ids::{Cursor, ImportJobId};
use fanfare_domain::klaviyo::KlaviyoError;
use fanfare_domain::writing::{
    ContentRefusal, ImportErrorPage, ImportJob, ImportJobState, ImportRowError, MAX_IMPORTED,
    PersonIds, PersonalText, ProfileUpsert, RowRefusal, WriteError,
};
use reqwest::{Method, StatusCode};
use serde::Serialize;

use super::profile::{Row, row};
use super::request::{Data, New, WriteRequest, bytes, refused_row};
use super::{MAX_BATCH_BYTES, MAX_PROFILE_BYTES, refusal, rows_that_fit};
use crate::document::{Many, Single, broken_id, parse};
use crate::lenient::{Object, Raw, object, value};
use crate::member::PAGE_SIZE;
use crate::origin::Origin;
use crate::request::Request;

/// The first segment of the paths.
const PATH: &str = "profile-bulk-import-jobs";

/// More than the parts of a body take that stand around its rows.
const AROUND: usize = 200;

#[derive(Serialize)]
struct Job<'a> {
    profiles: Data<Vec<Row<'a>>>,
}

fn row_of(profile: &ProfileUpsert) -> Row<'_> {
    row(&profile.person, &profile.changes)
}

/// How many profiles fit into one job.
pub(super) fn that_fit(profiles: &[ProfileUpsert]) -> usize {
    rows_that_fit(profiles, MAX_IMPORTED, AROUND, |profile| {
        bytes(&row_of(profile))
    })
}

/// Starts a job.
pub(super) fn start(
    origin: &Origin,
    profiles: &[ProfileUpsert],
) -> Result<WriteRequest, WriteError> {
    for (place, profile) in profiles.iter().enumerate() {
        if profile.person.is_empty() {
            return Err(refused_row(Some(place), Some("profile"), "no_identifier"));
        }
        if profile.changes.clears() {
            // The job would leave the value as it is, and say that it is done.
            return Err(refused_row(Some(place), None, "clears"));
        }
        if bytes(&row_of(profile)) > MAX_PROFILE_BYTES {
            return Err(refused_row(Some(place), None, "too_large"));
        }
    }
    let body = Data {
        data: New {
            of: "profile-bulk-import-job",
            attributes: Job {
                profiles: Data {
                    data: profiles.iter().map(row_of).collect(),
                },
            },
        },
    };
    let expects = &[StatusCode::ACCEPTED];
    let request = WriteRequest::new(Method::POST, origin, [PATH], &body, expects)?;
    if request.body.len() > MAX_BATCH_BYTES || profiles.len() > MAX_IMPORTED {
        return Err(refused_row(None, None, "too_large"));
    }
    Ok(request)
}

fn id_segment(job: &ImportJobId) -> Result<&str, KlaviyoError> {
    match job.as_str() {
        "." | ".." => Err(KlaviyoError::NotFound),
        id => Ok(id),
    }
}

/// Requests the state of a job.
pub(super) fn request(origin: &Origin, job: &ImportJobId) -> Result<Request, KlaviyoError> {
    let fields = "status,total_count,completed_count,failed_count";
    let parameters = [("fields[profile-bulk-import-job]", fields)];
    Ok(Request::get(
        origin,
        [PATH, id_segment(job)?],
        &parameters,
        None,
    ))
}

/// Requests a page of the rows that were refused.
pub(super) fn errors_request(
    origin: &Origin,
    job: &ImportJobId,
    cursor: Option<&Cursor>,
) -> Result<Request, KlaviyoError> {
    let parameters = [
        (
            "fields[import-error]",
            "code,source.pointer,original_payload",
        ),
        ("page[size]", PAGE_SIZE),
    ];
    let path = [PATH, id_segment(job)?, "import-errors"];
    Ok(Request::get(origin, path, &parameters, cursor))
}

/// Requests a page of the profiles that it made or changed.
pub(super) fn profiles_request(
    origin: &Origin,
    job: &ImportJobId,
    cursor: Option<&Cursor>,
) -> Result<Request, KlaviyoError> {
    let parameters = [
        (
            "fields[profile]",
            "email,phone_number,first_name,last_name,updated",
        ),
        ("page[size]", PAGE_SIZE),
    ];
    let path = [PATH, id_segment(job)?, "profiles"];
    Ok(Request::get(origin, path, &parameters, cursor))
}

object! {
    struct Resource<'a> {
        id: Raw<'a>,
        attributes: Object<Attributes<'a>>,
    }
}

object! {
    struct Attributes<'a> {
        status: Raw<'a>,
        total_count: Raw<'a>,
        completed_count: Raw<'a>,
        failed_count: Raw<'a>,
    }
}

/// Reads a job.
pub(super) fn read(text: &str) -> Result<ImportJob, KlaviyoError> {
    let resource: Object<Resource<'_>> = parse::<Single<'_>>(text)?.data()?;
    let attributes = resource.0.attributes.0;
    let id = value::<String>(resource.0.id).and_then(|id| ImportJobId::parse(id).ok());
    let state = value::<String>(attributes.status);
    let state = state.and_then(|state| ImportJobState::parse(&state));
    Ok(ImportJob {
        id: id.ok_or_else(|| broken_id("job"))?,
        state: state
            .ok_or_else(|| KlaviyoError::Invalid("the job has no known state".to_owned()))?,
        total: value(attributes.total_count).unwrap_or(0),
        completed: value(attributes.completed_count),
        failed: value(attributes.failed_count),
    })
}

object! {
    struct ImportError<'a> {
        attributes: Object<ErrorAttributes<'a>>,
    }
}

object! {
    struct ErrorAttributes<'a> {
        code: Raw<'a>,
        source: Object<Source<'a>>,
        original_payload: Object<Payload<'a>>,
    }
}

object! {
    struct Source<'a> {
        pointer: Raw<'a>,
    }
}

object! {
    /// The row as it was sent: whether as a resource or as its attributes alone is not documented.
    struct Payload<'a> {
        id: Raw<'a>,
        attributes: Object<Identifiers<'a>>,
        email: Raw<'a>,
        phone_number: Raw<'a>,
        external_id: Raw<'a>,
    }
}

object! {
    struct Identifiers<'a> {
        email: Raw<'a>,
        phone_number: Raw<'a>,
        external_id: Raw<'a>,
    }
}

/// Reads a page of refused rows.
pub(super) fn read_errors(text: &str, origin: &Origin) -> Result<ImportErrorPage, KlaviyoError> {
    let document: Many<'_, Object<ImportError<'_>>> = parse(text)?;
    let next = document.next(origin)?;
    let items = document.data()?.iter().map(|error| {
        let error = &error.0.attributes.0;
        let payload = &error.original_payload.0;
        let inner = &payload.attributes.0;
        let text = |outer, inner| value::<String>(outer).or_else(|| value::<String>(inner));
        let pointer: Option<String> = value(error.source.0.pointer);
        ImportRowError {
            person: PersonIds {
                profile: value::<String>(payload.id)
                    .and_then(|id| fanfare_domain::ids::ProfileId::parse(id).ok()),
                email: text(payload.email, inner.email).map(PersonalText::new),
                phone: text(payload.phone_number, inner.phone_number).map(PersonalText::new),
                external_id: text(payload.external_id, inner.external_id).map(PersonalText::new),
            },
            refusal: ContentRefusal {
                status: 400,
                rows: vec![RowRefusal {
                    row: None,
                    field: pointer.as_deref().and_then(refusal::field_of),
                    code: refusal::known_code(value::<String>(error.code).as_deref()),
                }],
            },
        }
    });
    Ok(ImportErrorPage {
        items: items.collect(),
        next,
    })
}
