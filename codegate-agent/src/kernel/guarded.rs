//! Which names are guarded, on which ports: what the programs know as hashes, with the names in clear.
//!
//! The most specific pattern of a name decides alone, here as in the programs (`codegate-ebpf`, `dns`).

use std::collections::HashMap;

/// Patterns and their ports.
#[derive(Debug, Default)]
pub(super) struct Guarded {
    exact: HashMap<Box<str>, Vec<u16>>,
    below: HashMap<Box<str>, Vec<u16>>,
}

impl Guarded {
    /// Names, and `*.` and a name for all below it; without ports a name is left alone, whatever a
    /// wider pattern says.
    pub(super) fn new(patterns: impl IntoIterator<Item = (String, Vec<u16>)>) -> Self {
        let mut guarded = Self::default();
        for (pattern, ports) in patterns {
            let pattern = pattern.trim_end_matches('.').to_ascii_lowercase();
            match pattern.strip_prefix("*.") {
                Some(name) => guarded.below.insert(name.into(), ports),
                None => guarded.exact.insert(pattern.into(), ports),
            };
        }
        guarded
    }

    /// The ports of a name in lower case, if it is guarded.
    pub(super) fn ports(&self, name: &str) -> Option<&[u16]> {
        let exact = self.exact.get(name);
        let ports = exact.or_else(|| parents(name).find_map(|parent| self.below.get(parent)))?;
        (!ports.is_empty()).then_some(ports)
    }

    /// All of them: the name, whether what is below it is meant, and the ports.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, bool, &[u16])> {
        let exact = self.exact.iter().map(|entry| (entry, false));
        let below = self.below.iter().map(|entry| (entry, true));
        exact
            .chain(below)
            .map(|((name, ports), below)| (&**name, below, ports.as_slice()))
    }
}

/// What is above a name, nearest first.
fn parents(name: &str) -> impl Iterator<Item = &str> {
    let above = |name: &'_ str| name.split_once('.').map(|(_, above)| above.len());
    std::iter::successors(Some(name), move |name| {
        above(name).and_then(|length| name.get(name.len() - length..))
    })
    .skip(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_specific_pattern_decides_alone() {
        let guarded = Guarded::new(
            [
                ("*.example.ai", vec![443]),
                ("*.eu.Example.ai", vec![8443]),
                ("api.eu.example.ai.", vec![9443]),
                ("out.example.ai", vec![]),
            ]
            .map(|(pattern, ports)| (pattern.to_owned(), ports)),
        );
        let table: [(&str, Option<&[u16]>); 8] = [
            ("a.example.ai", Some(&[443])),
            ("a.b.example.ai", Some(&[443])),
            ("a.eu.example.ai", Some(&[8443])),
            ("api.eu.example.ai", Some(&[9443])),
            ("out.example.ai", None),
            ("example.ai", None),
            ("badexample.ai", None),
            ("", None),
        ];
        for (name, ports) in table {
            assert_eq!(guarded.ports(name), ports, "{name}");
        }
        assert_eq!(guarded.iter().count(), 4);
    }
}
