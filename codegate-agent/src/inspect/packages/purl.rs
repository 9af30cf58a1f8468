//! Package URLs: `pkg:type/namespace/name@version?qualifiers#subpath`.
//!
//! The format is that of the Package URL specification (ECMA-427). What it asks for in upper and
//! lower case is left to [`Package`], which knows the registries better.

use std::{cmp::Ordering, fmt, str::FromStr};

use serde::{Serialize, Serializer};

use super::{Ecosystem, Package, compare};

/// A package, perhaps in a certain version.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Purl {
    /// The package.
    pub package: Package,
    /// The version, as it was written.
    pub version: Option<String>,
}

/// Why a text is no package URL that we know.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadPurl {
    /// It does not begin with `pkg:`.
    #[error("a package URL begins with `pkg:`")]
    Scheme,
    /// Its type is missing, or of another ecosystem.
    #[error("its type must be npm, pypi, cargo, golang, maven, gem, nuget or composer")]
    Type,
    /// A percent sign does not begin two hexadecimal digits, or what they say is no UTF-8.
    #[error("its percent-encoding is broken")]
    Encoding,
    /// The name is missing, or no registry could have it.
    #[error("its name is missing or impossible")]
    Name,
}

impl Purl {
    /// Whether this stands for the other: the same package (or, in Go, one that has the other in its
    /// module), and the same version or none.
    pub fn covers(&self, other: &Self) -> bool {
        let ecosystem = self.package.ecosystem;
        let same = |own: &String| {
            let theirs = other.version.as_ref();
            theirs.is_some_and(|v| v == own || compare(ecosystem, own, v) == Some(Ordering::Equal))
        };
        let inside = || {
            let mut modules = other.package.candidates();
            modules.any(|module| module == self.package.name())
        };
        let same_package = self.package == other.package
            || ecosystem == Ecosystem::Go && other.package.ecosystem == ecosystem && inside();
        same_package && self.version.as_ref().is_none_or(same)
    }
}

impl FromStr for Purl {
    type Err = BadPurl;

    fn from_str(text: &str) -> Result<Self, BadPurl> {
        let scheme = text.get(..4).filter(|s| s.eq_ignore_ascii_case("pkg:"));
        let rest = scheme.and(text.get(4..)).ok_or(BadPurl::Scheme)?;
        let rest = rest.trim_start_matches('/');
        let rest = rest.rsplit_once('#').map_or(rest, |(before, _)| before);
        let rest = rest.rsplit_once('?').map_or(rest, |(before, _)| before);
        let (kind, path) = rest.split_once('/').ok_or(BadPurl::Type)?;
        let ecosystem = Ecosystem::from_purl_type(kind).ok_or(BadPurl::Type)?;
        let (path, version) = split_version(path);
        let name = full_name(ecosystem, path)?;
        let package = Package::new(ecosystem, &name).ok_or(BadPurl::Name)?;
        let version = version.map(decoded).transpose()?;
        let version = version.filter(|version| !version.is_empty());
        Ok(Self { package, version })
    }
}

/// Cuts the version off; the `@` of an npm scope that was not encoded begins none.
fn split_version(path: &str) -> (&str, Option<&str>) {
    let last = path.trim_end_matches('/').rfind('/').map_or(0, |at| at + 1);
    match path.rfind('@') {
        Some(at) if at > last => (&path[..at], Some(&path[at + 1..])),
        _ => (path, None),
    }
}

/// Namespace and name in the ecosystem's own spelling.
fn full_name(ecosystem: Ecosystem, path: &str) -> Result<String, BadPurl> {
    let segments = path.split('/').filter(|segment| !segment.is_empty());
    let segments: Vec<String> = segments.map(decoded).collect::<Result<_, _>>()?;
    let name = match (ecosystem, segments.as_slice()) {
        (Ecosystem::Maven, [group, artifact]) => format!("{group}:{artifact}"),
        (Ecosystem::Maven, _) => return Err(BadPurl::Name),
        _ => segments.join("/"),
    };
    Ok(name)
}

fn decoded(text: &str) -> Result<String, BadPurl> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let [high, low, after @ ..] = rest else {
            return Err(BadPurl::Encoding);
        };
        let digit = |b: u8| char::from(b).to_digit(16).ok_or(BadPurl::Encoding);
        bytes.push((digit(*high)? << 4 | digit(*low)?) as u8);
        rest = after;
    }
    String::from_utf8(bytes).map_err(|_| BadPurl::Encoding)
}

impl fmt::Display for Purl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ecosystem = self.package.ecosystem;
        write!(f, "pkg:{}", ecosystem.purl_type())?;
        let separator = match ecosystem {
            Ecosystem::Maven => ':',
            _ => '/',
        };
        for segment in self.package.shown().split(separator) {
            f.write_str("/")?;
            encode(f, segment)?;
        }
        if let Some(version) = &self.version {
            f.write_str("@")?;
            encode(f, version)?;
        }
        Ok(())
    }
}

impl Serialize for Purl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

fn encode(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    for b in text.bytes() {
        match b {
            b if b.is_ascii_alphanumeric() => write!(f, "{}", char::from(b))?,
            b'.' | b'-' | b'_' | b'~' | b':' => write!(f, "{}", char::from(b))?,
            b => write!(f, "%{b:02X}")?,
        }
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests panic")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> (String, Option<String>) {
        let purl: Purl = text.parse().unwrap();
        (purl.package.name().to_owned(), purl.version)
    }

    #[test]
    fn the_usual_ones_are_read() {
        let v = |text: &str| Some(text.to_owned());
        for (text, name, version) in [
            (
                "pkg:npm/%40angular/core@12.3.1",
                "@angular/core",
                v("12.3.1"),
            ),
            ("pkg:npm/@angular/core@12.3.1", "@angular/core", v("12.3.1")),
            ("pkg:npm/@angular/core", "@angular/core", None),
            ("PKG:PyPI/Django_Allauth@1%2B2", "django-allauth", v("1+2")),
            (
                "pkg://golang/github.com/a/b@v1.2?x=y#sub",
                "github.com/a/b",
                v("v1.2"),
            ),
            ("pkg:maven/org.a/b@1", "org.a:b", v("1")),
            ("pkg:cargo/serde_json@", "serde-json", None),
            ("pkg:nuget/Netherе%D0%B5um.All", "netherееum.all", None),
        ] {
            assert_eq!(read(text), (name.to_owned(), version), "{text}");
        }
    }

    #[test]
    fn a_module_of_go_stands_for_what_is_in_it() {
        let covers = |listed: &str, named: &str| {
            let [listed, named] = [listed, named].map(|text| text.parse::<Purl>().unwrap());
            listed.covers(&named)
        };
        assert!(covers(
            "pkg:golang/a.test/b/c",
            "pkg:golang/a.test/b/c/d/e@v1"
        ));
        assert!(!covers("pkg:golang/a.test/b/c/d", "pkg:golang/a.test/b/c"));
        assert!(!covers("pkg:golang/a.test/b", "pkg:golang/a.test/bc"));
        assert!(!covers("pkg:npm/@a/b", "pkg:golang/a.test/b"));
        assert!(covers("pkg:npm/a", "pkg:npm/a@1") && !covers("pkg:npm/a@2", "pkg:npm/a@1"));
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (text, error) in [
            ("npm/x", BadPurl::Scheme),
            ("pkg:deb/x", BadPurl::Type),
            ("pkg:npm", BadPurl::Type),
            ("pkg:npm/", BadPurl::Name),
            ("pkg:maven/only", BadPurl::Name),
            ("pkg:npm/a%2", BadPurl::Encoding),
            ("pkg:npm/%ff", BadPurl::Encoding),
            ("pkg:npm/a%20b", BadPurl::Name),
        ] {
            assert_eq!(text.parse::<Purl>(), Err(error), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read_again(name in "(@[a-zé]{1,5}/)?[a-zA-Z0-9._~é+-]{1,20}", version in "[0-9a-z.+/@é-]{1,10}") {
            for ecosystem in [Ecosystem::Npm, Ecosystem::PyPI, Ecosystem::NuGet] {
                let Some(package) = Package::new(ecosystem, &name) else { continue };
                let purl = Purl { package, version: Some(version.clone()) };
                prop_assert_eq!(purl.to_string().parse::<Purl>(), Ok(purl));
            }
        }

        #[test]
        fn no_text_is_too_strange(text in "(pkg:[a-z]{0,6}/)?\\PC{0,40}") {
            text.parse::<Purl>().ok();
        }
    }
}
