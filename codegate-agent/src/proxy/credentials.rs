//! Who the agent is to a proxy.

use std::{
    fmt, fs, io,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use zeroize::Zeroizing;

/// The longest password that is read, in bytes.
const LONGEST: u64 = 1024;
/// Read by everybody.
const WORLD: u32 = 0o004;

/// A user's name and password, as `Proxy-Authorization` has them (RFC 7617). They are shown nowhere.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials(Zeroizing<String>);

/// Why there are none.
#[derive(Debug, thiserror::Error)]
pub enum CredentialsError {
    /// The file cannot be read.
    #[error("the proxy's password in {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Everybody can read it.
    #[error("the proxy's password in {} can be read by everybody: chmod 600 it", .0.display())]
    Open(PathBuf),
    /// It is none.
    #[error("the proxy's password in {}: not one line of 1 to {LONGEST} bytes", .0.display())]
    Bad(PathBuf),
}

impl Credentials {
    /// Of a user (whose name has no colon) and a password.
    #[must_use]
    pub fn basic(user: &str, password: &str) -> Self {
        let both = Zeroizing::new(format!("{user}:{password}"));
        Self(Zeroizing::new(STANDARD.encode(both.as_bytes())))
    }

    /// With the password in a file, whose last line feed does not count.
    ///
    /// # Errors
    /// See [`CredentialsError`].
    pub fn load(user: &str, path: &Path) -> Result<Self, CredentialsError> {
        let unreadable = |source| CredentialsError::Read {
            path: path.to_owned(),
            source,
        };
        let about = fs::metadata(path).map_err(unreadable)?;
        if about.permissions().mode() & WORLD != 0 {
            return Err(CredentialsError::Open(path.to_owned()));
        }
        let bad = || CredentialsError::Bad(path.to_owned());
        if !about.is_file() || about.size() > LONGEST {
            return Err(bad());
        }
        let text = Zeroizing::new(fs::read_to_string(path).map_err(unreadable)?);
        let password = text.strip_suffix('\n').unwrap_or(&text);
        let password = password.strip_suffix('\r').unwrap_or(password);
        if password.is_empty() || password.contains(['\r', '\n', '\0']) {
            return Err(bad());
        }
        Ok(Self::basic(user, password))
    }

    /// As the header's value has it.
    pub(super) fn value(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials")
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests panic")]
mod tests {
    use super::*;

    fn load(text: &str, mode: u32) -> Result<Credentials, String> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("password");
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let loaded = Credentials::load("ada", &path);
        loaded.map_err(|error| error.to_string().replace(path.to_str().unwrap(), "FILE"))
    }

    #[test]
    fn a_password_is_a_line_that_not_everybody_can_read() {
        for text in ["open sesame", "open sesame\n", "open sesame\r\n"] {
            let loaded = load(text, 0o640).unwrap();
            assert_eq!(loaded, Credentials::basic("ada", "open sesame"));
            assert_eq!(format!("{loaded:?}"), "Credentials");
        }
        assert_eq!(
            load("open sesame", 0o644).unwrap_err(),
            "the proxy's password in FILE can be read by everybody: chmod 600 it"
        );
        for bad in ["", "\n", "a\nb", "a\r\nb: c", &"a".repeat(1025)] {
            let error = load(bad, 0o600).unwrap_err();
            assert!(error.contains("not one line"), "{error}");
        }
        let gone = Credentials::load("ada", Path::new("/nowhere/at/all"));
        assert!(matches!(gone, Err(CredentialsError::Read { .. })));
    }
}
