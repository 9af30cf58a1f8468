//! Holds the hooks until it is killed: `hold-hooks CGROUP ENDPOINT NETNS-COOKIE PORT`.
#![allow(clippy::print_stdout, reason = "it says when it is ready")]

use std::{env, path::Path, thread, time::Duration};

use anyhow::{Context as _, Result, bail};
use codegate::kernel::{Hooks, Options};

fn main() -> Result<()> {
    let words: Vec<String> = env::args().collect();
    let [_, cgroup, endpoint, cookie, port] = words.as_slice() else {
        bail!("four words, please: {words:?}")
    };
    let hooks =
        Hooks::load_and_attach(Path::new(cgroup), &Options::default()).context("cannot attach")?;
    hooks.listen(cookie.parse()?, Some(port.parse()?), None)?;
    hooks.set_endpoint(endpoint.parse()?, None, true)?;
    hooks.heart().beat()?;
    println!("ready");
    loop {
        hooks.heart().beat()?;
        thread::sleep(Duration::from_millis(100));
    }
}
