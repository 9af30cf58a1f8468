//! The engine by itself, step by step, in one thread.

use std::hint::black_box;

use codegate::{
    inspect::{Inspector, Owner, pii::Policy, secrets::Scanner},
    provider::{Dialect, dialect_of},
    span::Text,
};
use lab::Table;
use nix::time::{ClockId, clock_gettime};

use crate::{corpus, median};

/// One round of a step: what it took, in seconds.
type Run<'a> = Box<dyn Fn() -> Vec<f64> + 'a>;

fn add<'a>(steps: &mut Vec<(Step, Run<'a>)>, name: &'static str, bytes: usize, run: Run<'a>) {
    let rounds = Vec::new();
    steps.push((
        Step {
            name,
            bytes,
            rounds,
        },
        run,
    ));
}

/// Seconds of CPU time of this thread.
fn cpu() -> f64 {
    let time = clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).unwrap();
    time.tv_sec() as f64 + time.tv_nsec() as f64 / 1e9
}

/// What one round of a step takes for each item, in seconds.
fn each<T>(items: &[T], mut step: impl FnMut(&T)) -> Vec<f64> {
    let one = |item| {
        let begun = cpu();
        step(item);
        cpu() - begun
    };
    items.iter().map(one).collect()
}

struct Step {
    name: &'static str,
    /// Bytes of all items.
    bytes: usize,
    /// For each round, what each item took.
    rounds: Vec<Vec<f64>>,
}

impl Step {
    fn row(&self) -> [String; 4] {
        let totals: Vec<f64> = self.rounds.iter().map(|round| round.iter().sum()).collect();
        let rate = self.bytes as f64 / 1e6 / median(&totals);
        let mut all: Vec<f64> = self.rounds.iter().flatten().copied().collect();
        all.sort_by(f64::total_cmp);
        let at = |share: f64| all[((all.len() - 1) as f64 * share) as usize] * 1e6;
        let us = |seconds: f64| format!("{seconds:.0}");
        [
            self.name.to_owned(),
            format!("{rate:.0}"),
            us(at(0.5)),
            us(at(0.99)),
        ]
    }
}

pub(crate) fn measure(texts: &[String], rounds: usize) {
    let bodies = corpus::bodies(texts);
    let dialect = |body: &[u8]| -> &'static dyn Dialect { dialect_of("openai", body).unwrap() };
    let read = |body: &Vec<u8>| dialect(body).request(body).unwrap().text;
    let decoded: Vec<Text> = bodies.iter().map(read).collect();
    let body_bytes: usize = bodies.iter().map(Vec::len).sum();
    let text_bytes: usize = decoded.iter().map(|text| text.bytes().len()).sum();
    let scanner = Scanner::builtin().unwrap();
    let inspector = Inspector::builtin(Policy::default()).unwrap();
    let owner = Some(Owner {
        uid: 1,
        known: None,
    });
    let pieces = |text: &Text, owner| {
        black_box(inspector.inspect_pieces(text.bytes(), text.ends(), owner));
    };
    let mut steps: Vec<(Step, Run<'_>)> = Vec::new();
    add(
        &mut steps,
        "first pass (triggers)",
        text_bytes,
        Box::new(|| {
            each(&decoded, |t| {
                black_box(scanner.triggers(t.bytes()));
            })
        }),
    );
    add(
        &mut steps,
        "secrets (both passes, disguises)",
        text_bytes,
        Box::new(|| {
            each(&decoded, |t| {
                black_box(scanner.scan(t.bytes()));
            })
        }),
    );
    add(
        &mut steps,
        "secrets and personal data",
        text_bytes,
        Box::new(|| {
            each(&decoded, |t| {
                black_box(inspector.inspect(t.bytes()));
            })
        }),
    );
    add(
        &mut steps,
        "reading a body",
        body_bytes,
        Box::new(|| {
            each(&bodies, |body| {
                black_box(read(body));
            })
        }),
    );
    add(
        &mut steps,
        "body to findings, never seen",
        body_bytes,
        Box::new(|| {
            each(&bodies, |body| {
                pieces(&read(body), None);
            })
        }),
    );
    add(
        &mut steps,
        "text seen before",
        text_bytes,
        Box::new(|| each(&decoded, |t| pieces(t, owner))),
    );
    add(
        &mut steps,
        "body to findings, seen before",
        body_bytes,
        Box::new(|| {
            each(&bodies, |body| {
                pieces(&read(body), owner);
            })
        }),
    );
    for round in 0..=rounds {
        for (step, run) in &mut steps {
            let took = run();
            // The first round compiles patterns and fills the memory.
            if round > 0 {
                step.rounds.push(took);
            }
        }
    }
    let mb = text_bytes as f64 / 1e6;
    println!(
        "{} bodies of 64 KB, {mb:.0} MB of text, {} rules, one thread\n",
        bodies.len(),
        scanner.rules()
    );
    let mut table = Table::new(["step", "MB/s of CPU", "64 KB: p50 µs", "p99 µs"]).of_figures();
    steps.iter().for_each(|(step, _)| table.push(step.row()));
    println!("{table}");
}
