//! `cargo xtask demo`: the whole way of the data, once, with real clients; and then who saw what.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a demonstration that fails loudly, for people to read"
)]

use std::process::ExitCode;

use lab::{Agent, Asked, Dialect, Lab, Reply, Say, Table, Turn, clients, placeholders, samples};
use serde_json::{Value, json};

const OPENAI: &str = "api.openai.com";
const ANTHROPIC: &str = "api.anthropic.com";
const PLAIN: &str = "example.com";

const PYTHON: &str = "
import openai, sys
stream = openai.OpenAI().responses.create(model='gpt-5', input=sys.stdin.read(), stream=True)
for event in stream:
    if event.type == 'response.output_text.delta':
        print(event.delta, end='', flush=True)
";

fn main() -> ExitCode {
    let lab = Lab::new();
    lab.ai(OPENAI, |asked| Turn::echo(asked).step(9).split(70));
    lab.ai(ANTHROPIC, tool_loop);
    lab.site(PLAIN)
        .serve(|arrived| Reply::new(200, "text/plain", arrived.raw.clone()));
    step("the lab stands: two network namespaces, a DNS server, AI services on their real names");
    let agent = lab.agent().start();
    step("the agent says that it is attached");
    let acts = [curl(&lab), python(&lab), claude(&lab)];
    let mut table = Rows::new([
        "process",
        "talked to",
        "sealed",
        "upstream saw",
        "the client saw",
    ]);
    let proven: Vec<bool> = acts
        .iter()
        .map(|act| rows(&agent, act, &mut table))
        .collect();
    let untouched = plain(&lab, &mut table);
    println!(
        "\n{}\n",
        agent.codegate(["sessions", "list"]).ok().text().trim_end()
    );
    println!("{table}");
    conclude(&lab, proven.into_iter().all(|proof| proof), untouched)
}

type Rows = Table<5>;

/// What a client was asked to do, and what came of it.
struct Act {
    host: &'static str,
    comm: &'static str,
    /// What arrived upstream during the act.
    upstream: String,
    /// What the client printed.
    client: String,
}

fn curl(lab: &Lab) -> Act {
    let text = format!(
        "Push with {0}, and if that fails with {0}. Key:\n{1}\nDATABASE_URL={2}\n",
        samples::github(1),
        samples::pem(),
        samples::database(2),
    );
    act(
        lab,
        "curl, streaming chat completions",
        OPENAI,
        "curl",
        || {
            let body = Dialect::Chat.request(&text, true).to_string();
            let answer = clients::post(&lab.guarded(), &Dialect::Chat.url(), &body)
                .run()
                .ok();
            Dialect::Chat.said(&answer.text(), true)
        },
    )
}

fn python(lab: &Lab) -> Act {
    let text = format!("Which scopes has {}?", samples::anthropic(3));
    act(
        lab,
        "the Python SDK `openai`, streaming responses",
        OPENAI,
        "python",
        || {
            clients::python(&lab.guarded(), PYTHON)
                .input(text)
                .run()
                .ok()
                .text()
        },
    )
}

fn claude(lab: &Lab) -> Act {
    let prompt = format!("Log in. The token is {} .", samples::github(4));
    act(
        lab,
        "Claude Code, with its shell",
        ANTHROPIC,
        "claude",
        || {
            let cmd = lab.guarded().cmd(clients::claude());
            let output = clients::claude_asked(cmd, &prompt).run().ok().text();
            let last: Value = serde_json::from_str(output.lines().last().unwrap()).unwrap();
            last["result"].as_str().unwrap_or_default().to_owned()
        },
    )
}

/// A model that has the shell use the token that it was given, and repeats what the shell said.
fn tool_loop(asked: &Asked) -> Turn {
    let given = asked
        .user
        .split("The token is ")
        .nth(1)
        .and_then(|text| text.split(' ').next());
    match (asked.results.last(), given) {
        (Some(result), _) => Turn::text(format!("The shell said: {result}")),
        (None, Some(token)) => {
            let arguments =
                json!({"command": format!("echo logged in with {token}"), "description": "log in"});
            Turn::new([
                Say::Text("I log in.".into()),
                Say::Call {
                    name: "Bash".into(),
                    arguments,
                },
            ])
        }
        (None, None) => Turn::text("{}"),
    }
}

fn act(
    lab: &Lab,
    what: &str,
    host: &'static str,
    comm: &'static str,
    run: impl FnOnce() -> String,
) -> Act {
    let before = lab.journal().requests().len();
    let client = run();
    let arrived = lab.journal().requests();
    let bodies = arrived[before..]
        .iter()
        .filter_map(|request| request.body.clone());
    let upstream = String::from_utf8_lossy(&bodies.collect::<Vec<_>>().concat()).into_owned();
    step(what);
    Act {
        host,
        comm,
        upstream,
        client,
    }
}

/// A row for each secret of an act. True if upstream had the placeholder and the client the value.
fn rows(agent: &Agent<'_>, act: &Act, table: &mut Rows) -> bool {
    let session = session(agent, act);
    let id = session["id"].as_str().unwrap().to_owned();
    let process = format!(
        "{} [{}] uid {}",
        session["process"]["exe"]
            .as_str()
            .unwrap_or("?")
            .rsplit('/')
            .next()
            .unwrap_or("?"),
        session["process"]["pid"],
        session["process"]["uid"],
    );
    let shown = agent.objects(["sessions", "show", &id, "--json"]);
    let sealed: Vec<&Value> = shown
        .iter()
        .filter_map(|entry| entry["sealed"].as_array())
        .flatten()
        .collect();
    let mut seen = placeholders(&act.upstream);
    seen.sort();
    seen.dedup();
    let mut proven = !seen.is_empty();
    for placeholder in &seen {
        let value = agent
            .codegate(["secrets", "reveal", placeholder, "--uid", "0"])
            .ok()
            .text();
        let value = value.trim_end();
        let is_this = |s: &&&Value| s["placeholder"] == placeholder.as_str();
        let entries: Vec<&Value> = sealed.iter().filter(is_this).copied().collect();
        let count: u64 = entries.iter().filter_map(|s| s["count"].as_u64()).sum();
        let rule = entries
            .first()
            .and_then(|s| s["rule"].as_str())
            .unwrap_or("?");
        let restored = act.client.contains(value);
        proven &= restored && !act.upstream.contains(value);
        let client = if restored {
            short(value)
        } else {
            "nothing of it".to_owned()
        };
        let sealed = format!("{rule} ×{count}");
        table.push([
            process.clone(),
            act.host.to_owned(),
            sealed,
            placeholder.clone(),
            client,
        ]);
    }
    proven
}

fn session(agent: &Agent<'_>, act: &Act) -> Value {
    let name = |s: &Value| s["process"]["exe"].as_str().unwrap_or_default().to_owned();
    let mine = |s: &&Value| s["host"] == act.host && name(s).contains(act.comm);
    let sessions = agent.sessions(1);
    let found = sessions.iter().find(mine).cloned();
    found.unwrap_or_else(|| {
        panic!(
            "no session of {} with {}: {sessions:#?}",
            act.comm, act.host
        )
    })
}

/// A plain host in the same cgroup: nothing is done to it.
fn plain(lab: &Lab, table: &mut Rows) -> bool {
    let text = format!("upload {}", samples::github(9));
    let url = format!("https://{PLAIN}/");
    let answer = clients::post(&lab.guarded(), &url, &text).run().ok().text();
    let arrived = lab.journal().of(PLAIN).pop().unwrap().text();
    step("curl, to a plain host");
    let seen = |seen: &str| {
        if seen == text {
            "the bytes as sent"
        } else {
            "other bytes"
        }
    };
    let cells = [
        "curl",
        PLAIN,
        "nothing: not an AI host",
        seen(&arrived),
        seen(&answer),
    ];
    table.push(cells.map(str::to_owned));
    arrived == text && answer == text
}

/// A value's first line, its middle left out: it is made up, but habits are habits.
fn short(value: &str) -> String {
    let line = value.lines().next().unwrap_or_default();
    let lines = value.lines().count();
    let more = if lines > 1 {
        format!(" (and {} lines more)", lines - 1)
    } else {
        String::new()
    };
    let letters: Vec<char> = line.chars().collect();
    if letters.len() <= 16 {
        return format!("{line}{more}");
    }
    let end = |part: &[char]| part.iter().collect::<String>();
    format!(
        "{}…{}{more}",
        end(&letters[..10]),
        end(&letters[letters.len() - 4..])
    )
}

fn conclude(lab: &Lab, proven: bool, untouched: bool) -> ExitCode {
    for request in lab
        .journal()
        .requests()
        .iter()
        .filter(|request| request.host != PLAIN)
    {
        for secret in [
            samples::github(1),
            samples::password(2),
            samples::anthropic(3),
            samples::github(4),
        ] {
            assert!(
                !request.text().contains(&secret),
                "a secret arrived: {request:?}"
            );
        }
    }
    if proven && untouched {
        println!(
            "No secret arrived upstream; every answer was restored; the plain host saw no difference."
        );
        return ExitCode::SUCCESS;
    }
    println!("Something is not as it should be: see the table.");
    ExitCode::FAILURE
}

fn step(what: &str) {
    println!("✓ {what}");
}
