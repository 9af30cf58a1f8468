//! `codegate sessions`.

use super::{
    args::{Cli, Sessions},
    exit::{Exit, Problem},
    output::{Printer, bytes, clock, local},
    say,
    table::{Cell, Style, Table, number, word},
    text::visible,
};
use crate::{
    control::{Request, Shown, Watched},
    session::{
        Container, Entry, Event, Exchange, Id, Level, NamedPackage, PackageAction, PackagePlace,
        Process, Session, Update, Verdict,
    },
};

pub(super) fn dispatch(
    cli: &Cli,
    command: &Sessions,
    printer: &mut Printer,
) -> Result<Exit, Problem> {
    match command {
        Sessions::List { limit } => list(cli, *limit, printer)?,
        Sessions::Show { id } => show(cli, *id, printer)?,
        Sessions::Tail => tail(cli, printer)?,
    }
    Ok(Exit::Fine)
}

fn list(cli: &Cli, limit: usize, printer: &mut Printer) -> Result<(), Problem> {
    let request = Request::SessionsList { limit };
    if printer.json() {
        return cli
            .client()?
            .each(&request, |session: Session| printer.object(&session));
    }
    let sessions: Vec<Session> = cli.client()?.all(&request)?;
    if sessions.is_empty() {
        say(&"no sessions yet");
        return Ok(());
    }
    let mut table = Table::new([
        "ID",
        "STARTED",
        "PROCESS",
        ">UID",
        "HOST",
        "MODEL",
        ">REQUESTS",
        ">SECRETS",
        ">PACKAGES",
        ">SENT",
        ">RECEIVED",
        "VERDICT",
    ]);
    for session in &sessions {
        table.push(row(session));
    }
    printer.table(&table)
}

fn row(session: &Session) -> [Cell; 12] {
    [
        word(session.id.to_string()),
        word(local(session.started)),
        word(process(&session.process)),
        number(session.process.uid),
        word(&session.host),
        word(session.model.as_deref().unwrap_or("-")),
        number(session.exchanges),
        number(session.secrets),
        number(session.packages),
        number(bytes(session.bytes_out)),
        number(bytes(session.bytes_in)),
        verdict(session.verdict),
    ]
}

fn show(cli: &Cli, id: Id, printer: &mut Printer) -> Result<(), Problem> {
    let request = Request::SessionsShow { id };
    if printer.json() {
        return cli
            .client()?
            .each(&request, |shown: Shown| printer.object(&shown));
    }
    cli.client()?.each(&request, |shown| {
        let lines = match &shown {
            Shown::Session(session) => head(session),
            Shown::Entry(entry) => entry_lines(entry, printer.colour()),
        };
        lines.iter().try_for_each(|line| printer.line(line))
    })
}

/// The image, or the id's beginning where that is not known.
fn contained(container: &Container) -> String {
    let id: String = container.id.chars().take(12).collect();
    match &container.image {
        Some(image) => format!("{image} ({id})"),
        None => id,
    }
}

fn head(session: &Session) -> Vec<String> {
    let exe = session
        .process
        .exe
        .as_deref()
        .unwrap_or("(gone before it could be read)");
    let line = |name: &str, value: &str| format!("{name:10}{}", visible(value));
    let mut lines = vec![
        line("session", &session.id.to_string()),
        line("process", &format!("{} {exe}", process(&session.process))),
        line("user", &session.process.uid.to_string()),
        line("host", &format!("{} ({})", session.host, session.provider)),
        line("model", session.model.as_deref().unwrap_or("-")),
        line(
            "time",
            &format!("{} to {}", local(session.started), local(session.last)),
        ),
        line(
            "tokens",
            &format!("{} in, {} out", session.tokens_in, session.tokens_out),
        ),
        line(
            "secrets",
            &format!(
                "{} sealed, {} restored, {} personal data reported",
                session.secrets, session.restored, session.personal
            ),
        ),
        line("packages", &format!("{} to be wary of", session.packages)),
        String::new(),
    ];
    let container = session.process.container.as_ref();
    if let Some(container) = container.map(contained) {
        lines.insert(2, line("container", &container));
    }
    lines
}

fn tail(cli: &Cli, printer: &mut Printer) -> Result<(), Problem> {
    let mut client = cli.client()?.patient()?;
    client.each(&Request::SessionsTail, |watched: Watched| {
        if printer.json() {
            printer.object(&watched)?;
        } else {
            match &watched {
                Watched::Update(update) => print_update(update, printer)?,
                Watched::Missed { .. } => say(&"too slow: some updates were missed"),
            }
        }
        printer.flush()
    })
}

fn print_update(update: &Update, printer: &mut Printer) -> Result<(), Problem> {
    let session = &update.session;
    let who = format!(
        "{} {} {}",
        session.id,
        process(&session.process),
        session.host
    );
    for line in entry_lines(&update.entry, printer.colour()) {
        printer.line(&format!("{}  {line}", visible(&who)))?;
    }
    Ok(())
}

fn entry_lines(entry: &Entry, colour: bool) -> Vec<String> {
    match entry {
        Entry::Event(event) => vec![event_line(event, colour)],
        Entry::Exchange(exchange) => {
            let mut lines = vec![exchange_line(exchange)];
            let sealed = exchange.sealed.iter().map(|sealed| {
                let text = format!("{} ({}) ×{}", sealed.placeholder, sealed.rule, sealed.count);
                format!(
                    "    {} {}",
                    Style::Notice.paint("sealed", colour),
                    visible(&text)
                )
            });
            lines.extend(sealed);
            lines.extend(exchange.packages.iter().map(|p| package_line(p, colour)));
            let events = exchange.events.iter();
            lines.extend(events.map(|event| format!("    {}", event_line(event, colour))));
            lines
        }
    }
}

fn exchange_line(exchange: &Exchange) -> String {
    let status = exchange
        .status
        .map_or("no answer".to_owned(), |status| status.to_string());
    let mut line = format!(
        "{}  {} {} → {status}  {:.1} ms  {} out, {} in",
        clock(exchange.time),
        exchange.method,
        exchange.path.as_str(),
        exchange.duration_us as f64 / 1000.0,
        bytes(exchange.bytes_out),
        bytes(exchange.bytes_in),
    );
    if let Some(model) = &exchange.model {
        line += &format!("  {model}");
    }
    if exchange.restored > 0 {
        line += &format!("  {} restored", exchange.restored);
    }
    visible(&line).into_owned()
}

fn package_line(package: &NamedPackage, colour: bool) -> String {
    let (word, style) = match package.action {
        PackageAction::Blocked => ("blocked", Style::Bad),
        PackageAction::Told => ("told", Style::Notice),
        PackageAction::Recorded => ("package", Style::Notice),
    };
    let place = match package.place {
        PackagePlace::Answer => "the answer",
        PackagePlace::Command => "a command",
        PackagePlace::File => "a file",
        PackagePlace::Request => "the request",
    };
    let reasons = package.reasons.join("; ");
    let text = format!(
        "{} is {} ({} in {place}): {reasons}",
        package.purl, package.verdict, package.context
    );
    format!("    {} {}", style.paint(word, colour), visible(&text))
}

fn event_line(event: &Event, colour: bool) -> String {
    let (level, style) = match event.level {
        Level::Info => ("info", Style::Plain),
        Level::Warn => ("warning", Style::Notice),
        Level::Alert => ("alert", Style::Bad),
        Level::Block => ("blocked", Style::Bad),
    };
    let text = format!("{}: {}", event.code, event.message);
    format!(
        "{}  {} {}",
        clock(event.time),
        style.paint(level, colour),
        visible(&text)
    )
}

fn process(process: &Process) -> String {
    let name = process
        .exe
        .as_deref()
        .and_then(|exe| exe.rsplit('/').next());
    format!("{}[{}]", name.unwrap_or(&process.comm), process.pid)
}

fn verdict(verdict: Verdict) -> Cell {
    let (text, style) = match verdict {
        Verdict::Clean => ("clean", Style::Good),
        Verdict::Sealed => ("sealed", Style::Notice),
        Verdict::Alert => ("alert", Style::Bad),
        Verdict::Blocked => ("blocked", Style::Bad),
    };
    word(text).styled(style)
}
