//! One configuration file as it is written: every key may be missing, none may be unknown.

use serde::Deserialize;

use super::{
    Action, Config, Fail, Provider, Unscannable,
    host::HostPattern,
    process::Rule,
    values::{Absolute, BodyBytes, Cgroup, Port},
};

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct File {
    state_dir: Option<Absolute>,
    runtime_dir: Option<Absolute>,
    capture: Capture,
    upstream: Upstream,
    limits: Limits,
    policy: Policy,
    endpoint: Vec<Endpoint>,
    process: Vec<Process>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Capture {
    cgroup: Option<Cgroup>,
    fail: Option<Fail>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Upstream {
    extra_roots: Vec<Absolute>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Limits {
    body_bytes: Option<BodyBytes>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Policy {
    unscannable: Option<Unscannable>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Endpoint {
    hosts: Vec<HostPattern>,
    ports: Option<Vec<Port>>,
    provider: Provider,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Process {
    exe: Absolute,
    action: Action,
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
        replace(
            &mut config.limits.body_bytes,
            self.limits.body_bytes.map(|bytes| bytes.0),
        );
        replace(&mut config.policy.unscannable, self.policy.unscannable);
        let roots = self.upstream.extra_roots.into_iter().map(|path| path.0);
        config.upstream.extra_roots.extend(roots);
        for endpoint in self.endpoint {
            endpoint.apply(config);
        }
        rules.extend(self.process.into_iter().map(|process| Rule {
            exe: process.exe.0,
            action: process.action,
        }));
    }
}

impl Endpoint {
    fn apply(self, config: &mut Config) {
        let ports: Vec<u16> = match self.ports {
            Some(ports) => ports.into_iter().map(|port| port.0).collect(),
            None => vec![443],
        };
        for host in self.hosts {
            config.endpoints.add(host, &ports, self.provider);
        }
    }
}

fn replace<T>(value: &mut T, with: Option<T>) {
    if let Some(with) = with {
        *value = with;
    }
}
