//! `codegate doctor`: what the guard needs, and whether it is there.

mod checks;

use serde::Serialize;

use self::checks::all;
use super::{
    args::Cli,
    exit::{Exit, Problem},
    output::Printer,
    table::Style,
    text::visible,
};

/// How something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    Ok,
    /// The guard does without.
    Warning,
    /// There is no guard, or not the one that was asked for.
    Problem,
    /// It could not be found out.
    Unknown,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Check {
    check: &'static str,
    state: State,
    detail: String,
    /// What to do about it.
    advice: Option<String>,
}

impl Check {
    fn new(check: &'static str, state: State, detail: impl Into<String>) -> Self {
        Self {
            check,
            state,
            detail: detail.into(),
            advice: None,
        }
    }

    fn advice(mut self, advice: impl Into<String>) -> Self {
        self.advice = Some(advice.into());
        self
    }
}

pub(super) fn doctor(cli: &Cli, printer: &mut Printer) -> Result<Exit, Problem> {
    let mut worst = Exit::Fine;
    for check in all(cli) {
        if check.state == State::Problem {
            worst = Exit::Degraded;
        }
        if printer.json() {
            printer.object(&check)?;
        } else {
            print(&check, printer)?;
        }
    }
    Ok(worst)
}

fn print(check: &Check, printer: &mut Printer) -> Result<(), Problem> {
    let (word, style) = match check.state {
        State::Ok => ("ok     ", Style::Good),
        State::Warning => ("warning", Style::Notice),
        State::Problem => ("problem", Style::Bad),
        State::Unknown => ("unknown", Style::Notice),
    };
    let word = style.paint(word, printer.colour());
    printer.line(&format!(
        "{word}  {:14}{}",
        check.check,
        visible(&check.detail)
    ))?;
    match &check.advice {
        Some(advice) => printer.line(&format!("{:23}{}", "", visible(advice))),
        None => Ok(()),
    }
}
