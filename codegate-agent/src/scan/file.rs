//! One file: read, scanned, and told of.
//!
//! Knows: the inspector, the window, request bodies. Must not know: other files.

use std::{
    fs::File,
    io::{self, Read},
    ops::Range,
};

use memchr::memchr;

use super::{
    Found, Options, Report, Tally, fingerprint::Fingerprints, mask::mask, place::Cursor,
    source::Source, window::Window,
};
use crate::{
    inspect::{Finding, Inspection, Inspector},
    provider::{self, Malformed},
};

/// A zero byte among so many at its start makes a file binary, as it does for git.
const SNIFFED: usize = 8000;

/// Why a file was not scanned to its end.
#[derive(Debug, thiserror::Error)]
enum Problem {
    #[error("{0}")]
    Read(#[from] io::Error),
    #[error("not a request body: {0}")]
    Malformed(#[from] Malformed),
    #[error("not a request body: it is larger than {0} bytes")]
    TooLarge(usize),
    #[error("there is no provider `{0}`")]
    Provider(String),
}

/// One thread's room for scanning file after file.
pub(super) struct Worker<'a> {
    inspector: &'a Inspector,
    options: &'a Options,
    tally: &'a Tally,
    window: Window,
    fingerprints: Fingerprints,
}

impl<'a> Worker<'a> {
    pub(super) fn new(inspector: &'a Inspector, options: &'a Options, tally: &'a Tally) -> Self {
        Self {
            inspector,
            options,
            tally,
            window: Window::new(),
            fingerprints: Fingerprints::default(),
        }
    }

    /// Scans a file; what was found before a problem is told, too.
    pub(super) fn scan(&mut self, source: &Source) -> Report {
        let mut found = Vec::new();
        let done = match source {
            Source::Stdin => self.read(&mut io::stdin().lock(), false, &mut found),
            Source::Named(path) => File::open(path)
                .map_err(Problem::from)
                .and_then(|mut file| self.read(&mut file, false, &mut found)),
            Source::Walked(path) => File::open(path)
                .map_err(Problem::from)
                .and_then(|mut file| self.read(&mut file, true, &mut found)),
        };
        Report {
            path: source.name(),
            found,
            problem: done.err().map(|problem| problem.to_string()),
        }
    }

    fn read(
        &mut self,
        from: &mut dyn Read,
        skip_binary: bool,
        found: &mut Vec<Found>,
    ) -> Result<(), Problem> {
        let options = self.options;
        match &options.provider {
            Some(provider) => self.body(provider, from, found),
            None => self.text(from, skip_binary, found),
        }
    }

    /// Anything, through the window.
    fn text(
        &mut self,
        from: &mut dyn Read,
        skip_binary: bool,
        found: &mut Vec<Found>,
    ) -> Result<(), Problem> {
        self.window.restart();
        if skip_binary && is_binary(self.window.peek(from, SNIFFED)?) {
            return Ok(());
        }
        let mut told = Told::new(&mut self.fingerprints, found);
        while let Some(view) = self.window.advance(from)? {
            self.tally.read(view.starts.len());
            for finding in in_order(self.inspector.inspect(view.bytes)) {
                if view.starts.contains(&finding.range.start) {
                    let value = view.bytes.get(finding.range.clone()).unwrap_or_default();
                    let place = finding.range.clone();
                    told.tell(finding, value, view.bytes, view.base, place);
                }
            }
            told.leave(view.bytes, view.base, view.starts.end);
        }
        Ok(())
    }

    /// A request body, as the guard reads it.
    fn body(
        &mut self,
        provider: &str,
        from: &mut dyn Read,
        found: &mut Vec<Found>,
    ) -> Result<(), Problem> {
        let body = whole(from, self.options.body_limit)?;
        self.tally.read(body.len());
        let dialect = provider::dialect_of(provider, &body)
            .ok_or_else(|| Problem::Provider(provider.to_owned()))?;
        let text = dialect.request(&body)?.text;
        let mut told = Told::new(&mut self.fingerprints, found);
        let inspection = self
            .inspector
            .inspect_pieces(text.bytes(), text.ends(), None);
        for finding in in_order(inspection) {
            // A match that reaches past one string is not a secret that somebody wrote.
            let Some(piece) = text.locate(finding.range.clone()) else {
                continue;
            };
            let range = text.widen(finding.range.clone());
            let value = text.bytes().get(range.clone()).unwrap_or_default();
            let place = text.raw_range(&body, piece, range);
            told.tell(finding, value, &body, 0, place);
        }
        Ok(())
    }
}

/// What is told of one file.
struct Told<'a> {
    fingerprints: &'a mut Fingerprints,
    found: &'a mut Vec<Found>,
    /// Never behind what will be told next.
    cursor: Cursor,
    /// Where the last finding ended.
    end: u64,
}

impl<'a> Told<'a> {
    fn new(fingerprints: &'a mut Fingerprints, found: &'a mut Vec<Found>) -> Self {
        Self {
            fingerprints,
            found,
            cursor: Cursor::new(),
            end: 0,
        }
    }

    /// Tells of a finding that stands at a `place` of `bytes`, which begin at `base` in the file.
    fn tell(
        &mut self,
        finding: Finding,
        value: &[u8],
        bytes: &[u8],
        base: u64,
        place: Range<usize>,
    ) {
        let range = base + place.start as u64..base + place.end as u64;
        // Two windows may settle an overlap differently.
        if range.start < self.end {
            return;
        }
        self.cursor.go(bytes, base, range.start);
        let mut behind = self.cursor;
        behind.go(bytes, base, range.end);
        self.end = range.end;
        self.found.push(Found {
            fingerprint: self.fingerprints.of(&finding.rule, value),
            masked: mask(value),
            rule: finding.rule,
            kind: finding.kind,
            confidence: finding.confidence,
            range,
            start: self.cursor.place,
            end: behind.place,
        });
    }

    /// Nothing that begins before `until` in `bytes` will be told any more.
    fn leave(&mut self, bytes: &[u8], base: u64, until: usize) {
        self.cursor.go(bytes, base, base + until as u64);
    }
}

/// Everything that the policy does not turn off, in order.
fn in_order(found: Inspection) -> Vec<Finding> {
    let mut all = found.sealed;
    all.extend(found.reported);
    all.sort_by_key(|finding| finding.range.start);
    all
}

/// Whether a file that begins so is binary; a mark says that the zeros are UTF-16's.
fn is_binary(start: &[u8]) -> bool {
    if start.starts_with(&[0xff, 0xfe]) || start.starts_with(&[0xfe, 0xff]) {
        return false;
    }
    memchr(0, start).is_some()
}

fn whole(from: &mut dyn Read, limit: usize) -> Result<Vec<u8>, Problem> {
    let mut body = Vec::new();
    let over = (limit as u64).saturating_add(1);
    from.take(over).read_to_end(&mut body)?;
    match body.len() > limit {
        true => Err(Problem::TooLarge(limit)),
        false => Ok(body),
    }
}
