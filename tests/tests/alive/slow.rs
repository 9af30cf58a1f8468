//! A client that begins a request and takes its time with the body.

use std::{
    fs::File,
    io::Write,
    thread::sleep,
    time::{Duration, Instant},
};

use lab::{Dialect, Lab, Running, clients};

/// curl, which reads its body from a named pipe.
pub(crate) struct Slow {
    client: Running,
    pipe: File,
    body: String,
}

impl Slow {
    /// Sends the request's head, and the first half of its body.
    pub(crate) fn connect(lab: &Lab, body: &str) -> Self {
        let path = lab.path("body");
        nix::unistd::mkfifo(&path, nix::sys::stat::Mode::from_bits_truncate(0o666)).unwrap();
        let client = clients::curl(&lab.guarded())
            .args(["--max-time", "60", "--http1.1", "--no-buffer"])
            .args(["--header", "content-type: application/json"])
            .args(["--header", "authorization: Bearer sk-lab"])
            .args([
                "--header",
                "transfer-encoding: chunked",
                "--request",
                "POST",
            ])
            .args(["--header", "expect:", "--verbose"])
            .arg("--upload-file")
            .arg(&path)
            .arg(Dialect::Chat.url())
            .start();
        let mut pipe = File::options().write(true).open(&path).unwrap();
        let (first, rest) = body.split_at(body.len() / 2);
        pipe.write_all(first.as_bytes()).unwrap();
        let deadline = Instant::now() + Duration::from_secs(20);
        while !String::from_utf8_lossy(&client.stderr()).contains("> POST") {
            assert!(Instant::now() < deadline, "the request was not begun");
            sleep(Duration::from_millis(20));
        }
        // What was sent has arrived by then, at the latest.
        sleep(Duration::from_millis(300));
        Self {
            client,
            pipe,
            body: rest.to_owned(),
        }
    }

    /// Sends the rest and reads the answer.
    pub(crate) fn finish(self) -> String {
        let Self {
            client,
            mut pipe,
            body,
        } = self;
        pipe.write_all(body.as_bytes()).unwrap();
        drop(pipe);
        client.wait(Duration::from_secs(60)).ok().text()
    }
}
