//! `codegate status`.

use super::{
    client::Client,
    exit::{Exit, Problem},
    output::{Printer, span},
    table::Style,
    text::visible,
};
use crate::control::{Readiness, Request, Status};

pub(super) fn status(mut client: Client, printer: &mut Printer) -> Result<Exit, Problem> {
    let status: Status = client.one(&Request::Status)?;
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
    for problem in &status.problems {
        let problem = Style::Bad.paint(&visible(problem), colour);
        lines.push(format!("problem: {problem}"));
    }
    lines
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
