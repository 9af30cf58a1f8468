//! Showing a value without giving it away.

/// Characters that are shown at each end, at most.
const END: usize = 4;
/// How many times longer than what is shown a value must be.
const HIDDEN: usize = 4;

/// A value with all but its ends masked. What is shown is a quarter of it at most, and the mask does
/// not tell its length.
pub(super) fn mask(value: &[u8]) -> String {
    let text = String::from_utf8_lossy(value);
    let count = text.chars().count();
    let end = END.min(count / (2 * HIDDEN));
    let head: String = text.chars().take(end).collect();
    let tail: String = text.chars().skip(count - end).collect();
    format!("{head}****{tail}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_values_show_nothing_and_long_ones_their_ends() {
        assert_eq!(mask(b""), "****");
        assert_eq!(mask(b"hunter2"), "****");
        assert_eq!(mask(b"12345678"), "1****8");
        assert_eq!(
            mask(b"ghp_0123456789abcdefghijklmnopqrstuvwxyz"),
            "ghp_****wxyz"
        );
        assert_eq!(mask("é漢é漢é漢é漢".as_bytes()), "é****漢");
    }
}
