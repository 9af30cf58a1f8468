//! The lab itself: who is connected to whom, and what is where.

use std::{
    fmt, fs,
    io::{Read, Write},
    net::{IpAddr, Ipv4Addr, TcpListener, UdpSocket},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::{
    addresses::{HOST_V4, HOST_V6, NET_V4, NET_V6, Pool},
    bpffs,
    cgroup::Cgroup,
    dns::Zone,
    front::{Behind, Front, Handler},
    journal::{Arrived, Journal},
    model::{self, Asked, Turn},
    netns::Namespace,
    pki::{Authority, Identity, write_store},
    place::{Etc, Place},
    reply::Reply,
};

/// A small internet, and a host in it.
pub struct Lab {
    // Dropped in this order: first the processes, then what they talk to.
    cgroup: Cgroup,
    runtime: Runtime,
    host: Arc<Namespace>,
    net: Arc<Namespace>,
    front: Front,
    zone: Zone,
    pool: Pool,
    authority: Authority,
    etc: Etc,
    roots: Mutex<Vec<String>>,
    folder: TempDir,
}

impl Lab {
    /// Builds it.
    ///
    /// # Panics
    /// Where the machine does not allow it: root, iproute2 and a cgroup2 mount are needed.
    #[must_use]
    pub fn new() -> Self {
        bpffs::ensure();
        let (host, net) = (Arc::new(Namespace::new()), Arc::new(Namespace::new()));
        cable(&host, &net);
        let folder = TempDir::with_prefix("codegate-lab-").expect("a temporary folder");
        open_to_all(folder.path());
        let (front, zone) = (Front::default(), Zone::default());
        let runtime = runtime();
        runtime.spawn(zone.clone().serve(net.datagrams(&format!("{NET_V4}:53"))));
        runtime.spawn(front.clone().serve(net.listen("[::]:443")));
        let lab = Self {
            cgroup: Cgroup::new(),
            runtime,
            host,
            net,
            front,
            zone,
            pool: Pool::default(),
            authority: Authority::new(),
            etc: Etc::new(&folder.path().join("etc"), &NET_V4.to_string()),
            roots: Mutex::default(),
            folder,
        };
        fs::create_dir(lab.path("home")).expect("a home");
        fs::set_permissions(lab.path("home"), fs::Permissions::from_mode(0o1777)).expect("a home");
        fs::write(lab.path("lab-ca.pem"), lab.authority.pem()).expect("the lab's root");
        lab.trust(&lab.authority.pem());
        write_store(&lab.path("certs-before"), &[lab.authority.pem()]);
        lab
    }

    /// What arrived at the services.
    #[must_use]
    pub fn journal(&self) -> &Journal {
        &self.front.journal
    }

    /// The names; tests may move them.
    #[must_use]
    pub fn zone(&self) -> &Zone {
        &self.zone
    }

    /// The lab's certificate authority.
    #[must_use]
    pub fn authority(&self) -> &Authority {
        &self.authority
    }

    /// A path in the lab's temporary folder, which every user may read.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The cgroup whose processes the agent guards.
    #[must_use]
    pub fn guarded_cgroup(&self) -> PathBuf {
        self.cgroup.child("guarded")
    }

    /// Where guarded clients run.
    #[must_use]
    pub fn guarded(&self) -> Place {
        self.place(self.guarded_cgroup(), self.etc.trusting(&self.store()))
    }

    /// Guarded, on a system whose trust store does not have the agent's CA.
    #[must_use]
    pub fn guarded_distrusting(&self) -> Place {
        self.place(
            self.guarded_cgroup(),
            self.etc.trusting(&self.path("certs-before")),
        )
    }

    /// Where clients run that are not guarded: same host, another cgroup.
    #[must_use]
    pub fn unguarded(&self) -> Place {
        self.place(
            self.cgroup.child("unguarded"),
            self.etc.trusting(&self.store()),
        )
    }

    /// Where the agent runs: on the host, with the machine's own trust store, in a cgroup that is
    /// not guarded.
    #[must_use]
    pub fn service(&self) -> Place {
        self.place(self.cgroup.child("agent"), self.etc.clone())
    }

    /// A host of the net itself: processes there are nobody's business.
    #[must_use]
    pub fn elsewhere(&self) -> Place {
        let mut place = self.place(self.cgroup.child("elsewhere"), self.etc.clone());
        place.namespace = Arc::clone(&self.net);
        place
    }

    /// A host of its own on the same net, as containers are: another network namespace, in a cgroup
    /// below the guarded one. `n` tells them apart.
    ///
    /// # Panics
    /// Where the machine does not allow it.
    #[must_use]
    pub fn container(&self, n: u16, cgroup: &str) -> Place {
        let inside = Namespace::new();
        // Four addresses each, in the upper half of 198.18.0.0/16.
        let net = Ipv4Addr::new(198, 18, 128, 0).to_bits() + 4 * u32::from(n);
        let [here, there] = [2, 1].map(|last| Ipv4Addr::from_bits(net + last));
        let name = format!("cable{n}");
        inside.connect(&self.net, &name);
        inside.ip(&format!("address add {here}/30 dev eth0"));
        inside.ip(&format!("route add default via {there}"));
        self.net.ip(&format!("address add {there}/30 dev {name}"));
        let cgroup = self.guarded_cgroup().join(cgroup);
        fs::create_dir_all(&cgroup).expect("the container's cgroup");
        let mut place = self.place(cgroup, self.etc.trusting(&self.store()));
        place.namespace = Arc::new(inside);
        place
    }

    /// A DNS server in a container, on its 127.0.0.1, that answers by TCP alone, and knows nothing yet.
    #[must_use]
    pub fn resolver(&self, container: &Place) -> Zone {
        let zone = Zone::default();
        let listener = container.namespace.listen("127.0.0.1:53");
        self.runtime.spawn(zone.clone().serve_tcp(listener));
        zone
    }

    /// Adds a root to the trust store of the clients' system.
    pub fn trust(&self, pem: &str) {
        let mut roots = self.roots.lock().unwrap();
        roots.push(pem.to_owned());
        write_store(&self.store(), &roots);
    }

    /// Sets a host up, on addresses of its own, IPv4 and IPv6, with HTTP/2 and HTTP/1.1.
    pub fn site<'lab>(&'lab self, host: &str) -> Site<'lab> {
        let (v4, v6) = self.pool.pair();
        for (address, length) in [(v4, 32), (v6, 128)] {
            let flags = if address.is_ipv6() { "nodad" } else { "" };
            self.net
                .ip(&format!("address add {address}/{length} dev lo {flags}"));
        }
        Site {
            lab: self,
            host: host.to_owned(),
            addresses: vec![v4, v6],
            alpn: vec!["h2", "http/1.1"],
            signer: None,
        }
    }

    /// Sets an AI service up that answers as `script` says.
    pub fn ai(
        &self,
        host: &str,
        script: impl Fn(&Asked) -> Turn + Send + Sync + 'static,
    ) -> Identity {
        self.site(host).ai(script)
    }

    /// Sets a host up that sends every byte back on a plain TCP port.
    pub fn echo(&self, host: &str, port: u16) {
        self.site(host).named();
        let listener = self.listener(port);
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                std::thread::spawn(move || {
                    let mut buffer = [0; 4096];
                    while let Ok(n @ 1..) = stream.read(&mut buffer) {
                        if stream.write_all(&buffer[..n]).is_err() {
                            return;
                        }
                    }
                });
            }
        });
    }

    /// Sets a host up that answers nothing, by IPv4, and gives its address.
    pub fn silent(&self, host: &str) -> IpAddr {
        let (v4, _) = self.pool.pair();
        self.net.ip(&format!("route add blackhole {v4}/32"));
        self.zone.set(host, &[v4]);
        v4
    }

    /// A plain TCP listener on all hosts of the net.
    #[must_use]
    pub fn listener(&self, port: u16) -> TcpListener {
        self.net.listen(&format!("[::]:{port}"))
    }

    /// A UDP socket on all hosts of the net.
    pub(crate) fn datagrams(&self, port: u16) -> UdpSocket {
        self.net.datagrams(&format!("[::]:{port}"))
    }

    pub(crate) fn front(&self) -> &Front {
        &self.front
    }

    /// Runs a service for as long as the lab stands.
    pub(crate) fn spawn(&self, service: impl Future<Output = ()> + Send + 'static) {
        self.runtime.spawn(service);
    }

    /// A plain TCP listener on the host's own loopback addresses.
    #[must_use]
    pub fn local(&self, address: &str) -> TcpListener {
        self.host.listen(address)
    }

    fn store(&self) -> PathBuf {
        self.path("certs")
    }

    fn place(&self, cgroup: PathBuf, etc: Etc) -> Place {
        Place {
            namespace: Arc::clone(&self.host),
            cgroup,
            uid: None,
            home: self.path("home"),
            etc,
        }
    }
}

impl Default for Lab {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Lab {
    /// What agents pinned would outlive the lab.
    fn drop(&mut self) {
        bpffs::clear(self.folder.path());
    }
}

impl fmt::Debug for Lab {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lab")
            .field("folder", &self.folder.path())
            .finish_non_exhaustive()
    }
}

/// A host of the lab's internet, about to be set up.
#[must_use]
pub struct Site<'lab> {
    lab: &'lab Lab,
    host: String,
    addresses: Vec<IpAddr>,
    alpn: Vec<&'static str>,
    signer: Option<Authority>,
}

impl Site<'_> {
    /// Offers only these protocols.
    pub fn alpn(mut self, alpn: &[&'static str]) -> Self {
        self.alpn = alpn.to_vec();
        self
    }

    /// Shows a certificate of an authority that nobody trusts.
    pub fn untrusted(mut self) -> Self {
        self.signer = Some(Authority::new());
        self
    }

    /// Has only an IPv4 address.
    pub fn v4_only(mut self) -> Self {
        self.addresses.retain(IpAddr::is_ipv4);
        self
    }

    /// Has only an IPv6 address.
    pub fn v6_only(mut self) -> Self {
        self.addresses.retain(IpAddr::is_ipv6);
        self
    }

    /// Shares the addresses of another host, as hosts behind one network do.
    pub fn beside(mut self, other: &str) -> Self {
        self.addresses = self
            .lab
            .zone
            .addresses(other)
            .expect("the other host is set up already");
        self
    }

    /// Has a name and addresses, and nothing behind them.
    pub fn named(self) {
        self.lab.zone.set(&self.host, &self.addresses);
    }

    /// Answers as a model that says what `script` tells it to.
    pub fn ai(self, script: impl Fn(&Asked) -> Turn + Send + Sync + 'static) -> Identity {
        self.behind(model::handler(script))
    }

    /// Answers every request with what `handler` makes of it.
    pub fn serve(self, handler: impl Fn(&Arrived) -> Reply + Send + Sync + 'static) -> Identity {
        self.behind(Arc::new(handler))
    }

    fn behind(self, handler: Handler) -> Identity {
        let signer = self.signer.as_ref().unwrap_or(&self.lab.authority);
        let identity = signer.issue(&self.host);
        let behind = Behind {
            tls: identity.server(&self.alpn),
            handler,
        };
        self.lab.front.put(&self.host, behind);
        self.lab.zone.set(&self.host, &self.addresses);
        identity
    }
}

fn cable(host: &Namespace, net: &Namespace) {
    host.connect(net, "eth0");
    host.ip(&format!("address add {HOST_V4}/15 dev eth0"));
    host.ip(&format!("address add {HOST_V6}/64 dev eth0 nodad"));
    net.ip(&format!("address add {NET_V4}/15 dev eth0"));
    net.ip(&format!("address add {NET_V6}/64 dev eth0 nodad"));
    // The services' addresses are on the net's loopback interface: the way there is told, so that
    // no neighbour discovery is lost while the cable comes up.
    host.ip(&format!("route add 198.19.0.0/16 via {NET_V4}"));
    host.ip(&format!("-6 route add fd00:c0de::1:0/112 via {NET_V6}"));
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime for the services")
}

fn open_to_all(folder: &Path) {
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).expect("the lab's folder");
}
