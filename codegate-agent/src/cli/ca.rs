//! `codegate ca`: the local certificate authority, and who is told to trust it.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde::Serialize;

use super::{
    args::{Ca, Cli},
    exit::{Exit, Problem},
    output::{Printer, local},
    say,
    text::visible,
};
use crate::{
    control::{Request, Trust},
    trust::{Anchors, ca_pem, environment, variables},
};

/// What was put where, or taken away.
#[derive(Debug, Serialize)]
struct Change {
    /// The system's trust store: our file in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    anchor: Option<PathBuf>,
    /// Files with variables.
    environment: Vec<PathBuf>,
}

pub(super) fn dispatch(cli: &Cli, command: &Ca, printer: &mut Printer) -> Result<Exit, Problem> {
    match command {
        Ca::Show { pem } => show(&trust(cli, &Request::Trust)?, *pem, printer),
        Ca::Install { no_environment } => install(&root(cli)?, !no_environment, printer),
        Ca::Uninstall => uninstall(printer),
        Ca::Rotate => rotate(cli, printer),
    }
}

fn trust(cli: &Cli, request: &Request) -> Result<Trust, Problem> {
    cli.client()?.one(request)
}

fn show(trust: &Trust, pem: bool, printer: &mut Printer) -> Result<Exit, Problem> {
    match (printer.json(), pem) {
        (true, _) => printer.object(trust)?,
        (false, true) => printer.bytes(trust.pem.as_bytes())?,
        (false, false) => {
            let path = |path: &Path| visible(&path.to_string_lossy()).into_owned();
            printer.line(&format!("file     {}", path(&trust.ca_pem)))?;
            printer.line(&format!("bundle   {}", path(&trust.bundle)))?;
            printer.line(&format!("expires  {}", local(trust.expires)))?;
            printer.line(&format!("sha256   {}", visible(&trust.sha256)))?;
        }
    }
    Ok(Exit::Fine)
}

/// The file with the local root; the agent writes it at its first start.
fn root(cli: &Cli) -> Result<PathBuf, Problem> {
    let unreachable = |problem: &Problem| matches!(problem, Problem::Connect { .. });
    match trust(cli, &Request::Trust) {
        Ok(trust) => Ok(trust.ca_pem),
        Err(problem) if unreachable(&problem) => {
            let stored = ca_pem(&cli.forgiving()?.state_dir);
            if stored.is_file() {
                Ok(stored)
            } else {
                Err(problem) // there is no CA before the agent's first start
            }
        }
        Err(problem) => Err(problem),
    }
}

fn install(root: &Path, environment: bool, printer: &mut Printer) -> Result<Exit, Problem> {
    let pem = fs::read_to_string(root).map_err(|source| Problem::Input {
        path: root.into(),
        source,
    })?;
    let anchors = Anchors::find()?;
    let bundle = anchors.install(&pem)?;
    let environment = if environment {
        environment::install(&variables(root, &bundle))?
    } else {
        Vec::new()
    };
    for path in &environment {
        say(&format!(
            "{} holds from the next login on; `eval \"$(codegate env)\"` does so now",
            path.display()
        ));
    }
    let change = Change {
        anchor: Some(anchors.file().into()),
        environment,
    };
    report(&change, "installed", printer)
}

fn uninstall(printer: &mut Printer) -> Result<Exit, Problem> {
    let environment = environment::uninstall()?;
    let anchors = Anchors::find()?;
    let removed = anchors.uninstall()?;
    let change = Change {
        anchor: removed.then(|| anchors.file().into()),
        environment,
    };
    report(&change, "removed", printer)
}

fn rotate(cli: &Cli, printer: &mut Printer) -> Result<Exit, Problem> {
    let trust = trust(cli, &Request::Rotate)?;
    match Anchors::find() {
        Ok(anchors) if anchors.installed() => drop(anchors.install(&trust.pem)?),
        _ => say(&"programs that were told to trust the old CA must be told of the new one"),
    }
    show(&trust, false, printer)
}

fn report(change: &Change, done: &str, printer: &mut Printer) -> Result<Exit, Problem> {
    if printer.json() {
        printer.object(change)?;
        return Ok(Exit::Fine);
    }
    let all: Vec<_> = change.anchor.iter().chain(&change.environment).collect();
    for path in &all {
        printer.line(&format!("{done}  {}", visible(&path.to_string_lossy())))?;
    }
    if all.is_empty() {
        say(&"there was nothing to remove");
    }
    Ok(Exit::Fine)
}
