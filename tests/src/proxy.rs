//! A real HTTP proxy, tinyproxy, on the net as in a company or on the host itself.

use std::{
    fs,
    net::TcpStream,
    thread::sleep,
    time::{Duration, Instant},
};

use crate::{
    laboratory::Lab,
    place::Place,
    process::{Cmd, Running},
};

/// How long it may take to listen.
const READY: Duration = Duration::from_secs(5);

/// A proxy that runs until it is dropped.
#[derive(Debug)]
pub struct Proxy {
    running: Running,
}

impl Lab {
    /// A proxy on the net, known as `host`, on a port that no other of the lab has. `settings` are lines of
    /// its configuration.
    ///
    /// # Panics
    /// Where tinyproxy is missing or does not start.
    pub fn proxy(&self, host: &str, port: u16, settings: &str) -> Proxy {
        self.site(host).named();
        self.proxy_in(&self.elsewhere(), port, settings)
    }

    /// A proxy in some place of the lab's.
    ///
    /// # Panics
    /// As [`Lab::proxy`].
    pub fn proxy_in(&self, place: &Place, port: u16, settings: &str) -> Proxy {
        let file = self.path(&format!("tinyproxy-{port}.conf"));
        let config =
            format!("Port {port}\nTimeout 60\nLogLevel Info\nConnectPort 443\n{settings}\n");
        fs::write(&file, config).expect("the proxy's configuration");
        let cmd: Cmd = place.cmd("tinyproxy");
        let running = cmd.args(["-d", "-c"]).arg(file).start();
        let mut proxy = Proxy { running };
        let deadline = Instant::now() + READY;
        while place.enter(|| TcpStream::connect(("127.0.0.1", port)).is_err()) {
            let ended = proxy.running.ended();
            assert!(
                ended.is_none() && Instant::now() < deadline,
                "no proxy (`cargo xtask setup` installs tinyproxy): {}",
                proxy.log()
            );
            sleep(Duration::from_millis(20));
        }
        proxy
    }
}

impl Proxy {
    /// What it has logged: each request that it was asked for.
    #[must_use]
    pub fn log(&self) -> String {
        let both = [self.running.stdout(), self.running.stderr()].concat();
        String::from_utf8_lossy(&both).into_owned()
    }

    /// How many tunnels it was asked for.
    #[must_use]
    pub fn tunnels(&self) -> usize {
        self.log().matches("): CONNECT ").count()
    }
}
