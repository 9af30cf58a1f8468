//! Restoring a whole body: each placeholder in each of its texts.

use std::ops::Range;

use zeroize::Zeroizing;

use crate::{
    provider::Restore,
    seal::{self, Match},
    span::{self, Text},
};

/// The body with its placeholders restored; `None` if there is nothing to restore.
pub(super) fn restore_whole(
    body: &[u8],
    text: &Text,
    restore: &mut dyn Restore,
) -> Option<Vec<u8>> {
    let found = seal::find(text.bytes());
    let values: Vec<_> = found
        .filter_map(|found| value(text, found, restore))
        .collect();
    let replaced = values
        .iter()
        .map(|(range, value)| (range.clone(), value.as_slice()));
    (!values.is_empty()).then(|| span::splice(body, &text.edits(body, replaced)))
}

fn value(text: &Text, found: Match, restore: &mut dyn Restore) -> Option<Value> {
    match found {
        Match::Placeholder { range, placeholder } => {
            text.locate(range.clone())?;
            Some((range, restore.value(&placeholder)?))
        }
        Match::Mangled { range } => {
            text.locate(range.clone())?;
            restore.mangled(text.bytes().get(range)?);
            None
        }
    }
}

/// A place in the text and what belongs there.
type Value = (Range<usize>, Zeroizing<Vec<u8>>);
