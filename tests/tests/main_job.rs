//! The main job: a client that knows of nothing, an upstream that sees no secret, an answer that is
//! exact, and a record of it.
#![allow(clippy::unwrap_used, reason = "tests panic")]

use std::{
    io::Write,
    process::{Command, Stdio},
};

use lab::{Agent, Dialect, Lab, Place, Reply, Turn, clients, placeholders, samples};
use rustls_pki_types::{CertificateDer, pem::PemObject};
use serde_json::json;

const PLAIN: &str = "example.com";

/// A prompt with a GitHub token twice, a PEM key and a database URL, and what must not leave.
fn prompt() -> (String, Vec<String>) {
    let (token, key, password) = (samples::github(1), samples::pem(), samples::password(2));
    let database = samples::database(2);
    let text = format!(
        "Push with {token} and — if that fails — with {token}.\nThe key:\n{key}\n\
         DATABASE_URL={database}\n\tTschüß \u{1F511} \\ \"done\""
    );
    let lines = key
        .lines()
        .filter(|line| !line.starts_with('-'))
        .map(str::to_owned);
    let secrets = [token, password, database]
        .into_iter()
        .chain(lines)
        .collect();
    (text, secrets)
}

fn ask(place: &Place, dialect: Dialect, text: &str, stream: bool, switches: &[&str]) -> String {
    let body = dialect.request(text, stream).to_string();
    let answer = clients::post(place, &dialect.url(), &body)
        .args(switches)
        .run()
        .ok();
    dialect.said(&answer.text(), stream)
}

fn echoing(lab: &Lab) -> Agent<'_> {
    for host in [Dialect::Chat.host(), Dialect::Messages.host()] {
        lab.ai(host, |asked| Turn::echo(asked).step(7).split(61));
    }
    lab.agent().start()
}

#[test]
fn an_unmodified_curl_sends_no_secret_and_gets_its_own_back_byte_for_byte() {
    let lab = Lab::new();
    let agent = echoing(&lab);
    let (text, secrets) = prompt();
    let mut sent = Vec::new();
    for dialect in Dialect::ALL {
        for stream in [true, false] {
            for switches in [["--http1.1", "-4"], ["--http2", "-6"]] {
                let said = ask(&lab.guarded(), dialect, &text, stream, &switches);
                assert_eq!(said, text, "{dialect:?} {stream} {switches:?}");
                sent.push(placeholders(
                    &lab.journal().requests().last().unwrap().text(),
                ));
            }
        }
    }
    for secret in &secrets {
        lab.journal().never_saw(secret.as_bytes());
    }
    let upstream = &lab.journal().requests()[0];
    assert_eq!(sent[0].len(), 4, "{upstream:?}");
    assert_eq!(
        sent[0][0], sent[0][1],
        "the same token, the same placeholder"
    );
    assert!(
        sent.iter().all(|placeholders| *placeholders == sent[0]),
        "{sent:?}"
    );
    let log = agent.log();
    assert!(secrets.iter().all(|secret| !log.contains(secret)), "{log}");
}

#[test]
fn both_protocols_and_both_families_reach_upstream_as_the_client_spoke() {
    let lab = Lab::new();
    let _agent = echoing(&lab);
    for (way, alpn) in [("--http1.1", "http/1.1"), ("--http2", "h2")] {
        for family in ["-4", "-6"] {
            lab.journal().clear();
            assert_eq!(
                ask(&lab.guarded(), Dialect::Chat, "hi", false, &[way, family]),
                "hi"
            );
            let connections = lab.journal().connections();
            assert_eq!(connections.len(), 1, "{connections:?}");
            assert_eq!(connections[0].alpn.as_deref(), Some(alpn));
            assert_eq!(
                connections[0].local.ip().to_canonical().is_ipv6(),
                family == "-6"
            );
        }
    }
}

#[test]
fn a_plain_host_in_the_same_cgroup_is_untouched() {
    let lab = Lab::new();
    let _agent = echoing(&lab);
    untouched(&lab, |site| site);
}

#[test]
fn a_plain_host_on_an_ai_hosts_address_is_spliced_untouched() {
    let lab = Lab::new();
    let _agent = echoing(&lab);
    untouched(&lab, |site| site.beside(Dialect::Chat.host()));
}

/// The client sees the lab's own certificate, and its bytes arrive as they were, secrets included.
fn untouched(lab: &Lab, shape: impl FnOnce(lab::Site<'_>) -> lab::Site<'_>) {
    let identity = shape(lab.site(PLAIN)).serve(|_| Reply::new(200, "text/plain", "plain"));
    let (text, secrets) = prompt();
    let url = format!("https://{PLAIN}/upload");
    let answer = clients::post(&lab.guarded(), &url, &text)
        .arg("--http1.1")
        .run()
        .ok();
    assert_eq!(answer.text(), "plain");
    let request = lab.journal().of(PLAIN).remove(0);
    assert_eq!(request.text(), text);
    assert!(secrets.iter().all(|secret| request.text().contains(secret)));
    assert_eq!(certificate(&lab.guarded(), PLAIN), identity.certificate);
}

fn certificate(place: &Place, host: &str) -> CertificateDer<'static> {
    let address = format!("{host}:443");
    let shown = place
        .cmd("openssl")
        .args([
            "s_client",
            "-connect",
            &address,
            "-servername",
            host,
            "-showcerts",
        ])
        .run()
        .stdout;
    CertificateDer::from_pem_slice(&shown).unwrap()
}

#[test]
fn an_ai_host_shows_a_leaf_of_the_agents_own_only_in_the_guarded_cgroup() {
    let lab = Lab::new();
    let identity = lab.ai("api.openai.com", Turn::echo);
    let _agent = lab.agent().start();
    assert_ne!(
        certificate(&lab.guarded(), "api.openai.com"),
        identity.certificate
    );
    assert_eq!(
        certificate(&lab.unguarded(), "api.openai.com"),
        identity.certificate
    );
}

#[test]
fn the_client_sees_the_address_that_it_asked_for() {
    const PROGRAM: &str = "
import socket, sys
for family in (socket.AF_INET, socket.AF_INET6):
    with socket.socket(family, socket.SOCK_STREAM) as s:
        s.connect((sys.argv[1], 443))
        print(s.getpeername()[0], s.getpeername()[1])
";
    let lab = Lab::new();
    let _agent = echoing(&lab);
    let output = clients::python(&lab.guarded(), PROGRAM)
        .arg(Dialect::Chat.host())
        .run()
        .ok();
    let addresses = lab.zone().addresses(Dialect::Chat.host()).unwrap();
    let expected: Vec<String> = addresses
        .iter()
        .map(|address| format!("{address} 443"))
        .collect();
    assert_eq!(output.text().lines().collect::<Vec<_>>(), expected);
}

#[test]
fn plain_tcp_to_another_port_of_an_ai_host_is_untouched() {
    let lab = Lab::new();
    lab.echo("api.openai.com", 7007);
    let _agent = lab.agent().start();
    let said = lab
        .guarded()
        .cmd("curl")
        .args(["-sS", "--max-time", "1", "telnet://api.openai.com:7007"])
        .input("as it is\n")
        .run();
    assert_eq!(said.text(), "as it is\n");
}

#[test]
fn the_session_says_who_talked_to_whom_and_what_was_sealed() {
    let lab = Lab::new();
    let agent = echoing(&lab);
    let (text, secrets) = prompt();
    ask(
        &lab.guarded().with_uid(1234),
        Dialect::Chat,
        &text,
        true,
        &[],
    );
    let session = agent.sessions(1).remove(0);
    assert!(
        session["process"]["exe"]
            .as_str()
            .unwrap()
            .ends_with("/curl"),
        "{session}"
    );
    assert_eq!(session["process"]["uid"], 1234, "{session}");
    assert_eq!(session["host"], "api.openai.com", "{session}");
    assert_eq!(session["model"], "gpt-5", "{session}");
    assert_eq!(session["exchanges"], 1, "{session}");
    assert!(
        session["provider"].as_str().unwrap().contains("openai"),
        "{session}"
    );
    assert!(session["secrets"].as_u64().unwrap() >= 3, "{session}");
    assert!(session["bytes_out"].as_u64() > Some(0) && session["bytes_in"].as_u64() > Some(0));
    let id = session["id"].as_str().unwrap().to_owned();
    let shown = agent
        .codegate(["sessions", "show", &id, "--json"])
        .ok()
        .text();
    let listed = agent.codegate(["sessions", "list"]).ok().text();
    for secret in &secrets {
        assert!(
            !shown.contains(secret) && !listed.contains(secret),
            "{shown}\n{listed}"
        );
    }
}

#[test]
fn clients_of_a_run_command_trust_the_agent_by_their_environment() {
    let lab = Lab::new();
    let agent = echoing(&lab);
    // A system that does not trust the agent's CA: only the variables help.
    let place = lab.guarded_distrusting();
    let body = Dialect::Chat.request("hi", false).to_string();
    let refused = clients::post(&place, &Dialect::Chat.url(), &body).run();
    assert_eq!(refused.code(), 60, "{}", refused.errors());
    let words = [
        "curl",
        "-sS",
        "--fail",
        "--data-binary",
        "@-",
        "-H",
        "content-type: application/json",
    ];
    let cmd = agent
        .run_guarded(place.clone())
        .args(words)
        .arg(Dialect::Chat.url())
        .input(body);
    assert_eq!(Dialect::Chat.said(&cmd.run().ok().text(), false), "hi");
    let seven = agent.run_guarded(place).args(["sh", "-c", "exit 7"]).run();
    assert_eq!(seven.code(), 7);
}

#[test]
fn the_answers_of_an_upstream_that_nobody_trusts_are_refused() {
    let lab = Lab::new();
    lab.site(Dialect::Chat.host()).untrusted().ai(Turn::echo);
    let _agent = lab.agent().start();
    let token = samples::github(3);
    let body = Dialect::Chat.request(&token, false).to_string();
    let done = clients::post(&lab.guarded(), &Dialect::Chat.url(), &body).run();
    let told = done.text();
    assert!(!done.status.success() || told.contains("error"), "{told}");
    lab.journal().nothing_arrived(Dialect::Chat.host());
}

#[test]
fn an_agent_inside_the_guarded_cgroup_does_not_guard_itself() {
    let lab = Lab::new();
    lab.ai(Dialect::Chat.host(), Turn::echo);
    let _agent = lab.agent().inside_the_guarded_cgroup().start();
    let token = samples::github(4);
    assert_eq!(ask(&lab.guarded(), Dialect::Chat, &token, true, &[]), token);
    lab.journal().never_saw(token.as_bytes());
    assert_eq!(lab.journal().connections().len(), 1);
}

#[test]
fn an_endpoint_of_the_configuration_is_guarded_too() {
    let lab = Lab::new();
    lab.site("llm.corp.example")
        .serve(|arrived| Reply::new(200, "text/plain", arrived.raw.clone()));
    let _agent = lab.agent().endpoint("llm.corp.example", "opaque").start();
    let body = json!({"anything": samples::github(5)}).to_string();
    let answer = clients::post(&lab.guarded(), "https://llm.corp.example/ask", &body)
        .run()
        .ok();
    lab.journal().never_saw(samples::github(5).as_bytes());
    assert_eq!(answer.text(), body);
}

/// The agent cannot know the host's address: nobody has asked for it before.
#[test]
fn a_host_below_a_wildcard_is_guarded_from_its_first_connection() {
    let lab = Lab::new();
    let agent = lab.agent().endpoint("*.wild.test", "openai").start();
    lab.ai("fresh.eu.wild.test", Turn::echo);
    let secret = samples::github(3);
    let body = Dialect::Chat.request(&format!("Use {secret}."), false);
    let url = "https://fresh.eu.wild.test/v1/chat/completions";
    let answer = clients::post(&lab.guarded(), url, &body.to_string())
        .run()
        .ok();
    assert_eq!(
        Dialect::Chat.said(&answer.text(), false),
        format!("Use {secret}.")
    );
    lab.journal().never_saw(secret.as_bytes());
    assert_eq!(agent.sessions(1)[0]["host"], "fresh.eu.wild.test");
}

/// Nobody resolves the name: curl is told the address, and only its hello gives the host away.
#[test]
fn a_process_of_the_class_guard_all_is_guarded_wherever_it_goes() {
    let lab = Lab::new();
    lab.site(PLAIN)
        .serve(|_| Reply::new(200, "text/plain", "plain"));
    lab.site("ai.hidden.test").beside(PLAIN).ai(Turn::echo);
    let address = lab.zone().addresses(PLAIN).unwrap()[0];
    lab.zone().set("ai.hidden.test", &[]);
    let rule = "[[process]]\nexe = \"/usr/bin/cur?\"\naction = \"guard-all\"";
    let agent = lab
        .agent()
        .endpoint("ai.hidden.test", "openai")
        .settings(rule)
        .start();
    let secret = samples::github(3);
    let body = Dialect::Chat.request(&secret, false).to_string();
    let post = |host: &str| {
        let url = format!("https://{host}/v1/chat/completions");
        let to = format!("{host}:443:{address}");
        let curl = clients::post(&lab.guarded(), &url, &body).args(["--resolve", &to]);
        curl.run().ok().text()
    };
    assert_eq!(Dialect::Chat.said(&post("ai.hidden.test"), false), secret);
    assert_eq!(post(PLAIN), "plain");
    assert!(
        !lab.journal().of("ai.hidden.test")[0]
            .text()
            .contains(&secret)
    );
    assert!(lab.journal().of(PLAIN)[0].text().contains(&secret));
    assert_eq!(agent.sessions(1)[0]["host"], "ai.hidden.test");
}

#[test]
fn the_session_names_the_tool_behind_what_it_starts() {
    let lab = Lab::new();
    let agent = echoing(&lab);
    let tool = lab.path("claude");
    std::fs::copy("/bin/bash", &tool).unwrap();
    let body = Dialect::Chat.request("hello", false).to_string();
    let script = "curl --silent --show-error --data-binary \"$1\" \"$2\"; true";
    let url = Dialect::Chat.url();
    let bash = lab
        .guarded()
        .cmd(&tool)
        .args(["-c", script, "x", &body, &url]);
    bash.run().ok();
    let process = agent.sessions(1)[0]["process"].clone();
    assert_eq!(process["tool"], "claude", "{process}");
    assert_eq!(
        process["exe"],
        std::fs::canonicalize("/usr/bin/curl")
            .unwrap()
            .to_str()
            .unwrap()
    );
}

#[test]
fn many_clients_at_once_get_each_their_own() {
    let lab = Lab::new();
    let _agent = echoing(&lab);
    let running: Vec<_> = (0..24)
        .map(|n| {
            let text = format!("client {n}: {}", samples::github(100 + n));
            let body = Dialect::Chat.request(&text, true).to_string();
            let place = lab.guarded();
            (
                text,
                clients::post(&place, &Dialect::Chat.url(), &body).start(),
            )
        })
        .collect();
    for (n, (text, client)) in running.into_iter().enumerate() {
        let answer = client.wait(std::time::Duration::from_secs(30)).ok().text();
        assert_eq!(Dialect::Chat.said(&answer, true), text);
        lab.journal()
            .never_saw(samples::github(100 + n as u64).as_bytes());
    }
}

#[test]
fn the_lab_reads_pem_as_openssl_writes_it() {
    // The samples are real keys: what a rule checks in them is there.
    let mut openssl = Command::new("openssl")
        .args(["pkey", "-noout", "-check"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    openssl
        .stdin
        .take()
        .unwrap()
        .write_all(samples::pem().as_bytes())
        .unwrap();
    assert!(openssl.wait().unwrap().success());
}
