//! Names that are one slip of the finger apart.

/// Names shorter than this are too many and too near each other: only two characters in the wrong
/// order are a slip then.
const SHORT: usize = 5;
/// Names shorter than this are never like each other.
const TOO_SHORT: usize = 4;

/// Whether `name` is `right` with one character more, less, or another one in its place, or with two
/// neighbours exchanged.
pub(super) fn is_slip(right: &str, name: &str) -> bool {
    let (right, name): (Vec<char>, Vec<char>) = (right.chars().collect(), name.chars().collect());
    let mut start = 0;
    while right.get(start).is_some() && right.get(start) == name.get(start) {
        start += 1;
    }
    let (a, b) = (&right[start..], &name[start..]);
    let same = a
        .iter()
        .rev()
        .zip(b.iter().rev())
        .take_while(|(a, b)| a == b);
    let end = same.count();
    let (a, b) = (&a[..a.len() - end], &b[..b.len() - end]);
    let swapped = matches!((a, b), ([a, b], [c, d]) if a == d && b == c);
    match (a, b) {
        _ if right.len() < TOO_SHORT => false,
        _ if swapped => true,
        _ if right.len() < SHORT => false,
        ([], [more]) | ([more], []) => !is_series(&right, &name, *more),
        // `boto2` and `boto3` are a series, not a slip.
        ([a], [b]) => !(a.is_ascii_digit() && b.is_ascii_digit()),
        _ => false,
    }
}

/// Whether a name is another with a number after it, as `redis` and `redis4`.
fn is_series(a: &[char], b: &[char], more: char) -> bool {
    let longer = if a.len() > b.len() { a } else { b };
    more.is_ascii_digit() && longer.last() == Some(&more)
}
