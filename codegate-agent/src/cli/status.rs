//! `codegate status`.

use super::{
    args::Cli,
    exit::{Exit, Problem},
    output::{Printer, local, span},
    pause::left_behind,
    table::Style,
    text::visible,
};
use crate::control::{Older, Readiness, Request, Status};

pub(super) fn status(cli: &Cli, printer: &mut Printer) -> Result<Exit, Problem> {
    let asked = cli
        .client()
        .and_then(|mut client| client.one(&Request::Status));
    let status: Status = asked.map_err(|problem| explained(cli, problem))?;
    if printer.json() {
        printer.object(&status)?;
    } else {
        for line in lines(&status, printer.colour()) {
            printer.line(&line)?;
        }
    }
    Ok(match status.state {
        Readiness::Ready => Exit::Fine,
        Readiness::Starting => Exit::Unreachable,
        Readiness::Degraded => Exit::Degraded,
    })
}

/// Where no agent answers, a user wants to know what becomes of their connections.
fn explained(cli: &Cli, problem: Problem) -> Problem {
    if !matches!(problem, Problem::Connect { .. } | Problem::Answer(_)) {
        return problem;
    }
    let left = cli.forgiving().ok().and_then(|config| left_behind(&config));
    match left {
        Some(left) => Problem::Left {
            problem: Box::new(problem),
            left,
        },
        None => problem,
    }
}

fn lines(status: &Status, colour: bool) -> Vec<String> {
    let (state, style) = match status.state {
        Readiness::Ready => ("ready", Style::Good),
        Readiness::Starting => ("starting", Style::Notice),
        Readiness::Degraded => ("degraded", Style::Bad),
    };
    let mut lines = vec![
        format!(
            "codegate {} is {}: pid {}, up {}",
            visible(&status.version),
            style.paint(state, colour),
            status.pid,
            span(status.uptime_s)
        ),
        format!("endpoints    {} hosts", status.endpoints),
        format!("connections  {} open", status.connections),
    ];
    if let Some(until) = status.paused_until {
        lines.push(format!("paused       until {}", local(until)));
    }
    let listeners = status.listeners.join(", ");
    lines.push(format!("listeners    {}", visible(&listeners)));
    let hooks = status
        .hooks
        .iter()
        .map(|(name, state)| (name, state.clone()));
    section(&mut lines, "hooks", hooks);
    let counters = status
        .counters
        .iter()
        .map(|(name, count)| (name, count.to_string()));
    section(&mut lines, "counters", counters);
    if !status.existing.is_empty() {
        lines.push("older than the guard, and not seen".to_owned());
    }
    lines.extend(status.existing.iter().map(older));
    for problem in &status.problems {
        let problem = Style::Bad.paint(&visible(problem), colour);
        lines.push(format!("problem: {problem}"));
    }
    lines
}

fn older(connection: &Older) -> String {
    let process = &connection.process;
    let name = process.exe.as_deref().unwrap_or(&process.comm);
    format!(
        "  pid {}  {}  {} -> {} ({})",
        process.pid,
        visible(name),
        connection.local,
        connection.remote,
        visible(&connection.host)
    )
}

fn section<'a>(
    lines: &mut Vec<String>,
    title: &str,
    rows: impl Iterator<Item = (&'a String, String)>,
) {
    let rows: Vec<_> = rows.collect();
    if rows.is_empty() {
        return;
    }
    lines.push(title.to_owned());
    let width = rows
        .iter()
        .map(|(name, _)| name.chars().count())
        .max()
        .unwrap_or(0);
    for (name, value) in rows {
        lines.push(format!("  {:width$}  {}", visible(name), visible(&value)));
    }
}
