//! `codegate packages`.

use jiff::Timestamp;
use serde_json::json;

use super::{
    args::{Cli, Feeds, Packages},
    exit::{Exit, Problem},
    output::{Printer, bytes, local},
    progress::Bar,
    say,
    table::{Table, number, word},
};
use crate::inspect::packages::{
    Catalogue, Ecosystem,
    index::{self, Index, Manifest, Sources},
};

/// Records come every few hours; an index that has not seen one for so many days is stale.
const STALE_DAYS: i64 = 14;

pub(super) fn dispatch(
    cli: &Cli,
    command: &Packages,
    printer: &mut Printer,
) -> Result<Exit, Problem> {
    match command {
        Packages::Update(feeds) => update(cli, feeds, printer),
        Packages::Stats => stats(cli, printer),
    }
}

fn update(cli: &Cli, feeds: &Feeds, printer: &mut Printer) -> Result<Exit, Problem> {
    let sources = Sources {
        osv: feeds.from.clone(),
        rustsec: feeds.rustsec.clone(),
        top: feeds.top.clone(),
        names: feeds.names.clone(),
        lists: feeds.lists.clone(),
    };
    if sources.is_empty() {
        let why = "fetching over the network is not available in this version: name a folder that \
                   is laid out like OSV's bucket with --from DIR";
        return Err(Problem::Usage(why.into()));
    }
    let dir = cli.configuration()?.packages_dir();
    let mut bar = Bar::new();
    let done = index::update(&dir, &sources, &mut |step| {
        bar.show(step.what, step.done, step.total);
    });
    drop(bar);
    let (manifest, report) = done?;
    for warning in &report.warnings {
        say(&format!("warning: {warning}"));
    }
    if printer.json() {
        let skipped = json!({"withdrawn": report.withdrawn, "other": report.other});
        let object = json!({
            "generation": manifest.generation,
            "bytes": manifest.bytes,
            "counts": manifest.counts,
            "skipped": skipped,
            "warnings": report.warnings,
        });
        printer.object(&object)?;
    } else {
        say(&format!(
            "index {} is in service ({}); {} withdrawn records left out",
            manifest.generation,
            bytes(manifest.bytes),
            report.withdrawn
        ));
        table(&manifest, printer)?;
    }
    Ok(Exit::Fine)
}

fn stats(cli: &Cli, printer: &mut Printer) -> Result<Exit, Problem> {
    let catalogue = Catalogue::open(&cli.configuration()?.packages_dir())?;
    let manifest = catalogue.index().map(Index::manifest);
    let problems = problems(manifest);
    if printer.json() {
        let object = json!({
            "generation": manifest.map(|m| m.generation),
            "built": manifest.map(|m| m.built),
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

/// What keeps the index from guarding as it should.
fn problems(manifest: Option<&Manifest>) -> Vec<String> {
    let Some(manifest) = manifest else {
        let none = "there is no index of packages: only the few that are compiled in are known; \
                    run `codegate packages update`";
        return vec![none.into()];
    };
    let stale = |time: Timestamp| Timestamp::now().duration_since(time).as_hours() / 24;
    match manifest.newest.map(stale) {
        Some(days) if days > STALE_DAYS => vec![format!(
            "the index of packages is stale: its newest record is {days} days old; run `codegate \
             packages update` with fresh data"
        )],
        Some(_) => Vec::new(),
        None => vec![
            "the index has no records of OSV: name a folder with `codegate packages update --from`"
                .into(),
        ],
    }
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
