//! The command line. Data goes to standard output, words about it to standard error.
//!
//! Knows: the control socket's language, the configuration's files, the index of packages, what a dead
//! agent's programs can be told. Must not know: how the agent works. Traffic chose part of what is printed: nothing of it reaches a terminal unescaped.

mod args;
mod ca;
mod client;
mod config;
mod doctor;
mod exit;
mod generate;
mod output;
mod packages;
mod pause;
mod progress;
mod scan;
mod secrets;
mod sessions;
mod status;
mod table;
mod text;
mod trust;

use std::{
    ffi::OsString,
    io::{self, IsTerminal, Write},
    process::ExitCode,
};

use clap::Parser;

use self::{
    args::{Cli, Command},
    exit::{Exit, Problem},
    output::Printer,
};
use crate::daemon;

/// Runs the command that the arguments name (the first is the program's own name).
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            error.print().ok(); // nobody may be reading
            return if error.use_stderr() {
                Exit::Usage
            } else {
                Exit::Fine
            }
            .into();
        }
    };
    let mut printer = Printer::stdout(cli.json);
    let done = dispatch(&cli, &mut printer);
    let done = done.and_then(|exit| printer.flush().map(|()| exit));
    match done {
        Ok(exit) => exit.into(),
        Err(problem) => {
            say(&problem);
            problem.exit()
        }
    }
}

fn dispatch(cli: &Cli, printer: &mut Printer) -> Result<Exit, Problem> {
    match &cli.command {
        Command::Agent { take_over } => agent(cli, *take_over),
        Command::Run { command } => trust::run(cli.client()?, command),
        Command::Env => trust::env(cli.client()?, printer),
        Command::Status => status::status(cli, printer),
        Command::Doctor => doctor::doctor(cli, printer),
        Command::Pause { time } => pause::pause(cli, *time, printer),
        Command::Resume => pause::resume(cli, printer),
        Command::Sessions { command } => sessions::dispatch(cli, command, printer),
        Command::Secrets { command } => secrets::dispatch(cli.client()?, command, printer),
        Command::Scan(scan) => scan::scan(cli, scan, printer),
        Command::Packages { command } => packages::dispatch(cli, command, printer),
        Command::Ca { command } => ca::dispatch(cli, command, printer),
        Command::Config { command } => config::dispatch(cli, command, printer),
        Command::Completions { shell } => generate::completions(*shell, printer),
        Command::Man { dir } => generate::man(dir.as_deref(), printer),
    }
}

fn agent(cli: &Cli, take_over: bool) -> Result<Exit, Problem> {
    let config = cli.configuration()?;
    log_to_stderr();
    daemon::run(config, cli.config.clone(), take_over).map_err(Problem::Agent)?;
    Ok(Exit::Fine)
}

/// `CODEGATE_LOG` chooses what is logged, as in `codegate=debug` (default: `info`).
fn log_to_stderr() {
    let filter = tracing_subscriber::EnvFilter::builder()
        .with_env_var("CODEGATE_LOG")
        .with_default_directive(tracing::Level::INFO.into())
        .from_env_lossy();
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal() && output::colour_wanted());
    if log.try_init().is_err() {
        tracing::debug!("logging was set up already");
    }
}

/// Tells the user something that is not data.
fn say(message: &impl std::fmt::Display) {
    let message = message.to_string();
    if !message.is_empty() {
        let message = text::visible(&message);
        writeln!(io::stderr(), "codegate: {message}").ok(); // nobody may be reading
    }
}
