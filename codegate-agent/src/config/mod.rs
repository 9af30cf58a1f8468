//! Configuration: what the administrator chose, parsed once into values that need no second check.
//!
//! Knows: files, host names, executables' paths. Must not know: connections, dialects' bodies, the
//! kernel. When it must choose, it favours an error over a guess: a typo is never a default.

mod builtin;
mod command;
mod endpoints;
mod file;
mod host;
mod load;
mod pattern;
mod process;
mod tools;
mod values;

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    fetch::Url,
    inspect::{
        packages::{Purl, index::fleet::PublicKey},
        pii,
        secrets::UserRules,
    },
    proxy::{Authority, Except},
};

pub use endpoints::{Endpoint, Endpoints, Origin, Provider};
pub use host::{BadHost, HostPattern, normalized};
pub use load::Error;
pub use pattern::{ImagePattern, PathPattern};
pub use process::{Action, Processes, Rule};
pub use tools::tool;
pub use values::HttpProxy;

/// Where the configuration is, unless `--config` says otherwise.
pub const DEFAULT_FILE: &str = "/etc/codegate/config.toml";

/// The largest body the agent reads unless told otherwise, in bytes.
pub const DEFAULT_BODY_BYTES: usize = 64 << 20;

/// Everything the administrator can choose. Serialised, it is a configuration file again.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Config {
    /// What outlives a restart: the vault, the sessions, the CA.
    pub state_dir: PathBuf,
    /// What does not: the control socket.
    pub runtime_dir: PathBuf,
    /// What the kernel redirects.
    pub capture: Capture,
    /// The machine's own models.
    pub local: Local,
    /// How upstreams are verified and reached.
    pub upstream: Upstream,
    /// What a request may cost.
    pub limits: Limits,
    /// What happens to what cannot be inspected.
    pub policy: Policy,
    /// What was decided about packages.
    pub packages: Packages,
    /// What becomes of personal data.
    pub pii: pii::Policy,
    /// The guarded hosts.
    #[serde(rename = "endpoint")]
    pub endpoints: Endpoints,
    /// The processes that are treated in their own way.
    #[serde(rename = "process")]
    pub processes: Processes,
    /// Rules of secrets, beside those that are compiled in.
    #[serde(rename = "rule", skip_serializing_if = "UserRules::is_empty")]
    pub rules: UserRules,
}

/// What the kernel redirects, and what it does when the agent is gone.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Capture {
    /// The cgroup2 directory below which everything is guarded; `None` is the mount's root,
    /// wherever it is found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cgroup: Option<PathBuf>,
    /// What happens to guarded hosts when the agent is gone.
    pub fail: Fail,
    /// What becomes of connections to guarded hosts that are older than the guard.
    pub existing: Existing,
    /// Where container engines keep their state, besides where they do by default.
    pub engines: Vec<PathBuf>,
    /// The HTTP proxies by which clients reach the internet: they are followed through `CONNECT`.
    #[serde(serialize_with = "values::as_text")]
    pub proxies: Vec<Authority>,
}

/// What becomes of connections to guarded hosts that are older than the guard.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Existing {
    /// They are listed, and go on.
    #[default]
    List,
    /// They are closed, so that their clients connect again.
    Close,
}

/// What happens to guarded hosts when the agent is gone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Fail {
    /// Their connections go direct.
    #[default]
    Open,
    /// Their connections are refused until it is back.
    Closed,
}

/// The machine's own models: Ollama, LM Studio, vLLM, llama.cpp.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Local {
    /// Whether connections to them are guarded.
    pub guard: bool,
}

/// How upstreams are verified and reached.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Upstream {
    /// PEM files of roots that count besides the host's own.
    pub extra_roots: Vec<PathBuf>,
    /// The proxy by which they are reached; `None` is directly.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proxy: Option<HttpProxy>,
    /// Who the agent is to that proxy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proxy_user: Option<String>,
    /// Where its password is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proxy_password_file: Option<PathBuf>,
    /// What is reached directly all the same.
    #[serde(serialize_with = "values::as_text")]
    pub no_proxy: Vec<Except>,
}

/// What was decided about packages, whatever is known of them. Without a version, all are meant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Packages {
    /// Where `packages update` fetches from: laid out as OSV's bucket.
    pub url: Url,
    /// Whose generations of the index are taken.
    pub trusted_keys: Vec<PublicKey>,
    /// Fine.
    pub allow: Vec<Purl>,
    /// As bad as malicious ones.
    pub deny: Vec<Purl>,
    /// What becomes of tool calls that would install what must not be installed.
    pub action: PackageAction,
    /// Whether answers tell of packages that are worth a warning.
    pub notices: bool,
}

/// What becomes of a tool call that would install a package that is proven bad.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum PackageAction {
    /// The call fails instead, and says why.
    #[default]
    Block,
    /// The call goes on, and an alert is recorded.
    Warn,
}

/// What a request may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Limits {
    /// The largest body that is read, in bytes, before and after its content encoding is undone.
    pub body_bytes: usize,
}

/// What happens to what cannot be inspected.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Policy {
    /// A body on an inference path that cannot be parsed, decoded within limits, or scanned.
    pub unscannable: Unscannable,
}

/// What happens to a body that cannot be inspected.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Unscannable {
    /// The request is refused; nothing is forwarded.
    #[default]
    Block,
    /// The request goes on as it is, and an alert is recorded.
    Alert,
}

impl Config {
    /// Reads `path` and the `conf.d/*.toml` beside it, in the order of their names; without a path,
    /// [`DEFAULT_FILE`], which need not exist.
    ///
    /// # Errors
    /// The first mistake found, with file, line and column.
    pub fn load(path: Option<&Path>) -> Result<Self, Error> {
        load::load(path)
    }

    /// The JSON Schema of a configuration file, for editors.
    pub fn schema() -> serde_json::Value {
        file::schema()
    }

    /// The index of packages.
    pub fn packages_dir(&self) -> PathBuf {
        self.state_dir.join("packages")
    }

    /// What is compiled of the rules, from one start to the next.
    pub fn patterns_dir(&self) -> PathBuf {
        self.state_dir.join("patterns")
    }

    /// The control socket.
    pub fn socket(&self) -> PathBuf {
        self.runtime_dir.join("control.sock")
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            state_dir: "/var/lib/codegate".into(),
            runtime_dir: "/run/codegate".into(),
            capture: Capture::default(),
            local: Local::default(),
            upstream: Upstream::default(),
            limits: Limits::default(),
            policy: Policy::default(),
            packages: Packages::default(),
            pii: pii::Policy::default(),
            endpoints: Endpoints::built_in(),
            processes: Processes::default(),
            rules: UserRules::default(),
        }
    }
}

impl Default for Packages {
    fn default() -> Self {
        Self {
            url: Url::osv(),
            trusted_keys: Vec::new(),
            allow: Vec::new(),
            deny: Vec::new(),
            action: PackageAction::default(),
            notices: true,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes: DEFAULT_BODY_BYTES,
        }
    }
}
