//! QUIC to addresses that guarded hosts have: what tells the host is let through and told to the agent; what
//! follows waits for its word.
//!
//! Nothing but Initial packets leaves before that, and in them is nothing but the handshake. A connection
//! for a guarded host never gets beyond it, and its client comes by TCP; any other loses nothing, as the agent
//! has answered long before the server does.

use core::ptr::addr_of_mut;

use aya_ebpf::{
    EbpfContext as _,
    bindings::{__sk_buff, BPF_NOEXIST},
    helpers::{bpf_get_socket_cookie, generated::bpf_get_netns_cookie},
    macros::map,
    maps::{HashMap, LruHashMap, RingBuf},
    programs::{SkBuffContext, SockAddrContext},
};
use codegate_ebpf::{
    Address, Counter,
    quic::{DATAGRAM, Datagrams, Standing, Told, screens, state},
};

use crate::{
    Verdict,
    connect::record,
    endpoint, heart,
    initial::{self, Kind},
    maps::{AGENT_MARK, count},
    packet::Packet,
    socket::{UDP, field, set},
};

/// The ports, in network order, on which UDP is looked at, and how.
#[map]
static SCREENED: HashMap<u16, u8> = HashMap::with_max_entries(1_024, 0);

/// Sockets that send to guarded addresses. LRU: what is pushed out is told to the agent again.
#[map]
static DATAGRAMS: LruHashMap<Datagrams, Standing> = LruHashMap::with_max_entries(4_096, 0);

/// Handshakes, for the agent. What does not fit is sent again by its client.
#[map]
static HANDSHAKES: RingBuf = RingBuf::with_byte_size(512 * 1024, 0);

/// What becomes of a packet. One that waits is lost without a word: QUIC sends again what is lost.
enum Fate {
    Passes,
    Waits,
    Refused,
}

/// What is told of a handshake.
#[repr(C)]
struct Record {
    told: Told,
    octets: [u8; DATAGRAM],
}

/// A packet that is about to be sent to a port that is looked at.
#[derive(Clone, Copy)]
struct Sent {
    datagram: Packet,
    length: u32,
    to: Address,
    /// See [`screens`].
    how: u8,
}

/// Notes who sends to a guarded address. False if UDP to it is not looked at.
#[inline(always)]
pub(crate) fn note(ctx: &SockAddrContext, to: Address) -> bool {
    if !looks_at(to.port) {
        return false;
    }
    // SAFETY: the context is the kernel's.
    let key = Datagrams::new(unsafe { bpf_get_socket_cookie(ctx.as_ptr()) }, to);
    if DATAGRAMS.get_ptr(key).is_some() {
        return true;
    }
    // SAFETY: the context is the kernel's.
    let netns = unsafe { bpf_get_netns_cookie(ctx.as_ptr()) };
    let standing = Standing {
        caller: record(netns, to, 0),
        connection: 0,
        state: state::NEW,
        zero: 0,
    };
    // Whoever was faster has noted the same.
    _ = DATAGRAMS.insert(key, standing, BPF_NOEXIST.into());
    true
}

/// Whether UDP to guarded addresses is looked at on a port, in network order.
#[inline(always)]
pub(crate) fn looks_at(port: u16) -> bool {
    // SAFETY: only whether it is there matters.
    unsafe { SCREENED.get(port) }.is_some()
}

/// A packet is about to leave its socket. What a `cgroup_skb/egress` program returns: 0 refuses it with `EPERM`,
/// and 2 drops it as a full queue would.
#[inline(always)]
pub(crate) fn screen(ctx: &SkBuffContext) -> i32 {
    let Some(sent) = Sent::of(ctx.skb.skb) else {
        return 1;
    };
    match sent.fate() {
        Fate::Passes => 1,
        Fate::Waits => {
            count(Counter::UdpHeld);
            2
        }
        Fate::Refused => {
            count(Counter::UdpRefused);
            0
        }
    }
}

impl Sent {
    #[inline(always)]
    fn of(skb: *mut __sk_buff) -> Option<Self> {
        let udp = Packet::of(skb, UDP)?;
        let port: u16 = udp.load(2)?;
        // SAFETY: a value of one byte is read whole.
        let how = *unsafe { SCREENED.get(port) }?;
        let datagram = Packet {
            skb,
            start: udp.start + 8,
        };
        Some(Self {
            datagram,
            length: field!(skb, len).saturating_sub(datagram.start),
            to: Address::v6(udp.destination()?, port),
            how,
        })
    }

    #[inline(always)]
    fn fate(self) -> Fate {
        let skb = self.datagram.skb;
        // SAFETY: the context is the kernel's.
        let key = Datagrams::new(unsafe { bpf_get_socket_cookie(skb.cast()) }, self.to);
        let standing = match DATAGRAMS.get_ptr_mut(key) {
            Some(standing) => standing,
            None if !endpoint::refuses_udp(&self.to) || field!(skb, mark) == AGENT_MARK.load() => {
                return Fate::Passes;
            }
            None => match anew(&key) {
                Some(standing) => standing,
                None => return Fate::Waits,
            },
        };
        self.by(standing, &key)
    }

    #[inline(always)]
    fn by(self, standing: *mut Standing, key: &Datagrams) -> Fate {
        let known = field!(standing, state);
        let segment = field!(self.datagram.skb, gso_size);
        let kind = initial::kind(self.datagram, self.length, segment);
        if known == state::OPEN && kind == Kind::Short {
            return Fate::Passes;
        }
        let is_guarded = || endpoint::refuses_udp(&self.to);
        if let Err(reason) = heart::beats() {
            // An open socket may begin another connection.
            let goes_on = known == state::OPEN && kind == Kind::Later;
            return match heart::verdict(reason) {
                Verdict::Refuse if !goes_on && is_guarded() => Fate::Refused,
                _ => Fate::Passes,
            };
        }
        match kind {
            Kind::Initials | Kind::Mixed => self.handshake(standing, key, kind, segment),
            Kind::Later if known != state::NEW => self.later(standing, key, segment),
            Kind::Short if known == state::ASKED => Fate::Waits,
            Kind::Short if known == state::REFUSED => Fate::Refused,
            Kind::Short if self.how & screens::NO_OLD == 0 => Fate::Passes,
            // It begins in the middle, or is another protocol. What is looked at only for who sends it may.
            _ if is_guarded() => Fate::Refused,
            _ => Fate::Passes,
        }
    }

    /// A connection that is being made. The agent is told of all its packets: the name may be in any of them,
    /// and clients with empty ids may begin another.
    #[inline(always)]
    fn handshake(self, standing: *mut Standing, key: &Datagrams, kind: Kind, segment: u32) -> Fate {
        let Some(connection) = initial::connection(self.datagram) else {
            return Fate::Refused;
        };
        let known = field!(standing, state);
        let is_answered = matches!(known, state::OPEN | state::REFUSED)
            && field!(standing, connection) == connection;
        // What is open stays so: only packets that say whose they are are held for another's sake. The agent
        // may answer as soon as it is told.
        if known != state::OPEN && !is_answered {
            set!(standing, connection, connection);
            set!(standing, state, state::ASKED);
        }
        let was_told = self.tell(key, segment);
        match known {
            state::OPEN if is_answered => Fate::Passes,
            state::REFUSED if is_answered => Fate::Refused,
            _ if was_told && kind == Kind::Initials => Fate::Passes,
            _ => Fate::Waits,
        }
    }

    /// Early data, or the end of a handshake, without which no connection is made. If it is not of the connection that was
    /// answered last, the agent is asked again.
    #[inline(always)]
    fn later(self, standing: *mut Standing, key: &Datagrams, segment: u32) -> Fate {
        let connection = initial::connection(self.datagram);
        if connection != Some(field!(standing, connection)) {
            self.tell(key, segment);
            return Fate::Waits;
        }
        match field!(standing, state) {
            state::OPEN => Fate::Passes,
            state::REFUSED => Fate::Refused,
            _ => Fate::Waits,
        }
    }

    /// Hands it to the agent, and whether that was possible.
    #[inline(always)]
    fn tell(self, key: &Datagrams, segment: u32) -> bool {
        let there = self.length;
        if there == 0 || there > DATAGRAM as u32 {
            return false;
        }
        let Some(mut entry) = HANDSHAKES.reserve::<Record>(0) else {
            return false;
        };
        let record = entry.as_mut_ptr();
        let told = Told {
            datagrams: *key,
            length: there,
            segment,
        };
        set!(record, told, told);
        // SAFETY: the record has room for that much.
        let copied = unsafe {
            let to = addr_of_mut!((*record).octets).cast();
            self.datagram.copy::<{ DATAGRAM as u32 }>(to, there)
        };
        if !copied {
            entry.discard(0);
            return false;
        }
        entry.submit(0);
        count(Counter::UdpAsked);
        true
    }
}

/// One of a socket that nobody has noted, or that has been pushed out.
#[inline(always)]
fn anew(key: &Datagrams) -> Option<*mut Standing> {
    _ = DATAGRAMS.insert(key, Standing::NOBODY, BPF_NOEXIST.into());
    DATAGRAMS.get_ptr_mut(key)
}
