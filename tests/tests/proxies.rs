//! Clients behind HTTP proxies, of a company's and on the machine itself: a real proxy (tinyproxy), and
//! clients that use it in their own ways.
#![allow(clippy::unwrap_used, reason = "tests panic")]

use lab::{Agent, Dialect, Finished, Lab, Place, Reply, Turn, clients, placeholders, samples};
use serde_json::Value;

const PROXY: &str = "proxy.corp.test";
const AT: &str = "http://proxy.corp.test:3128";
const FOLLOWED: &str = "proxies = [\"proxy.corp.test:3128\", \"127.0.0.1:8888\"]";

/// An AI service, and an agent that follows clients through both proxies.
fn followed(lab: &Lab) -> Agent<'_> {
    lab.ai(Dialect::Chat.host(), |asked| {
        Turn::echo(asked).step(7).split(61)
    });
    lab.agent().capture(FOLLOWED).start()
}

/// curl's question, through a proxy.
fn asked(place: &Place, proxy: &str, text: &str, switches: &[&str]) -> Finished {
    let body = Dialect::Chat.request(text, true).to_string();
    clients::post(place, &Dialect::Chat.url(), &body)
        .args(["--proxy", proxy])
        .args(switches)
        .run()
}

/// What the model said, which is what it was told.
fn said(answer: Finished) -> String {
    Dialect::Chat.said(&answer.ok().text(), true)
}

/// Whether all that arrived came by the proxy, which is on the net, and not from the host.
fn all_by_proxy(lab: &Lab) -> bool {
    let connections = lab.journal().connections();
    let host = ["198.18.0.2", "fd00:c0de::2"];
    let direct = |peer: String| host.contains(&peer.as_str());
    !connections.is_empty()
        && connections
            .iter()
            .all(|one| !direct(one.peer.ip().to_canonical().to_string()))
}

/// The one session, after a secret was sealed in it.
fn only_session(agent: &Agent<'_>, host: &str) -> Value {
    let mut sessions = agent.sessions(1);
    assert_eq!(sessions.len(), 1, "{sessions:#?}");
    let session = sessions.remove(0);
    assert_eq!(session["host"], host, "{session}");
    assert_eq!(session["secrets"], 1, "{session}");
    session
}

fn exe(session: &Value) -> &str {
    session["process"]["exe"].as_str().unwrap_or_default()
}

#[test]
fn curl_is_followed_through_a_company_s_proxy() {
    let lab = Lab::new();
    let proxy = lab.proxy(PROXY, 3128, "");
    let agent = followed(&lab);
    let token = samples::github(1);
    for switches in [["--http1.1", "-4"], ["--http2", "-6"]] {
        let answer = asked(&lab.guarded(), AT, &format!("say {token}."), &switches);
        assert_eq!(said(answer), format!("say {token}."));
    }
    lab.journal().never_saw(token.as_bytes());
    let sent = lab.journal().requests();
    assert!(sent.iter().all(|one| placeholders(&one.text()).len() == 1));
    assert!(all_by_proxy(&lab), "{:?}", lab.journal().connections());
    assert_eq!(proxy.tunnels(), 2, "{}", proxy.log());
    let sessions = agent.sessions(2);
    assert!(sessions.iter().all(|one| exe(one).ends_with("/curl")));
}

#[test]
fn openai_s_sdk_is_followed_by_the_environment_alone() {
    const PROGRAM: &str = "
import openai, os, sys
stream = openai.OpenAI().chat.completions.create(model='gpt-5', stream=True,
    messages=[{'role': 'user', 'content': os.environ['SAY']}])
for part in stream:
    for choice in part.choices:
        sys.stdout.write(choice.delta.content or '')
";
    let lab = Lab::new();
    let proxy = lab.proxy(PROXY, 3128, "BasicAuth ada correct-horse");
    let agent = followed(&lab);
    let token = samples::github(1);
    let said = clients::python(&lab.guarded(), PROGRAM)
        .env(
            "HTTPS_PROXY",
            "http://ada:correct-horse@proxy.corp.test:3128",
        )
        .env("SAY", &token)
        .run()
        .ok();
    assert_eq!(said.text(), token);
    lab.journal().never_saw(token.as_bytes());
    assert!(exe(&only_session(&agent, Dialect::Chat.host())).contains("python"));
    assert_eq!(proxy.tunnels(), 1, "{}", proxy.log());
    // The user's password for the proxy is the proxy's business.
    let basic = "YWRhOmNvcnJlY3QtaG9yc2U=";
    let log = agent.log();
    assert!(
        !log.contains("correct-horse") && !log.contains(basic),
        "{log}"
    );
}

#[test]
fn what_a_proxy_refuses_is_refused_in_its_own_words() {
    let lab = Lab::new();
    let _proxy = lab.proxy(PROXY, 3128, "BasicAuth ada correct-horse");
    let agent = followed(&lab);
    let refused = asked(
        &lab.guarded(),
        AT,
        "hello",
        &["--write-out", "%{http_connect}"],
    );
    assert_ne!(refused.code(), 0);
    assert!(refused.text().ends_with("407"), "{}", refused.text());
    let known = "http://ada:correct-horse@proxy.corp.test:3128";
    let elsewhere = clients::curl(&lab.guarded())
        .args(["--proxy", known, "--write-out", "%{http_connect}"])
        .arg("https://api.openai.com:8443/")
        .run();
    assert_ne!(elsewhere.code(), 0);
    assert!(elsewhere.text().ends_with("403"), "{}", elsewhere.text());
    let token = samples::github(1);
    assert_eq!(said(asked(&lab.guarded(), known, &token, &[])), token);
    only_session(&agent, Dialect::Chat.host());
}

#[test]
fn other_hosts_and_plain_requests_pass_a_proxy_untouched() {
    let lab = Lab::new();
    let _proxy = lab.proxy(PROXY, 3128, "");
    let agent = followed(&lab);
    lab.site("example.com")
        .serve(|_| Reply::new(200, "text/plain", "as ever"));
    // Its own certificate: this system does not know the guard's authority.
    let other = clients::curl(&lab.guarded_distrusting())
        .args(["--proxy", AT, "https://example.com/"])
        .run()
        .ok();
    assert_eq!(other.text(), "as ever");
    let plain = clients::curl(&lab.guarded())
        .args(["--proxy", AT, "--write-out", "%{http_code}"])
        .arg("http://proxy.corp.test:9/")
        .run()
        .ok();
    assert!(plain.text().contains("tinyproxy"), "{}", plain.text());
    let direct = clients::curl(&lab.unguarded())
        .args(["--proxy", AT, "--write-out", "%{http_code}"])
        .arg("http://proxy.corp.test:9/")
        .run()
        .ok();
    assert_eq!(plain.text(), direct.text());
    assert!(agent.objects(["sessions", "list", "--json"]).is_empty());
}

#[test]
fn a_proxy_on_the_machine_itself_is_guarded_once_and_the_client_is_named() {
    let lab = Lab::new();
    // It is guarded, too: what it sends on for the agent comes back to the agent.
    let proxy = lab.proxy_in(&lab.guarded(), 8888, "Listen 127.0.0.1");
    let agent = followed(&lab);
    let token = samples::github(1);
    let answer = asked(&lab.guarded(), "http://127.0.0.1:8888", &token, &[]);
    assert_eq!(said(answer), token);
    lab.journal().never_saw(token.as_bytes());
    let session = only_session(&agent, Dialect::Chat.host());
    assert!(exe(&session).ends_with("/curl"), "{session}");
    assert_eq!(proxy.tunnels(), 1, "{}", proxy.log());
}
