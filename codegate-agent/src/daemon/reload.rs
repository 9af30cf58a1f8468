//! Taking up a changed configuration without a restart.
//!
//! Knows: which parts of a configuration can change under way. When it must choose, it favours what
//! works: with a mistake anywhere, all of the old configuration stays in force.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context, Result};
use sd_notify::NotifyState;
use tokio::task::spawn_blocking;

use super::{
    agent::{Agent, tell_manager},
    classes,
};
use crate::{
    config::{Config, Upstream},
    inspect::Inspector,
    upstream::Through,
};

/// Reads the configuration again, and takes up what may change: rules of secrets, `[pii]`, `[[process]]`
/// and the proxy of `[upstream]`, with its password. A mistake is logged and told by `codegate status`.
pub(super) async fn reload(agent: &Arc<Agent>, path: Option<PathBuf>) {
    tell_manager(NotifyState::Reloading);
    match NotifyState::monotonic_usec_now() {
        Ok(now) => tell_manager(now),
        Err(error) => tracing::debug!(%error, "there is no clock"),
    }
    let old = agent.config.get();
    let made = spawn_blocking(move || make(path.as_deref(), &old)).await;
    match made.unwrap_or_else(|error| Err(error.into())) {
        Ok(fresh) => {
            agent.guard.inspector.set(fresh.inspector);
            agent.through.set(fresh.through);
            agent.config.set(fresh.config);
            classes::take_up(&agent.hooks, &agent.config.get());
            agent.status.reloaded(None);
            tracing::info!("the configuration was taken up");
        }
        Err(error) => {
            tracing::error!("the configuration was not taken up, the old one holds: {error:#}");
            agent.status.reloaded(Some(format!("{error:#}")));
        }
    }
    tell_manager(NotifyState::Ready);
}

struct Fresh {
    config: Config,
    inspector: Inspector,
    through: Option<Through>,
}

fn make(path: Option<&Path>, old: &Config) -> Result<Fresh> {
    let new = Config::load(path)?;
    for part in needs_restart(old, &new) {
        tracing::warn!("{part} has changed, which takes a restart");
    }
    let kept = old.patterns_dir();
    let inspector = Inspector::with_rules(&new.rules, new.pii, Some(&kept))
        .context("cannot compile the rules")?;
    let through = Through::of(&new.upstream)?;
    let upstream = Upstream {
        extra_roots: old.upstream.extra_roots.clone(),
        ..new.upstream
    };
    let config = Config {
        upstream,
        pii: new.pii,
        processes: new.processes,
        rules: new.rules,
        ..old.clone()
    };
    Ok(Fresh {
        config,
        inspector,
        through,
    })
}

/// The parts that have changed and cannot be taken up under way.
fn needs_restart(old: &Config, new: &Config) -> Vec<&'static str> {
    let parts = [
        ("state_dir", old.state_dir != new.state_dir),
        ("runtime_dir", old.runtime_dir != new.runtime_dir),
        ("[capture]", old.capture != new.capture),
        ("[local]", old.local != new.local),
        (
            "[upstream] extra_roots",
            old.upstream.extra_roots != new.upstream.extra_roots,
        ),
        ("[limits]", old.limits != new.limits),
        ("[policy]", old.policy != new.policy),
        ("[packages]", old.packages != new.packages),
        ("[[endpoint]]", old.endpoints != new.endpoints),
    ];
    let changed = parts.into_iter().filter(|(_, changed)| *changed);
    changed.map(|(part, _)| part).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "tests panic")]
mod tests {
    use std::fs;

    use super::*;
    use crate::config::Action;

    fn run_by(exe: &str) -> crate::flow::Process {
        crate::flow::Process {
            exe: Some(exe.into()),
            ..Default::default()
        }
    }

    #[test]
    fn what_may_change_is_taken_up_and_the_rest_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config.toml");
        fs::write(
            &path,
            "state_dir = \"/elsewhere\"\n[pii]\nemail = \"redact\"\n\
             [upstream]\nproxy = \"http://proxy.corp:3128\"\n\
             [[process]]\nexe = \"/bin/x\"\naction = \"pass\"",
        )
        .unwrap();
        let old = Config::default();
        let Fresh {
            config,
            inspector,
            through,
        } = make(Some(&path), &old).unwrap();
        assert_eq!(config.state_dir, old.state_dir);
        assert_eq!(through.unwrap().proxy, "proxy.corp:3128".parse().unwrap());
        assert_eq!(config.processes.action(&run_by("/bin/x")), Action::Pass);
        assert_eq!(inspector.inspect(b"to jane@acme.com").sealed.len(), 1);
        let new = Config::load(Some(&path)).unwrap();
        assert_eq!(needs_restart(&old, &new), ["state_dir"]);
    }

    #[test]
    fn a_mistake_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config.toml");
        fs::write(
            &path,
            "[[rule]]\nid = \"x\"\nkind = \"AB\"\npattern = \"(\"",
        )
        .unwrap();
        let Err(error) = make(Some(&path), &Config::default()) else {
            panic!("an error is expected");
        };
        let error = format!("{error:#}");
        assert!(
            error.contains("config.toml:1:1: rule `x`: pattern: "),
            "{error}"
        );
    }
}
