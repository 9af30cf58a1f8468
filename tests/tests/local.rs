//! Models on the machine itself and others in clear: guarded where that is asked for.
#![allow(clippy::unwrap_used, reason = "tests panic")]

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
};

use lab::{Lab, Place, clients, samples};
use serde_json::{Value, json};

/// What has arrived at an Ollama: bodies.
type Arrived = Arc<Mutex<Vec<String>>>;

/// An Ollama that says what it was told, five characters a line.
fn ollama(listener: TcpListener) -> Arrived {
    let arrived = Arrived::default();
    let seen = arrived.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let seen = seen.clone();
            std::thread::spawn(move || while answer(&stream, &seen).is_some() {});
        }
    });
    arrived
}

/// One request of a connection; `None` when it has ended.
fn answer(stream: &TcpStream, seen: &Mutex<Vec<String>>) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if line.trim().is_empty() {
            break;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let body = String::from_utf8(body).unwrap();
    seen.lock().unwrap().push(body.clone());
    let asked: Value = serde_json::from_str(&body).unwrap();
    let said = asked["messages"][0]["content"].as_str().unwrap_or_default();
    let mut out = stream;
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/x-ndjson\r\ntransfer-encoding: chunked\r\n\r\n";
    out.write_all(head.as_bytes()).ok()?;
    let characters: Vec<char> = said.chars().collect();
    for piece in characters.chunks(5) {
        let piece: String = piece.iter().collect();
        let line = json!({"model": "lab", "done": false,
            "message": {"role": "assistant", "content": piece}});
        chunk(out, &line)?;
    }
    chunk(
        out,
        &json!({"model": "lab", "done": true, "done_reason": "stop",
        "message": {"role": "assistant", "content": ""}, "prompt_eval_count": 2, "eval_count": 3}),
    )?;
    out.write_all(b"0\r\n\r\n").ok()
}

fn chunk(mut out: &TcpStream, line: &Value) -> Option<()> {
    let line = format!("{line}\n");
    out.write_all(format!("{:x}\r\n{line}\r\n", line.len()).as_bytes())
        .ok()
}

/// What Ollama's own client for Python prints when it asks.
fn asks(place: &Place, host: &str, text: &str) -> String {
    const PROGRAM: &str = "
import ollama, os, sys
client = ollama.Client(host=os.environ['AT'])
for part in client.chat(model='lab', messages=[{'role': 'user', 'content': os.environ['SAY']}], stream=True):
    sys.stdout.write(part.message.content or '')
";
    let cmd = clients::python(place, PROGRAM);
    cmd.env("AT", host).env("SAY", text).run().ok().text()
}

fn never_saw(arrived: &Arrived, text: &str) {
    let arrived = arrived.lock().unwrap();
    assert!(!arrived.is_empty(), "nothing has arrived");
    assert!(
        arrived.iter().all(|body| !body.contains(text)),
        "{arrived:?}"
    );
}

#[test]
fn the_machine_s_own_model_is_guarded_where_that_is_chosen() {
    let lab = Lab::new();
    let arrived = ollama(lab.local("127.0.0.1:11434"));
    let agent = lab.agent().settings("[local]\nguard = true").start();
    let token = samples::github(1);
    let said = asks(
        &lab.guarded(),
        "http://127.0.0.1:11434",
        &format!("say {token}."),
    );
    assert_eq!(said, format!("say {token}."));
    never_saw(&arrived, &token);
    let session = agent.sessions(1).remove(0);
    assert_eq!(session["provider"], "ollama", "{session}");
    assert_eq!(session["host"], "localhost", "{session}");
    assert_eq!(session["secrets"], 1, "{session}");

    // Whoever is not guarded reaches it as ever, and so does the agent.
    assert_eq!(
        asks(&lab.unguarded(), "http://127.0.0.1:11434", &token),
        token
    );
    assert!(
        arrived
            .lock()
            .unwrap()
            .iter()
            .any(|body| body.contains(&token))
    );
}

#[test]
fn the_machine_s_own_model_is_left_alone_otherwise() {
    let lab = Lab::new();
    let arrived = ollama(lab.local("127.0.0.1:11434"));
    let agent = lab.agent().start();
    let token = samples::github(1);
    assert_eq!(
        asks(&lab.guarded(), "http://127.0.0.1:11434", &token),
        token
    );
    assert!(arrived.lock().unwrap()[0].contains(&token));
    assert!(agent.objects(["sessions", "list", "--json"]).is_empty());
}

#[test]
fn a_model_in_clear_elsewhere_is_guarded_and_what_is_not_http_passes() {
    let lab = Lab::new();
    let arrived = ollama(lab.listener(11434));
    lab.site("ollama.corp.test").named();
    lab.echo("other.corp.test", 7000);
    let _agent = lab
        .agent()
        .settings(
            "[[endpoint]]\nhosts = [\"ollama.corp.test\", \"other.corp.test\"]\n\
             ports = [7000, 11434]\nprovider = \"ollama\"\ntls = false",
        )
        .start();
    let token = samples::github(1);
    let said = asks(&lab.guarded(), "http://ollama.corp.test:11434", &token);
    assert_eq!(said, token);
    never_saw(&arrived, &token);

    let script = format!(
        "exec 3<>/dev/tcp/other.corp.test/7000; echo '{token}' >&3; read -r -u 3 l; echo \"$l\""
    );
    let echoed = lab.guarded().cmd("bash").args(["-c", &script]).run().ok();
    assert_eq!(echoed.text().trim(), token);
}
