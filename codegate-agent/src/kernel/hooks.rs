//! The handle to the attached programs: what they are told, and what they tell.

use std::{
    fmt, io,
    net::SocketAddr,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use aya::{
    Ebpf,
    maps::{HashMap, Map, MapData, MapError, PerCpuArray, RingBuf},
};
use codegate_ebpf::{
    Address, Client, Counter, Destination, Endpoint, Failure, Listener, Original, flags,
    image::ProcessKey,
    maps,
    name::{self, NameKey, NamePorts},
    programs,
    quic::{Datagrams, Standing},
};

use super::{
    KernelError,
    classes::Classes,
    guarded::Guarded,
    heart::Heart,
    image::{Image, ticks},
    layout::{self, Plain},
    load,
    load::{Loaded, Lost, Options},
    log,
    pins::{self, Pinned, Pins},
};

/// How often what is being written of a program is looked at, and how long in between.
const LOOKS: usize = 20;
const PAUSE: Duration = Duration::from_micros(100);

/// The attached programs. Clones share them; when the last one is dropped they detach, and when the
/// process dies, however it does, the kernel detaches them, unless they are [pinned](Hooks::pin).
#[derive(Clone)]
pub struct Hooks(pub(super) Arc<Inner>);

pub(super) struct Inner {
    mark: u32,
    seed: u64,
    lost: Vec<Lost>,
    // Locks are held for the length of one or two system calls that never sleep, by the few tasks
    // that accept: aya wants `&mut` to write, though the kernel does not need it.
    pub(super) endpoints: Mutex<Table<Address, Endpoint>>,
    pub(super) learned: Mutex<Table<Address, Endpoint>>,
    names: Mutex<Table<NameKey, NamePorts>>,
    answers: Mutex<Option<RingBuf<MapData>>>,
    newcomers: Mutex<Option<RingBuf<MapData>>>,
    pub(super) handshakes: Mutex<Option<RingBuf<MapData>>>,
    pub(super) screened: Mutex<HashMap<MapData, u16, u8>>,
    pub(super) datagrams: Mutex<Table<Datagrams, Standing>>,
    pub(super) syns: Mutex<Option<RingBuf<MapData>>>,
    pub(super) let_go: Mutex<HashMap<MapData, u64, u32>>,
    pub(super) sockets: HashMap<MapData, u64, Plain<Original>>,
    pub(super) listeners: Mutex<HashMap<MapData, u64, Plain<Listener>>>,
    pub(super) deaf: Mutex<HashMap<MapData, u64, u64>>,
    flows: Mutex<Table<Client, Original>>,
    pub(super) failed: Mutex<Table<Destination, Failure>>,
    images: Table<ProcessKey, codegate_ebpf::image::Image>,
    pub(super) classes: Mutex<Classes>,
    heart: Arc<Heart>,
    counters: PerCpuArray<MapData, u64>,
    _log: Option<log::Reader>,
    /// What can be pinned.
    spare: Vec<(&'static str, MapData)>,
    /// What keeps the programs attached; empty once that is pinned.
    links: Mutex<Vec<load::Named>>,
    /// Owns the programs; last, so that they go when all else is gone.
    _object: Ebpf,
}

pub(super) type Table<K, V> = HashMap<MapData, Plain<K>, Plain<V>>;

/// A connection that the programs sent to the agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redirected {
    /// Where the client meant to go; a v4-mapped destination comes as IPv4.
    pub original: SocketAddr,
    /// Process id (thread group), in the initial pid namespace.
    pub tgid: u32,
    /// Thread id, in the initial pid namespace.
    pub tid: u32,
    /// Real user id.
    pub uid: u32,
    /// Id of the cgroup (v2) that the process was in.
    pub cgroup: u64,
    /// Index of the interface that the socket was bound to (`SO_BINDTODEVICE`); 0 if to none.
    pub device: u32,
    /// The calling thread's name.
    pub comm: String,
    /// When the process started, in clock ticks since the machine did; 0 if that is unknown.
    pub start: u64,
    /// What the process was; `None` where this kernel does not tell, and `/proc` must be asked.
    pub image: Option<Image>,
    /// By what the programs know the process.
    pub(super) key: ProcessKey,
}

/// What the programs decided, since they were loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counters([u64; Counter::ALL.len()]);

impl Hooks {
    /// Loads the programs and attaches them to a cgroup2 directory. Until [`Hooks::listen`],
    /// [`Hooks::set_endpoint`] and [`Heart::beat`] are called they change nothing, and they stop to as
    /// soon as a beat is missing.
    ///
    /// With [`Options::log`] it must be called on a tokio runtime.
    ///
    /// # Errors
    /// Any [`KernelError`] but those of sockets; nothing stays attached then.
    pub fn load_and_attach(cgroup: &Path, options: &Options) -> Result<Self, KernelError> {
        let mut loaded = load::load(options)?;
        let object = &mut loaded.object;
        let log = options
            .log
            .map(|_| log::Reader::start(object))
            .transpose()?;
        let spare = pins::spare(object)?;
        let endpoints = take(object, maps::ENDPOINTS)?;
        let learned = take(object, maps::LEARNED)?;
        let names = take(object, maps::NAMES)?;
        let answers = take(object, maps::ANSWERS)?;
        let newcomers = take(object, maps::NEWCOMERS)?;
        let handshakes = take(object, maps::HANDSHAKES)?;
        let screened = take(object, maps::SCREENED)?;
        let datagrams = take(object, maps::DATAGRAMS)?;
        let syns = take(object, maps::SYNS)?;
        let let_go = take(object, maps::LET_GO)?;
        let sockets = take(object, maps::ORIG)?;
        let listeners = take(object, maps::LISTENERS)?;
        let deaf = take(object, maps::DEAF)?;
        let flows = take(object, maps::FLOW)?;
        let failed = take(object, maps::FAILED)?;
        let images = take(object, maps::IMAGES)?;
        let classes = Classes {
            known: take(object, maps::CLASSES)?,
            policy: take(object, maps::POLICY)?,
            ports: take(object, maps::LOOKED_AT)?,
        };
        let counters = take(object, maps::COUNTERS)?;
        let heart = Arc::new(Heart::new(
            take(object, maps::HEARTBEAT)?,
            take(object, maps::SWITCH)?,
        ));
        let links = load::attach(&mut loaded, cgroup)?;
        let Loaded { object, seed, lost } = loaded;
        Ok(Self(Arc::new(Inner {
            mark: options.mark,
            seed,
            lost,
            endpoints: Mutex::new(endpoints),
            learned: Mutex::new(learned),
            names: Mutex::new(names),
            answers: Mutex::new(Some(answers)),
            newcomers: Mutex::new(Some(newcomers)),
            handshakes: Mutex::new(Some(handshakes)),
            screened: Mutex::new(screened),
            datagrams: Mutex::new(datagrams),
            syns: Mutex::new(Some(syns)),
            let_go: Mutex::new(let_go),
            sockets,
            listeners: Mutex::new(listeners),
            deaf: Mutex::new(deaf),
            flows: Mutex::new(flows),
            failed: Mutex::new(failed),
            images,
            classes: Mutex::new(classes),
            heart,
            counters,
            _log: log,
            spare,
            links: Mutex::new(links),
            _object: object,
        })))
    }

    /// What this kernel does not take, and what is lost by it.
    pub fn lost(&self) -> &[Lost] {
        &self.0.lost
    }

    /// Whether the programs may not read the kernel's memory.
    pub fn is_blind(&self) -> bool {
        !self.has(load::IDENTIFY.0)
    }

    /// Whether this kernel takes a program.
    pub(super) fn has(&self, program: &str) -> bool {
        self.lost().iter().all(|lost| lost.program != program)
    }

    /// Lets the programs outlive this process. To be called once, when there is an agent that they can
    /// guard for: from then on only [`Pinned::remove`] detaches them.
    ///
    /// # Errors
    /// [`KernelError::Pin`], and then they stay attached as long as this process lives; or
    /// [`KernelError::Read`].
    pub fn pin(&self, pins: &Pins) -> Result<Pinned, KernelError> {
        pins.pin(&mut lock(&self.0.links), &self.0.spare)
    }

    /// The mark that exempts a socket, for [`mark`](super::mark).
    pub fn mark(&self) -> u32 {
        self.0.mark
    }

    /// The agent's sign of life, without which nothing is redirected.
    pub fn heart(&self) -> &Arc<Heart> {
        &self.0.heart
    }

    /// Guards an address: TCP to it is redirected, and with `refuse_udp` UDP to it is refused. Without
    /// a `ttl` it stays until it is removed. Setting it again renews it.
    ///
    /// # Errors
    /// [`KernelError::Map`]: the map is full, for instance.
    pub fn set_endpoint(
        &self,
        address: SocketAddr,
        ttl: Option<Duration>,
        refuse_udp: bool,
    ) -> Result<(), KernelError> {
        let udp = if refuse_udp { flags::REFUSE_UDP } else { 0 };
        let endpoint = Endpoint {
            expires: layout::expiry(ttl),
            flags: flags::REDIRECT_TCP | udp,
            zero: 0,
        };
        lock(&self.0.endpoints)
            .insert(Plain(layout::address(address)), Plain(endpoint), 0)
            .map_err(of_map(maps::ENDPOINTS))
    }

    /// Guards an address no longer. That it was not guarded is no error.
    ///
    /// # Errors
    /// [`KernelError::Map`].
    pub fn remove_endpoint(&self, address: SocketAddr) -> Result<(), KernelError> {
        let removed = lock(&self.0.endpoints).remove(&Plain(layout::address(address)));
        or_absent(removed).map_err(of_map(maps::ENDPOINTS))
    }

    /// Guards an address for `ttl`, as the programs do that learn it from a DNS answer. Learned ones
    /// give way to newer ones where there are too many. Nobody speaks HTTP/3 to the machine itself, so
    /// UDP to its own addresses is let be.
    ///
    /// # Errors
    /// [`KernelError::Map`].
    pub fn learn_endpoint(&self, address: SocketAddr, ttl: Duration) -> Result<(), KernelError> {
        let is_own = address.ip().to_canonical().is_loopback();
        let udp = if is_own { 0 } else { flags::REFUSE_UDP };
        let endpoint = Endpoint {
            expires: layout::expiry(Some(ttl)),
            flags: flags::REDIRECT_TCP | udp,
            zero: 0,
        };
        lock(&self.0.learned)
            .insert(Plain(layout::address(address)), Plain(endpoint), 0)
            .map_err(of_map(maps::LEARNED))
    }

    /// The addresses that were learned, and for how long they are guarded yet.
    ///
    /// # Errors
    /// [`KernelError::Map`].
    pub fn learned_endpoints(&self) -> Result<Vec<(SocketAddr, Duration)>, KernelError> {
        let learned = lock(&self.0.learned);
        let entries = learned.iter().map(|entry| {
            let (Plain(address), Plain(endpoint)) = entry?;
            Ok((
                layout::socket_addr(&address),
                layout::left(endpoint.expires),
            ))
        });
        let entries: Result<_, MapError> = entries.collect();
        entries.map_err(of_map(maps::LEARNED))
    }

    /// Names whose addresses the programs are to learn.
    pub(super) fn guard_names(&self, guarded: &Guarded) -> Result<(), KernelError> {
        let mut names = lock(&self.0.names);
        for (name, below, ports) in guarded.iter() {
            let key = NameKey::new(name::hash(self.0.seed, name), below);
            names
                .insert(Plain(key), Plain(layout::ports(ports)), 0)
                .map_err(of_map(maps::NAMES))?;
        }
        Ok(())
    }

    /// The ring buffer of DNS answers; there is one reader.
    pub(super) fn take_answers(&self) -> Option<RingBuf<MapData>> {
        lock(&self.0.answers).take()
    }

    /// The ring buffer of sockets in other namespaces; there is one reader, and none if the kernel does
    /// not take the program.
    pub(super) fn take_newcomers(&self) -> Option<RingBuf<MapData>> {
        let told = self.has(programs::ANNOUNCE);
        told.then(|| lock(&self.0.newcomers).take()).flatten()
    }

    /// Redirects the guarded connections of a network namespace to ports on its 127.0.0.1 and ::1.
    /// A family without a port goes direct.
    ///
    /// # Errors
    /// [`KernelError::Map`].
    pub fn listen(
        &self,
        netns_cookie: u64,
        v4_port: Option<u16>,
        v6_port: Option<u16>,
    ) -> Result<(), KernelError> {
        let listener = Listener {
            port4: v4_port.unwrap_or_default().to_be(),
            port6: v6_port.unwrap_or_default().to_be(),
            holds: 0,
        };
        lock(&self.0.listeners)
            .insert(netns_cookie, Plain(listener), 0)
            .map_err(of_map(maps::LISTENERS))
    }

    /// Lets a network namespace go direct again.
    ///
    /// # Errors
    /// [`KernelError::Map`].
    pub fn unlisten(&self, netns_cookie: u64) -> Result<(), KernelError> {
        let removed = lock(&self.0.listeners).remove(&netns_cookie);
        or_absent(removed).map_err(of_map(maps::LISTENERS))
    }

    /// Who is behind an accepted connection, by its peer's address; each is told once. `None` means
    /// that it was not redirected: somebody connected to the listener itself.
    pub fn take_flow(&self, netns_cookie: u64, client: SocketAddr) -> Option<Redirected> {
        let key = Plain(Client::new(netns_cookie, layout::address(client)));
        let taken = take_entry(&mut lock(&self.0.flows), &key);
        match taken {
            Ok(found) => found.map(|Plain(original)| self.redirected(&original)),
            Err(error) => {
                tracing::warn!(%client, %error, "cannot read where a connection was meant to go");
                None
            }
        }
    }

    pub(super) fn redirected(&self, original: &Original) -> Redirected {
        let redirected = Redirected::from(original);
        Redirected {
            image: self.image(redirected.key),
            ..redirected
        }
    }

    /// What was read of a program. Another of its threads may still be reading that on another processor, which
    /// takes microseconds, or as long as a virtual one stands still.
    fn image(&self, key: ProcessKey) -> Option<Image> {
        for _ in 0..LOOKS {
            // One that is not there was pushed out, or never could be read.
            let Plain(raw) = self.0.images.get(&Plain(key), 0).ok()?;
            if let Some(image) = Image::of(&raw) {
                return Some(image);
            }
            thread::sleep(PAUSE);
        }
        None
    }

    /// What the programs counted.
    ///
    /// # Errors
    /// [`KernelError::Map`].
    pub fn counters(&self) -> Result<Counters, KernelError> {
        let mut sums = [0; Counter::ALL.len()];
        for (sum, counter) in sums.iter_mut().zip(Counter::ALL) {
            let index = counter as u32;
            let per_cpu = self
                .0
                .counters
                .get(&index, 0)
                .map_err(of_map(maps::COUNTERS))?;
            *sum = per_cpu.iter().sum();
        }
        Ok(Counters(sums))
    }
}

impl fmt::Debug for Hooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hooks")
            .field("mark", &self.0.mark)
            .finish_non_exhaustive()
    }
}

impl Counters {
    /// One figure.
    pub fn of(&self, counter: Counter) -> u64 {
        self.iter()
            .find(|(other, _)| *other == counter)
            .map_or(0, |(_, count)| count)
    }

    /// All of them, in the order of their indices.
    pub fn iter(&self) -> impl Iterator<Item = (Counter, u64)> {
        Counter::ALL.into_iter().zip(self.0)
    }
}

impl From<&Original> for Redirected {
    fn from(original: &Original) -> Self {
        Self {
            original: layout::socket_addr(&original.address),
            tgid: original.tgid,
            tid: original.tid,
            uid: original.uid,
            cgroup: original.cgroup,
            device: original.device,
            comm: comm(&original.comm),
            start: ticks(original.start),
            image: None,
            key: ProcessKey {
                start: original.start,
                tgid: original.tgid,
                exec: original.exec,
            },
        }
    }
}

/// A thread's name, which its owner chooses: any bytes up to the first zero.
fn comm(bytes: &[u8]) -> String {
    let name = bytes.split(|&byte| byte == 0).next().unwrap_or_default();
    String::from_utf8_lossy(name).into_owned()
}

fn take<M>(object: &mut Ebpf, name: &'static str) -> Result<M, KernelError>
where
    M: TryFrom<Map, Error = MapError>,
{
    let map = object.take_map(name).ok_or(KernelError::Missing(name))?;
    M::try_from(map).map_err(of_map(name))
}

fn take_entry(
    flows: &mut Table<Client, Original>,
    key: &Plain<Client>,
) -> Result<Option<Plain<Original>>, MapError> {
    let found = match flows.get(key, 0) {
        Ok(found) => found,
        Err(MapError::KeyNotFound) => return Ok(None),
        Err(error) => return Err(error),
    };
    or_absent(flows.remove(key)).map(|()| Some(found))
}

/// To remove what is not there is no error.
pub(super) fn or_absent(removed: Result<(), MapError>) -> Result<(), MapError> {
    match removed {
        Err(MapError::SyscallError(error)) if error.io_error.kind() == io::ErrorKind::NotFound => {
            Ok(())
        }
        other => other,
    }
}

pub(super) fn of_map(map: &'static str) -> impl Fn(MapError) -> KernelError {
    move |source| KernelError::Map { map, source }
}

/// A panic of another thread leaves a map as it was: there is nothing to be poisoned.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hostile_thread_name_is_still_text() {
        assert_eq!(comm(b"curl\0\0\0\0"), "curl");
        assert_eq!(comm(b"sixteen-bytes-xx"), "sixteen-bytes-xx");
        assert_eq!(comm(b"\xff\x1b\0rest"), "\u{fffd}\u{1b}");
        assert_eq!(comm(b""), "");
    }
}
