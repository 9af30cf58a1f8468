//! `codegate config`.

use std::io;

use super::{
    args::{Cli, Configuration},
    exit::{Exit, Problem},
    output::Printer,
    say,
};
use crate::{
    config::Config,
    inspect::secrets::{RuleError, Scanner, UserRules},
    upstream::{BadThrough, Through},
};

pub(super) fn dispatch(
    cli: &Cli,
    command: &Configuration,
    printer: &mut Printer,
) -> Result<Exit, Problem> {
    match command {
        Configuration::Check => check(cli)?,
        Configuration::Show => show(&cli.configuration()?, printer)?,
        Configuration::Schema => schema(printer)?,
    }
    Ok(Exit::Fine)
}

fn check(cli: &Cli) -> Result<(), Problem> {
    let config = cli.configuration()?;
    try_rules(&config.rules)?;
    let wrong = |error: BadThrough| Problem::Usage(error.to_string());
    Through::check(&config.upstream).map_err(wrong)?;
    let file = cli.config_file();
    let note = if file.exists() {
        "is fine"
    } else {
        "does not exist: the defaults hold"
    };
    say(&format!("{} {note}", file.display()));
    Ok(())
}

/// Compiles all rules together, and runs the examples of the user's.
fn try_rules(rules: &UserRules) -> Result<(), Problem> {
    let wrong = |error: RuleError| Problem::Usage(error.to_string());
    if rules.is_empty() {
        return Ok(());
    }
    let scanner = Scanner::with_rules(rules, None).map_err(wrong)?;
    rules.try_out(&scanner).map_err(wrong)
}

fn show(config: &Config, printer: &mut Printer) -> Result<(), Problem> {
    if printer.json() {
        return printer.object(config);
    }
    let text = toml::to_string(config).map_err(io::Error::other)?;
    printer.bytes(text.as_bytes())
}

fn schema(printer: &mut Printer) -> Result<(), Problem> {
    if printer.json() {
        return printer.object(&Config::schema());
    }
    let text = serde_json::to_string_pretty(&Config::schema()).map_err(io::Error::from)?;
    printer.line(&text)
}
