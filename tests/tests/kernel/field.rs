//! Where a test takes place: the hooks on a cgroup that this process has joined, a network namespace
//! with a service on it, and a pair of listeners in the agent's stead.

use std::{
    fs,
    net::{SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError, mpsc},
    thread,
    time::Duration,
};

use codegate::kernel::{Counter, Hooks, Options, Redirected, netns_cookie};
use lab::{cgroup, cgroup::Cgroup, netns::Namespace};
use socket2::{Domain, SockRef, Socket, Type};
use tokio::runtime::Runtime;

/// The service's addresses (RFC 5737, RFC 3849), and others that clients bind.
pub(crate) const V4: &str = "192.0.2.1:443";
pub(crate) const V6: &str = "[2001:db8::1]:443";
pub(crate) const MAPPED: &str = "[::ffff:192.0.2.1]:443";
/// The same host, but not guarded.
pub(crate) const ASIDE: &str = "192.0.2.1:80";

/// From one beat to the next.
const BEAT: Duration = Duration::from_millis(100);

/// A process is in one cgroup at a time.
static TURN: Mutex<()> = Mutex::new(());

pub(crate) struct Field {
    pub(crate) hooks: Hooks,
    pub(crate) ground: Ground,
    /// Beats in the agent's stead.
    pub(crate) heart: Beating,
}

/// A heart that beats as an agent's does, until it is dropped.
pub(crate) struct Beating {
    stop: mpsc::Sender<()>,
}

impl Beating {
    pub(crate) fn of(hooks: &Hooks) -> Self {
        let (stop, stopped) = mpsc::channel();
        hooks.heart().beat().unwrap();
        let heart = hooks.heart().clone();
        thread::spawn(move || {
            // A machine that is emulated and has more to do than it can must not look like a dead agent.
            rustix::process::setpriority_process(None, -20).ok(); // where that is allowed
            while stopped.recv_timeout(BEAT) == Err(mpsc::RecvTimeoutError::Timeout) {
                heart.beat().unwrap();
            }
        });
        Self { stop }
    }

    /// It beats no more, and its last beat does not hold any longer (a second).
    pub(crate) fn stop(&self) {
        self.stop.send(()).unwrap();
        thread::sleep(Duration::from_secs(1) + BEAT);
    }
}

/// The field without hooks.
pub(crate) struct Ground {
    pub(crate) net: Namespace,
    pub(crate) cookie: u64,
    pub(crate) agent4: TcpListener,
    pub(crate) agent6: TcpListener,
    /// What stands at [`V4`], [`V6`] and [`ASIDE`].
    pub(crate) service4: TcpListener,
    pub(crate) service6: TcpListener,
    pub(crate) aside: TcpListener,
    inside: Membership,
    _cgroup: Cgroup,
    _turn: MutexGuard<'static, ()>,
}

impl Field {
    /// All that is at [`V4`] and [`V6`] is guarded.
    pub(crate) fn new() -> Self {
        Self::with(&Options::default())
    }

    pub(crate) fn with(options: &Options) -> Self {
        let field = Self::bare(options);
        field.guard(V4);
        field.guard(V6);
        field
    }

    /// The hooks are attached and the agent listens, but nothing is guarded.
    pub(crate) fn bare(options: &Options) -> Self {
        let ground = Ground::new();
        let hooks = Hooks::load_and_attach(&ground.inside.cgroup, options)
            .expect("the eBPF programs must load and attach: these tests need root and BPF");
        hooks
            .listen(ground.cookie, Some(ground.port4()), Some(ground.port6()))
            .unwrap();
        let heart = Beating::of(&hooks);
        Self {
            hooks,
            ground,
            heart,
        }
    }

    pub(crate) fn guard(&self, address: &str) {
        self.hooks.set_endpoint(at(address), None, true).unwrap();
    }

    pub(crate) fn count(&self, counter: Counter) -> u64 {
        self.hooks.counters().unwrap().of(counter)
    }

    /// Takes a connection in the agent's stead, and who it is.
    pub(crate) fn taken(&self, listener: &TcpListener) -> (TcpStream, Option<Redirected>) {
        let (stream, client) = arrived(listener);
        let flow = self.hooks.take_flow(self.ground.cookie, client);
        (stream, flow)
    }

    /// Asserts that a new connection to `to` goes where it is meant to.
    pub(crate) fn assert_direct(&self, to: &str) {
        self.ground.assert_direct(to);
    }

    /// Asserts that a new connection to `to` goes to the agent.
    pub(crate) fn assert_redirected(&self, to: &str) {
        self.ground.assert_redirected(to);
    }
}

impl Ground {
    pub(crate) fn new() -> Self {
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let net = Namespace::new();
        net.ip("addr add 192.0.2.1/32 dev lo");
        net.ip("addr add 192.0.2.9/32 dev lo");
        net.ip("addr add 2001:db8::1/128 dev lo nodad");
        net.ip("addr add 2001:db8::9/128 dev lo nodad");
        let cgroup = Cgroup::new();
        Self {
            cookie: net.enter(|| netns_cookie().unwrap()),
            agent4: listen(&net, "127.0.0.1:0"),
            agent6: listen(&net, "[::1]:0"),
            service4: listen(&net, V4),
            service6: listen(&net, V6),
            aside: listen(&net, ASIDE),
            net,
            inside: Membership::of(&cgroup.child("guarded")),
            _cgroup: cgroup,
            _turn: turn,
        }
    }

    pub(crate) fn port4(&self) -> u16 {
        self.agent4.local_addr().unwrap().port()
    }

    pub(crate) fn port6(&self) -> u16 {
        self.agent6.local_addr().unwrap().port()
    }

    /// The guarded cgroup, of which this process is a member.
    pub(crate) fn cgroup(&self) -> &Path {
        &self.inside.cgroup
    }

    /// A client that is in the namespace; what it makes there stays there.
    pub(crate) fn client<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        self.net.enter(work)
    }

    pub(crate) fn connect(&self, to: &str) -> TcpStream {
        self.client(|| TcpStream::connect_timeout(&at(to), Duration::from_secs(5)))
            .unwrap_or_else(|e| panic!("connect to {to}: {e}"))
    }

    pub(crate) fn assert_direct(&self, to: &str) {
        let _client = self.connect(to);
        arrived(self.service(to));
        self.assert_agent_idle();
    }

    pub(crate) fn assert_redirected(&self, to: &str) {
        let _client = self.connect(to);
        arrived(self.agent(to));
        assert_nobody(self.service(to));
    }

    pub(crate) fn assert_agent_idle(&self) {
        assert_nobody(&self.agent4);
        assert_nobody(&self.agent6);
    }

    fn service(&self, to: &str) -> &TcpListener {
        match to {
            V4 | MAPPED => &self.service4,
            V6 => &self.service6,
            ASIDE => &self.aside,
            other => panic!("there is no service at {other}"),
        }
    }

    fn agent(&self, to: &str) -> &TcpListener {
        if at(to).ip().to_canonical().is_ipv4() {
            &self.agent4
        } else {
            &self.agent6
        }
    }
}

/// This process's membership of a cgroup, which ends with it.
struct Membership {
    cgroup: PathBuf,
    before: PathBuf,
}

impl Membership {
    fn of(cgroup: &Path) -> Self {
        let lines = fs::read_to_string("/proc/self/cgroup").unwrap();
        let before = lines
            .lines()
            .find_map(|line| line.strip_prefix("0::/"))
            .expect("this process is in no cgroup2");
        let membership = Self {
            cgroup: cgroup.to_owned(),
            before: cgroup::mount().join(before),
        };
        join(cgroup);
        membership
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        join(&self.before);
    }
}

/// Moves this process into a cgroup.
pub(crate) fn join(cgroup: &Path) {
    fs::write(cgroup.join("cgroup.procs"), "0")
        .unwrap_or_else(|e| panic!("these tests need root to join {}: {e}", cgroup.display()));
}

pub(crate) fn at(address: &str) -> SocketAddr {
    address.parse().unwrap()
}

pub(crate) fn listen(net: &Namespace, address: &str) -> TcpListener {
    let listener = net.listen(address);
    SockRef::from(&listener)
        .set_read_timeout(Some(Duration::from_secs(5)))
        .unwrap();
    listener
}

/// The next connection; waits for some seconds.
pub(crate) fn arrived(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    let name = listener.local_addr().unwrap();
    listener
        .accept()
        .unwrap_or_else(|e| panic!("nobody came to {name}: {e}"))
}

/// The connection that waits to be taken, if any. One that its client already has may still be on its way:
/// on a busy machine loopback delivers the last packet of a handshake after `connect()` has returned.
pub(crate) fn waiting(listener: &TcpListener) -> Option<(TcpStream, SocketAddr)> {
    listener.set_nonblocking(true).unwrap();
    let there = listener.accept();
    listener.set_nonblocking(false).unwrap();
    there.ok()
}

/// Asserts that no connection waits.
pub(crate) fn assert_nobody(listener: &TcpListener) {
    if let Some((_, client)) = waiting(listener) {
        panic!("{client} came to {}", listener.local_addr().unwrap());
    }
}

/// What reads in the agent's stead what the programs hand over.
pub(crate) fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

/// A TCP socket of the family of an address, in the calling thread's namespace.
pub(crate) fn tcp(to: &str) -> Socket {
    Socket::new(Domain::for_address(at(to)), Type::STREAM, None).unwrap()
}
