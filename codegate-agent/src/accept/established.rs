//! The TCP connections that there are in a network namespace, and how one is ended: sock_diag(7).
//!
//! Both messages are laid out in `linux/inet_diag.h`; what is not read here is skipped by its length.

use std::{
    io::{self, Read as _},
    net::{IpAddr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use socket2::{Domain, Protocol, Socket, Type};

/// `NETLINK_SOCK_DIAG`
const SOCK_DIAG: i32 = 4;
/// `SOCK_DIAG_BY_FAMILY`
const LIST: u16 = 20;
/// `SOCK_DESTROY`
const DESTROY: u16 = 21;
/// `1 << TCP_ESTABLISHED`
const ESTABLISHED: u32 = 1 << 1;
/// `INET_DIAG_MARK`
const MARK: u16 = 15;
/// `INET_DIAG_CGROUP_ID`
const CGROUP: u16 = 21;
/// Lengths of `nlmsghdr`, `inet_diag_sockid` and `inet_diag_msg`.
const HEADER: usize = 16;
const ID: usize = 48;
const MESSAGE: usize = 72;
/// The kernel's answers come in pieces of at most half of this.
const PIECE: usize = 64 << 10;
/// Most connections of a namespace that are looked at.
const MOST: usize = 1 << 20;
/// How long the kernel may take to answer, which it does at once.
const PATIENCE: Duration = Duration::from_secs(5);

/// A TCP connection of some process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Established {
    /// This end.
    pub local: SocketAddr,
    /// The other end; IPv4 is IPv4, also on an IPv6 socket.
    pub remote: SocketAddr,
    /// Whose socket it is.
    pub uid: u32,
    /// The socket's inode, by which `/proc/PID/fd` has it.
    pub inode: u32,
    /// `SO_MARK`
    pub mark: u32,
    /// The cgroup (v2) in which the socket was made; `None` where the kernel does not say (before 5.10).
    pub cgroup: Option<u64>,
    family: u8,
    /// The kernel's own name for it, cookie included, as it came.
    id: [u8; ID],
}

/// Asks about connections of the network namespace that it was made in.
#[derive(Debug)]
pub struct Diag(Socket);

impl Diag {
    /// Opens it, in the calling thread's network namespace.
    ///
    /// # Errors
    /// Where the kernel has no sock_diag.
    pub fn open() -> io::Result<Self> {
        let socket = Socket::new(
            Domain::from(libc::AF_NETLINK),
            Type::DGRAM,
            Some(Protocol::from(SOCK_DIAG)),
        )?;
        socket.set_read_timeout(Some(PATIENCE))?;
        Ok(Self(socket))
    }

    /// All TCP connections that are established. May block for as long as the kernel takes.
    ///
    /// # Errors
    /// What the kernel says: without `INET_DIAG` there is no such file.
    pub fn established(&self) -> io::Result<Vec<Established>> {
        let mut found = Vec::new();
        for family in [libc::AF_INET, libc::AF_INET6] {
            let family = family as u8;
            let flags = libc::NLM_F_REQUEST | libc::NLM_F_DUMP;
            let request = request(LIST, flags as u16, family, ESTABLISHED, &[0; ID]);
            self.0.send(&request)?;
            self.collect(&mut found)?;
        }
        Ok(found)
    }

    /// Ends a connection: both its ends see a reset. That it is gone already is no error.
    ///
    /// # Errors
    /// `EOPNOTSUPP` where the kernel cannot (`INET_DIAG_DESTROY`), `EPERM` without `CAP_NET_ADMIN`.
    pub fn destroy(&self, connection: &Established) -> io::Result<()> {
        let flags = (libc::NLM_F_REQUEST | libc::NLM_F_ACK) as u16;
        let request = request(
            DESTROY,
            flags,
            connection.family,
            ESTABLISHED,
            &connection.id,
        );
        self.0.send(&request)?;
        match self.collect(&mut Vec::new()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            done => done,
        }
    }

    /// Reads an answer to its end.
    fn collect(&self, found: &mut Vec<Established>) -> io::Result<()> {
        let mut piece = vec![0; PIECE];
        loop {
            let length = (&self.0).read(&mut piece)?;
            let mut rest = piece.get(..length).unwrap_or_default();
            while let Some((kind, body)) = message(&mut rest) {
                match i32::from(kind) {
                    libc::NLMSG_DONE => return Ok(()),
                    libc::NLMSG_ERROR => return verdict(body),
                    _ if found.len() < MOST => found.extend(Established::read(body)),
                    _ => {}
                }
            }
        }
    }
}

/// `nlmsghdr` and `inet_diag_req_v2`.
fn request(kind: u16, flags: u16, family: u8, states: u32, id: &[u8; ID]) -> Vec<u8> {
    let length = (HEADER + 8 + ID) as u32;
    let mut request = Vec::with_capacity(length as usize);
    request.extend(length.to_ne_bytes());
    request.extend(kind.to_ne_bytes());
    request.extend(flags.to_ne_bytes());
    request.extend([0; 8]); // the sequence's number, and our port: there is one question at a time
    request.extend([family, libc::IPPROTO_TCP as u8, 0, 0]);
    request.extend(states.to_ne_bytes());
    request.extend(id);
    request
}

/// Takes the next message off a piece: its kind and what is in it.
fn message<'a>(rest: &mut &'a [u8]) -> Option<(u16, &'a [u8])> {
    let length = word(rest, 0)? as usize;
    let kind = half(rest, 4)?;
    let body = rest.get(HEADER..length)?;
    *rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
    Some((kind, body))
}

/// An error's number, which is 0 where all went well.
fn verdict(body: &[u8]) -> io::Result<()> {
    match word(body, 0).map(u32::cast_signed) {
        Some(0) => Ok(()),
        Some(error) => Err(io::Error::from_raw_os_error(error.saturating_neg())),
        None => Err(io::ErrorKind::InvalidData.into()),
    }
}

impl Established {
    /// Reads an `inet_diag_msg` and its attributes; `None` if it is none.
    fn read(body: &[u8]) -> Option<Self> {
        let family = *body.first()?;
        let id: [u8; ID] = body.get(4..4 + ID)?.try_into().ok()?;
        let address = |port: usize, ip: usize| {
            let port = u16::from_be_bytes([*id.get(port)?, *id.get(port + 1)?]);
            let octets: [u8; 16] = id.get(ip..ip + 16)?.try_into().ok()?;
            let ip = if i32::from(family) == libc::AF_INET {
                let [a, b, c, d, ..] = octets;
                IpAddr::from([a, b, c, d])
            } else {
                Ipv6Addr::from(octets).to_canonical()
            };
            Some(SocketAddr::new(ip, port))
        };
        let mut found = Self {
            local: address(0, 4)?,
            remote: address(2, 20)?,
            uid: word(body, MESSAGE - 8)?,
            inode: word(body, MESSAGE - 4)?,
            mark: 0,
            cgroup: None,
            family,
            id,
        };
        found.attributes(body.get(MESSAGE..)?);
        Some(found)
    }

    fn attributes(&mut self, mut rest: &[u8]) {
        while let (Some(length), Some(kind)) = (half(rest, 0), half(rest, 2)) {
            let length = usize::from(length);
            let Some(value) = rest.get(4..length) else {
                return;
            };
            match kind {
                MARK => self.mark = word(value, 0).unwrap_or_default(),
                CGROUP => self.cgroup = value.try_into().ok().map(u64::from_ne_bytes),
                _ => {}
            }
            rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        }
    }
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    let word = bytes.get(at..at + 4)?.try_into().ok()?;
    Some(u32::from_ne_bytes(word))
}

fn half(bytes: &[u8], at: usize) -> Option<u16> {
    let half = bytes.get(at..at + 2)?.try_into().ok()?;
    Some(u16::from_ne_bytes(half))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests panic")]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn a_connection_is_found_with_both_its_ends() {
        for here in ["127.0.0.1:0", "[::1]:0"] {
            let listener = TcpListener::bind(here).unwrap();
            let to = listener.local_addr().unwrap();
            let client = TcpStream::connect(to).unwrap();
            let all = Diag::open().unwrap().established().unwrap();
            let found = all.iter().find(|one| one.remote == to).unwrap();
            assert_eq!(found.local, client.local_addr().unwrap());
            assert_eq!(found.uid, rustix::process::geteuid().as_raw());
            assert_ne!(found.inode, 0);
        }
    }

    #[test]
    fn an_ipv4_connection_of_an_ipv6_socket_is_ipv4() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let to = listener.local_addr().unwrap();
        let socket = Socket::new(Domain::IPV6, Type::STREAM, None).unwrap();
        let mapped: SocketAddr = format!("[::ffff:127.0.0.1]:{}", to.port()).parse().unwrap();
        socket.connect(&mapped.into()).unwrap();
        let all = Diag::open().unwrap().established().unwrap();
        assert!(all.iter().any(|one| one.remote == to));
    }

    #[test]
    fn what_is_cut_off_is_not_read() {
        let mut whole = vec![0; MESSAGE];
        whole[0] = libc::AF_INET as u8;
        whole.extend([
            8, 0, 15, 0, 1, 0, 0, 0, 12, 0, 21, 0, 9, 0, 0, 0, 0, 0, 0, 0,
        ]);
        let read = Established::read(&whole).unwrap();
        assert_eq!((read.mark, read.cgroup), (1, Some(9)));
        for length in 0..MESSAGE {
            assert_eq!(Established::read(&whole[..length]), None, "{length}");
        }
        for length in MESSAGE..whole.len() {
            assert_eq!(Established::read(&whole[..length]).unwrap().cgroup, None);
        }
        let mut rest: &[u8] = &[255, 255, 255, 255, 0, 0];
        assert_eq!(message(&mut rest), None);
    }
}
