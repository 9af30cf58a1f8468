//! The commands that were refused: what was written in their stead, and what the model wrote. When a
//! client sends the conversation along with its next request, the provider gets what its model wrote.
//!
//! Knows: the mark in what was written. Must not know: dialects, packages. Only the latest are
//! remembered, and none longer than a restart: what is forgotten stays as the client sends it.

use std::{
    ops::Range,
    sync::{Mutex, PoisonError},
};

use super::notice;
use crate::recent::Recent;

/// Bytes that are remembered at least; twice as many at most.
const MOST: usize = 2 << 20;
/// A longer command is not remembered, in bytes.
const LONGEST: usize = 64 << 10;

/// The commands that were refused, of all users.
#[derive(Debug, Default)]
pub(super) struct Refused(Mutex<Commands>);

type Commands = Recent<Key, Replaced, MOST>;

/// A user, and the mark that only this user's vault can make.
type Key = (u32, String);

#[derive(Debug, Clone)]
struct Replaced {
    written: String,
    original: String,
}

impl Refused {
    /// In a user's conversation, `written` (which has this mark) stands for `original`.
    pub(super) fn put(&self, uid: u32, mark: &str, written: &str, original: &str) {
        let bytes = written.len() + original.len();
        if bytes > LONGEST {
            return;
        }
        let (written, original) = (written.to_owned(), original.to_owned());
        let replaced = Replaced { written, original };
        self.with(|all| all.insert((uid, mark.to_owned()), replaced, bytes));
    }

    /// What stands for something of this user's in a text, and what it stands for, in order.
    pub(super) fn find(&self, uid: u32, text: &[u8]) -> Vec<(Range<usize>, String)> {
        let marks = notice::marks(text);
        let found = |(at, mark): (usize, &str)| self.at(uid, text, at, mark);
        marks.filter_map(found).collect()
    }

    fn at(&self, uid: u32, text: &[u8], at: usize, mark: &str) -> Option<(Range<usize>, String)> {
        let known = self.with(|all| all.get(&(uid, mark.to_owned())).cloned())?;
        let (before, _) = notice::marks(known.written.as_bytes()).find(|(_, m)| *m == mark)?;
        let start = at.checked_sub(before)?;
        let range = start..start + known.written.len();
        let same = text.get(range.clone()) == Some(known.written.as_bytes());
        same.then_some((range, known.original))
    }

    fn with<T>(&self, act: impl FnOnce(&mut Commands) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests panic")]
mod tests {
    use super::*;

    fn written(mark: &str) -> String {
        format!("echo '{}' >&2; false", notice::marked("no", mark))
    }

    fn restored(refused: &Refused, uid: u32, text: &str) -> String {
        let mut out = text.to_owned();
        for (range, original) in refused.find(uid, text.as_bytes()).into_iter().rev() {
            out.replace_range(range, &original);
        }
        out
    }

    #[test]
    fn what_was_written_becomes_what_it_stands_for() {
        let refused = Refused::default();
        let (a, b) = (written("0123456789ab"), written("ba9876543210"));
        refused.put(7, "0123456789ab", &a, "npm i 'é'");
        refused.put(7, "ba9876543210", &b, "b");
        let text = format!("x\n{a}é{b}{a}\n{}", notice::marked("no", "0123456789ab"));
        let expected = format!(
            "x\nnpm i 'é'ébnpm i 'é'\n{}",
            notice::marked("no", "0123456789ab")
        );
        assert_eq!(restored(&refused, 7, &text), expected);
        assert_eq!(restored(&refused, 8, &text), text, "another user's");
        for other in [
            a.replace("no", "on"),
            a.replace("false", "true"),
            written("0123456789ac"),
        ] {
            assert_eq!(restored(&refused, 7, &other), other);
        }
        assert_eq!(restored(&refused, 7, &a[1..]), a[1..]);
    }

    #[test]
    fn what_is_asked_for_is_not_forgotten_and_all_of_it_is_bounded() {
        let refused = Refused::default();
        let kept = written("aaaaaaaaaaaa");
        refused.put(1, "aaaaaaaaaaaa", &kept, "kept");
        let long = "x".repeat(LONGEST / 2);
        for n in 0..MOST * 5 / long.len() {
            let mark = format!("{n:012x}");
            refused.put(1, &mark, &written(&mark), &long);
            assert_eq!(restored(&refused, 1, &kept), "kept", "{n}");
        }
        let first = written(&format!("{:012x}", 0));
        assert_eq!(restored(&refused, 1, &first), first, "forgotten");
        let weights = refused.with(|all| all.weights());
        assert!(weights.iter().all(|bytes| *bytes <= MOST));
        let huge = "x".repeat(LONGEST + 1);
        let other = written("cccccccccccc");
        refused.put(1, "cccccccccccc", &other, &huge);
        assert_eq!(restored(&refused, 1, &other), other);
    }
}
