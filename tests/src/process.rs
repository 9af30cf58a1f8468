//! Processes in a place: started, waited for with a time limit, and never left behind.

use std::{
    ffi::{OsStr, OsString},
    io::{Read, Write},
    os::unix::process::CommandExt,
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex},
    thread::{JoinHandle, sleep},
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill, killpg},
    unistd::Pid,
};

use crate::place::Place;

/// How long a command may take unless it says otherwise.
const LIMIT: Duration = Duration::from_secs(60);

/// A command to run in a place, with an environment of the lab's own.
#[derive(Debug)]
pub struct Cmd {
    place: Place,
    words: Vec<OsString>,
    environment: Vec<(OsString, OsString)>,
    input: Vec<u8>,
    limit: Duration,
}

impl Cmd {
    pub(crate) fn new(place: Place, program: &OsStr) -> Self {
        let words = place.wrap(program);
        let home = place.home.clone().into_os_string();
        let path =
            std::env::var_os("PATH").unwrap_or_else(|| "/usr/sbin:/usr/bin:/sbin:/bin".into());
        let environment = vec![
            ("PATH".into(), path),
            ("HOME".into(), home),
            ("LANG".into(), "C.UTF-8".into()),
            ("TERM".into(), "dumb".into()),
        ];
        Self {
            place,
            words,
            environment,
            input: Vec::new(),
            limit: LIMIT,
        }
    }

    /// Adds an argument.
    #[must_use]
    pub fn arg(mut self, word: impl AsRef<OsStr>) -> Self {
        self.words.push(word.as_ref().to_owned());
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<W: AsRef<OsStr>>(mut self, words: impl IntoIterator<Item = W>) -> Self {
        self.words
            .extend(words.into_iter().map(|word| word.as_ref().to_owned()));
        self
    }

    /// Sets a variable of the environment, which is otherwise empty but for the few that every
    /// program needs.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.environment
            .push((name.into(), value.as_ref().to_owned()));
        self
    }

    /// What the command reads on its standard input; otherwise it is empty.
    #[must_use]
    pub fn input(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.input = bytes.into();
        self
    }

    /// How long it may take before it is killed and the test fails; one minute otherwise.
    #[must_use]
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Runs it to its end.
    ///
    /// # Panics
    /// Where it cannot be started or is not done in time.
    pub fn run(self) -> Finished {
        let limit = self.limit;
        self.start().wait(limit)
    }

    /// Starts it.
    ///
    /// # Panics
    /// Where it cannot be started.
    pub fn start(self) -> Running {
        let mut command = Command::new(&self.words[0]);
        command
            .args(&self.words[1..])
            .env_clear()
            .envs(self.environment)
            .current_dir(&self.place.home)
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = self
            .place
            .enter(|| command.spawn())
            .unwrap_or_else(|e| panic!("start {:?}: {e}", self.words));
        feed(child.stdin.take(), self.input);
        let stdout = Tail::of(child.stdout.take().expect("piped"));
        let stderr = Tail::of(child.stderr.take().expect("piped"));
        let name = self
            .words
            .iter()
            .map(|w| w.to_string_lossy())
            .collect::<Vec<_>>()
            .join(" ");
        Running {
            child,
            name,
            stdout,
            stderr,
        }
    }
}

/// Writes on a thread: a child that does not read must not hold the test up.
fn feed(pipe: Option<impl Write + Send + 'static>, input: Vec<u8>) {
    if let Some(mut pipe) = pipe {
        // The child may well end before it has read everything: that is its own business.
        std::thread::spawn(move || pipe.write_all(&input).is_ok());
    }
}

/// A process that runs; its whole group is killed when it is dropped.
#[derive(Debug)]
pub struct Running {
    child: Child,
    name: String,
    stdout: Tail,
    stderr: Tail,
}

impl Running {
    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it has written on its standard output so far.
    #[must_use]
    pub fn stdout(&self) -> Vec<u8> {
        self.stdout.read()
    }

    /// What it has written on its standard error so far.
    #[must_use]
    pub fn stderr(&self) -> Vec<u8> {
        self.stderr.read()
    }

    /// Its exit status, once it has ended.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("wait for a child")
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        kill(self.group(), signal).unwrap_or_else(|e| panic!("{signal} to {}: {e}", self.name));
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// Where it is not done within `limit`; what it wrote so far is in the message.
    pub fn wait(mut self, limit: Duration) -> Finished {
        let started = Instant::now();
        let status = loop {
            if let Some(status) = self.ended() {
                break status;
            }
            assert!(
                started.elapsed() < limit,
                "{} was not done after {limit:?}\n--- stdout\n{}\n--- stderr\n{}",
                self.name,
                String::from_utf8_lossy(&self.stdout()),
                String::from_utf8_lossy(&self.stderr()),
            );
            sleep(Duration::from_millis(3));
        };
        let (stdout, stderr) = (self.stdout.close(), self.stderr.close());
        Finished {
            name: self.name.clone(),
            status,
            stdout,
            stderr,
            took: started.elapsed(),
        }
    }

    fn group(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.pid()).expect("a pid is an i32"))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Fails where the group is gone already, which is what is wanted.
        let gone = killpg(self.group(), Signal::SIGKILL).is_err();
        let reaped = self.child.wait().is_ok();
        debug_assert!(gone || reaped, "{} could not be reaped", self.name);
    }
}

/// A process that has ended.
#[derive(Debug)]
pub struct Finished {
    name: String,
    /// How it ended.
    pub status: ExitStatus,
    /// What it wrote on its standard output.
    pub stdout: Vec<u8>,
    /// What it wrote on its standard error.
    pub stderr: Vec<u8>,
    /// How long it took.
    pub took: Duration,
}

impl Finished {
    /// Demands that it exited with 0.
    ///
    /// # Panics
    /// Where it did not; what it wrote is in the message.
    #[track_caller]
    #[allow(
        clippy::must_use_candidate,
        clippy::return_self_not_must_use,
        reason = "an assertion"
    )]
    pub fn ok(self) -> Self {
        assert!(
            self.status.success(),
            "{}: {}\n--- stdout\n{}\n--- stderr\n{}",
            self.name,
            self.status,
            self.text(),
            self.errors(),
        );
        self
    }

    /// Its exit code.
    ///
    /// # Panics
    /// Where a signal ended it.
    #[must_use]
    #[track_caller]
    pub fn code(&self) -> i32 {
        self.status
            .code()
            .unwrap_or_else(|| panic!("{}: {}", self.name, self.status))
    }

    /// Its standard output as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// Its standard error as text.
    #[must_use]
    pub fn errors(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }
}

/// Collects what a pipe brings.
#[derive(Debug)]
struct Tail {
    bytes: Arc<Mutex<Vec<u8>>>,
    reader: JoinHandle<()>,
}

impl Tail {
    fn of(mut pipe: impl Read + Send + 'static) -> Self {
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&bytes);
        let reader = std::thread::spawn(move || {
            let mut buffer = [0; 16 * 1024];
            while let Ok(n @ 1..) = pipe.read(&mut buffer) {
                sink.lock().unwrap().extend_from_slice(&buffer[..n]);
            }
        });
        Self { bytes, reader }
    }

    fn read(&self) -> Vec<u8> {
        self.bytes.lock().unwrap().clone()
    }

    /// Everything. A grandchild may hold the pipe open: it is not waited for longer than a second.
    fn close(&self) -> Vec<u8> {
        let deadline = Instant::now() + Duration::from_secs(1);
        while !self.reader.is_finished() && Instant::now() < deadline {
            sleep(Duration::from_millis(1));
        }
        self.read()
    }
}
