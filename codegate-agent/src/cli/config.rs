//! `codegate config`.

use std::io;

use super::{
    args::{Cli, Configuration},
    exit::{Exit, Problem},
    output::Printer,
    say,
};

pub(super) fn dispatch(
    cli: &Cli,
    command: &Configuration,
    printer: &mut Printer,
) -> Result<Exit, Problem> {
    let config = cli.configuration()?;
    match command {
        Configuration::Check => {
            let file = cli.config_file();
            let note = if file.exists() {
                "is fine"
            } else {
                "does not exist: the defaults hold"
            };
            say(&format!("{} {note}", file.display()));
        }
        Configuration::Show if printer.json() => printer.object(&config)?,
        Configuration::Show => {
            let text = toml::to_string(&config).map_err(io::Error::other)?;
            printer.bytes(text.as_bytes())?;
        }
    }
    Ok(Exit::Fine)
}
