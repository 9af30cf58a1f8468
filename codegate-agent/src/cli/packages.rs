//! `codegate packages`.

mod publish;
mod update;

use std::{
    fs,
    io::{self, BufRead, Read},
    path::Path,
};

use serde::Serialize;
use serde_json::json;

use super::{
    args::{Cli, Packages},
    exit::{Exit, Problem},
    output::{Printer, bytes, local},
    say,
    table::{Style, Table, number, word},
};
use crate::inspect::packages::{
    Catalogue, Ecosystem, Judgement, Lists, Purl, Verdict,
    extract::{self, Context},
    index::{Index, Manifest},
    index_problems,
};

pub(super) fn dispatch(
    cli: &Cli,
    command: &Packages,
    printer: &mut Printer,
) -> Result<Exit, Problem> {
    match command {
        Packages::Check { purls } => check(cli, purls, printer),
        Packages::Scan { file } => scan(file, printer),
        Packages::Update(feeds) => update::update(cli, feeds, printer),
        Packages::Keygen { file } => publish::keygen(file, printer),
        Packages::Publish(publish) => publish::publish(cli, publish, printer),
        Packages::Stats => stats(cli, printer),
    }
}

/// One package that was asked for.
#[derive(Serialize)]
struct Answer<'a> {
    purl: &'a str,
    verdict: Verdict,
    reasons: &'a [String],
    sources: &'a [String],
    rules: &'a [&'static str],
}

fn check(cli: &Cli, purls: &[String], printer: &mut Printer) -> Result<Exit, Problem> {
    let catalogue = catalogue(cli)?;
    warn(&index_problems(catalogue.index().map(Index::manifest)));
    let mut table = Table::new(["PACKAGE", "VERDICT", "WHY"]);
    let mut exit = Exit::Fine;
    for text in asked(purls)? {
        let purl: Purl = match text.parse() {
            Ok(purl) => purl,
            Err(error) => {
                say(&format!("{text}: {error}"));
                exit = Exit::Usage;
                continue;
            }
        };
        let judgement = catalogue.check(&purl);
        if judgement.finding && exit == Exit::Fine {
            exit = Exit::Findings;
        }
        if printer.json() {
            printer.object(&Answer {
                purl: &text,
                verdict: judgement.verdict,
                reasons: &judgement.reasons,
                sources: &judgement.sources,
                rules: &judgement.rules,
            })?;
        } else {
            let verdict = word(judgement.verdict.as_str()).styled(style(&judgement));
            table.push([word(&text), verdict, word(judgement.reasons.join("; "))]);
        }
    }
    if !printer.json() {
        printer.table(&table)?;
    }
    Ok(exit)
}

/// What is asked for: the arguments, and the lines of standard input where one is `-`.
fn asked(arguments: &[String]) -> Result<Vec<String>, Problem> {
    let mut asked = Vec::with_capacity(arguments.len());
    for argument in arguments {
        if argument != "-" {
            asked.push(argument.clone());
            continue;
        }
        for line in io::stdin().lock().lines() {
            let line = line.map_err(|source| Problem::Input {
                path: "-".into(),
                source,
            })?;
            asked.extend(Some(line.trim().to_owned()).filter(|line| !line.is_empty()));
        }
    }
    Ok(asked)
}

/// One package that a text names.
#[derive(Serialize)]
struct Named {
    purl: Purl,
    context: Context,
    start: usize,
    end: usize,
}

fn scan(path: &Path, printer: &mut Printer) -> Result<Exit, Problem> {
    let failed = |source| Problem::Input {
        path: path.to_owned(),
        source,
    };
    let bytes = match path == Path::new("-") {
        true => {
            let mut bytes = Vec::new();
            io::stdin().lock().read_to_end(&mut bytes).map_err(failed)?;
            bytes
        }
        false => fs::read(path).map_err(failed)?,
    };
    let mut table = Table::new(["PACKAGE", "CONTEXT", ">START", ">END"]);
    for mention in extract::file(&path.to_string_lossy(), &bytes) {
        let named = Named {
            purl: mention.purl,
            context: mention.context,
            start: mention.range.start,
            end: mention.range.end,
        };
        if printer.json() {
            printer.object(&named)?;
        } else {
            let context = word(named.context.as_str());
            table.push([
                word(named.purl.to_string()),
                context,
                number(named.start),
                number(named.end),
            ]);
        }
    }
    if !printer.json() {
        printer.table(&table)?;
    }
    Ok(Exit::Fine)
}

fn style(judgement: &Judgement) -> Style {
    match judgement.verdict {
        Verdict::Ok => Style::Good,
        Verdict::Malicious => Style::Bad,
        _ if judgement.finding => Style::Notice,
        _ => Style::Plain,
    }
}

/// What is known, and what the administrator decided.
fn catalogue(cli: &Cli) -> Result<Catalogue, Problem> {
    let config = cli.configuration()?;
    let catalogue = Catalogue::open(&config.packages_dir())?;
    Ok(catalogue.with_lists(Lists {
        allow: config.packages.allow,
        deny: config.packages.deny,
    }))
}

fn stats(cli: &Cli, printer: &mut Printer) -> Result<Exit, Problem> {
    let catalogue = catalogue(cli)?;
    let manifest = catalogue.index().map(Index::manifest);
    let problems = index_problems(manifest);
    if printer.json() {
        let object = json!({
            "generation": manifest.map(|m| m.generation),
            "built": manifest.map(|m| m.built),
            "published": manifest.and_then(|m| m.published),
            "newest": manifest.and_then(|m| m.newest),
            "bytes": manifest.map(|m| m.bytes),
            "sha256": manifest.map(|m| m.sha256.clone()),
            "counts": manifest.map(|m| m.counts.clone()),
            "compiled_in": catalogue.compiled_in(),
            "problems": problems,
        });
        printer.object(&object)?;
    } else if let Some(manifest) = manifest {
        let newest = manifest.newest.map_or("unknown".to_owned(), local);
        printer.line(&format!("generation     {}", manifest.generation))?;
        printer.line(&format!("built          {}", local(manifest.built)))?;
        printer.line(&format!("newest record  {newest}"))?;
        printer.line(&format!("size           {}", bytes(manifest.bytes)))?;
        printer.line(&format!(
            "compiled in    {} records",
            catalogue.compiled_in()
        ))?;
        table(manifest, printer)?;
    }
    warn(&problems);
    Ok(match problems.is_empty() {
        true => Exit::Fine,
        false => Exit::Degraded,
    })
}

fn warn(problems: &[String]) {
    for problem in problems {
        say(&format!("warning: {problem}"));
    }
}

fn table(manifest: &Manifest, printer: &mut Printer) -> Result<(), Problem> {
    const STATUSES: [&str; 5] = [
        "malicious",
        "deprecated",
        "archived",
        "unmaintained",
        "yanked",
    ];
    let mut table = Table::new([
        "ECOSYSTEM",
        ">MALICIOUS",
        ">DEPRECATED",
        ">ARCHIVED",
        ">UNMAINTAINED",
        ">YANKED",
        ">TOP",
        ">NAMES",
    ]);
    for ecosystem in Ecosystem::ALL {
        let name = ecosystem.osv_name();
        let counts = &manifest.counts;
        let records = counts.records.get(name);
        let count = |status: &str| number(records.and_then(|r| r.get(status)).unwrap_or(&0));
        let [malicious, deprecated, archived, unmaintained, yanked] = STATUSES.map(count);
        let top = number(counts.top.get(name).unwrap_or(&0));
        let names = number(counts.names.get(name).unwrap_or(&0));
        table.push([
            word(name),
            malicious,
            deprecated,
            archived,
            unmaintained,
            yanked,
            top,
            names,
        ]);
    }
    printer.table(&table)
}
