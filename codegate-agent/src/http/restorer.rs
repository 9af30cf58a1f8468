//! Restoring a whole body: each placeholder in each of its texts.

use crate::{
    provider::Restore,
    seal::{self, Match},
    span::{self, Edit, Text},
};

/// The body with its placeholders restored; `None` if there is nothing to restore.
pub(super) fn restore_whole(
    body: &[u8],
    text: &Text,
    restore: &mut dyn Restore,
) -> Option<Vec<u8>> {
    let edits: Vec<Edit> = seal::find(text.bytes())
        .filter_map(|found| edit(body, text, found, restore))
        .collect();
    (!edits.is_empty()).then(|| span::splice(body, &edits))
}

fn edit(body: &[u8], text: &Text, found: Match, restore: &mut dyn Restore) -> Option<Edit> {
    match found {
        Match::Placeholder { range, placeholder } => {
            text.locate(range.clone())?;
            let value = restore.value(&placeholder)?;
            text.edit(body, range, &value)
        }
        Match::Mangled { range } => {
            text.locate(range.clone())?;
            restore.mangled(text.bytes().get(range)?);
            None
        }
    }
}
