//! The way out: a request is read whole, its secrets are sealed, and only then is it sent.

use std::ops::Range;

use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Method, Request,
    header::{
        AUTHORIZATION, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, EXPECT, HOST, TRANSFER_ENCODING,
        UPGRADE,
    },
};
use http_body::Body as _;
use http_body_util::BodyExt;
use hyper::body::Incoming;

use super::{
    Connection, Guard,
    body::{Body, Collected, Whole, collect, drain},
    coding::{self, Coding, CodingError},
    journal::Journal,
    lookout::Requested,
};
use crate::{
    config::Unscannable,
    inspect::{Confidence, Finding, Inspection, Known, Owner},
    provider::{Malformed, Request as Reading, Route},
    seal::{NewSecret, Placeholder, VaultError},
    span::{self, Edit, Text},
};

/// Bodies above this many bytes are scanned on the blocking pool, so that no other connection of
/// the worker waits for them (64 KiB cost some tens of microseconds, 1 MiB a millisecond or two).
const INLINE: usize = 256 * 1024;
/// How much of a refused body is read before the answer.
const DRAIN: usize = 256 << 20;

/// Why a request is not forwarded.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refused {
    /// It asks for something that the guard does not read.
    #[error("{0}")]
    Upgrade(&'static str),
    /// The request names another host than the connection was made for.
    #[error("the request is for another host than its TLS connection")]
    Misdirected,
    /// The body cannot be read, so nobody knows what it holds.
    #[error("the request body cannot be inspected: {0}")]
    Unreadable(#[from] Unreadable),
    /// A signature covers the body: without its secrets it would be refused upstream.
    #[error("it holds a secret ({0}), and its AWS signature does not let it be taken out")]
    Signed(String),
    /// The secrets could not be kept, so they cannot be sealed.
    #[error("the request holds secrets and the vault cannot keep them: {0}")]
    Vault(#[from] VaultError),
    /// The client went away.
    #[error("the client's body broke off: {0}")]
    Client(#[from] hyper::Error),
}

/// Why a body cannot be inspected.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unreadable {
    #[error("it is larger than {0} bytes")]
    TooLarge(usize),
    #[error(transparent)]
    Coding(#[from] CodingError),
    #[error("it is not what this endpoint takes: {0}")]
    Malformed(#[from] Malformed),
    #[error("it is an open stream ({0})")]
    Open(String),
    #[error("the scan broke off")]
    Scan,
}

/// Makes a request fit to be sent.
///
/// # Errors
/// [`Refused`]: nothing of the body may be forwarded.
pub(super) async fn prepare(
    connection: &Connection,
    route: Route,
    request: Request<Incoming>,
    journal: &mut Journal,
) -> Result<Request<Body>, Refused> {
    let (mut parts, body) = request.into_parts();
    if let Err(refused) = admissible(connection, &parts) {
        drain(body, DRAIN).await;
        return Err(refused);
    }
    if body.is_end_stream() {
        return Ok(Request::from_parts(
            parts,
            body.map_err(Into::into).boxed_unsync(),
        ));
    }
    // The body is read here, and hyper has told the client to go on; upstream is not asked again.
    parts.headers.remove(EXPECT);
    let body = match readable(connection, &parts.headers, body).await? {
        Readable::Whole(whole, codings) => {
            sealed(
                connection,
                route,
                &mut parts.headers,
                whole,
                &codings,
                journal,
            )
            .await?
        }
        Readable::Not(why, body) => overridden(connection, route, why, body, journal).await?,
    };
    Ok(Request::from_parts(parts, body))
}

/// Upgrades and other hosts are refused before their bodies are looked at.
fn admissible(connection: &Connection, parts: &http::request::Parts) -> Result<(), Refused> {
    if parts.method == Method::CONNECT {
        return Err(Refused::Upgrade(
            "CONNECT through an AI service is not inspected",
        ));
    }
    if asks_upgrade(&parts.headers) {
        return Err(Refused::Upgrade("WebSocket is not inspected yet; use HTTP"));
    }
    let named = parts.uri.host().or_else(|| host_header(&parts.headers));
    let matches = connection.in_clear || named.is_none_or(|name| same_host(name, &connection.host));
    if matches {
        Ok(())
    } else {
        Err(Refused::Misdirected)
    }
}

fn asks_upgrade(headers: &HeaderMap) -> bool {
    let listed = |value: &HeaderValue| {
        value.to_str().is_ok_and(|text| {
            text.split(',')
                .any(|token| token.trim().eq_ignore_ascii_case("upgrade"))
        })
    };
    headers.contains_key(UPGRADE) && headers.get_all(CONNECTION).iter().any(listed)
}

fn host_header(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(HOST)?.to_str().ok()?;
    value.parse::<http::uri::Authority>().ok()?;
    Some(value.rsplit_once(':').map_or(value, |(host, _port)| host))
}

fn same_host(a: &str, b: &str) -> bool {
    a.trim_end_matches('.')
        .eq_ignore_ascii_case(b.trim_end_matches('.'))
}

enum Readable {
    Whole(Whole, Vec<Coding>),
    Not(Unreadable, Body),
}

/// Reads the body if it can be read whole.
async fn readable(
    connection: &Connection,
    headers: &HeaderMap,
    body: Incoming,
) -> Result<Readable, hyper::Error> {
    if let Some(kind) = open_stream(headers) {
        let open = Unreadable::Open(kind.to_owned());
        return Ok(Readable::Not(open, body.map_err(Into::into).boxed_unsync()));
    }
    let codings = match coding::codings(headers) {
        Ok(codings) => codings,
        Err(error) => {
            return Ok(Readable::Not(
                error.into(),
                body.map_err(Into::into).boxed_unsync(),
            ));
        }
    };
    let limit = connection.guard.body_limit;
    Ok(match collect(body, limit).await? {
        Collected::Whole(whole) => Readable::Whole(whole, codings),
        Collected::TooLarge(resumed) => {
            let body = resumed.map_err(Into::into).boxed_unsync();
            Readable::Not(Unreadable::TooLarge(limit), body)
        }
    })
}

/// gRPC and Connect streams talk both ways at once: waiting for their end would hang both sides.
fn open_stream(headers: &HeaderMap) -> Option<&str> {
    let kind = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    let open = kind.starts_with("application/grpc") || kind.starts_with("application/connect+");
    open.then_some(kind)
}

/// AWS Signature Version 4 covers the hash of the body.
fn is_signed(headers: &HeaderMap) -> bool {
    let scheme = headers.get(AUTHORIZATION).map(HeaderValue::as_bytes);
    scheme.is_some_and(|scheme| scheme.starts_with(b"AWS4-"))
}

/// Scans a whole body and seals what is found.
async fn sealed(
    connection: &Connection,
    route: Route,
    headers: &mut HeaderMap,
    whole: Whole,
    codings: &[Coding],
    journal: &mut Journal,
) -> Result<Body, Refused> {
    let Whole {
        bytes: wire,
        trailers,
    } = whole;
    let fixed = is_signed(headers);
    let read = read(connection, route, wire.clone(), codings.to_vec(), fixed).await;
    let Read {
        plain,
        given_back,
        reading,
        mut found,
        packages,
    } = match read {
        Ok(read) => read,
        Err(why) => {
            let body = Whole {
                bytes: wire,
                trailers,
            }
            .into_body();
            return overridden(connection, route, why, body, journal).await;
        }
    };
    journal.reading(&reading);
    journal.packages(packages);
    let mut notices = journal.notices(reading.text.bytes());
    found
        .sealed
        .retain(|finding| !touches(&notices, &finding.range));
    if let Some(finding) = inside(&reading.text, &found.sealed)
        .next()
        .filter(|_| fixed)
    {
        return Err(Refused::Signed(finding.rule.to_string()));
    }
    if fixed {
        notices.clear();
    }
    let edits = seal(
        connection,
        &plain,
        &reading,
        &found.sealed,
        notices,
        journal,
    )
    .await?;
    journal.personal(inside(&reading.text, &found.reported));
    if edits.is_empty() && !given_back {
        journal.sent(wire.len());
        return Ok(Whole {
            bytes: wire,
            trailers,
        }
        .into_body());
    }
    let edited = span::splice(&plain, &edits);
    let bytes = Bytes::from(match codings {
        [] => edited,
        codings => coding::encode(&edited, codings)
            .map_err(CodingError::Damaged)
            .map_err(Unreadable::from)?,
    });
    journal.sent(bytes.len());
    resize(headers, bytes.len());
    Ok(Whole { bytes, trailers }.into_body())
}

/// An edited body has another length; one that came in chunks stays chunked.
fn resize(headers: &mut HeaderMap, length: usize) {
    if !headers.contains_key(TRANSFER_ENCODING) {
        headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
}

/// What a body says, and what was found in it.
struct Read {
    plain: Bytes,
    /// Whether that is not what the client sent: refused commands in it are what the model wrote.
    given_back: bool,
    reading: Reading,
    found: Inspection,
    packages: Requested,
}

/// Decodes, walks and scans: off the worker where it takes long. What is `fixed` cannot be edited.
async fn read(
    connection: &Connection,
    route: Route,
    wire: Bytes,
    codings: Vec<Coding>,
    fixed: bool,
) -> Result<Read, Unreadable> {
    // Compressed text grows; eight times is what source code does.
    let weight = wire.len() * if codings.is_empty() { 1 } else { 8 };
    let guard = connection.guard.clone();
    let caller = (connection.flow.process.uid, connection.flow.process.pid);
    let scan = move || scan(&guard, caller, route, wire, &codings, fixed);
    if weight <= INLINE {
        return scan();
    }
    tokio::task::spawn_blocking(scan)
        .await
        .map_err(|_panicked_or_cancelled| Unreadable::Scan)?
}

fn scan(
    guard: &Guard,
    caller: (u32, u32),
    route: Route,
    wire: Bytes,
    codings: &[Coding],
    fixed: bool,
) -> Result<Read, Unreadable> {
    let mut plain = match codings {
        [] => wire,
        codings => Bytes::from(coding::decode(&wire, codings, guard.body_limit)?),
    };
    let mut reading = route.dialect.request(&plain)?;
    let uid = caller.0;
    let edits = match fixed {
        true => Vec::new(),
        false => originals(guard, uid, &plain, &reading.text),
    };
    let given_back = !edits.is_empty();
    if given_back {
        plain = Bytes::from(span::splice(&plain, &edits));
        reading = route.dialect.request(&plain)?;
    }
    let named = guard.vault.literals(uid);
    let known = named.as_deref().map(|named| named as &dyn Known);
    let owner = Owner { uid, known };
    let (text, ends) = (reading.text.bytes(), reading.text.ends());
    let inspector = guard.inspector.get();
    let mut found = inspector.inspect_pieces(text, ends, Some(owner));
    spare_numbers(&reading.text, &mut found);
    let packages = match route.inference {
        true => guard.packages.requested(caller, &reading),
        false => Requested::default(),
    };
    Ok(Read {
        plain,
        given_back,
        reading,
        found,
        packages,
    })
}

/// The edits that make refused commands what the model wrote. They are sealed after that, as any text.
fn originals(guard: &Guard, uid: u32, plain: &[u8], text: &Text) -> Vec<Edit> {
    let found = guard.packages.refused.find(uid, text.bytes());
    let found = found
        .iter()
        .map(|(range, original)| (range.clone(), original.as_bytes()));
    text.edits(plain, found)
}

/// Whether a finding is in one of these ranges, or reaches into one.
fn touches(ranges: &[Range<usize>], finding: &Range<usize>) -> bool {
    let after = ranges.partition_point(|range| range.end <= finding.start);
    ranges
        .get(after)
        .is_some_and(|range| range.start < finding.end)
}

/// What stands for a bare number is a string, which not every reader takes: so only what is sure is
/// sealed there, and the rest is told.
fn spare_numbers(text: &Text, found: &mut Inspection) {
    let is_unsure = |finding: &mut Finding| {
        let piece = text.locate(finding.range.clone());
        finding.confidence < Confidence::High && piece.is_some_and(|piece| piece.number)
    };
    let unsure: Vec<Finding> = found.sealed.extract_if(.., is_unsure).collect();
    found.reported.extend(unsure);
}

/// Seals every finding, and takes notices out; when this returns, the vault holds the values for
/// good.
async fn seal(
    connection: &Connection,
    plain: &[u8],
    reading: &Reading,
    findings: &[Finding],
    notices: Vec<Range<usize>>,
    journal: &mut Journal,
) -> Result<Vec<Edit>, VaultError> {
    let text = &reading.text;
    let (places, secrets): (Vec<Range<usize>>, Vec<NewSecret<'_>>) = inside(text, findings)
        .filter_map(|finding| secret(text, finding))
        .unzip();
    if secrets.is_empty() {
        let gone = notices.into_iter().map(|range| (range, b"".as_slice()));
        return Ok(text.edits(plain, gone));
    }
    let uid = connection.flow.process.uid;
    let placeholders = connection.guard.vault.seal(uid, &secrets).await?;
    for (secret, placeholder) in secrets.iter().zip(&placeholders) {
        journal.sealed(secret.rule, placeholder);
    }
    let written: Vec<String> = placeholders.iter().map(Placeholder::to_string).collect();
    let replaced = places.into_iter().zip(written.iter().map(String::as_bytes));
    let gone = notices.into_iter().map(|range| (range, b"".as_slice()));
    let mut edits: Vec<(Range<usize>, &[u8])> = replaced.chain(gone).collect();
    edits.sort_by_key(|(range, _)| range.start);
    Ok(text.edits(plain, edits))
}

/// A match that reaches past one string is not a secret that somebody wrote.
fn inside<'a>(text: &'a Text, findings: &'a [Finding]) -> impl Iterator<Item = &'a Finding> {
    findings
        .iter()
        .filter(|finding| text.locate(finding.range.clone()).is_some())
}

fn secret<'a>(text: &'a Text, finding: &'a Finding) -> Option<(Range<usize>, NewSecret<'a>)> {
    let place = text.widen(finding.range.clone());
    let value = text.bytes().get(place.clone())?;
    Some((
        place,
        NewSecret {
            kind: finding.kind,
            rule: &finding.rule,
            value,
        },
    ))
}

/// A body that cannot be inspected: refused, or by policy sent on with an alert.
async fn overridden(
    connection: &Connection,
    route: Route,
    why: Unreadable,
    body: Body,
    journal: &mut Journal,
) -> Result<Body, Refused> {
    journal.unscanned(&why);
    if route.inference && connection.guard.unscannable == Unscannable::Block {
        drain(body, DRAIN).await;
        return Err(why.into());
    }
    Ok(body)
}
