//! The handlers: each decodes, calls one use case, and encodes.

pub(crate) mod audiences;
pub(crate) mod consumers;
pub(crate) mod events;
pub(crate) mod klaviyo;
pub(crate) mod runs;
pub(crate) mod service;
pub(crate) mod settings;
pub(crate) mod sources;

use actix_web::web;
use fanfare_sync::Integration;

use crate::error::ApiError;

/// The use cases.
type Cases = web::Data<Integration>;

/// JSON, or an error.
type Answer<T> = Result<web::Json<T>, ApiError>;
