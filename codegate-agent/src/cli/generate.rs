//! `codegate completions` and `codegate man`: both come from the arguments' definition.

use std::{fs, path::Path};

use clap::CommandFactory;
use clap_complete::Shell;

use super::{
    args::Cli,
    exit::{Exit, Problem},
    output::Printer,
};

pub(super) fn completions(shell: Shell, printer: &mut Printer) -> Result<Exit, Problem> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "codegate", &mut script);
    printer.bytes(&script)?;
    Ok(Exit::Fine)
}

pub(super) fn man(dir: Option<&Path>, printer: &mut Printer) -> Result<Exit, Problem> {
    match dir {
        Some(dir) => {
            fs::create_dir_all(dir)?;
            clap_mangen::generate_to(Cli::command(), dir)?;
        }
        None => {
            let mut page = Vec::new();
            clap_mangen::Man::new(Cli::command()).render(&mut page)?;
            printer.bytes(&page)?;
        }
    }
    Ok(Exit::Fine)
}
