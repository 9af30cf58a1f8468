//! Connects to one or more addresses at once, and says on each connection who and whereto:
//! `dial say|exit ADDRESS…`. With `say` it waits for a line on its standard input first, and for the
//! other end to close afterwards; with `exit` it says nothing and is gone at once.

use std::{
    env,
    io::{Error, Read as _, Write as _, stdin},
    net::TcpStream,
    process,
    sync::RwLock,
    thread,
};

use anyhow::{Context as _, Result, bail};

fn main() -> Result<()> {
    let words: Vec<String> = env::args().skip(1).collect();
    match words.split_first() {
        Some((mode, addresses)) if mode == "say" => {
            stdin().read_line(&mut String::new())?;
            say(addresses)
        }
        Some((mode, [address])) if mode == "exit" => {
            let connected = TcpStream::connect(address.as_str());
            process::exit(i32::from(connected.is_err()));
        }
        _ => bail!("say or exit, and addresses, please: {words:?}"),
    }
}

/// All connections are open before the first one speaks.
fn say(addresses: &[String]) -> Result<()> {
    // All threads are let go at once.
    let gate = RwLock::new(());
    let connect = |address: &String| {
        drop(gate.read());
        TcpStream::connect(address.as_str())
    };
    let connected: Vec<TcpStream> = thread::scope(|scope| {
        let closed = gate.write();
        let threads: Vec<_> = addresses
            .iter()
            .map(|address| {
                thread::Builder::new()
                    .stack_size(128 * 1024)
                    .spawn_scoped(scope, move || connect(address))
            })
            .collect();
        drop(closed);
        threads
            .into_iter()
            .map(|thread| {
                thread?
                    .join()
                    .map_err(|_| Error::other("a thread panicked"))?
            })
            .collect::<std::io::Result<_>>()
    })?;
    let exe = env::current_exe()?;
    for (mut stream, address) in connected.iter().zip(addresses) {
        let line = format!("{} {address} {}\n", process::id(), exe.display());
        stream.write_all(line.as_bytes())?;
    }
    for mut stream in &connected {
        stream.read_exact(&mut [0]).context("the other end")?;
    }
    Ok(())
}
