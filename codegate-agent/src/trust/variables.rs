//! The environment variables by which programs are told whom to trust.

use std::path::{Path, PathBuf};

/// Node adds the file to its own roots, so it gets our root alone.
const ADDS: [&str; 1] = ["NODE_EXTRA_CA_CERTS"];

/// These replace a program's roots, so they get the system's roots and ours.
const REPLACES: [&str; 9] = [
    "SSL_CERT_FILE",
    "REQUESTS_CA_BUNDLE",
    "AWS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "GIT_SSL_CAINFO",
    "CARGO_HTTP_CAINFO",
    "PIP_CERT",
    "DENO_CERT",
    "CODEX_CA_CERTIFICATE",
];

/// The variables that make a program trust the guard, each with the file it names.
///
/// `ca_pem` is our root alone, `bundle` the system's roots and ours (see [`super::install`]).
#[must_use]
pub fn variables(ca_pem: &Path, bundle: &Path) -> Vec<(&'static str, PathBuf)> {
    let adds = ADDS.map(|name| (name, ca_pem.to_owned()));
    let replaces = REPLACES.map(|name| (name, bundle.to_owned()));
    adds.into_iter().chain(replaces).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_adds_gets_our_root_alone() {
        let all = variables(Path::new("/ca"), Path::new("/bundle"));
        assert_eq!(all.len(), 10);
        for (name, file) in all {
            let alone = name == "NODE_EXTRA_CA_CERTS";
            assert_eq!(
                file,
                Path::new(if alone { "/ca" } else { "/bundle" }),
                "{name}"
            );
        }
    }
}
