//! Who connects: named rightly however many there are, and however soon they are gone.

use std::{
    collections::HashMap,
    fs,
    io::{BufRead as _, BufReader, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use codegate::kernel::{Counter, Options, Redirected};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use socket2::SockRef;
use tempfile::TempDir;

use crate::field::{Field, V4, arrived, at};

/// Programs of their own: each a file with another path.
fn tools(folder: &TempDir, count: usize) -> Vec<PathBuf> {
    let tool = |n: usize| {
        let home = folder
            .path()
            .join(format!("home-{}/.local/lib/tools", n % 7));
        fs::create_dir_all(&home).unwrap();
        let path = home.join(format!("tool-{n}"));
        fs::copy(env!("CARGO_BIN_EXE_dial"), &path).unwrap();
        path
    };
    (0..count).map(tool).collect()
}

/// What the programs wrote down, with the parts that a test wants.
fn exe(flow: &Redirected) -> Option<&Path> {
    flow.image.as_ref()?.exe.as_deref()
}

#[test]
fn a_caller_is_known_by_its_program_its_words_and_its_parents() {
    let field = Field::new();
    let folder = TempDir::new().unwrap();
    let tool = tools(&folder, 1).remove(0);
    let script = format!("{} exit {V4} || exit 1; :", tool.display());
    let status = field
        .ground
        .client(|| Command::new("sh").args(["-c", &script]).status());
    assert!(status.unwrap().success());
    let (_stream, flow) = field.taken(&field.ground.agent4);
    let flow = flow.expect("a record of the connection");
    let image = flow.image.clone().expect("the process's image");
    assert_eq!(image.exe.as_deref(), Some(&*tool));
    assert_eq!(image.arguments, [tool.to_str().unwrap(), "exit", V4]);
    let metadata = fs::metadata(&tool).unwrap();
    assert_eq!(image.inode, std::os::unix::fs::MetadataExt::ino(&metadata));
    let parents: Vec<u32> = image
        .ancestors
        .iter()
        .map(|ancestor| ancestor.pid)
        .collect();
    assert_eq!(
        parents.get(1),
        Some(&std::process::id()),
        "{parents:?}: a shell, and this test"
    );
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let started = stat
        .rsplit_once(") ")
        .unwrap()
        .1
        .split(' ')
        .nth(19)
        .unwrap()
        .to_owned();
    assert_eq!(image.ancestors[1].start.to_string(), started);
    assert!(flow.start >= image.ancestors[0].start && image.ancestors[0].start > 0);
}

/// A program that becomes another one is another one from then on.
#[test]
fn an_exec_changes_the_name_and_not_the_pid() {
    let field = Field::new();
    let folder = TempDir::new().unwrap();
    let tools = tools(&folder, 2);
    let script = "exec 3<>/dev/tcp/192.0.2.1/443; exec \"$0\" exit 192.0.2.1:443";
    let status = field.ground.client(|| {
        Command::new("bash")
            .args(["-c", script])
            .arg(&tools[1])
            .status()
    });
    assert!(status.unwrap().success());
    let flows = [(); 2].map(|()| field.taken(&field.ground.agent4).1.unwrap());
    assert_eq!(flows[0].tgid, flows[1].tgid);
    assert_eq!(flows[0].start, flows[1].start);
    let bash = fs::canonicalize("/usr/bin/bash").unwrap();
    assert_eq!(exe(&flows[0]), Some(&*bash));
    assert_eq!(exe(&flows[1]), Some(&*tools[1]));
}

/// Each is gone, and waited for, before its connection is so much as accepted.
#[test]
fn a_thousand_that_are_gone_at_once_are_all_named() {
    let clients = lab::many(1_000);
    let field = Field::new();
    let folder = TempDir::new().unwrap();
    let tools = tools(&folder, 50);
    let mut named = 0;
    for n in 0..clients {
        let tool = &tools[n % tools.len()];
        let mut child = field.ground.client(|| dial(tool, "exit", &[V4.to_owned()]));
        let pid = child.id();
        assert!(child.wait().unwrap().success());
        assert!(!Path::new(&format!("/proc/{pid}")).exists());
        let (_stream, flow) = field.taken(&field.ground.agent4);
        let flow = flow.expect("a record of the connection");
        assert_eq!(flow.tgid, pid);
        named += usize::from(exe(&flow) == Some(tool));
    }
    tell(&format!(
        "clients that were gone at once: {clients}, named: {named}"
    ));
    assert_eq!(named, clients);
}

/// All of a program's threads find it unknown, and one of them writes down what it is: had each done so, one
/// would write into what the kernel has given to another program since.
#[test]
fn programs_whose_threads_connect_at_once_are_all_named() {
    const THREADS: usize = 8;
    let rounds = lab::many(300);
    let field = Field::new();
    let folder = TempDir::new().unwrap();
    let tools = tools(&folder, 3);
    let addresses = vec![V4.to_owned(); THREADS];
    let mut unnamed = 0;
    for _ in 0..rounds {
        let mut clients: Vec<Child> = (tools.iter())
            .map(|tool| field.ground.client(|| dial(tool, "say", &addresses)))
            .collect();
        for client in &mut clients {
            client.stdin.take().unwrap().write_all(b"\n").unwrap();
        }
        let all = clients.len() * THREADS;
        let arrived: Vec<_> = (0..all)
            .map(|_| field.taken(&field.ground.agent4))
            .collect();
        for (mut stream, flow) in arrived {
            let flow = flow.expect("a record of the connection");
            let program = clients.iter().position(|client| client.id() == flow.tgid);
            let tool = program.and_then(|program| tools.get(program));
            unnamed += usize::from(tool.is_none() || exe(&flow) != tool.map(PathBuf::as_path));
            stream.write_all(b".").unwrap();
        }
        for mut client in clients {
            assert!(client.wait().unwrap().success());
        }
    }
    tell(&format!(
        "programs with {THREADS} threads: {}, connections without their program: {unnamed}",
        rounds * tools.len()
    ));
    assert_eq!(unnamed, 0);
}

/// The figure that the issue asks for: 50 processes with 200 connections each, all at once.
#[test]
fn ten_thousand_at_once_are_attributed_rightly() {
    const PROCESSES: usize = 50;
    let each = lab::many(200);
    allow_many_files();
    let field = Field::bare(&Options::default());
    // A SYN that finds no room is sent again after seconds.
    let listener = SockRef::from(&field.ground.agent4);
    listener.listen(4_096).unwrap();
    listener
        .set_read_timeout(Some(Duration::from_secs(60)))
        .unwrap();
    let folder = TempDir::new().unwrap();
    let tools = tools(&folder, PROCESSES);
    field.ground.net.ip("route add local 198.18.0.0/15 dev lo");
    let address = |process: usize, n: usize| format!("198.18.{process}.{n}:{}", 10_000 + n);
    let mut clients = Vec::new();
    for (process, tool) in tools.iter().enumerate() {
        let addresses: Vec<_> = (1..=each).map(|n| address(process, n)).collect();
        addresses.iter().for_each(|address| field.guard(address));
        clients.push(field.ground.client(|| dial(tool, "say", &addresses)));
    }
    let (send, receive) = mpsc::channel();
    let wrong = thread::scope(|scope| {
        let listener = &field.ground.agent4;
        let taken = &field;
        scope.spawn(move || accept(taken, listener, PROCESSES * each, &send));
        for client in &mut clients {
            client.stdin.take().unwrap().write_all(b"\n").unwrap();
        }
        let mut open = Vec::new();
        for (stream, flow) in receive {
            open.push(judge(stream, &flow, &clients, &tools));
        }
        let (streams, right): (Vec<_>, Vec<bool>) = open.into_iter().unzip();
        for mut stream in streams {
            stream.write_all(b".").unwrap();
        }
        right.iter().filter(|right| !**right).count() + PROCESSES * each - right.len()
    });
    for mut client in clients {
        assert!(client.wait().unwrap().success());
    }
    let all = PROCESSES * each;
    tell(&format!(
        "connections at once: {all}, wrongly attributed: {wrong}"
    ));
    assert_eq!(wrong, 0);
    assert_eq!(field.count(Counter::Redirected), all as u64);
    assert_eq!(field.count(Counter::NotPublished), 0);
}

fn dial(tool: &Path, mode: &str, addresses: &[String]) -> Child {
    Command::new(tool)
        .arg(mode)
        .args(addresses)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap()
}

fn accept(
    field: &Field,
    listener: &TcpListener,
    count: usize,
    to: &mpsc::Sender<(TcpStream, Redirected)>,
) {
    for _ in 0..count {
        let (stream, client) = arrived(listener);
        let flow = field.hooks.take_flow(field.ground.cookie, client);
        to.send((stream, flow.expect("a record of each connection")))
            .unwrap();
    }
}

/// Whether the record says what the client says.
fn judge(
    stream: TcpStream,
    flow: &Redirected,
    clients: &[Child],
    tools: &[PathBuf],
) -> (TcpStream, bool) {
    stream
        .set_read_timeout(Some(Duration::from_secs(60)))
        .unwrap();
    let mut line = String::new();
    BufReader::new(&stream).read_line(&mut line).unwrap();
    let words: Vec<&str> = line.trim_end().splitn(3, ' ').collect();
    let pids: HashMap<u32, &PathBuf> = clients.iter().map(Child::id).zip(tools).collect();
    let original: SocketAddr = at(words[1]);
    let right = words[0] == flow.tgid.to_string()
        && flow.original == original
        && exe(flow) == Some(Path::new(words[2]))
        && pids
            .get(&flow.tgid)
            .is_some_and(|tool| exe(flow) == Some(tool));
    (stream, right)
}

fn allow_many_files() {
    const FILES: u64 = 16_384;
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    setrlimit(Resource::RLIMIT_NOFILE, FILES, most.max(FILES))
        .expect("this test needs many open files");
}

#[allow(clippy::print_stderr, reason = "a figure for whoever reads the log")]
fn tell(figure: &str) {
    eprintln!("{figure}");
}
