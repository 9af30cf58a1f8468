//! `codegate pause` and `codegate resume`: by the agent, or without it where its programs outlived it.

use std::{path::Path, str::FromStr, time::Duration};

use jiff::SignedDuration;

use super::{
    args::Cli,
    client::Client,
    exit::{Exit, Problem},
    output::{Printer, local},
};
use crate::{
    config::Config,
    control::{LONGEST_PAUSE, Pause, Request},
    kernel::{KernelError, Pins},
};

/// How long the agent may take to answer: one that hangs must not keep the guard from being paused.
const PATIENCE: Duration = Duration::from_secs(3);

/// A time as people write it: `10m`, `1h 30m`, `90s`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Time(Duration);

impl FromStr for Time {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let time: SignedDuration = text
            .parse()
            .map_err(|_| "a time looks like 10m, 1h 30m or 90s")?;
        let time = Duration::try_from(time).map_err(|_| "a pause ends in the future")?;
        if time < Duration::from_secs(1) || time > LONGEST_PAUSE {
            return Err("a pause lasts from one second to seven days".to_owned());
        }
        Ok(Self(time))
    }
}

pub(super) fn pause(cli: &Cli, time: Time, printer: &mut Printer) -> Result<Exit, Problem> {
    set(cli, time.0, printer)
}

pub(super) fn resume(cli: &Cli, printer: &mut Printer) -> Result<Exit, Problem> {
    set(cli, Duration::ZERO, printer)
}

fn set(cli: &Cli, time: Duration, printer: &mut Printer) -> Result<Exit, Problem> {
    let request = Request::Pause {
        seconds: time.as_secs(),
    };
    let asked = cli
        .client()
        .and_then(|client| client.with_patience(PATIENCE))
        .and_then(|mut client: Client| client.one(&request));
    let pause: Pause = match asked {
        Err(problem @ (Problem::Connect { .. } | Problem::Answer(_))) => {
            without_agent(&cli.runtime_dir()?, time)?.ok_or(problem)?
        }
        other => other?,
    };
    if printer.json() {
        printer.object(&pause)?;
    } else {
        printer.line(&words(pause))?;
    }
    Ok(Exit::Fine)
}

fn words(pause: Pause) -> String {
    match pause.paused_until {
        Some(until) => format!(
            "paused until {}: new connections go direct, unguarded",
            local(until)
        ),
        None => "not paused".to_owned(),
    }
}

/// Tells the programs that an agent left behind; `None` if there are none.
fn without_agent(runtime_dir: &Path, time: Duration) -> Result<Option<Pause>, KernelError> {
    let Some(pins) = Pins::find(runtime_dir)? else {
        return Ok(None);
    };
    let all = pins.all()?;
    for pinned in &all {
        pinned.heart()?.pause(time)?;
    }
    Ok((!all.is_empty()).then(|| Pause::of(Some(time))))
}

/// What becomes of guarded hosts where no agent answers, in words; `None` if they go direct.
pub(super) fn left_behind(config: &Config) -> Option<String> {
    const LIFT: &str = "`codegate pause 10m` lets them through for that time";
    let refused = format!("guarded hosts are refused until it is back; {LIFT}");
    let pulses = Pins::find(&config.runtime_dir).and_then(|pins| {
        let all = pins.map_or_else(|| Ok(Vec::new()), |pins| pins.all())?;
        all.iter().map(|pinned| pinned.heart()?.pulse()).collect()
    });
    let pulses: Vec<crate::kernel::Pulse> = match pulses {
        Ok(pulses) => pulses,
        // Only root may look.
        Err(_) => {
            let closed = config.capture.fail == crate::config::Fail::Closed;
            return closed.then(|| format!("by the configuration, {refused}"));
        }
    };
    let pulse = pulses.into_iter().find(|pulse| pulse.closed)?;
    Some(match pulse.paused {
        Some(time) => format!(
            "guarded hosts go direct for another {}, and are refused then until it is back",
            super::output::span(time.as_secs())
        ),
        None => refused,
    })
}
