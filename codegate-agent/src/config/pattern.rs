//! Paths of executables, and patterns that stand for several of them.

use std::{fmt, os::unix::ffi::OsStrExt as _, path::Path};

use serde::Serialize;

/// An absolute path in which `*` stands for any characters but a slash, `?` for one of them, and `**`
/// for any characters at all.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct PathPattern(String);

impl PathPattern {
    /// `None` if it is not absolute.
    pub(super) fn new(text: &str) -> Option<Self> {
        text.starts_with('/').then(|| Self(text.to_owned()))
    }

    /// Whether a path is one of those that are meant.
    pub fn matches(&self, path: &Path) -> bool {
        matches(self.0.as_bytes(), path.as_os_str().as_bytes())
    }
}

impl fmt::Display for PathPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The name of an image, in which stars stand for what they stand for in paths. Without a slash only the
/// last part of a name is looked at.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct ImagePattern(String);

impl ImagePattern {
    /// `None` if it is empty.
    pub(super) fn new(text: &str) -> Option<Self> {
        (!text.is_empty()).then(|| Self(text.to_owned()))
    }

    /// Whether an image of this whole name is meant.
    pub fn matches(&self, image: &str) -> bool {
        let last = image.rsplit_once('/').map_or(image, |(_, last)| last);
        let named = if self.0.contains('/') { image } else { last };
        matches(self.0.as_bytes(), named.as_bytes())
    }
}

/// Goes back to the last star where the rest does not fit, and to the last double star where no single
/// one helps: each star is tried once for each place, not for each way to get there.
fn matches(pattern: &[u8], path: &[u8]) -> bool {
    let (mut rest, mut left) = (pattern, path);
    let (mut star, mut double) = (None, None);
    loop {
        let back = match (rest, left) {
            ([b'*', b'*', after @ ..], _) => {
                (rest, double, star) = (after, Some((after, left)), None);
                continue;
            }
            ([b'*', after @ ..], _) => {
                (rest, star) = (after, Some((after, left)));
                continue;
            }
            ([], []) => return true,
            ([b'?', after @ ..], [octet, further @ ..]) if *octet != b'/' => {
                (rest, left) = (after, further);
                continue;
            }
            ([one, after @ ..], [other, further @ ..]) if one == other => {
                (rest, left) = (after, further);
                continue;
            }
            _ => (star, double),
        };
        (rest, left) = match back {
            (Some((after, [octet, further @ ..])), _) if *octet != b'/' => {
                star = Some((after, further));
                (after, further)
            }
            (_, Some((after, [_, further @ ..]))) => {
                (star, double) = (None, Some((after, further)));
                (after, further)
            }
            _ => return false,
        };
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests panic")]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_what_they_say() {
        for (pattern, path, expected) in [
            ("/usr/bin/foo", "/usr/bin/foo", true),
            ("/usr/bin/foo", "/usr/bin/foobar", false),
            ("/usr/bin/fo?", "/usr/bin/foo", true),
            ("/usr/bin/fo?", "/usr/bin/fo", false),
            ("/usr?bin/foo", "/usr/bin/foo", false),
            ("/home/*/bin/claude", "/home/me/bin/claude", true),
            ("/home/*/bin/claude", "/home/me/x/bin/claude", false),
            ("/home/**/bin/claude", "/home/me/x/bin/claude", true),
            ("/home/**", "/home/", true),
            ("/home/**", "/homes/a", false),
            ("/**/a*c/*", "/x/ab/abc/d", true),
            ("/**/a*c/*", "/x/abc/d/e", false),
            ("/a*b*c", "/aXbYbZc", true),
            ("/a*b*c", "/aXbYbZ", false),
            ("/*", "/", true),
        ] {
            assert_eq!(
                matches(pattern.as_bytes(), path.as_bytes()),
                expected,
                "{pattern} {path}"
            );
        }
    }

    #[test]
    fn images_are_known_by_the_whole_name_or_its_end() {
        for (pattern, image, expected) in [
            (
                "docker.io/library/node*",
                "docker.io/library/node:22-slim",
                true,
            ),
            ("docker.io/*/node*", "docker.io/library/node:22", true),
            ("node*", "docker.io/library/node:22", true),
            ("node", "docker.io/library/node:22", false),
            ("*", "ghcr.io/a/b/c:1", true),
            ("ghcr.io/**", "ghcr.io/a/b/c:1", true),
            ("ghcr.io/*", "ghcr.io/a/b/c:1", false),
            ("library/node*", "docker.io/library/node:22", false),
        ] {
            let pattern = ImagePattern::new(pattern).unwrap();
            assert_eq!(pattern.matches(image), expected, "{pattern:?} {image}");
        }
        assert_eq!(ImagePattern::new(""), None);
    }

    /// What would take ages if each star were tried with each other.
    #[test]
    fn many_stars_do_not_hold_anything_up() {
        let pattern = "/**".to_owned() + &"a**".repeat(60) + "b";
        assert!(!matches(
            pattern.as_bytes(),
            "/aaaaaaaaaaaaaaaaaaaaaaaa".repeat(40).as_bytes()
        ));
    }
}
