//! Reads packets: somebody else's bytes, of which nothing is believed before it is checked.

use core::{hint::black_box, mem::MaybeUninit};

use aya_ebpf::{bindings::__sk_buff, helpers::generated::bpf_skb_load_bytes};

use crate::socket::field;

/// `ETH_P_IP` and `ETH_P_IPV6`, as they stand in a packet's description.
const IPV4: u32 = 0x0800_u16.to_be() as u32;
const IPV6: u32 = 0x86DD_u16.to_be() as u32;

/// A packet, from some place on.
#[derive(Clone, Copy)]
pub(crate) struct Packet {
    pub(crate) skb: *mut __sk_buff,
    pub(crate) start: u32,
}

impl Packet {
    /// From the header of the transport protocol on, if that is the one that is wanted. The first checks
    /// cost each packet of the machine, so they read it directly.
    #[inline(always)]
    pub(crate) fn of(skb: *mut __sk_buff, wanted: u32) -> Option<Self> {
        let protocol = field!(skb, protocol);
        let start = if protocol == IPV4 {
            let [first, kind] = octets(skb, [0, 9])?;
            if u32::from(kind) != wanted {
                return None;
            }
            u32::from(first & 0xf) * 4
        } else if protocol == IPV6 {
            let [kind] = octets(skb, [6])?;
            if u32::from(kind) != wanted {
                return None;
            }
            40
        } else {
            return None;
        };
        Some(Self { skb, start })
    }

    /// The address that a packet goes to.
    #[inline(always)]
    pub(crate) fn destination(self) -> Option<[u32; 4]> {
        let whole = Self { start: 0, ..self };
        if field!(self.skb, protocol) == IPV4 {
            Some([0, 0, 0xffff_u32.to_be(), whole.load(16)?])
        } else {
            whole.load(24)
        }
    }

    /// Copies so many octets from the start on, 1 to `MOST`, which is a power of two; false if they are not there.
    ///
    /// # Safety
    /// There must be room for that much.
    #[inline(always)]
    pub(crate) unsafe fn copy<const MOST: u32>(self, to: *mut u8, length: u32) -> bool {
        let length = bounded::<MOST>(length);
        // SAFETY: the caller's word.
        unsafe { bpf_skb_load_bytes(self.skb.cast(), self.start, to.cast(), length) == 0 }
    }

    /// Reads a value that lies so far behind the start.
    #[inline(always)]
    pub(crate) fn load<T: Copy>(self, at: u32) -> Option<T> {
        let mut value = MaybeUninit::<T>::uninit();
        // SAFETY: the buffer has the length that is given.
        let missing = unsafe {
            let to = value.as_mut_ptr().cast();
            bpf_skb_load_bytes(self.skb.cast(), self.start + at, to, size_of::<T>() as u32)
        };
        // SAFETY: it was filled; integers take any bytes.
        (missing == 0).then(|| unsafe { value.assume_init() })
    }
}

/// A length from 1 to `MOST`, a power of two, as the verifier understands it.
#[inline(always)]
pub(crate) fn bounded<const MOST: u32>(length: u32) -> u32 {
    (black_box(length - 1) & (MOST - 1)) + 1
}

/// Octets of the first twenty of a packet.
#[inline(always)]
fn octets<const N: usize>(skb: *mut __sk_buff, places: [usize; N]) -> Option<[u8; N]> {
    let (data, end) = (field!(skb, data) as usize, field!(skb, data_end) as usize);
    if data + 20 > end {
        return None;
    }
    // SAFETY: they are there; the verifier knows it from the comparison.
    Some(places.map(|place| unsafe { *((data + place) as *const u8) }))
}
