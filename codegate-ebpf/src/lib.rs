//! The contract between the eBPF programs and the agent: what lies in the maps, and what all is called.
//!
//! Knows: layouts, names and numbers. Must not know: aya, the kernel's helpers, what the agent does.
//!
//! Both sides are compiled from this one source, but not together: the object is committed. So each
//! layout's size is asserted, and a change of any of them means `cargo xtask ebpf` in the same commit.
//!
//! Addresses are sixteen bytes in network order, IPv4 as IPv4-mapped IPv6 (RFC 4291, 2.5.5.2), so that
//! one map serves both families and a v4-mapped socket needs no case of its own. Ports are in network
//! order. Times are nanoseconds of `CLOCK_MONOTONIC`, which is what `bpf_ktime_get_ns` reads.
#![no_std]

pub mod held;
pub mod image;
pub mod name;
pub mod quic;

use core::mem::size_of;

/// Socket mark of the agent's own sockets: what carries it is never redirected or refused.
///
/// Setting a mark needs `CAP_NET_ADMIN`, so a guarded process cannot exempt itself. The loader can
/// choose another one ([`globals::AGENT_MARK`]) where a routing rule already uses this.
pub const DEFAULT_MARK: u32 = 0xC0DE_6A7E;

/// [`Endpoint::expires`] of an entry that stays until it is removed.
pub const NEVER: u64 = u64::MAX;

/// How long a beat of the agent's heart holds, in nanoseconds: without another one it counts as gone.
pub const BEAT_HOLDS: u64 = 1_000_000_000;

/// The key in `LISTENERS` of where the agent is going to listen in network namespaces that it does not
/// know yet. No namespace has this cookie.
pub const ELSEWHERE: u64 = 0;

/// How long a connection waits for a listener at most, in nanoseconds.
pub const WAITS: u64 = 2_000_000_000;

/// Bits of [`Endpoint::flags`].
pub mod flags {
    /// TCP connections are redirected to the agent.
    pub const REDIRECT_TCP: u32 = 1;
    /// UDP is looked at or refused, so that an HTTP/3 client falls back to TCP.
    pub const REFUSE_UDP: u32 = 1 << 1;
}

/// The maps' names in the object.
pub mod maps {
    /// Hash: [`Address`](crate::Address) → [`Endpoint`](crate::Endpoint).
    pub const ENDPOINTS: &str = "ENDPOINTS";
    /// LRU hash: [`Address`](crate::Address) → [`Endpoint`](crate::Endpoint), from DNS answers.
    pub const LEARNED: &str = "LEARNED";
    /// Hash: [`NameKey`](crate::name::NameKey) → [`NamePorts`](crate::name::NamePorts).
    pub const NAMES: &str = "NAMES";
    /// Ring buffer: [`Heard`](crate::name::Heard) and a DNS message.
    pub const ANSWERS: &str = "ANSWERS";
    /// LRU hash: [`ProcessKey`](crate::image::ProcessKey) → [`Image`](crate::image::Image).
    pub const IMAGES: &str = "IMAGES";
    /// Array of one [`Layout`](crate::image::Layout).
    pub const LAYOUT: &str = "LAYOUT";
    /// LRU hash: [`ProcessKey`](crate::image::ProcessKey) → [`Class`](crate::image::Class).
    pub const CLASSES: &str = "CLASSES";
    /// Array of one [`Policy`](crate::image::Policy).
    pub const POLICY: &str = "POLICY";
    /// Hash: port (`u16`, network order) → `u8`.
    pub const LOOKED_AT: &str = "LOOKED_AT";
    /// Hash: port (`u16`, network order) → bits of [`screens`](crate::quic::screens).
    pub const SCREENED: &str = "SCREENED";
    /// LRU hash: [`Datagrams`](crate::quic::Datagrams) → [`Standing`](crate::quic::Standing).
    pub const DATAGRAMS: &str = "DATAGRAMS";
    /// Ring buffer: [`Told`](crate::quic::Told) and the beginning of a QUIC connection.
    pub const HANDSHAKES: &str = "HANDSHAKES";
    /// Ring buffer: [`Held`](crate::held::Held) and a SYN.
    pub const SYNS: &str = "SYNS";
    /// LRU hash: socket cookie (`u64`) → the sequence number (`u32`, network order) of the SYN that is held no longer.
    pub const LET_GO: &str = "LET_GO";
    /// Hash: network namespace cookie (`u64`) → [`Listener`](crate::Listener).
    pub const LISTENERS: &str = "LISTENERS";
    /// LRU hash: socket cookie (`u64`) → [`Original`](crate::Original).
    pub const ORIG: &str = "ORIG";
    /// LRU hash: [`Client`](crate::Client) → [`Original`](crate::Original).
    pub const FLOW: &str = "FLOW";
    /// LRU hash: network namespace cookie (`u64`) → until when nobody waits there (`u64`), as the agent
    /// cannot listen.
    pub const DEAF: &str = "DEAF";
    /// Array of one `u64`: until when somebody may be waiting for a listener.
    pub const WAITING: &str = "WAITING";
    /// LRU hash: [`Destination`](crate::Destination) → [`Failure`](crate::Failure).
    pub const FAILED: &str = "FAILED";
    /// Array of one [`Heartbeat`](crate::Heartbeat).
    pub const HEARTBEAT: &str = "HEARTBEAT";
    /// Array of one [`Switch`](crate::Switch).
    pub const SWITCH: &str = "SWITCH";
    /// LRU hash: network namespace cookie (`u64`) → when a socket in it was last told of (`u64`).
    pub const SEEN: &str = "SEEN";
    /// Ring buffer of [`Newcomer`](crate::Newcomer)s.
    pub const NEWCOMERS: &str = "NEWCOMERS";
    /// LRU hash: socket cookie (`u64`) → network namespace cookie (`u64`). Used on old kernels only,
    /// where neither the agent nor the programs of all types can ask for the latter.
    pub const NETNS: &str = "NETNS";
    /// Per-CPU array of `u64`, one for each [`Counter`](crate::Counter).
    pub const COUNTERS: &str = "COUNTERS";
    /// Ring buffer of log records, made by aya-log.
    pub const LOGS: &str = "AYA_LOGS";
}

/// Names of the read-only variables that the loader sets before the programs are verified.
///
/// They lie in a frozen map: the verifier takes them for constants and drops what they switch off.
pub mod globals {
    /// `u32`: see [`DEFAULT_MARK`](crate::DEFAULT_MARK).
    pub const AGENT_MARK: &str = "AGENT_MARK";
    /// `u64`: id of a cgroup whose processes are exempt; 0 for none.
    pub const AGENT_CGROUP: &str = "AGENT_CGROUP";
    /// `u8`: 1 where `sock_ops` programs may ask for the namespace cookie (Linux 5.15 and newer).
    pub const NETNS_IN_SOCK_OPS: &str = "NETNS_IN_SOCK_OPS";
    /// `u32`: after how many of the kernel's ticks a connection that waits tries again.
    pub const RETRY: &str = "RETRY";
    /// `u8`: 1 where `connect()` programs may choose the error (Linux 6.1 and newer).
    pub const ERRNO: &str = "ERRNO";
    /// `u8`: 1 where programs may read the kernel's memory, and `LAYOUT` says how.
    pub const IDENTIFY: &str = "IDENTIFY";
    /// `u64`: where [`name::hash`](crate::name::hash) begins.
    pub const NAME_SEED: &str = "NAME_SEED";
    /// `u8`: aya-log's threshold; 0 is silence and costs nothing.
    pub const LOG_LEVEL: &str = "AYA_LOG_LEVEL";
}

/// The programs' names in the object, in the order in which they must be attached: what decides comes
/// last, so that nothing is redirected before all the rest stands.
pub mod programs {
    /// `cgroup/sock_create`: tells of sockets in network namespaces where nobody listens.
    pub const ANNOUNCE: &str = "announce";
    /// `cgroup/sock_create`: tells the namespace of sockets; attached only while the agent asks, and
    /// only where the kernel cannot say it otherwise (before Linux 5.14). None of those below.
    pub const TELL_NETNS: &str = "tell_netns";
    /// `sock_ops`: publishes a redirected connection under its client's address, and has those that wait
    /// try again soon.
    pub const PUBLISH: &str = "publish";
    /// `cgroup/sock_release`: forgets the socket.
    pub const RELEASE: &str = "release";
    /// `cgroup_skb/ingress`: learns addresses of guarded names from DNS answers, and keeps resets from
    /// connections that wait.
    pub const LEARN: &str = "learn";
    /// `cgroup_skb/egress`: has QUIC to guarded addresses wait until the agent knows the name, and SYNs to the agent
    /// until it has dialled.
    pub const SCREEN: &str = "screen";
    /// `cgroup/getpeername4` and `6`: answer the original address.
    pub const GETPEERNAME: [&str; 2] = ["getpeername4", "getpeername6"];
    /// `cgroup/sendmsg4` and `6`: note who sends UDP to guarded endpoints, or refuse it.
    pub const SENDMSG: [&str; 2] = ["sendmsg4", "sendmsg6"];
    /// `cgroup/connect4` and `6`: decide and redirect.
    pub const CONNECT: [&str; 2] = ["connect4", "connect6"];
}

/// An address and a port: the key of `ENDPOINTS`, and one end of a connection.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Address {
    /// Four words in network order, IPv4 mapped.
    pub ip: [u32; 4],
    /// Network order.
    pub port: u16,
    /// Always 0: keys are compared as bytes.
    pub zero: u16,
}

impl Address {
    /// An IPv6 (or already mapped) address from its words and port, all in network order.
    #[inline(always)]
    pub const fn v6(ip: [u32; 4], port: u16) -> Self {
        Self { ip, port, zero: 0 }
    }

    /// An IPv4 address from its word and port, both in network order.
    #[inline(always)]
    pub const fn v4(ip: u32, port: u16) -> Self {
        Self::v6([0, 0, 0xffff_u32.to_be(), ip], port)
    }

    /// Whether this is IPv4, or IPv4 in IPv6's clothes.
    #[inline(always)]
    pub const fn is_v4(&self) -> bool {
        self.ip[0] == 0 && self.ip[1] == 0 && self.ip[2] == 0xffff_u32.to_be()
    }
}

/// What is known of a guarded endpoint.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Endpoint {
    /// From then on the entry counts as absent; [`NEVER`] if it does not expire.
    pub expires: u64,
    /// See [`flags`].
    pub flags: u32,
    /// Always 0.
    pub zero: u32,
}

/// Where the agent listens in one network namespace.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listener {
    /// Port on 127.0.0.1, in network order; 0 if there is none.
    pub port4: u16,
    /// Port on ::1, in network order; 0 if there is none.
    pub port6: u16,
    /// 1 if SYNs are held until the agent has dialled.
    pub holds: u32,
}

/// The client's end of a redirected connection, which is what the agent sees when it accepts.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Client {
    /// Cookie of the network namespace: two of them may use the same addresses.
    pub netns: u64,
    /// The client's own address and port.
    pub address: Address,
    /// Always 0: keys are compared as bytes.
    pub zero: u32,
}

impl Client {
    /// The key of a client's connection.
    #[inline(always)]
    pub const fn new(netns: u64, address: Address) -> Self {
        Self {
            netns,
            address,
            zero: 0,
        }
    }
}

/// Where something goes, in its network namespace.
pub type Destination = Client;

/// A destination that the agent could not reach a moment ago.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failure {
    /// From then on the entry counts as absent.
    pub until: u64,
    /// What the network said: a positive errno(3).
    pub errno: u32,
    /// Always 0.
    pub zero: u32,
}

/// Where a redirected connection was meant to go, and who asked for it.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Original {
    /// Cookie of the caller's network namespace.
    pub netns: u64,
    /// Id of the caller's cgroup (v2): the inode of its directory.
    pub cgroup: u64,
    /// The destination that the caller gave.
    pub address: Address,
    /// Process id (thread group), in the initial pid namespace.
    pub tgid: u32,
    /// Thread id, in the initial pid namespace.
    pub tid: u32,
    /// Real user id.
    pub uid: u32,
    /// The interface that the socket was bound to (`SO_BINDTODEVICE`); 0 if it was not.
    pub device: u32,
    /// The calling thread's name, padded with zeros.
    pub comm: [u8; 16],
    /// With `tgid` and `start`, the caller's [`ProcessKey`](image::ProcessKey).
    pub exec: u32,
    /// See `exec`.
    pub start: u64,
    /// Until when the connection waits for its listener; 0 if that is there.
    pub waits: u64,
}

impl Original {
    /// Of a socket that nobody was seen to make.
    pub const NOBODY: Self = Self {
        netns: 0,
        cgroup: 0,
        address: Address::v6([0; 4], 0),
        tgid: 0,
        tid: 0,
        uid: 0,
        device: 0,
        comm: [0; 16],
        exec: 0,
        start: 0,
        waits: 0,
    };
}

/// When the agent last proved that it takes connections.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heartbeat {
    /// `CLOCK_MONOTONIC`, in nanoseconds: it stands still while the machine sleeps, as the agent does.
    /// 0 before the first beat.
    pub beat: u64,
}

/// What becomes of guarded connections that the agent does not take.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Switch {
    /// Until then everything goes direct: `CLOCK_BOOTTIME`, in nanoseconds, as people's time goes on
    /// while the machine sleeps. 0 if nothing is paused.
    pub paused_until: u64,
    /// Without a heartbeat: 0 lets guarded connections go direct, 1 refuses them.
    pub closed: u32,
    /// Always 0.
    pub zero: u32,
}

impl Switch {
    /// Nothing is paused, and guarded connections go direct where the agent is gone.
    pub const OPEN: Self = Self {
        paused_until: 0,
        closed: 0,
        zero: 0,
    };
}

/// Somebody has made a socket where the agent does not listen.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Newcomer {
    /// Cookie of the socket's network namespace.
    pub netns: u64,
    /// Process id (thread group), in the initial pid namespace.
    pub tgid: u32,
    /// Thread id, in the initial pid namespace.
    pub tid: u32,
}

/// What the programs count: each is an index into `COUNTERS`.
#[repr(u32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Counter {
    /// TCP connections sent to the agent.
    Redirected,
    /// Connections and datagrams that are no business of ours.
    Passed,
    /// The agent's own connections to guarded endpoints.
    Exempt,
    /// Guarded, but the agent does not listen in that namespace and family: went direct.
    NoListener,
    /// Was guarded once, but the entry has expired: went direct.
    Expired,
    /// Guarded, but bound to a device from which loopback cannot be reached: went direct.
    BoundToDevice,
    /// Guarded, but the record could not be stored: went direct.
    NotStored,
    /// UDP connects and datagrams refused.
    UdpRefused,
    /// Redirected connections that left their record for the agent.
    Published,
    /// Redirected connections whose record could not be left: the agent will turn them away.
    NotPublished,
    /// Records of an earlier connection removed before one to the agent itself took the same port.
    StaleDropped,
    /// `getpeername` calls answered with the original address.
    PeerNamed,
    /// Guarded, but the agent gave no sign of life: went direct.
    StalePassed,
    /// Guarded, but the agent gave no sign of life: refused.
    StaleRefused,
    /// Guarded, but the guard was paused: went direct.
    PausedPassed,
    /// Addresses learned from DNS answers, one for each port.
    Learned,
    /// DNS answers that the agent was not told of: it did not listen, or not fast enough.
    NotTold,
    /// Connections in a network namespace that wait until the agent listens there.
    Waited,
    /// Connections that failed as the agent's own to the same place had a moment before.
    FailedAlike,
    /// Datagrams of QUIC handshakes that the agent was asked about.
    UdpAsked,
    /// Datagrams dropped because the agent had not answered yet, or could not be asked.
    UdpHeld,
    /// SYNs held until the agent has dialled; one that is sent again counts again.
    SynHeld,
    /// SYNs that went to the agent at once, as it could not be told of them.
    SynNotHeld,
    /// Guarded, but made by a process that rules leave alone: went direct.
    ProcessPassed,
}

impl Counter {
    /// All of them, in the order of their indices.
    pub const ALL: [Self; 24] = [
        Self::Redirected,
        Self::Passed,
        Self::Exempt,
        Self::NoListener,
        Self::Expired,
        Self::BoundToDevice,
        Self::NotStored,
        Self::UdpRefused,
        Self::Published,
        Self::NotPublished,
        Self::StaleDropped,
        Self::PeerNamed,
        Self::StalePassed,
        Self::StaleRefused,
        Self::PausedPassed,
        Self::Learned,
        Self::NotTold,
        Self::Waited,
        Self::FailedAlike,
        Self::UdpAsked,
        Self::UdpHeld,
        Self::SynHeld,
        Self::SynNotHeld,
        Self::ProcessPassed,
    ];

    /// A stable name for people and JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Redirected => "redirected",
            Self::Passed => "passed",
            Self::Exempt => "exempt",
            Self::NoListener => "no_listener",
            Self::Expired => "expired",
            Self::BoundToDevice => "bound_to_device",
            Self::NotStored => "not_stored",
            Self::UdpRefused => "udp_refused",
            Self::Published => "published",
            Self::NotPublished => "not_published",
            Self::StaleDropped => "stale_dropped",
            Self::PeerNamed => "peer_named",
            Self::StalePassed => "stale_passed",
            Self::StaleRefused => "stale_refused",
            Self::PausedPassed => "paused_passed",
            Self::Learned => "learned",
            Self::NotTold => "not_told",
            Self::Waited => "waited",
            Self::FailedAlike => "failed_alike",
            Self::UdpAsked => "udp_asked",
            Self::UdpHeld => "udp_held",
            Self::SynHeld => "syn_held",
            Self::SynNotHeld => "syn_not_held",
            Self::ProcessPassed => "process_passed",
        }
    }
}

// A map of the committed object and a struct of a newer agent must never disagree.
const _: () = {
    assert!(size_of::<Address>() == 20);
    assert!(size_of::<Endpoint>() == 16);
    assert!(size_of::<Listener>() == 8);
    assert!(size_of::<Client>() == 32);
    assert!(size_of::<Original>() == 88);
    assert!(size_of::<Newcomer>() == 16);
    assert!(size_of::<Failure>() == 16);
    assert!(size_of::<Heartbeat>() == 8);
    assert!(size_of::<Switch>() == 16);
    let mut i = 0;
    while i < Counter::ALL.len() {
        assert!(Counter::ALL[i] as usize == i);
        i += 1;
    }
};
