//! `codegate scan`.

mod progress;
mod sarif;

use std::{
    env,
    num::NonZero,
    ops::ControlFlow,
    path::{Path, PathBuf},
    time::Instant,
};

use clap::{Args, ValueEnum};
use serde::Serialize;

use self::progress::Progress;
use super::{
    args::Cli,
    exit::{Exit, Problem},
    output::{self, Printer},
    say,
    table::{Style, Table, word},
};
use crate::{
    config::{Config, Provider},
    inspect::{
        Confidence, Inspector,
        pii::{Action, Policy},
    },
    scan::{self, Found, Observer, Options, Report, Tally},
};

#[derive(Debug, Args)]
pub(super) struct Scan {
    /// Files and folders; `-` is standard input
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// How findings are printed [default: text, or json with --json]
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Show the ends of what was found
    #[arg(long)]
    show: bool,
    /// Read each file as a request body of this provider, as the guard would
    #[arg(long, value_name = "NAME", value_parser = provider)]
    provider: Option<Provider>,
    /// Find personal data that would only be reported, too (e-mail, phone numbers)
    #[arg(long)]
    pii: bool,
    /// Scan what .gitignore and its kin leave out, too
    #[arg(long)]
    no_ignore: bool,
    /// Scan so many files at once [default: one a core]
    #[arg(long, short = 'j', value_name = "COUNT")]
    threads: Option<NonZero<usize>>,
}

/// How findings are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A table.
    Text,
    /// One object per line.
    Json,
    /// SARIF 2.1.0, one document.
    Sarif,
}

fn provider(name: &str) -> Result<Provider, String> {
    let known = [
        Provider::OpenAi,
        Provider::Anthropic,
        Provider::Ollama,
        Provider::Opaque,
    ];
    let found = known.into_iter().find(|known| known.as_str() == name);
    found.ok_or_else(|| format!("expected one of {}", known.map(Provider::as_str).join(", ")))
}

pub(super) fn scan(cli: &Cli, scan: &Scan, printer: &mut Printer) -> Result<Exit, Problem> {
    let config = configuration(cli)?;
    let kept = cache();
    let inspector = Inspector::with_rules(&config.rules, scan.policy(&config), kept.as_deref())
        .map_err(|error| Problem::Usage(error.to_string()))?;
    let options = scan.options(&config);
    let format = match scan.format {
        Some(format) => format,
        None if printer.json() => Format::Json,
        None => Format::Text,
    };
    let begun = Instant::now();
    let progress = Progress::start(&options);
    let mut watch = Watch {
        printer,
        format,
        show: scan.show,
        progress,
        reports: Vec::new(),
        found: 0,
        problems: 0,
        broken: None,
    };
    let tally = scan::run(&inspector, &options, &mut watch);
    watch.finish(&tally, begun)
}

/// The user's folder for what can be made again (XDG Base Directory Specification).
fn cache() -> Option<PathBuf> {
    let given = |name| {
        let dir = env::var_os(name).map(PathBuf::from);
        dir.filter(|dir| dir.is_absolute())
    };
    let home = || given("HOME").map(|home| home.join(".cache"));
    let dir = given("XDG_CACHE_HOME").or_else(home)?;
    Some(dir.join("codegate"))
}

/// A mistake in a configuration that the user did not name does not keep them from scanning.
fn configuration(cli: &Cli) -> Result<Config, Problem> {
    match cli.configuration() {
        Err(problem) if cli.config.is_none() => {
            say(&format!("{problem}; scanning with the defaults"));
            Ok(Config::default())
        }
        config => config,
    }
}

impl Scan {
    /// What the guard would seal; what it would only report, if that is asked for.
    fn policy(&self, config: &Config) -> Policy {
        match self.pii {
            true => config.pii,
            false => config.pii.only(Action::Redact),
        }
    }

    fn options(&self, config: &Config) -> Options {
        Options {
            paths: self.paths.clone(),
            ignore: !self.no_ignore,
            provider: self.provider.map(|provider| provider.as_str().to_owned()),
            body_limit: config.limits.body_bytes,
            threads: self.threads,
        }
    }
}

/// Prints what is found while it is found, or keeps it where it has to be printed together.
struct Watch<'a> {
    printer: &'a mut Printer,
    format: Format,
    show: bool,
    progress: Progress,
    reports: Vec<Report>,
    found: u64,
    problems: u64,
    broken: Option<Problem>,
}

impl Observer for Watch<'_> {
    fn report(&mut self, report: Report) -> ControlFlow<()> {
        self.found += report.found.len() as u64;
        if let Some(problem) = &report.problem {
            self.problems += 1;
            self.progress.clear();
            say(&format!("{}: {problem}", report.path));
        }
        match self.print(report) {
            Ok(()) => ControlFlow::Continue(()),
            Err(problem) => {
                self.broken = Some(problem);
                ControlFlow::Break(())
            }
        }
    }

    fn tick(&mut self, tally: &Tally) {
        self.progress.show(tally, self.found);
    }
}

impl Watch<'_> {
    fn print(&mut self, report: Report) -> Result<(), Problem> {
        if self.format != Format::Json {
            self.reports.push(report);
            return Ok(());
        }
        if self.printer.terminal() {
            self.progress.clear();
        }
        for found in &report.found {
            self.printer.object(&line(&report.path, found, self.show))?;
        }
        Ok(())
    }

    fn finish(mut self, tally: &Tally, begun: Instant) -> Result<Exit, Problem> {
        self.progress.clear();
        if let Some(problem) = self.broken {
            return Err(problem);
        }
        match self.format {
            Format::Json => {}
            Format::Sarif => self
                .printer
                .object(&sarif::document(&self.reports, self.show))?,
            Format::Text => {
                table(self.printer, &self.reports, self.show)?;
                self.printer.flush()?;
                say(&summary(self.found, tally, begun));
            }
        }
        Ok(match (self.problems, self.found) {
            (0, 0) => Exit::Fine,
            (0, _) => Exit::Findings,
            _ => Exit::Usage,
        })
    }
}

/// A finding as `--json` says it; the names are a contract.
#[derive(Debug, Serialize)]
struct Line<'a> {
    path: &'a str,
    rule: &'a str,
    kind: &'a str,
    start: u64,
    end: u64,
    line: u64,
    column: u64,
    confidence: &'a str,
    fingerprint: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    masked: Option<&'a str>,
}

fn line<'a>(path: &'a str, found: &'a Found, show: bool) -> Line<'a> {
    Line {
        path,
        rule: &found.rule,
        kind: found.kind.as_str(),
        start: found.range.start,
        end: found.range.end,
        line: found.start.line,
        column: found.start.column,
        confidence: found.confidence.as_str(),
        fingerprint: &found.fingerprint,
        masked: show.then_some(&*found.masked),
    }
}

fn table(printer: &mut Printer, reports: &[Report], show: bool) -> Result<(), Problem> {
    let last = if show { "VALUE" } else { "FINGERPRINT" };
    let mut table = Table::new(["WHERE", "KIND", "RULE", "CONFIDENCE", last]);
    for report in reports {
        for found in &report.found {
            let start = found.start;
            let place = format!("{}:{}:{}", report.path, start.line, start.column);
            let last = if show {
                &found.masked
            } else {
                &found.fingerprint
            };
            let confidence = word(found.confidence.as_str()).styled(style(found.confidence));
            table.push([
                word(place),
                word(found.kind.as_str()),
                word(&found.rule),
                confidence,
                word(last),
            ]);
        }
    }
    match reports.iter().all(|report| report.found.is_empty()) {
        true => Ok(()),
        false => printer.table(&table),
    }
}

fn style(confidence: Confidence) -> Style {
    match confidence {
        Confidence::High => Style::Bad,
        Confidence::Medium => Style::Notice,
        Confidence::Low => Style::Plain,
    }
}

fn summary(found: u64, tally: &Tally, begun: Instant) -> String {
    let findings = match found {
        0 => "nothing found".to_owned(),
        1 => "1 finding".to_owned(),
        n => format!("{n} findings"),
    };
    let files = match tally.files() {
        1 => "1 file".to_owned(),
        n => format!("{n} files"),
    };
    let seconds = begun.elapsed().as_secs_f64();
    format!(
        "{findings} in {files}, {} in {seconds:.2} s",
        output::bytes(tally.bytes())
    )
}

/// What is no path on this machine, and still has to be named.
fn is_stdin(path: &str) -> bool {
    Path::new(path).as_os_str() == "-"
}

#[cfg(test)]
mod tests;
