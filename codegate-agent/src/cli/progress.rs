//! How far something is, for a person who waits.

use std::{
    io::{self, IsTerminal, Write},
    time::{Duration, Instant},
};

use super::text::visible;

/// The bar's width in characters.
const WIDTH: u64 = 30;
/// Often enough to look alive.
const INTERVAL: Duration = Duration::from_millis(50);

/// A line on standard error that tells how far something is; on a terminal only.
pub(super) struct Bar {
    terminal: bool,
    drawn: Option<Instant>,
}

impl Bar {
    pub(super) fn new() -> Self {
        Self {
            terminal: io::stderr().is_terminal(),
            drawn: None,
        }
    }

    pub(super) fn show(&mut self, what: &str, done: u64, total: u64) {
        let soon = |drawn: Instant| drawn.elapsed() < INTERVAL;
        if !self.terminal || (self.drawn.is_some_and(soon) && done < total) {
            return;
        }
        self.drawn = Some(Instant::now());
        write!(io::stderr(), "\r\x1b[K{}", line(what, done, total)).ok(); // nobody may be looking
    }
}

impl Drop for Bar {
    /// Leaves the line as if nothing had been there.
    fn drop(&mut self) {
        if self.drawn.is_some() {
            write!(io::stderr(), "\r\x1b[K").ok(); // nobody may be looking
        }
    }
}

fn line(what: &str, done: u64, total: u64) -> String {
    let total = total.max(1);
    let full = (done.min(total) * WIDTH / total) as usize;
    let rest = WIDTH as usize - full;
    let (bar, gap) = ("█".repeat(full), "░".repeat(rest));
    format!("{:<10} {bar}{gap} {done}/{total}", visible(what))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_fills() {
        assert!(line("npm", 0, 0).contains(&"░".repeat(30)));
        assert!(line("npm", 5, 5).ends_with(&format!("{} 5/5", "█".repeat(30))));
        assert!(line("npm", 1, 2).contains("█░"));
    }
}
