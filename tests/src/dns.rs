//! The lab's DNS server: it knows the services' names and nothing else.

use std::{
    collections::HashMap,
    io,
    net::{IpAddr, TcpListener, UdpSocket},
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// Seconds that an answer may be kept: as short as possible, since tests move names.
const TTL: u32 = 1;

/// The names of the lab's internet. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Zone {
    names: Arc<Mutex<HashMap<String, Vec<IpAddr>>>>,
}

impl Zone {
    /// Gives `host` these addresses instead of the ones it had.
    pub fn set(&self, host: &str, addresses: &[IpAddr]) {
        self.names
            .lock()
            .unwrap()
            .insert(host.to_ascii_lowercase(), addresses.to_vec());
    }

    /// The addresses of `host`; `None` for a name that does not exist.
    #[must_use]
    pub fn addresses(&self, host: &str) -> Option<Vec<IpAddr>> {
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        self.names.lock().unwrap().get(&host).cloned()
    }

    /// Answers on `socket` until the runtime is gone.
    ///
    /// # Panics
    /// Where tokio does not take the socket.
    pub async fn serve(self, socket: UdpSocket) {
        socket.set_nonblocking(true).expect("a socket for tokio");
        let socket = tokio::net::UdpSocket::from_std(socket).expect("a socket for tokio");
        let mut buffer = [0; 4096];
        while let Ok((length, peer)) = socket.recv_from(&mut buffer).await {
            if let Some(answer) = self.answer(&buffer[..length])
                && socket.send_to(&answer, peer).await.is_err()
            {
                break;
            }
        }
    }

    /// Answers by TCP on `listener` until the runtime is gone (RFC 7766).
    ///
    /// # Panics
    /// Where tokio does not take the listener.
    pub async fn serve_tcp(self, listener: TcpListener) {
        listener
            .set_nonblocking(true)
            .expect("a listener for tokio");
        let listener = tokio::net::TcpListener::from_std(listener).expect("a listener for tokio");
        while let Ok((stream, _)) = listener.accept().await {
            let zone = self.clone();
            // Clients hang up when they know enough.
            tokio::spawn(async move { zone.answer_all(stream).await.is_ok() });
        }
    }

    async fn answer_all(&self, mut stream: TcpStream) -> io::Result<()> {
        loop {
            let mut query = vec![0; stream.read_u16().await?.into()];
            stream.read_exact(&mut query).await?;
            let Some(answer) = self.answer(&query) else {
                return Ok(());
            };
            let length = u16::try_from(answer.len()).map_err(io::Error::other)?;
            let message = [&length.to_be_bytes()[..], &answer].concat();
            stream.write_all(&message).await?;
        }
    }

    fn answer(&self, query: &[u8]) -> Option<Vec<u8>> {
        let question = Question::read(query)?;
        let addresses = self.addresses(&question.name);
        let records: Vec<Vec<u8>> = addresses
            .iter()
            .flatten()
            .filter_map(|address| question.record(*address))
            .collect();
        let code = if addresses.is_some() {
            NO_ERROR
        } else {
            NAME_ERROR
        };
        // An answer; recursion, wanted or not, is there.
        let flags = [0x80 | query[2] & 0x01, 0x80 | code];
        let mut answer = [&query[..2], &flags, &[0, 1]].concat();
        answer.extend(u16::try_from(records.len()).ok()?.to_be_bytes());
        answer.extend([0; 4]);
        answer.extend(question.raw);
        answer.extend(records.concat());
        Some(answer)
    }
}

const NO_ERROR: u8 = 0;
const NAME_ERROR: u8 = 3;
const HEADER: usize = 12;

/// Types of records (RFC 1035, RFC 3596, RFC 9460).
pub const A: u16 = 1;
/// An alias.
pub const CNAME: u16 = 5;
/// An IPv6 address.
pub const AAAA: u16 = 28;
/// A service and how it is reached.
pub const HTTPS: u16 = 65;

/// A question, as a resolver sends it.
#[must_use]
pub fn query(name: &str, kind: u16) -> Vec<u8> {
    let header = [7, 9, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    let kind_and_class = [kind, 1].map(u16::to_be_bytes).concat();
    [&header[..], &labels(name), &kind_and_class].concat()
}

/// A name as it is written in messages, without compression.
fn labels(name: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for label in name.split('.').filter(|label| !label.is_empty()) {
        bytes.push(u8::try_from(label.len()).expect("a short label"));
        bytes.extend(label.bytes());
    }
    bytes.push(0);
    bytes
}

/// An answer put together by hand, for whoever reads answers.
#[derive(Debug, Clone)]
#[must_use]
pub struct Message {
    question: Vec<u8>,
    records: Vec<Vec<u8>>,
    additional: Vec<u8>,
}

impl Message {
    /// An answer to a question, without records yet.
    pub fn answer(name: &str, kind: u16) -> Self {
        Self {
            question: query(name, kind).split_off(HEADER),
            records: Vec::new(),
            additional: Vec::new(),
        }
    }

    /// Adds a record of the question's name.
    pub fn record(self, kind: u16, ttl: u32, data: &[u8]) -> Self {
        self.owned(&POINTER, kind, ttl, data)
    }

    /// Adds an IPv4 address.
    pub fn a(self, address: std::net::Ipv4Addr, ttl: u32) -> Self {
        self.record(A, ttl, &address.octets())
    }

    /// Adds an IPv6 address.
    pub fn aaaa(self, address: std::net::Ipv6Addr, ttl: u32) -> Self {
        self.record(AAAA, ttl, &address.octets())
    }

    /// Adds an IPv4 address of another name, which is written out.
    pub fn owned_a(self, owner: &str, address: std::net::Ipv4Addr, ttl: u32) -> Self {
        self.owned(&labels(owner), A, ttl, &address.octets())
    }

    /// Adds an alias that is written out.
    pub fn cname(self, target: &str) -> Self {
        self.record(CNAME, 60, &labels(target))
    }

    /// Adds an alias: a label before the question's name.
    pub fn compressed_cname(self, label: &str) -> Self {
        let mut target = labels(label);
        target.pop();
        target.extend(POINTER);
        self.record(CNAME, 60, &target)
    }

    /// Adds the extension record that resolvers send (RFC 6891).
    pub fn edns(mut self) -> Self {
        self.additional = vec![0, 0, 41, 4, 0xd0, 0, 0, 0, 0, 0, 0];
        self
    }

    /// The message.
    ///
    /// # Panics
    /// With more records than a message can count.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let count = u16::try_from(self.records.len())
            .expect("a count")
            .to_be_bytes();
        let additional = u8::from(!self.additional.is_empty());
        let header = [
            7, 9, 0x81, 0x80, 0, 1, count[0], count[1], 0, 0, 0, additional,
        ];
        [
            &header[..],
            &self.question,
            &self.records.concat(),
            &self.additional,
        ]
        .concat()
    }

    fn owned(mut self, owner: &[u8], kind: u16, ttl: u32, data: &[u8]) -> Self {
        self.records.push(record(owner, kind, ttl, data));
        self
    }
}

/// Points at the question's name.
const POINTER: [u8; 2] = [0xC0, HEADER as u8];

fn record(owner: &[u8], kind: u16, ttl: u32, data: &[u8]) -> Vec<u8> {
    let kind_and_class = [kind, 1].map(u16::to_be_bytes).concat();
    let length = u16::try_from(data.len()).expect("short data").to_be_bytes();
    [owner, &kind_and_class, &ttl.to_be_bytes(), &length, data].concat()
}

/// The first question of a query (RFC 1035, section 4.1.2).
struct Question<'query> {
    name: String,
    kind: u16,
    raw: &'query [u8],
}

impl<'query> Question<'query> {
    /// `None` for what no resolver sends.
    fn read(query: &'query [u8]) -> Option<Self> {
        let mut labels = Vec::new();
        let mut at = HEADER;
        while let length @ 1.. = usize::from(*query.get(at)?) {
            labels.push(String::from_utf8_lossy(query.get(at + 1..=at + length)?).into_owned());
            at += 1 + length;
        }
        let kind = query.get(at + 1..at + 3)?;
        Some(Self {
            name: labels.join("."),
            kind: u16::from_be_bytes([kind[0], kind[1]]),
            raw: query.get(HEADER..at + 5)?,
        })
    }

    /// The record that says `address`, if it is of the kind that was asked for.
    fn record(&self, address: IpAddr) -> Option<Vec<u8>> {
        let data = match (self.kind, address) {
            (A, IpAddr::V4(v4)) => v4.octets().to_vec(),
            (AAAA, IpAddr::V6(v6)) => v6.octets().to_vec(),
            _ => return None,
        };
        Some(record(&POINTER, self.kind, TTL, &data))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(zone: &Zone, name: &str, kind: u16) -> Vec<u8> {
        zone.answer(&query(name, kind)).unwrap()
    }

    #[test]
    fn answers_by_family_and_refuses_what_it_does_not_know() {
        let zone = Zone::default();
        zone.set(
            "API.openai.com",
            &["198.19.0.1".parse().unwrap(), "fd00::1".parse().unwrap()],
        );
        let v4 = ask(&zone, "api.OpenAI.com", A);
        assert_eq!(
            (&v4[..4], &v4[6..8]),
            (&[7, 9, 0x81, 0x80][..], &[0, 1][..])
        );
        assert_eq!(v4[v4.len() - 6..], [0, 4, 198, 19, 0, 1]);
        assert_eq!(ask(&zone, "api.openai.com", AAAA)[6..8], [0, 1]);
        assert_eq!(ask(&zone, "api.openai.com", HTTPS)[6..8], [0, 0]);
        assert_eq!(ask(&zone, "elsewhere.org", A)[3], 0x80 | NAME_ERROR);
        assert!(zone.answer(&[1, 2, 3]).is_none());
    }
}
