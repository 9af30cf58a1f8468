//! The programs stay as long as somebody holds them, and not a moment longer.

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use codegate::kernel::{Hooks, KernelError, Options};

use crate::field::{Field, Ground, V4, arrived, at, runtime, waiting};

#[test]
fn dropping_the_last_handle_detaches() {
    let Field {
        hooks,
        ground,
        heart: _heart,
    } = Field::new();
    let clone = hooks.clone();
    drop(hooks);
    ground.assert_redirected(V4);
    drop(clone);
    ground.assert_direct(V4);
}

#[test]
fn a_redirected_connection_survives_the_hooks() {
    use std::io::{Read as _, Write as _};
    let Field { hooks, ground, .. } = Field::new();
    let mut client = ground.connect(V4);
    let (mut agent, _) = arrived(&ground.agent4);
    drop(hooks);
    client.write_all(b"x").unwrap();
    let mut byte = [0];
    agent.read_exact(&mut byte).unwrap();
    assert_eq!(&byte, b"x");
}

#[test]
fn two_guards_on_one_cgroup_coexist() {
    let field = Field::new();
    let second = Hooks::load_and_attach(field.ground.cgroup(), &Options::default()).unwrap();
    field.assert_redirected(V4);
    drop(second);
    field.assert_redirected(V4);
}

#[test]
fn what_holds_the_hooks_can_be_killed_and_the_machine_goes_direct() {
    let ground = Ground::new();
    let mut holder = hold(&ground);
    ground.assert_redirected(V4);
    holder.kill().unwrap();
    let killed = Instant::now();
    holder.wait().unwrap();
    // A process is gone before its files are: the links go within moments.
    loop {
        let _client = ground.connect(V4);
        if waiting(&ground.service4).is_some() {
            break;
        }
        assert!(
            killed.elapsed() < Duration::from_secs(2),
            "still redirected after two seconds"
        );
    }
    tell(&format!(
        "direct {} µs after kill -9",
        killed.elapsed().as_micros()
    ));
}

/// A process of its own that guards [`V4`], once it has said that it does.
fn hold(ground: &Ground) -> Child {
    let mut child = Command::new(env!("CARGO_BIN_EXE_hold-hooks"))
        .arg(ground.cgroup())
        .args([V4, &ground.cookie.to_string(), &ground.port4().to_string()])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let stdout = child.stdout.take().unwrap();
    BufReader::new(stdout).read_line(&mut line).unwrap();
    assert_eq!(line.trim(), "ready");
    child
}

#[allow(clippy::print_stderr, reason = "a figure for whoever reads the log")]
fn tell(figure: &str) {
    eprintln!("{figure}");
}

#[test]
fn a_folder_that_is_no_cgroup_is_refused_with_a_reason() {
    let folder = tempfile::tempdir().unwrap();
    let error = Hooks::load_and_attach(folder.path(), &Options::default()).unwrap_err();
    assert!(matches!(error, KernelError::Program { .. }), "{error}");
    assert!(error.to_string().contains("attach"), "{error}");
    let missing = folder.path().join("missing");
    let error = Hooks::load_and_attach(&missing, &Options::default()).unwrap_err();
    assert!(matches!(error, KernelError::Read { .. }), "{error}");
}

#[test]
fn the_programs_speak_when_they_are_asked_to() {
    let lines = Lines::default();
    let sink = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::DEBUG)
        .with_writer(move || sink.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let runtime = runtime();
    runtime.block_on(async {
        let options = Options {
            log: Some(tracing::Level::DEBUG),
            ..Options::default()
        };
        let field = Field::with(&options);
        field.assert_redirected(V4);
        let deadline = Instant::now() + Duration::from_secs(5);
        while !lines.text().contains("redirected pid") {
            assert!(
                Instant::now() < deadline,
                "nothing was said: {}",
                lines.text()
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    let said = lines.text();
    assert!(
        said.contains(&format!("redirected pid {}", std::process::id())),
        "{said}"
    );
    assert!(said.contains(&at(V4).port().to_string()), "{said}");
}

/// What was logged.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Lines {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl std::io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
