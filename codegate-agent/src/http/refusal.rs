//! Answers that the guard itself gives: the provider's own error shape, so that every client shows
//! the message and none retries.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header::CONTENT_TYPE};
use http_body_util::{BodyExt, Full};

use super::body::Body;
use crate::provider::Dialect;

/// HTTP 400 with the dialect's error body (DESIGN.md, Blocking).
pub(super) fn bad_request(dialect: &dyn Dialect, message: &str) -> Response<Body> {
    with_status(StatusCode::BAD_REQUEST, dialect, message)
}

/// HTTP 426 for a WebSocket: clients that can do without fall back to plain HTTP on it, which the
/// guard reads.
pub(super) fn no_upgrade(dialect: &dyn Dialect, message: &str) -> Response<Body> {
    with_status(StatusCode::UPGRADE_REQUIRED, dialect, message)
}

fn with_status(status: StatusCode, dialect: &dyn Dialect, message: &str) -> Response<Body> {
    let full = Full::new(Bytes::from(dialect.refusal(message)));
    let mut response = Response::new(full.map_err(|never| match never {}).boxed_unsync());
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
