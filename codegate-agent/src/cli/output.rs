//! Standard output, as the user wants it.

use std::{
    env,
    io::{self, BufWriter, IsTerminal, Write},
};

use jiff::{Timestamp, tz::TimeZone};
use serde::Serialize;

use super::{exit::Problem, table::Table, text::visible_json};

/// Where data goes.
pub(super) struct Printer {
    out: Box<dyn Write>,
    json: bool,
    terminal: bool,
    colour: bool,
}

impl Printer {
    pub(super) fn stdout(json: bool) -> Self {
        let terminal = io::stdout().is_terminal();
        Self {
            out: Box::new(BufWriter::new(io::stdout())),
            json,
            terminal,
            colour: terminal && colour_wanted(),
        }
    }

    /// Whether data is wanted as JSON.
    pub(super) fn json(&self) -> bool {
        self.json
    }

    /// Whether a person is looking.
    pub(super) fn terminal(&self) -> bool {
        self.terminal
    }

    /// Whether colours are wanted.
    pub(super) fn colour(&self) -> bool {
        self.colour
    }

    /// One object as JSON.
    pub(super) fn object(&mut self, value: &impl Serialize) -> Result<(), Problem> {
        let json = serde_json::to_string(value).map_err(io::Error::from)?;
        self.line(&visible_json(&json))
    }

    /// A line that is harmless already.
    pub(super) fn line(&mut self, text: &str) -> Result<(), Problem> {
        writeln!(self.out, "{text}").map_err(Problem::output)
    }

    /// Bytes as they are.
    pub(super) fn bytes(&mut self, bytes: &[u8]) -> Result<(), Problem> {
        self.out.write_all(bytes).map_err(Problem::output)
    }

    pub(super) fn table<const N: usize>(&mut self, table: &Table<N>) -> Result<(), Problem> {
        for line in table.lines(self.colour) {
            self.line(&line)?;
        }
        Ok(())
    }

    /// Makes what was printed visible now.
    pub(super) fn flush(&mut self) -> Result<(), Problem> {
        self.out.flush().map_err(Problem::output)
    }
}

/// `NO_COLOR` (any value) and a terminal that cannot are honoured.
pub(super) fn colour_wanted() -> bool {
    let set = |name| env::var_os(name).filter(|value| !value.is_empty());
    set("NO_COLOR").is_none() && set("TERM").is_none_or(|term| term != "dumb")
}

/// A moment in the user's time zone, to the second.
pub(super) fn local(time: Timestamp) -> String {
    let zoned = time.to_zoned(TimeZone::system());
    zoned.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// A moment of today in the user's time zone, to the millisecond.
pub(super) fn clock(time: Timestamp) -> String {
    let zoned = time.to_zoned(TimeZone::system());
    zoned.strftime("%H:%M:%S%.3f").to_string()
}

/// A number of bytes in decimal units.
pub(super) fn bytes(count: u64) -> String {
    let mut value = count as f64;
    let mut unit = "B";
    for larger in ["kB", "MB", "GB", "TB"] {
        if value < 999.5 {
            break;
        }
        (value, unit) = (value / 1000.0, larger);
    }
    if unit == "B" || value >= 99.5 {
        format!("{value:.0} {unit}")
    } else {
        format!("{value:.1} {unit}")
    }
}

/// A number of seconds in the two largest units that it has.
pub(super) fn span(seconds: u64) -> String {
    let (days, hours) = (seconds / 86_400, seconds / 3600 % 24);
    let (minutes, rest) = (seconds / 60 % 60, seconds % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{rest}s"),
        (0, 0, _) => format!("{minutes}m {rest}s"),
        (0, _, _) => format!("{hours}h {minutes}m"),
        _ => format!("{days}d {hours}h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_spans_are_short() {
        let sizes = [
            0,
            999,
            1000,
            1500,
            99_500,
            999_499,
            999_500,
            12_345_678,
            u64::MAX,
        ]
        .map(bytes);
        let expected = [
            "0 B",
            "999 B",
            "1.0 kB",
            "1.5 kB",
            "100 kB",
            "999 kB",
            "1.0 MB",
            "12.3 MB",
            "18446744 TB",
        ];
        assert_eq!(sizes, expected);
        let spans = [0, 59, 61, 3661, 90_061].map(span);
        assert_eq!(spans, ["0s", "59s", "1m 1s", "1h 1m", "1d 1h"]);
    }
}
