//! `cargo xtask bench packages`: what looking up packages costs, and what reading an answer for them.
//!
//! An index of five million names is made, with records and lists of much-used names like the real ones
//! in number. It is built in a process of its own, so that what building takes is not counted as what
//! the index takes.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a measurement that fails loudly, for people to read"
)]

use std::{
    fs::{self, File},
    hint::black_box,
    io::{BufWriter, Write},
    path::Path,
    process::{Command, ExitCode},
    time::{Duration, Instant},
};

use codegate::inspect::packages::{
    Catalogue, Ecosystem, Purl, Verdict,
    extract::{self, Context},
    index::{self, Sources},
};

/// How many names each ecosystem has, in thousands: about as many as there are.
const NAMES: [(Ecosystem, u64); 5] = [
    (Ecosystem::Npm, 3_300),
    (Ecosystem::PyPI, 700),
    (Ecosystem::NuGet, 500),
    (Ecosystem::RubyGems, 200),
    (Ecosystem::Crates, 300),
];
/// Names of an ecosystem that are much used.
const TOP: u64 = 10_000;
/// Malicious packages of an ecosystem.
const RECORDS: u64 = 20_000;
const LOOKUPS: u64 = 200_000;
const ANSWERS: usize = 300;

/// What is to be reached.
const MOST_LOOKUP: Duration = Duration::from_micros(3);
const MOST_ANSWER: Duration = Duration::from_millis(3);
const MOST_MEMORY: u64 = 64 << 20;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().collect();
    if let Some(at) = words.iter().position(|word| word == "build") {
        build(Path::new(&words[at + 1]));
        return ExitCode::SUCCESS;
    }
    let dir = tempfile::tempdir().unwrap();
    let own = std::env::current_exe().unwrap();
    let built = Command::new(own).arg("build").arg(dir.path()).status();
    assert!(built.unwrap().success());
    let reached = [memory(dir.path()), lookups(dir.path()), answers(dir.path())];
    match reached.iter().all(|reached| *reached) {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

/// A name as people give them, the same for the same number: two words that can be spoken, in npm below
/// a scope now and then.
fn name(ecosystem: Ecosystem, number: u64) -> String {
    let mut bits = (number + 1 + ((ecosystem as u64) << 40)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits ^= bits >> 27;
    let mut word = |syllables: u64| {
        let mut word = String::new();
        for _ in 0..syllables {
            word.push(b"bcdfghjklmnprstvwxyz"[(bits % 20) as usize].into());
            bits /= 20;
            word.push(b"aeiou"[(bits % 5) as usize].into());
            bits = (bits / 5).rotate_left(7) ^ number.rotate_right(11);
        }
        word
    };
    let scope = match ecosystem {
        Ecosystem::Npm if number.is_multiple_of(4) => format!("@{}/", word(3)),
        _ => String::new(),
    };
    let (first, second) = (word(2 + number % 2), word(3));
    // What may be the same by chance, is told apart.
    format!(
        "{scope}{first}-{second}{}",
        ["", "js", "kit", "lib"][number as usize % 4]
    )
}

fn build(dir: &Path) {
    let folder = |name: &str| {
        let path = dir.join(name);
        fs::create_dir(&path).unwrap();
        path
    };
    let sources = Sources {
        names: Some(folder("names")),
        top: Some(folder("top")),
        lists: Some(folder("lists")),
        ..Sources::default()
    };
    let file = |folder: &str, name: String| {
        BufWriter::new(File::create(dir.join(folder).join(name)).unwrap())
    };
    for (ecosystem, thousands) in NAMES {
        let mut names = file("names", format!("{ecosystem}.txt"));
        for number in 0..thousands * 1000 {
            writeln!(names, "{}", name(ecosystem, number)).unwrap();
        }
        let top: Vec<String> = (0..TOP).map(|number| name(ecosystem, number)).collect();
        serde_json::to_writer(
            file(
                "top",
                format!("top_{}_packages.json", ecosystem.osv_name().to_lowercase()),
            ),
            &top,
        )
        .unwrap();
        let mut lists = file("lists", format!("{ecosystem}.jsonl"));
        for number in TOP..TOP + RECORDS {
            let versions = if number % 3 == 0 {
                vec!["1.0.0", "1.0.1"]
            } else {
                vec![]
            };
            let record = serde_json::json!({
                "name": name(ecosystem, number), "status": "malicious", "versions": versions,
                "summary": "Malicious code in a package that was made for a measurement",
            });
            writeln!(lists, "{record}").unwrap();
        }
    }
    let started = Instant::now();
    let (manifest, _) = index::update(dir, &sources, &mut |_| {}).unwrap();
    println!(
        "index: 5.0M names, {} records, {} MB, built in {:.1} s",
        RECORDS * NAMES.len() as u64,
        manifest.bytes >> 20,
        started.elapsed().as_secs_f64()
    );
}

/// What the process holds, in bytes.
fn resident() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .unwrap();
    let kilobytes: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kilobytes << 10
}

fn purl(ecosystem: Ecosystem, number: u64, version: &str) -> Purl {
    let name = name(ecosystem, number).replace('@', "%40");
    format!("pkg:{}/{name}{version}", ecosystem.purl_type())
        .parse()
        .unwrap()
}

/// What the index takes once everything in it has been used.
fn memory(dir: &Path) -> bool {
    let before = resident();
    let catalogue = Catalogue::open(dir).unwrap();
    for i in 0..LOOKUPS {
        let (ecosystem, thousands) = NAMES[i as usize % NAMES.len()];
        // Half exist; all are looked for among what is much used.
        black_box(catalogue.check(&purl(ecosystem, i * 7919 % (thousands * 2000), "")));
    }
    let took = resident() - before;
    println!(
        "memory of the index in use: {} MB (at most {})",
        took >> 20,
        MOST_MEMORY >> 20
    );
    took <= MOST_MEMORY
}

fn lookups(dir: &Path) -> bool {
    let catalogue = Catalogue::open(dir).unwrap();
    let mut reached = true;
    for (what, from, to, version, expected) in [
        ("a much-used name", 0, TOP, "", Verdict::Ok),
        (
            "a listed version",
            TOP,
            TOP + RECORDS,
            "@1.0.0",
            Verdict::Malicious,
        ),
        (
            "any name that exists",
            TOP + RECORDS,
            200_000,
            "",
            Verdict::Ok,
        ),
        (
            "a name that does not",
            4_000_000,
            5_000_000,
            "",
            Verdict::Unknown,
        ),
    ] {
        let mut times = Vec::with_capacity(LOOKUPS as usize);
        let mut others = 0;
        for i in 0..LOOKUPS {
            let (ecosystem, _) = NAMES[i as usize % NAMES.len()];
            let purl = purl(ecosystem, from + i * 7919 % (to - from), version);
            let started = Instant::now();
            let judgement = catalogue.check(black_box(&purl));
            times.push(started.elapsed());
            // Some names are another's, or like another's, by chance.
            others += u64::from(judgement.verdict != expected);
        }
        assert!(others < LOOKUPS / 5, "{what}: {others} others");
        let (p50, p99) = percentiles(&mut times);
        println!("look-up of {what}: p50 {p50:.2?}, p99 {p99:.2?} (p50 at most {MOST_LOOKUP:?})");
        reached &= p50 <= MOST_LOOKUP;
    }
    reached
}

fn answers(dir: &Path) -> bool {
    let catalogue = Catalogue::open(dir).unwrap();
    let text = answer();
    let mut times = Vec::with_capacity(ANSWERS);
    let mut found = 0;
    for _ in 0..ANSWERS {
        let started = Instant::now();
        let mentions = extract::markdown(black_box(&text));
        for mention in &mentions {
            black_box(catalogue.check(&mention.purl).severity(mention.context));
        }
        times.push(started.elapsed());
        found = mentions.len();
        assert!(
            mentions
                .iter()
                .any(|mention| mention.context == Context::Install)
        );
    }
    let (p50, p99) = percentiles(&mut times);
    println!(
        "an answer of {} bytes with ten fences and {found} packages: p50 {p50:.2?}, p99 {p99:.2?} (p50 at most {MOST_ANSWER:?})",
        text.len()
    );
    p50 <= MOST_ANSWER
}

/// An answer of about 4,000 tokens, as models give them.
fn answer() -> String {
    const FENCES: [(&str, &str); 10] = [
        (
            "bash",
            "python3 -m venv .venv && source .venv/bin/activate\npip install 'fastapi[all]==0.110' uvicorn sqlalchemy pydantic-settings\nnpm install --save-dev typescript eslint@8 @types/node\n",
        ),
        (
            "python",
            "import os\nimport json\nfrom fastapi import Depends, FastAPI\nfrom sqlalchemy.orm import Session\nfrom app.models import User\nimport yaml\n\napp = FastAPI()\n\n@app.get('/users/{user_id}')\nasync def read(user_id: int, db: Session = Depends(get_db)):\n    return {'user': db.get(User, user_id), 'time': json.dumps({})}\n",
        ),
        (
            "json",
            "{\n  \"name\": \"web\",\n  \"dependencies\": {\n    \"react\": \"^18.2.0\",\n    \"axios\": \"1.6.7\",\n    \"zod\": \"^3.22.0\"\n  }\n}\n",
        ),
        (
            "tsx",
            "import React, { useState } from 'react';\nimport axios from 'axios';\nimport { z } from 'zod';\nimport { Button } from './button';\n\nexport function Form({ id }: { id: string }) {\n  const [value, setValue] = useState('');\n  return <Button onClick={() => axios.post('/api', { id, value })}>Send</Button>;\n}\n",
        ),
        (
            "go",
            "package main\n\nimport (\n\t\"fmt\"\n\t\"net/http\"\n\n\t\"github.com/gin-gonic/gin\"\n\t\"go.uber.org/zap\"\n)\n\nfunc main() {\n\tr := gin.Default()\n\tr.GET(\"/\", func(c *gin.Context) { c.String(http.StatusOK, fmt.Sprint(1)) })\n}\n",
        ),
        (
            "rust",
            "use std::collections::HashMap;\nuse serde::{Deserialize, Serialize};\nuse tokio::sync::mpsc;\n\n#[derive(Serialize, Deserialize)]\nstruct Item { name: String }\n\n#[tokio::main]\nasync fn main() {\n    let (tx, mut rx) = mpsc::channel::<Item>(4);\n    let _map: HashMap<String, Item> = HashMap::new();\n}\n",
        ),
        (
            "toml",
            "[dependencies]\nserde = { version = \"1\", features = [\"derive\"] }\ntokio = \"1\"\nanyhow = \"=1.0.80\"\n",
        ),
        (
            "dockerfile",
            "FROM python:3.12-slim\nRUN apt-get update && \\\n    pip install --no-cache-dir gunicorn==21.2.0\nCOPY . /app\nCMD [\"gunicorn\", \"app:app\"]\n",
        ),
        (
            "yaml",
            "on: push\njobs:\n  test:\n    runs-on: ubuntu-latest\n    steps:\n      - uses: actions/checkout@v4\n      - run: pip install pytest pytest-cov\n      - run: |\n          npm ci\n          npx playwright install\n",
        ),
        (
            "diff",
            "--- a/requirements.txt\n+++ b/requirements.txt\n@@ -1,2 +1,3 @@\n fastapi==0.110\n+httpx==0.27.0\n+python-dotenv\n",
        ),
    ];
    let prose = "This part sets up what the service needs; run `pip install` once and keep the \
                 versions pinned. Then the handlers are registered, errors are logged with their \
                 context, and the tests cover the paths that matter most for users. ";
    let mut text = String::new();
    for (language, body) in FENCES {
        text += &prose.repeat(4);
        text += &format!("\n\n```{language}\n{body}```\n\n");
    }
    while text.len() < 16_000 {
        text += prose;
    }
    text
}

fn percentiles(times: &mut [Duration]) -> (Duration, Duration) {
    times.sort_unstable();
    (times[times.len() / 2], times[times.len() * 99 / 100])
}
