//! Certificates as text (RFC 7468).

use base64::{Engine, engine::general_purpose::STANDARD};

/// The length of a line of base64 that RFC 7468 demands.
const COLUMNS: usize = 64;

/// One `CERTIFICATE` block, ending in a newline.
pub(super) fn certificate(der: &[u8]) -> String {
    let body = STANDARD.encode(der);
    let mut text = String::with_capacity(body.len() + body.len() / COLUMNS + 60);
    text.push_str("-----BEGIN CERTIFICATE-----\n");
    let mut rest = body.as_str();
    while !rest.is_empty() {
        let (line, tail) = rest.split_at(rest.len().min(COLUMNS)); // base64 is ASCII
        text.push_str(line);
        text.push('\n');
        rest = tail;
    }
    text.push_str("-----END CERTIFICATE-----\n");
    text
}
