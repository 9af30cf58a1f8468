//! DNS answers, before those who asked see them: addresses of guarded names are learned on the way.
//!
//! The packet is somebody else's: nothing in it is believed before it is checked, and every loop has a
//! bound. What changes from turn to turn lies in memory, not in variables: the verifier forgets what it
//! knows of memory, so that it need not follow each way through the bytes on its own.

use core::ptr::{addr_of, addr_of_mut};

use aya_ebpf::{
    bindings::__sk_buff,
    helpers::bpf_ktime_get_ns,
    macros::map,
    maps::{PerCpuArray, RingBuf},
    programs::SkBuffContext,
};
use codegate_ebpf::{
    Address, Counter, Endpoint, flags,
    name::{self, Heard, NameKey, NamePorts, odd},
};

use crate::{
    maps::{LEARNED, NAME_SEED, NAMES, add, count},
    packet::{Packet, bounded},
    socket::{UDP, field, set},
};

/// What is known of an answer while it is read.
#[repr(C)]
struct Scratch {
    /// With `message` behind it, what the agent is told.
    heard: Heard,
    /// The DNS message, or its beginning.
    message: [u8; name::MESSAGE],
    /// How many bytes of it there are.
    length: u32,
    /// Where the reader is.
    at: u32,
    /// Whether it is behind the name of a record.
    behind_name: u32,
    /// Records left.
    left: u32,
    /// How long the question's name is.
    end: u32,
    /// Where in the name the hash is.
    cursor: u32,
    /// The hash so far.
    hash: u64,
    /// The hash of what begins at each octet of the name.
    hashes: [u64; LONGEST],
    /// The ports of the guarded name.
    ports: NamePorts,
    /// The time.
    now: u64,
    /// How many addresses were stored.
    stored: u32,
    /// Not 0 if some could not be.
    failed: u32,
}

#[map]
static SCRATCH: PerCpuArray<Scratch> = PerCpuArray::with_max_entries(1, 0);

/// Answers that concern guarded names, for the agent.
#[map]
static ANSWERS: RingBuf = RingBuf::with_byte_size(256 * 1024, 0);

/// The DNS header's length (RFC 1035, section 4.1.1).
const HEADER: usize = 12;
/// More than the octets of the longest name.
const LONGEST: usize = 256;
/// More labels than hosts' names have.
const LABELS: usize = 40;

const DNS_PORT: u16 = 53;

/// Types of records (RFC 1035, RFC 3596, RFC 9460).
const A: u16 = 1;
const AAAA: u16 = 28;
const SVCB: u16 = 64;
const HTTPS: u16 = 65;

/// A packet arrives at a socket.
#[inline(always)]
pub(crate) fn learn(ctx: &SkBuffContext) {
    let Some(packet) = Packet::of_dns(ctx.skb.skb) else {
        return;
    };
    let Some(scratch) = SCRATCH.get_ptr_mut(0) else {
        return;
    };
    if packet.load_message(scratch).is_none() || !is_answer(scratch) {
        return;
    }
    if read_question(scratch).is_none() {
        return;
    }
    hash_name(scratch);
    if !is_guarded(scratch) {
        return;
    }
    // SAFETY: the helper has no preconditions.
    set!(scratch, now, unsafe { bpf_ktime_get_ns() });
    read_records(packet, scratch);
    tell(scratch);
}

impl Packet {
    /// Finds the UDP payload of a packet from a DNS server.
    #[inline(always)]
    fn of_dns(skb: *mut __sk_buff) -> Option<Self> {
        let udp = Self::of(skb, UDP)?;
        let from: u16 = udp.load(0)?;
        (from == DNS_PORT.to_be()).then_some(Self {
            skb,
            start: udp.start + 8,
        })
    }

    /// Copies the message, as far as there is room.
    #[inline(always)]
    fn load_message(self, scratch: *mut Scratch) -> Option<()> {
        let there = field!(self.skb, len).wrapping_sub(self.start);
        // The shortest answer: a header, the root's name, type and class. Longer than a packet can be,
        // it was less than nothing.
        if there < HEADER as u32 + 5 || there > 0xffff {
            return None;
        }
        let (length, odd) = if there > name::MESSAGE as u32 {
            (name::MESSAGE as u32, odd::CUT)
        } else {
            (there, 0)
        };
        set!(scratch, length, length);
        set!(scratch, heard, Heard { length, odd });
        // SAFETY: the scratch has room for that much.
        let copied = unsafe {
            let to = addr_of_mut!((*scratch).message).cast();
            self.copy::<{ name::MESSAGE as u32 }>(to, length)
        };
        copied.then_some(())
    }
}

/// An answer to one question, without error, that answers something.
#[inline(always)]
fn is_answer(scratch: *mut Scratch) -> bool {
    let (first, second) = (byte(scratch, 2), byte(scratch, 3));
    // QR is set, OPCODE is QUERY, RCODE is NOERROR.
    let fine = first & 0xf8 == 0x80 && second & 0x0f == 0;
    if first & 0x02 != 0 {
        add_odd(scratch, odd::CUT);
    }
    let records = word(scratch, 6);
    set!(scratch, left, u32::from(records));
    fine && word(scratch, 4) == 1 && records != 0
}

/// Goes behind the question, and notes the length of its name, in octets and without the root's. `None`
/// for what is no name, and for one of so many labels that no host is called so.
#[inline(always)]
fn read_question(scratch: *mut Scratch) -> Option<()> {
    set!(scratch, at, 0);
    for _ in 0..LABELS {
        let at = field!(scratch, at);
        let octet = u32::from(byte(scratch, HEADER + at as usize));
        if octet == 0 {
            set!(scratch, end, at);
            // The question's type and class are behind its name.
            let at = HEADER as u32 + at + 1 + 4;
            set!(scratch, at, at);
            return (at <= field!(scratch, length)).then_some(());
        }
        let next = at + 1 + octet;
        if octet > 63 || next > LONGEST as u32 - 2 {
            return None;
        }
        set!(scratch, at, next);
    }
    None
}

/// Hashes the name from its end, and notes the hash of what begins at each octet. No turn has a branch:
/// it would double what the verifier has to look at.
#[inline(always)]
fn hash_name(scratch: *mut Scratch) {
    set!(scratch, hash, NAME_SEED.load());
    set!(scratch, cursor, field!(scratch, end));
    for _ in 0..LONGEST {
        let cursor = field!(scratch, cursor);
        if cursor == 0 {
            return;
        }
        let cursor = (cursor - 1) as usize & (LONGEST - 1);
        set!(scratch, cursor, cursor as u32);
        let hash = name::step(field!(scratch, hash), byte(scratch, HEADER + cursor));
        set!(scratch, hash, hash);
        // SAFETY: masked to the array's length.
        unsafe {
            let hashes = addr_of_mut!((*scratch).hashes).cast::<u64>();
            hashes.add(cursor).write_volatile(hash);
        }
    }
}

/// Looks the name and all that is above it up, longest first: the first that is found is the most
/// specific.
#[inline(always)]
fn is_guarded(scratch: *mut Scratch) -> bool {
    set!(scratch, cursor, 0);
    for _ in 0..LABELS {
        let cursor = field!(scratch, cursor);
        if cursor >= field!(scratch, end) {
            return false;
        }
        let here = cursor as usize & (LONGEST - 1);
        // SAFETY: masked to the array's length.
        let hash = unsafe {
            let hashes = addr_of!((*scratch).hashes).cast::<u64>();
            hashes.add(here).read_volatile()
        };
        // SAFETY: entries are written before the program is attached.
        if let Some(ports) = unsafe { NAMES.get(NameKey::new(hash, here != 0)) } {
            set!(scratch, ports, *ports);
            return true;
        }
        set!(
            scratch,
            cursor,
            cursor + 1 + u32::from(byte(scratch, HEADER + here))
        );
    }
    false
}

/// Learns from each record of the answer. Whose it is does not matter: what a client is told when it
/// asks for a guarded name is where it goes.
///
/// One loop, whose turns are labels and records: a loop over labels inside of one over records would
/// have the verifier walk all labels for each record.
#[inline(always)]
fn read_records(packet: Packet, scratch: *mut Scratch) {
    set!(scratch, behind_name, 0);
    set!(scratch, stored, 0);
    set!(scratch, failed, 0);
    for _ in 0..name::STEPS {
        if field!(scratch, left) == 0 {
            return;
        }
        let step = if field!(scratch, behind_name) == 0 {
            pass_label(scratch)
        } else {
            read_record(packet, scratch)
        };
        if step.is_none() {
            return add_odd(scratch, odd::SHAPE);
        }
    }
    if field!(scratch, left) != 0 {
        add_odd(scratch, odd::MANY);
    }
}

/// Goes behind a label, or what ends a name (RFC 1035, section 4.1.4).
#[inline(always)]
fn pass_label(scratch: *mut Scratch) -> Option<()> {
    let at = field!(scratch, at);
    if at >= field!(scratch, length) {
        return None;
    }
    let octet = u32::from(byte(scratch, at as usize));
    let (length, ends) = match octet {
        0 => (1, 1),
        1..=63 => (1 + octet, 0),
        0xc0.. => (2, 1),
        _ => return None,
    };
    set!(scratch, at, at + length);
    set!(scratch, behind_name, ends);
    Some(())
}

/// What stands between a record's name and its data (RFC 1035, section 4.1.3), in network order.
#[repr(C)]
#[derive(Clone, Copy)]
struct Record {
    kind: u16,
    class: u16,
    ttl: [u16; 2],
    size: u16,
}

/// Reads what comes after a record's name, and goes behind it.
#[inline(always)]
fn read_record(packet: Packet, scratch: *mut Scratch) -> Option<()> {
    let (at, length) = (field!(scratch, at), field!(scratch, length));
    let record: Record = packet.load(at)?;
    let data = at + size_of::<Record>() as u32;
    let size = u32::from(u16::from_be(record.size));
    let next = data + size;
    if next > length {
        return None;
    }
    set!(scratch, at, next);
    set!(scratch, left, field!(scratch, left) - 1);
    set!(scratch, behind_name, 0);
    if record.class != 1_u16.to_be() {
        return Some(());
    }
    let ip = match u16::from_be(record.kind) {
        A if size == 4 => [0, 0, 0xffff_u32.to_be(), packet.load(data)?],
        AAAA if size == 16 => packet.load(data)?,
        A | AAAA => return None,
        SVCB | HTTPS => {
            add_odd(scratch, odd::SERVICE);
            return Some(());
        }
        _ => return Some(()),
    };
    let [high, low] = record.ttl.map(u16::from_be).map(u32::from);
    guard(scratch, ip, high << 16 | low);
    Some(())
}

/// Guards an address on all ports of the name.
#[inline(always)]
fn guard(scratch: *mut Scratch, ip: [u32; 4], ttl: u32) {
    // RFC 2181, section 8: the first bit is never set, and a TTL that has it counts as 0.
    let ttl = if ttl > i32::MAX as u32 { 0 } else { ttl };
    let ttl = ttl.clamp(name::LEAST_TTL, name::MOST_TTL);
    let endpoint = Endpoint {
        expires: field!(scratch, now) + u64::from(ttl) * 1_000_000_000,
        flags: flags::REDIRECT_TCP | flags::REFUSE_UDP,
        zero: 0,
    };
    for i in 0..name::PORTS {
        // SAFETY: `i` is less than the array's length.
        let port = unsafe {
            addr_of!((*scratch).ports.ports)
                .cast::<u16>()
                .add(i)
                .read_volatile()
        };
        if port == 0 {
            return;
        }
        let error = LEARNED.insert(Address::v6(ip, port), endpoint, 0).err();
        set!(
            scratch,
            failed,
            field!(scratch, failed) | error.unwrap_or_default() as u32
        );
        set!(scratch, stored, field!(scratch, stored) + 1);
    }
}

/// Tells the agent. If it does not listen, what the kernel learned holds all the same.
#[inline(always)]
fn tell(scratch: *mut Scratch) {
    add(Counter::Learned, u64::from(field!(scratch, stored)));
    if field!(scratch, failed) != 0 {
        add_odd(scratch, odd::NOT_STORED);
    }
    let length = bounded::<{ name::MESSAGE as u32 }>(field!(scratch, length));
    // SAFETY: the message lies right behind `heard`, and has room for that much.
    let heard = unsafe {
        core::slice::from_raw_parts(scratch.cast::<u8>(), size_of::<Heard>() + length as usize)
    };
    if ANSWERS.output::<[u8]>(heard, 0).is_err() {
        count(Counter::NotTold);
    }
}

#[inline(always)]
fn add_odd(scratch: *mut Scratch, bit: u32) {
    let mut heard = field!(scratch, heard);
    heard.odd |= bit;
    set!(scratch, heard, heard);
}

/// An octet of the message. Behind its end there is what an earlier message left: whoever reads checks
/// where it ends.
#[inline(always)]
fn byte(scratch: *mut Scratch, at: usize) -> u8 {
    // SAFETY: masked to the array's length.
    unsafe {
        let message = addr_of!((*scratch).message).cast::<u8>();
        message.add(at & (name::MESSAGE - 1)).read_volatile()
    }
}

/// Sixteen bits in network order.
#[inline(always)]
fn word(scratch: *mut Scratch, at: usize) -> u16 {
    u16::from(byte(scratch, at)) << 8 | u16::from(byte(scratch, at + 1))
}
