//! Where a value that is to be kept secret is read from: never from the arguments, which every process
//! can see.

use std::{
    fs,
    io::{self, BufRead, IsTerminal, Read, Write},
    path::Path,
};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

use crate::cli::exit::Problem;

/// The largest input, in bytes.
const LONGEST: u64 = 1 << 20;

type Value = Zeroizing<Vec<u8>>;

/// The lines of a file, or the one value that is typed or piped in.
pub(super) fn read(file: Option<&Path>) -> Result<Vec<Value>, Problem> {
    let values = match file {
        Some(file) => lines(file)?,
        None if io::stdin().is_terminal() => vec![prompt()?],
        None => vec![all(&mut io::stdin().lock()).map_err(|e| unreadable(Path::new("-"), e))?],
    };
    match values.iter().all(|value| value.is_empty()) {
        true => Err(Problem::Usage("there is no value".into())),
        false => Ok(values),
    }
}

/// A word list. A word that stands there twice counts once.
fn lines(file: &Path) -> Result<Vec<Value>, Problem> {
    let text = match file == Path::new("-") {
        true => all(&mut io::stdin().lock()),
        false => fs::File::open(file).and_then(|mut file| all(&mut file)),
    };
    let text = text.map_err(|error| unreadable(file, error))?;
    let lines = text.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    let mut lines: Vec<&[u8]> = lines.filter(|line| !line.is_empty()).collect();
    lines.sort_unstable();
    lines.dedup();
    Ok(lines
        .into_iter()
        .map(|l| Zeroizing::new(l.to_vec()))
        .collect())
}

fn all(from: &mut dyn Read) -> io::Result<Value> {
    let mut value = Zeroizing::new(Vec::with_capacity(LONGEST as usize));
    from.take(LONGEST + 1).read_to_end(&mut value)?;
    if value.len() as u64 > LONGEST {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "larger than 1 MiB",
        ));
    }
    Ok(without_line_break(value))
}

fn without_line_break(mut value: Value) -> Value {
    if value.last() == Some(&b'\n') {
        value.pop();
        if value.last() == Some(&b'\r') {
            value.pop();
        }
    }
    value
}

/// Asks for a line that the terminal does not show.
fn prompt() -> Result<Value, Problem> {
    let failed = |error| unreadable(Path::new("the terminal"), error);
    let mut out = io::stderr();
    write!(out, "Value (not shown): ").map_err(failed)?;
    out.flush().map_err(failed)?;
    let hidden = Hidden::start().map_err(failed)?;
    let mut value = Zeroizing::new(Vec::with_capacity(LONGEST as usize));
    let read = io::stdin()
        .lock()
        .take(LONGEST)
        .read_until(b'\n', &mut value);
    drop(hidden);
    writeln!(out).map_err(failed)?;
    read.map_err(failed)?;
    Ok(without_line_break(value))
}

/// The terminal does not show what is typed until this is dropped.
struct Hidden(Termios);

impl Hidden {
    fn start() -> io::Result<Self> {
        let before = tcgetattr(io::stdin())?;
        let mut hidden = before.clone();
        hidden.local_modes.remove(LocalModes::ECHO);
        tcsetattr(io::stdin(), OptionalActions::Flush, &hidden)?;
        Ok(Self(before))
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        // There is nothing left to be done if the terminal is gone.
        tcsetattr(io::stdin(), OptionalActions::Flush, &self.0).ok();
    }
}

fn unreadable(path: &Path, source: io::Error) -> Problem {
    Problem::Input {
        path: path.to_owned(),
        source,
    }
}
