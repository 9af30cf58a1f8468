//! A bar that says how far a scan is: on a terminal, on standard error, and nowhere else.

use std::{
    io::{self, IsTerminal, Write},
    sync::{Arc, OnceLock},
    thread,
    time::Instant,
};

use super::output;
use crate::scan::{self, Options, Tally};

/// The bar's width, in columns.
const WIDTH: u64 = 24;

/// The bar.
pub(super) struct Progress {
    /// Where it is drawn; `None` if nobody would see it.
    terminal: Option<Terminal>,
}

struct Terminal {
    /// How many files there are, once they are counted.
    total: Arc<OnceLock<u64>>,
    begun: Instant,
    drawn: bool,
}

impl Progress {
    /// Begins to count the files, if somebody is looking.
    pub(super) fn start(options: &Options) -> Self {
        let terminal = io::stderr().is_terminal() && output::colour_wanted();
        Self {
            terminal: terminal.then(|| Terminal::start(options.clone())),
        }
    }

    /// Draws the bar anew.
    pub(super) fn show(&mut self, tally: &Tally, found: u64) {
        if let Some(terminal) = &mut self.terminal {
            let total = terminal.total.get().copied();
            let text = bar(tally, total, found, terminal.begun.elapsed().as_secs_f64());
            draw(&text);
            terminal.drawn = true;
        }
    }

    /// Takes the bar away, so that a line can be printed.
    pub(super) fn clear(&mut self) {
        if let Some(terminal) = self.terminal.as_mut().filter(|terminal| terminal.drawn) {
            draw("");
            terminal.drawn = false;
        }
    }
}

impl Terminal {
    fn start(options: Options) -> Self {
        let total = Arc::new(OnceLock::new());
        let counted = total.clone();
        // It ends with the process: a count that comes too late is of no use.
        thread::spawn(move || counted.get_or_init(|| scan::count(&options)).to_owned());
        Self {
            total,
            begun: Instant::now(),
            drawn: false,
        }
    }
}

fn draw(text: &str) {
    let mut out = io::stderr().lock();
    write!(out, "\r\x1b[2K{text}").ok(); // nobody may be reading
    out.flush().ok();
}

fn bar(tally: &Tally, total: Option<u64>, found: u64, seconds: f64) -> String {
    let (files, bytes) = (tally.files(), tally.bytes());
    let speed = output::bytes((bytes as f64 / seconds.max(0.001)) as u64);
    let rest = format!("{} ({speed}/s), {found} found", output::bytes(bytes));
    match total.filter(|total| *total >= files) {
        None => format!("{files} files, {rest}"),
        Some(total) => {
            let full = (files * WIDTH).checked_div(total).unwrap_or(WIDTH);
            let (full, empty) = (
                "#".repeat(full as usize),
                "-".repeat((WIDTH - full) as usize),
            );
            format!("[{full}{empty}] {files}/{total} files, {rest}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_is_full_at_the_end_and_unknown_before_the_count() {
        let tally = Tally::default();
        assert_eq!(bar(&tally, None, 2, 1.0), "0 files, 0 B (0 B/s), 2 found");
        let empty = bar(&tally, Some(4), 0, 1.0);
        assert!(
            empty.starts_with(&format!("[{}] 0/4", "-".repeat(24))),
            "{empty}"
        );
        let full = bar(&tally, Some(0), 0, 1.0);
        assert!(
            full.starts_with(&format!("[{}] 0/0", "#".repeat(24))),
            "{full}"
        );
    }
}
