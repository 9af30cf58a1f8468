//! Parts of a text as they can be read: with a disguise taken off, or with a value beside its name. They are
//! scanned like a text, and what is found in them is led back to the bytes that stand in the text.
//!
//! Knows: where bytes came from. Must not know: why they were taken from there.

use std::ops::Range;

use super::overlap::settle;
use crate::inspect::Finding;

/// What stands between two views, so that nothing in one is near anything in another.
const GAP: [u8; 192] = [b'\n'; 192];

/// Parts of a text, one behind the other.
#[derive(Debug, Default)]
pub(super) struct Views {
    bytes: Vec<u8>,
    runs: Vec<Run>,
}

/// A stretch of a view, and the bytes of the text that it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Run {
    /// Where it begins in the views.
    at: usize,
    raw: Range<usize>,
    way: Way,
}

/// How the bytes of a run came from the text's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// As they are, where they are.
    Plain,
    /// As they are, beside what stands elsewhere in the text.
    Moved,
    /// Every byte from two.
    Pairs,
    /// All from all: what is found in a part of it takes the whole.
    Whole,
}

/// What was found in a view.
struct Hidden {
    finding: Finding,
    /// It has nothing but the signs that tokens are made of.
    is_token: bool,
}

impl Views {
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// Adds what was found in the views to what was found in the text itself.
    ///
    /// Where both found something, the text itself knows better where it ends: there, escapes stand
    /// for signs that are part of a URL's password, or end it. But for a token that was cut at an
    /// escaped sign of its own alphabet.
    pub(super) fn lead_back(&self, hidden: Vec<Finding>, found: Vec<Finding>) -> Vec<Finding> {
        let is_better = |new: &Hidden| {
            let over = found.partition_point(|f| f.range.end <= new.finding.range.start);
            let mut over = found
                .iter()
                .skip(over)
                .take_while(|f| f.range.start < new.finding.range.end);
            let holds = |f: &Finding| {
                new.finding.range.start <= f.range.start && f.range.end <= new.finding.range.end
            };
            over.all(|f| f.confidence < new.finding.confidence || new.is_token && holds(f))
        };
        let back = hidden.into_iter().filter_map(|finding| self.back(finding));
        let new = back.filter(is_better).map(|new| new.finding);
        let new: Vec<Finding> = new.collect();
        match new.is_empty() {
            true => found,
            false => settle(found.into_iter().chain(new).collect()),
        }
    }

    /// A finding where it stands in the text; `None` if nothing of it was in disguise, nor stands
    /// right beside such a thing: then it is found in the text itself, or stands in the gap.
    fn back(&self, finding: Finding) -> Option<Hidden> {
        let Range { start, end } = finding.range;
        let last = end.checked_sub(1).filter(|last| *last >= start)?;
        let (first, last) = (self.run(start)?, self.run(last)?);
        let runs = self.runs.get(first..=last)?;
        let (head, tail) = (runs.first()?, runs.last()?);
        let is_hidden = |run: &Run| run.way != Way::Plain;
        let beside = |at: Option<usize>| {
            let run = at.and_then(|at| self.runs.get(at));
            run.filter(|run| is_hidden(run))
        };
        let opened = beside(first.checked_sub(1)).is_some() && start == head.at;
        let closed = beside(Some(last + 1)).is_some_and(|next| next.at == end);
        if !(runs.iter().any(is_hidden) || opened || closed) {
            return None;
        }
        let range = head.raw_of(start)?.start..tail.raw_of(end - 1)?.end;
        let of = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/=_.~-".contains(byte);
        Some(Hidden {
            is_token: self.bytes.get(start..end)?.iter().all(of),
            finding: Finding { range, ..finding },
        })
    }

    /// The index of the run that a place of the views is in.
    fn run(&self, at: usize) -> Option<usize> {
        self.runs.partition_point(|run| run.at <= at).checked_sub(1)
    }

    /// Begins another view.
    pub(super) fn begin(&mut self) {
        if !self.bytes.is_empty() {
            self.bytes.extend_from_slice(&GAP);
        }
    }

    /// Bytes of the text, as they stand there.
    pub(super) fn plain(&mut self, text: &[u8], raw: Range<usize>) {
        if let Some(bytes) = text.get(raw.clone()).filter(|bytes| !bytes.is_empty()) {
            self.push(bytes, raw, Way::Plain);
        }
    }

    /// Bytes that came from these of the text.
    pub(super) fn push(&mut self, bytes: &[u8], raw: Range<usize>, way: Way) {
        let at = self.bytes.len();
        self.runs.push(Run { at, raw, way });
        self.bytes.extend_from_slice(bytes);
    }
}

impl Run {
    /// The bytes of the text that a byte of the views came from; `None` for one in the gap.
    fn raw_of(&self, at: usize) -> Option<Range<usize>> {
        let within = at - self.at;
        let raw = match self.way {
            Way::Plain | Way::Moved => self.raw.start + within..self.raw.start + within + 1,
            Way::Pairs => self.raw.start + 2 * within..self.raw.start + 2 * within + 2,
            Way::Whole => self.raw.clone(),
        };
        (raw.end <= self.raw.end).then_some(raw)
    }
}
