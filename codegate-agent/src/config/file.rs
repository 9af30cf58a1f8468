//! One configuration file as it is written: every key may be missing, none may be unknown.

use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

use super::{
    Action, Config, Existing, Fail, PackageAction, Provider, Unscannable,
    host::HostPattern,
    pattern::{ImagePattern, PathPattern},
    process::Rule,
    values::{
        Absolute, BodyBytes, Cgroup, FeedUrl, HttpProxy, NoProxy, PackageUrl, Port, ProxyAddress,
        ProxyUser, TrustedKey,
    },
};
use crate::inspect::{pii, secrets::RuleText};

/// CodeGate's configuration: config.toml and the conf.d/*.toml beside it.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "CodeGate")]
pub(super) struct File {
    /// What outlives a restart: vault, sessions, CA. Default: /var/lib/codegate.
    state_dir: Option<Absolute>,
    /// Where the control socket is. Default: /run/codegate.
    runtime_dir: Option<Absolute>,
    /// What the kernel redirects.
    capture: Capture,
    /// The machine's own models: Ollama, LM Studio, vLLM, llama.cpp.
    local: Local,
    /// How upstreams are verified and reached.
    upstream: Upstream,
    /// What a request may cost.
    limits: Limits,
    /// What happens to what cannot be inspected.
    policy: Policy,
    /// What was decided about packages, whatever is known of them.
    packages: Packages,
    /// What becomes of personal data in prompts: "off", "report" or "redact".
    pii: Pii,
    /// Guarded hosts: added to the built-in table, or overriding it by host.
    endpoint: Vec<Endpoint>,
    /// Processes treated in their own way, by executable; the first match wins.
    process: Vec<Process>,
    /// Rules of secrets: added to the built-in ones, or replacing those of the same id.
    #[schemars(with = "Vec<RuleText>")]
    pub(super) rule: Vec<Spanned<RuleText>>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Capture {
    /// The cgroup2 directory below which everything is guarded. Default: "auto", the mount's root.
    cgroup: Option<Cgroup>,
    /// What happens to guarded hosts when the agent is gone. Default: "open".
    fail: Option<Fail>,
    /// What becomes of connections to guarded hosts that are older than the guard: "list" or "close".
    /// Default: "list".
    existing: Option<Existing>,
    /// Folders in which container engines keep their state, besides /var/lib/docker and
    /// /var/lib/containers/storage.
    engines: Vec<Absolute>,
    /// The HTTP proxies by which clients reach the internet, as HOST:PORT.
    proxies: Vec<ProxyAddress>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Local {
    /// Whether connections to localhost on their ports (11434, 1234, 8000, 8080) are guarded. Default: false.
    guard: Option<bool>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Upstream {
    /// PEM files of roots that count besides the host's own.
    extra_roots: Vec<Absolute>,
    /// The HTTP proxy by which upstreams are reached, as http://HOST:PORT. Default: none.
    proxy: Option<HttpProxy>,
    /// The user that the proxy wants to know.
    proxy_user: Option<ProxyUser>,
    /// The file that holds the user's password, which not everybody may read.
    proxy_password_file: Option<Absolute>,
    /// What is reached without the proxy: hosts, `.` and a domain, networks as ADDRESS/BITS.
    no_proxy: Vec<NoProxy>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Limits {
    /// The largest body that is read, in bytes. Default: 67108864.
    body_bytes: Option<BodyBytes>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Policy {
    /// What happens to a prompt that cannot be read. Default: "block".
    unscannable: Option<Unscannable>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Packages {
    /// Where `codegate packages update` fetches from, laid out as OSV's bucket. Default: that bucket.
    url: Option<FeedUrl>,
    /// Public keys of who may publish an index for this machine.
    trusted_keys: Vec<TrustedKey>,
    /// Package URLs that are fine; without a version, all versions are.
    allow: Vec<PackageUrl>,
    /// Package URLs that are as bad as malicious ones.
    deny: Vec<PackageUrl>,
    /// What becomes of tool calls that would install a package that is proven bad. Default: "block".
    action: Option<PackageAction>,
    /// Whether answers tell of packages that are worth a warning. Default: true.
    notices: Option<bool>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Pii {
    /// Payment cards. Default: "redact".
    card: Option<pii::Action>,
    /// Bank accounts (IBAN). Default: "redact".
    iban: Option<pii::Action>,
    /// Identity, tax and health numbers that states give. Default: "redact".
    national_id: Option<pii::Action>,
    /// E-mail addresses. Default: "report".
    email: Option<pii::Action>,
    /// Telephone numbers. Default: "report".
    phone: Option<pii::Action>,
    /// Addresses of crypto currencies. Default: "report".
    crypto: Option<pii::Action>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Endpoint {
    /// Host names, or `*.` and a name for all below it.
    hosts: Vec<HostPattern>,
    /// TCP ports. Default: [443], or [80] without TLS. An empty list takes the hosts out.
    ports: Option<Vec<Port>>,
    /// Whether they speak TLS; if not, HTTP in clear. Default: true.
    tls: Option<bool>,
    /// What they speak; "opaque" scans whole bodies.
    provider: Provider,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Process {
    /// The executable's path; `*` stands for any characters but a slash, `**` for any at all.
    exe: Option<PathPattern>,
    /// The script that an interpreter runs: its name, or its path or the end of it.
    command: Option<String>,
    /// The id of the container or the beginning of it; "*" for any container.
    container: Option<String>,
    /// The name of the image that the container was made from; `*` stands for any characters but a slash,
    /// `**` for any at all. Without a slash only the last part of a name is looked at.
    image: Option<ImagePattern>,
    /// The cgroup (v2) or one above it, as in /proc/PID/cgroup.
    cgroup: Option<Absolute>,
    /// The real user's id.
    uid: Option<u32>,
    /// Whether what such a process starts is meant, too. Default: false.
    inherit: Option<bool>,
    /// What is done with its connections.
    action: Action,
}

/// The JSON Schema of a configuration file.
pub(super) fn schema() -> serde_json::Value {
    schemars::schema_for!(File).to_value()
}

impl File {
    /// Lays the file over what earlier files said: single values replace, lists grow.
    pub(super) fn apply(self, config: &mut Config, rules: &mut Vec<Rule>) {
        replace(&mut config.state_dir, self.state_dir.map(|path| path.0));
        replace(&mut config.runtime_dir, self.runtime_dir.map(|path| path.0));
        replace(
            &mut config.capture.cgroup,
            self.capture.cgroup.map(|cgroup| cgroup.0),
        );
        replace(&mut config.capture.fail, self.capture.fail);
        replace(&mut config.capture.existing, self.capture.existing);
        let engines = self.capture.engines.into_iter().map(|path| path.0);
        config.capture.engines.extend(engines);
        let proxies = self.capture.proxies.into_iter().map(|proxy| proxy.0);
        config.capture.proxies.extend(proxies);
        replace(&mut config.local.guard, self.local.guard);
        replace(
            &mut config.limits.body_bytes,
            self.limits.body_bytes.map(|bytes| bytes.0),
        );
        replace(&mut config.policy.unscannable, self.policy.unscannable);
        self.pii.apply(&mut config.pii);
        self.upstream.apply(&mut config.upstream);
        replace(&mut config.packages.url, self.packages.url.map(|url| url.0));
        let keys = self.packages.trusted_keys.into_iter().map(|key| key.0);
        config.packages.trusted_keys.extend(keys);
        let purls = |list: Vec<PackageUrl>| list.into_iter().map(|purl| purl.0);
        config.packages.allow.extend(purls(self.packages.allow));
        config.packages.deny.extend(purls(self.packages.deny));
        replace(&mut config.packages.action, self.packages.action);
        replace(&mut config.packages.notices, self.packages.notices);
        for endpoint in self.endpoint {
            endpoint.apply(config);
        }
        rules.extend(self.process.into_iter().map(|process| Rule {
            exe: process.exe,
            command: process.command,
            container: process.container,
            image: process.image,
            cgroup: process.cgroup.map(|cgroup| cgroup.0),
            uid: process.uid,
            inherit: process.inherit.unwrap_or_default(),
            action: process.action,
        }));
    }
}

impl Upstream {
    fn apply(self, config: &mut super::Upstream) {
        let roots = self.extra_roots.into_iter().map(|path| path.0);
        config.extra_roots.extend(roots);
        replace(&mut config.proxy, self.proxy.map(Some));
        replace(
            &mut config.proxy_user,
            self.proxy_user.map(|user| Some(user.0)),
        );
        let file = self.proxy_password_file.map(|path| Some(path.0));
        replace(&mut config.proxy_password_file, file);
        config
            .no_proxy
            .extend(self.no_proxy.into_iter().map(|one| one.0));
    }
}

impl Pii {
    fn apply(self, policy: &mut pii::Policy) {
        replace(&mut policy.card, self.card);
        replace(&mut policy.iban, self.iban);
        replace(&mut policy.national_id, self.national_id);
        replace(&mut policy.email, self.email);
        replace(&mut policy.phone, self.phone);
        replace(&mut policy.crypto, self.crypto);
    }
}

impl Endpoint {
    fn apply(self, config: &mut Config) {
        let tls = self.tls.unwrap_or(true);
        let ports: Vec<u16> = match self.ports {
            Some(ports) => ports.into_iter().map(|port| port.0).collect(),
            None if tls => vec![443],
            None => vec![80],
        };
        for host in self.hosts {
            config.endpoints.add(host, &ports, self.provider, tls);
        }
    }
}

fn replace<T>(value: &mut T, with: Option<T>) {
    if let Some(with) = with {
        *value = with;
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests panic")]
mod tests {
    use serde_json::Value;

    use super::*;

    /// The names that the parser says it knows, where `nonsense` stands.
    fn known_to_the_parser(text: &str) -> Vec<String> {
        let error = toml::from_str::<File>(text)
            .unwrap_err()
            .message()
            .to_owned();
        let (_, names) = error.split_once("expected ").unwrap();
        names
            .split('`')
            .skip(1)
            .step_by(2)
            .map(str::to_owned)
            .collect()
    }

    fn known_to_the_schema(object: &Value) -> Vec<String> {
        assert_eq!(object["additionalProperties"], false);
        object["properties"]
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect()
    }

    #[test]
    fn the_schema_knows_what_the_parser_knows() {
        let schema = schema();
        for (text, pointer) in [
            ("nonsense = 1", ""),
            ("[capture]\nnonsense = 1", "/$defs/Capture"),
            ("[local]\nnonsense = 1", "/$defs/Local"),
            ("[upstream]\nnonsense = 1", "/$defs/Upstream"),
            ("[limits]\nnonsense = 1", "/$defs/Limits"),
            ("[policy]\nnonsense = 1", "/$defs/Policy"),
            ("[packages]\nnonsense = 1", "/$defs/Packages"),
            ("[pii]\nnonsense = 1", "/$defs/Pii"),
            ("[[endpoint]]\nnonsense = 1", "/$defs/Endpoint"),
            ("[[process]]\nnonsense = 1", "/$defs/Process"),
            ("[[rule]]\nnonsense = 1", "/$defs/SecretRule"),
        ] {
            let mut parser = known_to_the_parser(text);
            let mut schema = known_to_the_schema(schema.pointer(pointer).unwrap());
            parser.sort();
            schema.sort();
            assert_eq!(schema, parser, "{text}");
        }
        let providers = &schema["$defs"]["Provider"]["oneOf"];
        let names: Vec<_> = providers
            .as_array()
            .unwrap()
            .iter()
            .map(|p| &p["const"])
            .collect();
        assert_eq!(names, ["openai", "anthropic", "ollama", "opaque"]);
        assert_eq!(schema["$defs"]["Port"]["maximum"], 65535);
    }
}
