//! Asks a network namespace's servers for names, from a thread in it: sockets belong to where they are
//! made. The thread ends with the round, and can wait for nothing but the network, up to a limit.

use std::{
    fs::File,
    io,
    net::{IpAddr, SocketAddr},
    os::fd::AsFd as _,
    sync::Arc,
    thread,
    time::Duration,
};

use domain::{
    base::Name,
    resolv::stub::{
        StubResolver,
        conf::{ResolvConf, ServerConf, Transport},
    },
};
use futures_util::{StreamExt as _, stream};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use tokio::{
    runtime,
    sync::oneshot,
    time::{Instant, sleep_until},
};

use super::Servers;

/// Where servers listen.
const PORT: u16 = 53;
/// How long an answer may take.
const ANSWER: Duration = Duration::from_secs(2);
/// How long all of a round may take.
const ROUND: Duration = Duration::from_secs(10);
/// How many names are asked for at a time.
const AT_ONCE: usize = 16;
/// Most addresses of one name that count.
const ADDRESSES: usize = 256;
/// A round is shallow; its futures lie on the heap.
const STACK: usize = 1 << 20;

/// Names and their addresses.
pub type Found = Vec<(String, Vec<IpAddr>)>;

/// Asks for the addresses of names, in a network namespace of which `namespace` is a handle, or in the
/// agent's own. Names that do not exist, or that time was too short for, are left out.
///
/// # Errors
/// Where no server answers, the namespace cannot be entered (`CAP_SYS_ADMIN`), or there can be no more
/// threads or sockets.
pub async fn ask(
    namespace: Option<File>,
    servers: Servers,
    names: Arc<[String]>,
) -> io::Result<Found> {
    let (tell, told) = oneshot::channel();
    thread::Builder::new()
        .name("codegate-names".to_owned())
        .stack_size(STACK)
        .spawn(move || {
            // Nobody may wait for it any more.
            _ = tell.send(ask_there(namespace, &servers, &names));
        })?;
    told.await.map_err(io::Error::other)?
}

fn ask_there(namespace: Option<File>, servers: &Servers, names: &[String]) -> io::Result<Found> {
    if let Some(namespace) = namespace {
        move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network))?;
    }
    runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(round(servers, PORT, names))
}

async fn round(servers: &Servers, port: u16, names: &[String]) -> io::Result<Found> {
    let end = Instant::now() + ROUND;
    let Some((first, others)) = names.split_first() else {
        return Ok(Found::new());
    };
    let (resolver, answer) = alive(servers, port, first).await?;
    let resolver = &resolver;
    let answers = stream::iter(others)
        .map(|name| async move { Ok((name.clone(), look_up(resolver, name).await?)) })
        .buffer_unordered(AT_ONCE)
        .take_until(sleep_until(end))
        .filter_map(|answer: io::Result<_>| async { answer.ok() });
    let mut found: Found = answers.collect().await;
    found.push((first.clone(), answer));
    found.retain(|(_, addresses)| !addresses.is_empty());
    Ok(found)
}

/// A resolver, and its answer to the first name: servers that do not answer it are not asked for more.
/// Some answer by TCP alone.
async fn alive(
    servers: &Servers,
    port: u16,
    first: &str,
) -> io::Result<(StubResolver, Vec<IpAddr>)> {
    let resolver = resolver(servers, port);
    let failed = match look_up(&resolver, first).await {
        Ok(answer) => return Ok((resolver, answer)),
        Err(error) if servers.tcp => return Err(error),
        Err(error) => error,
    };
    let resolver = self::resolver(&servers.by_tcp(), port);
    match look_up(&resolver, first).await {
        Ok(answer) => Ok((resolver, answer)),
        Err(_) => Err(failed),
    }
}

fn resolver(servers: &Servers, port: u16) -> StubResolver {
    let mut conf = ResolvConf::new();
    let addresses = servers.addresses.iter();
    let servers_at = addresses.map(|ip| SocketAddr::new(*ip, port));
    conf.servers = servers_at
        .map(|address| ServerConf::new(address, Transport::UdpTcp))
        .collect();
    conf.options.use_vc = servers.tcp;
    conf.options.timeout = ANSWER;
    conf.finalize();
    StubResolver::from_conf(conf)
}

/// The addresses of a name, of which there may be none.
async fn look_up(resolver: &StubResolver, name: &str) -> io::Result<Vec<IpAddr>> {
    let name = Name::vec_from_str(name).map_err(io::Error::other)?;
    let found = resolver.lookup_host(&name).await?;
    Ok(found.iter().take(ADDRESSES).collect())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests panic")]
mod tests {
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::{TcpListener, UdpSocket},
    };

    use super::*;

    const NAMES: [&str; 2] = ["a.test", "b.test"];

    fn names() -> Vec<String> {
        NAMES.map(str::to_owned).into()
    }

    fn here() -> Servers {
        Servers::read("nameserver 127.0.0.1").unwrap()
    }

    /// An answer with one address, 192.0.2.7, to a question for an IPv4 address; else with none.
    fn answer(query: &[u8]) -> Vec<u8> {
        let end = 12 + query[12..].iter().position(|byte| *byte == 0).unwrap() + 5;
        let count = u8::from(query[end - 4..end - 2] == [0, 1]);
        let mut answer = [&query[..2], &[0x81, 0x80, 0, 1, 0, count, 0, 0, 0, 0]].concat();
        answer.extend(&query[12..end]);
        if count == 1 {
            answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 9, 0, 4, 192, 0, 2, 7]);
        }
        answer
    }

    async fn serve_tcp(listener: TcpListener) {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                while let Ok(length) = stream.read_u16().await {
                    let mut query = vec![0; length.into()];
                    stream.read_exact(&mut query).await.unwrap();
                    let answer = answer(&query);
                    let length = u16::try_from(answer.len()).unwrap().to_be_bytes();
                    let message = [&length[..], &answer].concat();
                    stream.write_all(&message).await.unwrap();
                }
            });
        }
    }

    async fn serve_udp(socket: UdpSocket, make: impl Fn(&[u8]) -> Vec<u8>) {
        let mut query = [0; 512];
        while let Ok((length, peer)) = socket.recv_from(&mut query).await {
            let answer = make(&query[..length]);
            socket.send_to(&answer, peer).await.unwrap();
        }
    }

    fn sorted(mut found: Found) -> Vec<String> {
        found.sort();
        let lines = found.iter().map(|(name, ips)| format!("{name} {ips:?}"));
        lines.collect()
    }

    const BOTH: [&str; 2] = ["a.test [192.0.2.7]", "b.test [192.0.2.7]"];

    #[tokio::test]
    async fn a_server_that_answers_by_udp_is_asked_by_udp() {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let port = socket.local_addr().unwrap().port();
        tokio::spawn(serve_udp(socket, answer));
        let found = round(&here(), port, &names()).await.unwrap();
        assert_eq!(sorted(found), BOTH);
    }

    #[tokio::test]
    async fn a_server_that_answers_by_tcp_alone_is_asked_by_tcp() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(serve_tcp(listener));
        for servers in [here(), here().by_tcp()] {
            let found = round(&servers, port, &names()).await.unwrap();
            assert_eq!(sorted(found), BOTH);
        }
    }

    #[tokio::test]
    async fn what_is_no_answer_is_none() {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let port = socket.local_addr().unwrap().port();
        tokio::spawn(serve_udp(socket, |query| {
            [&query[..2], &[0xff; 40]].concat()
        }));
        let begun = Instant::now();
        let found = round(&here(), port, &names()).await;
        assert!(found.is_err() || found.is_ok_and(|found| found.is_empty()));
        assert!(begun.elapsed() < ROUND);
    }

    #[tokio::test]
    async fn a_silent_server_costs_little() {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let listener = TcpListener::bind(socket.local_addr().unwrap())
            .await
            .unwrap();
        let port = listener.local_addr().unwrap().port();
        let begun = Instant::now();
        let many: Vec<_> = (0..1_000).map(|n| format!("n{n}.test")).collect();
        assert!(round(&here(), port, &many).await.is_err());
        assert!(begun.elapsed() < ROUND);
        // It was there all the time.
        drop((socket, listener));
    }

    #[tokio::test]
    async fn nothing_is_asked_without_names() {
        let found = ask(None, here(), Arc::default()).await.unwrap();
        assert!(found.is_empty());
    }
}
