//! Clients behind HTTP proxies, of a company's and on the machine itself: a real proxy (tinyproxy), and
//! clients that use it in their own ways.
#![allow(clippy::unwrap_used, reason = "tests panic")]

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    thread::sleep,
    time::{Duration, Instant},
};

use lab::{Agent, Dialect, Finished, Lab, Place, Reply, Turn, clients, placeholders, samples};
use nix::sys::signal::Signal;
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

/// Settings that have the agent reach services by the company's proxy, as `ada` with this password.
fn by_proxy(lab: &Lab, password: &str, more: &str) -> String {
    let file = lab.path("proxy-password");
    fs::write(&file, format!("{password}\n")).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    format!(
        "proxy = {AT:?}\nproxy_user = \"ada\"\nproxy_password_file = {:?}\n{more}",
        file.display().to_string()
    )
}

/// An AI service, and an agent that reaches it so.
fn reaching<'lab>(lab: &'lab Lab, password: &str, more: &str) -> Agent<'lab> {
    lab.ai(Dialect::Chat.host(), |asked| {
        Turn::echo(asked).step(7).split(61)
    });
    lab.agent().settings(&by_proxy(lab, password, more)).start()
}

/// curl's question, by no proxy of its own.
fn asked_direct(place: &Place, text: &str, switches: &[&str]) -> Finished {
    let body = Dialect::Chat.request(text, true).to_string();
    let cmd = clients::post(place, &Dialect::Chat.url(), &body);
    cmd.args(switches).run()
}

/// The one event that tells of the proxy, and the time that the failure took.
fn fails(lab: &Lab, agent: &Agent<'_>, expected: &str) -> Duration {
    let before = Instant::now();
    let failed = clients::post(&lab.guarded(), &Dialect::Chat.url(), "{}")
        .args(["--max-time", "50", "-4"])
        .run();
    let took = before.elapsed();
    // Told by an alert of TLS, and not by a time-out of its own.
    assert_eq!(failed.code(), 35, "{}", failed.errors());
    let log = agent.log();
    assert!(log.contains(expected), "{log}");
    assert!(
        lab.journal().connections().is_empty(),
        "nothing goes direct"
    );
    took
}

#[test]
fn upstream_is_reached_by_a_proxy_with_credentials_and_never_direct() {
    let lab = Lab::new();
    let proxy = lab.proxy(PROXY, 3128, "BasicAuth ada correct-horse");
    let container = lab.container(1, "box");
    let _resident = container.cmd("sleep").arg("600").start();
    let agent = reaching(&lab, "correct-horse", "");
    let token = samples::github(1);
    for (n, switches) in [["--http1.1", "-4"], ["--http2", "-6"]].iter().enumerate() {
        let answer = asked_direct(&lab.guarded(), &token, switches);
        assert_eq!(said(answer), token);
        assert_eq!(proxy.tunnels(), n + 1, "{}", proxy.log());
    }
    lab.journal().never_saw(token.as_bytes());
    assert!(all_by_proxy(&lab), "{:?}", lab.journal().connections());
    let log = agent.log();
    assert!(!log.contains("correct-horse"), "{log}");
    // From a network namespace of its own, too, whose own way to the proxy it is.
    let answer = asked_direct(&container, &token, &["-4"]);
    assert_eq!(said(answer), token);
    assert_eq!(proxy.tunnels(), 3, "{}", proxy.log());
    drop(proxy);
    fails_without(&lab, &agent);
}

/// The proxy is gone: there is no way.
fn fails_without(lab: &Lab, agent: &Agent<'_>) {
    lab.journal().clear();
    let took = fails(
        lab,
        agent,
        "the proxy proxy.corp.test:3128 cannot be reached: Connection refused",
    );
    assert!(took < Duration::from_secs(5), "{took:?}");
}

#[test]
fn a_proxy_that_does_not_know_the_agent_or_does_not_want_says_so() {
    let lab = Lab::new();
    let _proxy = lab.proxy(PROXY, 3128, "BasicAuth ada correct-horse");
    let agent = reaching(&lab, "wrong", "");
    fails(&lab, &agent, "wants other credentials (40");
    // The right password is taken up without a restart.
    by_proxy(&lab, "correct-horse", "");
    agent.signal(Signal::SIGHUP);
    let deadline = Instant::now() + Duration::from_secs(10);
    while !agent.log().contains("the configuration was taken up") {
        assert!(Instant::now() < deadline, "{}", agent.log());
        sleep(Duration::from_millis(20));
    }
    let token = samples::github(1);
    assert_eq!(said(asked_direct(&lab.guarded(), &token, &["-4"])), token);
    lab.journal().never_saw(token.as_bytes());
}

#[test]
fn what_is_spared_goes_direct_and_what_is_spliced_as_well() {
    let lab = Lab::new();
    let proxy = lab.proxy(PROXY, 3128, "");
    let _agent = reaching(&lab, "any", "no_proxy = [\".openai.com\"]");
    lab.ai(Dialect::Messages.host(), Turn::echo);
    let token = samples::github(1);
    assert_eq!(said(asked_direct(&lab.guarded(), &token, &["-4"])), token);
    assert_eq!(proxy.tunnels(), 0, "{}", proxy.log());
    lab.site("example.com")
        .beside(Dialect::Chat.host())
        .serve(|_| Reply::new(200, "text/plain", "as ever"));
    let other = clients::curl(&lab.guarded_distrusting());
    let other = other.args(["-4", "https://example.com/"]).run().ok();
    assert_eq!(other.text(), "as ever");
    assert_eq!(proxy.tunnels(), 0, "{}", proxy.log());
}

#[test]
fn a_proxy_that_hangs_is_given_up_in_time() {
    let lab = Lab::new();
    let _silent = lab.listener(3128);
    lab.site(PROXY).named();
    let agent = reaching(&lab, "any", "");
    let took = fails(
        &lab,
        &agent,
        "the proxy proxy.corp.test:3128 did not answer within 30s",
    );
    assert!((30..40).contains(&took.as_secs()), "{took:?}");
    // The writer commits in batches.
    let deadline = Instant::now() + Duration::from_secs(5);
    while agent.objects(["sessions", "list", "--json"]).len() != 1 {
        assert!(Instant::now() < deadline, "{}", agent.log());
        sleep(Duration::from_millis(50));
    }
}
