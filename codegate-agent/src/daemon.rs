//! (being built)

use crate::config::Config;

/// Runs the agent until it is told to stop.
///
/// # Errors
/// If it cannot start.
pub fn run(_config: Config) -> anyhow::Result<()> {
    anyhow::bail!("this build has no daemon")
}
