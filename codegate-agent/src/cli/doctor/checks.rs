//! The checks, from the kernel up to the clients.

use std::{
    env,
    net::{Ipv6Addr, TcpListener},
};

use super::{Check, State};
use crate::{
    cli::{args::Cli, exit::Problem, pause::left_behind},
    config::{Config, Fail},
    control::{Readiness, Request, Status, Trust},
    kernel::{self, KernelError},
    proxy::Authority,
    trust::bundle,
};

/// By which clients are told of a proxy.
const PROXIES: [&str; 4] = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];

pub(super) fn all(cli: &Cli) -> Vec<Check> {
    let config = cli.configuration();
    let mut checks = vec![version(), cgroup(), loopback()];
    checks.extend(programs());
    checks.push(pins(config.as_ref().ok()));
    checks.push(configuration(cli, &config));
    let followed = config.as_ref().ok();
    let followed = followed.map_or_else(Vec::new, |config| config.capture.proxies.clone());
    checks.extend(agent(cli, config.ok()));
    checks.push(proxies(&followed, |name| env::var(name).ok()));
    checks
}

fn version() -> Check {
    let release = kernel::release();
    let (major, minor) = kernel::OLDEST;
    match kernel::version(&release) {
        Some(version) if version < kernel::OLDEST => {
            Check::new("kernel", State::Warning, format!("Linux {release}")).advice(format!(
                "the guard is tried on Linux {major}.{minor} and newer"
            ))
        }
        _ => Check::new("kernel", State::Ok, format!("Linux {release}")),
    }
}

fn cgroup() -> Check {
    match kernel::find_cgroup2() {
        Ok(mount) => Check::new("cgroup2", State::Ok, mount.display().to_string()),
        Err(error) => Check::new("cgroup2", State::Problem, error.to_string()),
    }
}

fn loopback() -> Check {
    match TcpListener::bind((Ipv6Addr::LOCALHOST, 0)) {
        Ok(_) => Check::new("loopback", State::Ok, "127.0.0.1 and ::1"),
        Err(error) => Check::new("loopback", State::Warning, format!("no ::1: {error}"))
            .advice("connections to IPv6 addresses are not guarded"),
    }
}

/// Whether the kernel takes the programs, and which it does not.
fn programs() -> Vec<Check> {
    const NAME: &str = "programs";
    let lost = match kernel::verify() {
        Ok(lost) => lost,
        Err(error @ KernelError::NotPermitted { .. }) => {
            return vec![
                Check::new(NAME, State::Unknown, error.to_string())
                    .advice("run `codegate doctor` as root to have them tried"),
            ];
        }
        Err(error) => return vec![Check::new(NAME, State::Problem, error.to_string())],
    };
    let mut checks: Vec<_> = lost
        .iter()
        .map(|lost| {
            let detail = format!("{}: {}", lost.program, lost.why);
            Check::new(NAME, State::Warning, detail).advice(lost.without)
        })
        .collect();
    let all = kernel::programs().count();
    if checks.is_empty() {
        checks.push(Check::new(NAME, State::Ok, format!("all {all} verified")));
    }
    checks
}

/// Programs are pinned only where they are to outlive the agent.
fn pins(config: Option<&Config>) -> Check {
    const NAME: &str = "bpffs";
    let needed = config.is_some_and(|config| config.capture.fail == Fail::Closed);
    match kernel::bpffs() {
        Ok(Some(mount)) => Check::new(NAME, State::Ok, mount.display().to_string()),
        Ok(None) if needed => Check::new(NAME, State::Warning, "not mounted")
            .advice("fail = \"closed\" needs one: mount -t bpf bpf /sys/fs/bpf"),
        Ok(None) => Check::new(NAME, State::Ok, "not mounted, and not needed"),
        Err(error) => Check::new(NAME, State::Unknown, error.to_string()),
    }
}

fn configuration(cli: &Cli, config: &Result<Config, Problem>) -> Check {
    const NAME: &str = "configuration";
    match config {
        Ok(_) => Check::new(NAME, State::Ok, cli.config_file().display().to_string()),
        Err(problem) => Check::new(NAME, State::Problem, problem.to_string()),
    }
}

fn agent(cli: &Cli, config: Option<Config>) -> Vec<Check> {
    let asked = cli.client().and_then(|mut client| {
        let status: Status = client.one(&Request::Status)?;
        let trust: Trust = cli.client()?.one(&Request::Trust)?;
        Ok((status, trust))
    });
    match asked {
        Ok((status, trust)) => {
            let mut checks = state(&status);
            checks.push(trusted(&trust));
            checks
        }
        Err(problem) => {
            let check = Check::new("agent", State::Problem, problem.to_string());
            let left = config.and_then(|config| left_behind(&config));
            vec![match left {
                Some(left) => check.advice(left),
                None => check.advice("`codegate agent`, or `systemctl start codegate`"),
            }]
        }
    }
}

fn state(status: &Status) -> Vec<Check> {
    const NAME: &str = "agent";
    let told = format!("version {}, pid {}", status.version, status.pid);
    let state = match status.state {
        Readiness::Ready => State::Ok,
        Readiness::Starting => State::Warning,
        Readiness::Degraded => State::Problem,
    };
    let own = Check::new(NAME, state, told);
    let worries = status.problems.iter();
    let worries = worries.map(|problem| Check::new(NAME, State::Warning, problem.as_str()));
    std::iter::once(own).chain(worries).collect()
}

/// Whether the programs of this machine trust the local CA without being told one by one.
fn trusted(trust: &Trust) -> Check {
    const NAME: &str = "trust";
    if let Some(bundle) = bundle::trusting(&trust.pem) {
        let found = format!("the local CA is in {}", bundle.display());
        return Check::new(NAME, State::Ok, found);
    }
    let here = trust
        .variables
        .iter()
        .all(|(name, path)| env::var_os(name).is_some_and(|value| value == **path));
    if here {
        return Check::new(NAME, State::Ok, "this shell's variables name the local CA");
    }
    Check::new(
        NAME,
        State::Warning,
        "the system does not trust the local CA",
    )
    .advice(
        "start tools with `codegate run --`, or have the whole system trust it: `codegate ca install`",
    )
}

/// What goes to a proxy is for the proxy's address, and seen only if that is told.
fn proxies(followed: &[Authority], variable: impl Fn(&str) -> Option<String>) -> Check {
    const NAME: &str = "proxy";
    let set =
        |name: &&'static str| Some((*name, variable(name).filter(|value| !value.is_empty())?));
    let all: Vec<_> = PROXIES.iter().filter_map(set).collect();
    let is_followed = |value: &str| proxy_of(value).is_some_and(|proxy| followed.contains(&proxy));
    let Some((first, _)) = all.first() else {
        return Check::new(NAME, State::Ok, "none in this shell");
    };
    let Some((name, value)) = all.iter().find(|(_, value)| !is_followed(value)) else {
        let detail = format!("{first} is set in this shell, and followed");
        return Check::new(NAME, State::Ok, detail);
    };
    let advice = match proxy_of(value) {
        Some(proxy) => format!(
            "what its programs send through it is not guarded: [capture] proxies = [\"{proxy}\"]"
        ),
        None => {
            "what its programs send through it is not guarded: only http:// proxies can be followed"
                .to_owned()
        }
    };
    Check::new(NAME, State::Warning, format!("{name} is set in this shell")).advice(advice)
}

/// The HTTP proxy that such a variable names, as clients read it: with or without `http://`, a user and
/// a slash.
fn proxy_of(value: &str) -> Option<Authority> {
    let rest = match value.split_once("://") {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => rest,
        Some(_) => return None,
        None => value,
    };
    let place = rest.rsplit('@').next().unwrap_or(rest);
    let place = place.trim_end_matches('/');
    place
        .parse()
        .or_else(|_| format!("{place}:80").parse())
        .ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests panic")]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_of_the_environment_is_looked_for_among_those_that_are_followed() {
        let followed = [
            "proxy.corp:3128".parse().unwrap(),
            "proxy.corp:80".parse().unwrap(),
        ];
        let state = |value: &str| {
            let variable = |name: &str| (name == "https_proxy").then(|| value.to_owned());
            proxies(&followed, variable)
        };
        for value in [
            "",
            "http://proxy.corp:3128",
            "proxy.corp:3128",
            "HTTP://ada:pass@PROXY.corp:3128/",
            "http://proxy.corp",
        ] {
            assert_eq!(state(value).state, State::Ok, "{value}");
        }
        for value in [
            "http://proxy.corp:8080",
            "https://proxy.corp:3128",
            "socks5://a:1",
            "?",
        ] {
            assert_eq!(state(value).state, State::Warning, "{value}");
        }
        let advice = state("http://ada:secret@other.corp:8080").advice.unwrap();
        assert!(
            advice.contains("\"other.corp:8080\"") && !advice.contains("secret"),
            "{advice}"
        );
    }
}
