//! The agent under test: configured for the lab, started, watched and stopped.

use std::{
    fmt::Write,
    fs,
    path::PathBuf,
    process::ExitStatus,
    thread::sleep,
    time::{Duration, Instant},
};

use nix::sys::signal::Signal;
use serde_json::Value;

use crate::{
    laboratory::Lab,
    place::Place,
    process::{Cmd, Finished, Running},
};

/// How long the agent may take until it says that it is attached.
const READY: Duration = Duration::from_secs(20);

/// An agent about to be started.
#[derive(Debug)]
#[must_use]
pub struct Setup<'lab> {
    lab: &'lab Lab,
    place: Place,
    settings: String,
    name: String,
    fail: &'static str,
    capture: String,
    told_its_cgroup: bool,
}

/// An agent that guards the lab's guarded cgroup.
#[derive(Debug)]
pub struct Agent<'lab> {
    lab: &'lab Lab,
    folder: PathBuf,
    fail: &'static str,
    running: Running,
}

impl Lab {
    /// An agent for this lab, with its state in a folder of its own.
    pub fn agent(&self) -> Setup<'_> {
        let place = self.service();
        Setup {
            lab: self,
            place,
            settings: String::new(),
            name: "agent".to_owned(),
            fail: "open",
            capture: String::new(),
            told_its_cgroup: true,
        }
    }
}

impl<'lab> Setup<'lab> {
    /// Adds to the configuration. Top-level keys do not go here: the lab's own tables come first.
    pub fn settings(mut self, toml: &str) -> Self {
        writeln!(self.settings, "{toml}").expect("writing into memory");
        self
    }

    /// Refuses guarded hosts when it is gone.
    pub fn failing_closed(mut self) -> Self {
        self.fail = "closed";
        self
    }

    /// Adds to what is said of the capture.
    pub fn capture(mut self, toml: &str) -> Self {
        writeln!(self.capture, "{toml}").expect("writing into memory");
        self
    }

    /// Makes these hosts endpoints of a dialect.
    pub fn endpoint(self, host: &str, provider: &str) -> Self {
        self.settings(&format!(
            "[[endpoint]]\nhosts = [\"{host}\"]\nports = [443]\nprovider = \"{provider}\""
        ))
    }

    /// Does not tell the agent what to guard.
    pub fn finding_its_cgroup(mut self) -> Self {
        self.told_its_cgroup = false;
        self
    }

    /// Runs the agent inside the cgroup that it guards.
    pub fn inside_the_guarded_cgroup(mut self) -> Self {
        self.place = self.place.in_cgroup(self.lab.guarded_cgroup());
        self
    }

    /// Gives the state another folder, for more than one agent in a lab.
    pub fn named(mut self, name: &str) -> Self {
        self.name = name.to_owned();
        self
    }

    /// Starts it and waits until it says that it is attached. The clients' system then trusts its
    /// CA.
    ///
    /// # Panics
    /// Where it is not ready in time; its log is in the message.
    pub fn start(self) -> Agent<'lab> {
        let mut agent = self.launch(&["agent"]);
        agent.wait_until_ready();
        agent.lab.trust(&agent.ca());
        agent
    }

    /// Starts it to follow the one that runs in the same folder, and waits until it guards.
    ///
    /// # Panics
    /// As [`Setup::start`].
    pub fn take_over(self) -> Agent<'lab> {
        let mut agent = self.launch(&["agent", "--take-over"]);
        agent.wait_until_answering();
        agent
    }

    /// Where its configuration and its state are; the folder is made.
    ///
    /// # Panics
    /// Where it cannot be made.
    #[must_use]
    pub fn folder(&self) -> PathBuf {
        let folder = self.lab.path(&self.name);
        fs::create_dir_all(&folder).expect("the agent's folder");
        folder
    }

    /// Starts it by a command that starts the binary in its own way, and waits as [`Setup::start`] does.
    ///
    /// # Panics
    /// As [`Setup::start`].
    pub fn launch_by(self, cmd: Cmd) -> Agent<'lab> {
        let mut agent = self.launch_with(cmd, &["agent"]);
        agent.wait_until_ready();
        agent.lab.trust(&agent.ca());
        agent
    }

    fn launch(self, words: &[&str]) -> Agent<'lab> {
        let cmd = self.place.cmd(binary());
        self.launch_with(cmd, words)
    }

    fn launch_with(self, cmd: Cmd, words: &[&str]) -> Agent<'lab> {
        let folder = self.folder();
        fs::write(folder.join("config.toml"), self.config(&folder)).expect("the configuration");
        let running = cmd
            .args(words)
            .arg("--config")
            .arg(folder.join("config.toml"))
            .env("RUST_LOG", "info,codegate=debug")
            .env("RUST_BACKTRACE", "1")
            .start();
        Agent {
            lab: self.lab,
            folder,
            fail: self.fail,
            running,
        }
    }

    fn config(&self, folder: &std::path::Path) -> String {
        let mut base = Self::base(self.lab, folder, self.fail);
        if !self.told_its_cgroup {
            let kept = base.split_inclusive('\n');
            base = kept.filter(|line| !line.starts_with("cgroup = ")).collect();
        }
        let capture = format!("[capture]\n{}", self.capture);
        base.replacen("[capture]\n", &capture, 1) + &self.settings
    }

    fn base(lab: &Lab, folder: &std::path::Path, fail: &str) -> String {
        let quoted = |path: PathBuf| format!("{:?}", path.display().to_string());
        format!(
            "state_dir = {}\nruntime_dir = {}\n[capture]\ncgroup = {}\nfail = {fail:?}\n[upstream]\nextra_roots = [{}]\n",
            quoted(folder.join("state")),
            quoted(folder.join("run")),
            quoted(lab.guarded_cgroup()),
            quoted(lab.path("lab-ca.pem")),
        )
    }
}

impl Agent<'_> {
    /// Waits until it says that it guards, however long it was held.
    ///
    /// # Panics
    /// Where it does not within twenty seconds.
    pub fn guards(&self) {
        let deadline = Instant::now() + READY;
        while self.codegate(["status"]).code() != 0 {
            assert!(Instant::now() < deadline, "{}", self.log());
            sleep(Duration::from_millis(20));
        }
    }

    /// The folder that holds its state.
    #[must_use]
    pub fn state(&self) -> PathBuf {
        self.folder.join("state")
    }

    /// Its control socket.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.folder.join("run/control.sock")
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.running.pid()
    }

    /// The certificate that clients have to trust, in PEM, as `codegate ca show` prints it.
    #[must_use]
    pub fn ca(&self) -> String {
        self.codegate(["ca", "show", "--pem"]).ok().text()
    }

    /// A command line to this agent, run on the host by root.
    pub fn codegate<const N: usize>(&self, words: [&str; N]) -> Finished {
        self.command(self.lab.service()).args(words).run()
    }

    /// A command line to this agent from some place, still without its words.
    pub fn command(&self, place: Place) -> Cmd {
        place
            .cmd(binary())
            .arg("--config")
            .arg(self.folder.join("config.toml"))
            .arg("--socket")
            .arg(self.socket())
    }

    /// `codegate run -- …` from some place, still without its words.
    pub fn run_guarded(&self, place: Place) -> Cmd {
        self.command(place).args(["run", "--"])
    }

    /// The objects that a command prints with `--json`.
    ///
    /// # Panics
    /// Where it prints something else.
    #[must_use]
    pub fn objects<const N: usize>(&self, words: [&str; N]) -> Vec<Value> {
        let text = self.codegate(words).ok().text();
        let parse = |line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{line}: {e}"));
        text.lines().map(parse).collect()
    }

    /// One of the figures that `status` counts.
    ///
    /// # Panics
    /// Where there is no such figure.
    #[must_use]
    pub fn counter(&self, name: &str) -> u64 {
        let status = self.objects(["status", "--json"]).remove(0);
        let count = status["counters"][name].as_u64();
        count.unwrap_or_else(|| panic!("nothing counts {name}"))
    }

    /// Its sessions, once there are at least `count` of them that have an end or an exchange.
    ///
    /// # Panics
    /// Where they do not appear within five seconds: the writer commits in batches.
    #[allow(clippy::must_use_candidate, reason = "some only wait")]
    pub fn sessions(&self, count: usize) -> Vec<Value> {
        self.sessions_when(&format!("{count} sessions were to appear"), |sessions| {
            let told = sessions
                .iter()
                .filter(|s| s["exchanges"].as_u64() > Some(0));
            told.count() >= count
        })
    }

    /// Its sessions, once there are `count` exchanges in them: a session is seen with its first, and
    /// the next may come in a later batch.
    ///
    /// # Panics
    /// Where they do not appear within five seconds.
    #[must_use]
    pub fn sessions_with_exchanges(&self, count: u64) -> Vec<Value> {
        self.sessions_when(&format!("{count} exchanges were to appear"), |sessions| {
            let told = sessions.iter().filter_map(|s| s["exchanges"].as_u64());
            told.sum::<u64>() >= count
        })
    }

    /// Its sessions, once one of them has this verdict.
    ///
    /// # Panics
    /// Where none has it within five seconds.
    #[allow(clippy::must_use_candidate, reason = "some only wait")]
    pub fn sessions_with_verdict(&self, verdict: &str) -> Vec<Value> {
        self.sessions_when(&format!("a session was to be {verdict}"), |sessions| {
            sessions.iter().any(|s| s["verdict"] == verdict)
        })
    }

    /// Its sessions, once they are as they were to become.
    fn sessions_when(&self, what: &str, done: impl Fn(&[Value]) -> bool) -> Vec<Value> {
        let deadline = Instant::now() + Duration::from_secs(5);
        loop {
            let sessions = self.objects(["sessions", "list", "--limit", "100000", "--json"]);
            if done(&sessions) {
                return sessions;
            }
            assert!(Instant::now() < deadline, "{what}: {sessions:#?}");
            sleep(Duration::from_millis(50));
        }
    }

    /// What it has logged.
    #[must_use]
    pub fn log(&self) -> String {
        let both = [self.running.stdout(), self.running.stderr()].concat();
        String::from_utf8_lossy(&both).into_owned()
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        self.running.signal(signal);
    }

    /// Writes other settings into its configuration, in place of those it was started with; it has
    /// to be told.
    ///
    /// # Panics
    /// Where they cannot be written.
    pub fn settings(&self, settings: &str) {
        let base = Setup::base(self.lab, &self.folder, self.fail);
        fs::write(self.folder.join("config.toml"), base + settings).expect("the configuration");
    }

    /// Ends it with `SIGTERM` and waits.
    ///
    /// # Panics
    /// Where it is not gone within ten seconds.
    pub fn stop(mut self) -> ExitStatus {
        self.end(Signal::SIGTERM)
    }

    /// Ends it with `SIGKILL` and waits.
    pub fn kill(mut self) -> ExitStatus {
        self.end(Signal::SIGKILL)
    }

    /// Ends it with a signal and waits; its command line stays.
    ///
    /// # Panics
    /// Where it is not gone within ten seconds.
    pub fn end(&mut self, signal: Signal) -> ExitStatus {
        self.signal(signal);
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            if let Some(status) = self.running.ended() {
                return status;
            }
            assert!(
                Instant::now() < deadline,
                "{signal} did not end the agent:\n{}",
                self.log()
            );
            sleep(Duration::from_millis(2));
        }
    }

    /// Waits until it has ended by itself, and well.
    ///
    /// # Panics
    /// Where it has not after `limit`, or ended badly.
    pub fn ends_well(mut self, limit: Duration) {
        let deadline = Instant::now() + limit;
        loop {
            if let Some(status) = self.running.ended() {
                assert!(status.success(), "{status}:\n{}", self.log());
                return;
            }
            assert!(Instant::now() < deadline, "still there:\n{}", self.log());
            sleep(Duration::from_millis(20));
        }
    }

    /// Until it is this one that answers on the socket, and that it guards.
    fn wait_until_answering(&mut self) {
        let deadline = Instant::now() + 3 * READY;
        let answers = |agent: &Self| {
            let status = agent.codegate(["--json", "status"]);
            let status: Value = serde_json::from_str(&status.text()).unwrap_or_default();
            status["pid"] == agent.pid() && status["state"] == "ready"
        };
        while !answers(self) {
            let ended = self.running.ended();
            assert!(ended.is_none(), "it ended, {ended:?}:\n{}", self.log());
            assert!(Instant::now() < deadline, "not ready:\n{}", self.log());
            sleep(Duration::from_millis(20));
        }
    }

    fn wait_until_ready(&mut self) {
        let deadline = Instant::now() + READY;
        while self.codegate(["status"]).code() != 0 {
            let ended = self.running.ended();
            assert!(
                ended.is_none(),
                "the agent ended, {ended:?}:\n{}",
                self.log()
            );
            assert!(
                Instant::now() < deadline,
                "the agent is not ready:\n{}",
                self.log()
            );
            sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Agent<'_> {
    fn drop(&mut self) {
        let log = self.log();
        let panicked = log.contains("panicked at");
        assert!(
            !panicked || std::thread::panicking(),
            "the agent panicked:\n{log}"
        );
    }
}

/// The agent's binary.
///
/// # Panics
/// Where it has not been built.
#[must_use]
pub fn binary() -> PathBuf {
    let built = match std::env::var_os("CODEGATE_BIN") {
        Some(path) => PathBuf::from(path),
        None => target().join("debug/codegate"),
    };
    assert!(
        built.exists(),
        "{} is missing: `cargo build -p codegate-agent` builds it, `cargo xtask test` does both",
        built.display()
    );
    built
}

/// Cargo's target folder.
#[must_use]
pub fn target() -> PathBuf {
    let workspace = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| workspace.join("target"), PathBuf::from)
}
