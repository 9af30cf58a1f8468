//! A real HTTPS server in this process, with an authority of its own.

use std::{
    collections::HashMap,
    convert::Infallible,
    fs,
    io::Write,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};

use futures_util::{StreamExt, stream};
use http::{Request, Response, StatusCode, header};
use http_body_util::{BodyExt, StreamBody, combinators::UnsyncBoxBody};
use hyper::{
    body::{Bytes, Frame, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpListener, time::sleep};
use tokio_rustls::TlsAcceptor;
use zip::{ZipWriter, write::SimpleFileOptions};

use super::*;
use crate::{
    config::Upstream,
    inspect::packages::index::{Index, Sources, update},
    upstream::lab::Authority,
};

/// What a file is answered with.
#[derive(Clone)]
enum File {
    Whole(Vec<u8>),
    /// It breaks off after so many bytes, so many times.
    Broken(Vec<u8>, usize, u32),
    Redirect(String),
    Status(u16),
}

#[derive(Default)]
struct Served {
    files: HashMap<String, File>,
    /// The paths that were asked for, with the range where there was one.
    asked: Vec<String>,
}

struct Server {
    served: Arc<Mutex<Served>>,
    base: Url,
    dir: tempfile::TempDir,
}

impl Server {
    async fn start() -> Self {
        let authority = Authority::new("a feed's authority");
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("root.pem"), &authority.pem).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let tls = TlsAcceptor::from(authority.server("localhost", &[b"http/1.1"]));
        let served = Arc::new(Mutex::new(Served::default()));
        let shared = Arc::clone(&served);
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (tls, shared) = (tls.clone(), Arc::clone(&shared));
                tokio::spawn(async move {
                    let Ok(stream) = tls.accept(stream).await else {
                        return;
                    };
                    let service = service_fn(|request| {
                        let answer = answer(&shared, &request);
                        async { Ok::<_, Infallible>(answer) }
                    });
                    let connection =
                        http1::Builder::new().serve_connection(TokioIo::new(stream), service);
                    connection.await.ok(); // clients go when they like
                });
            }
        });
        let base = format!("https://localhost:{port}/feed").parse().unwrap();
        Self { served, base, dir }
    }

    fn client(&self) -> Client {
        let chosen = Upstream {
            extra_roots: vec![self.dir.path().join("root.pem")],
            ..Upstream::default()
        };
        Client::new(&chosen).unwrap().hasty()
    }

    fn put(&self, path: &str, file: File) {
        let path = format!("/feed/{path}");
        self.served.lock().unwrap().files.insert(path, file);
    }

    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.served.lock().unwrap().asked)
    }

    fn url(&self, path: &str) -> Url {
        self.base.join(path).unwrap()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// A fresh folder.
    fn folder(&self, name: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir(&path).unwrap();
        path
    }
}

type Body = UnsyncBoxBody<Bytes, std::io::Error>;

fn answer(served: &Mutex<Served>, request: &Request<Incoming>) -> Response<Body> {
    let mut served = served.lock().unwrap();
    let path = request.uri().path().to_owned();
    let range = request
        .headers()
        .get(header::RANGE)
        .map(|r| r.to_str().unwrap().to_owned());
    let from: usize = range.as_deref().map_or(0, |r| {
        r.trim_start_matches("bytes=")
            .trim_end_matches('-')
            .parse()
            .unwrap()
    });
    served.asked.push(
        format!("{path} {}", range.unwrap_or_default())
            .trim()
            .to_owned(),
    );
    let builder = Response::builder().header(header::ETAG, "\"tag\"");
    let (bytes, end) = match served.files.get_mut(&path) {
        None => return builder.status(404).body(body(vec![], false)).unwrap(),
        Some(File::Status(status)) => {
            return builder.status(*status).body(body(vec![], false)).unwrap();
        }
        Some(File::Redirect(to)) => {
            let builder = builder
                .status(StatusCode::FOUND)
                .header(header::LOCATION, &*to);
            return builder.body(body(vec![], false)).unwrap();
        }
        Some(File::Broken(bytes, end, left)) if *left > 0 => {
            *left -= 1;
            (bytes.clone(), Some((from + *end).min(bytes.len())))
        }
        Some(File::Whole(bytes) | File::Broken(bytes, _, _)) => (bytes.clone(), None),
    };
    let mut builder = builder.header(header::CONTENT_LENGTH, bytes.len() - from);
    if from > 0 {
        let range = format!("bytes {from}-{}/{}", bytes.len() - 1, bytes.len());
        builder = builder.status(206).header(header::CONTENT_RANGE, range);
    }
    let sent = bytes[from..end.unwrap_or(bytes.len())].to_vec();
    builder.body(body(sent, end.is_some())).unwrap()
}

fn body(bytes: Vec<u8>, breaks: bool) -> Body {
    let data = stream::iter([Ok(Frame::data(Bytes::from(bytes)))]);
    let end = stream::once(async {
        sleep(Duration::from_millis(50)).await; // what was sent so far is on its way then
        Err(std::io::Error::other("it breaks off"))
    });
    StreamBody::new(data.chain(end.take(usize::from(breaks)))).boxed_unsync()
}

#[tokio::test]
async fn a_file_that_breaks_off_goes_on_where_it_did() {
    let server = Server::start().await;
    let bytes: Vec<u8> = (0..200_000_u32).map(|i| (i % 251) as u8).collect();
    server.put("a", File::Broken(bytes.clone(), 70_000, 2));
    let path = server.path("a");
    let mut seen = Vec::new();
    let mut progress = |done, total| seen.push((done, total));
    let got = server
        .client()
        .file(&server.url("a"), &path, 1 << 20, &mut progress)
        .await;
    assert_eq!(got.unwrap(), 200_000);
    assert_eq!(fs::read(&path).unwrap(), bytes);
    assert_eq!(seen.last(), Some(&(200_000, Some(200_000))));
    let asked = server.asked();
    assert_eq!(asked.len(), 3, "{asked:?}");
    assert!(asked[1].starts_with("/feed/a bytes="), "{asked:?}");
}

#[tokio::test]
async fn what_never_comes_whole_is_an_error() {
    let server = Server::start().await;
    server.put("broken", File::Broken(vec![7; 100], 1, 99));
    server.put("busy", File::Status(503));
    server.put("gone", File::Status(410));
    server.put("large", File::Whole(vec![0; 2000]));
    server.put("circle", File::Redirect("/feed/circle".into()));
    server.put("plain", File::Redirect("http://localhost/x".into()));
    let path = server.path("x");
    for (name, times, says) in [
        ("broken", 4, "broken: "),
        ("busy", 4, "HTTP 503"),
        ("gone", 1, "HTTP 410"),
        ("large", 1, "larger than 1000 bytes"),
        ("circle", 6, "too many redirects"),
        ("plain", 1, "is not https://"),
    ] {
        let error = server
            .client()
            .file(&server.url(name), &path, 1000, &mut |_, _| {})
            .await;
        let error = error.unwrap_err().to_string();
        assert!(error.contains(says), "{name}: {error}");
        assert_eq!(server.asked().len(), times, "{name}");
    }
}

#[tokio::test]
async fn a_host_without_a_known_authority_is_not_believed() {
    let (server, other) = (Server::start().await, Server::start().await);
    server.put("a", File::Whole(vec![1]));
    let mut client = other.client();
    let error = client
        .file(&server.url("a"), &server.path("a"), 10, &mut |_, _| {})
        .await;
    assert!(matches!(error, Err(FetchError::Tls(_))), "{error:?}");
    assert!(server.asked().is_empty());
}

fn record(id: &str, name: &str, modified: &str, withdrawn: bool) -> Vec<u8> {
    let mut record = serde_json::json!({
        "id": id, "modified": modified,
        "affected": [{"package": {"ecosystem": "npm", "name": name},
                      "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}]}]}],
    });
    if withdrawn {
        record["withdrawn"] = modified.into();
    }
    record.to_string().into_bytes()
}

fn archive(records: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut zip = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (id, text) in records {
        zip.start_file(format!("{id}.json"), SimpleFileOptions::default())
            .unwrap();
        zip.write_all(text).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// Fetches, and builds an index from what came.
async fn round(server: &Server, dir: &Path, name: &str) -> Fetched {
    let folder = server.folder(name);
    let since = Index::open(dir)
        .unwrap()
        .and_then(|index| index.manifest().newest);
    let mut client = server.client();
    let fetched = fetch(&mut client, &server.base, &folder, since, &mut |_, _, _| {}).await;
    let fetched = fetched.unwrap();
    let sources = match fetched {
        Fetched::Nothing => return fetched,
        Fetched::Changes(_) => Sources {
            osv_changes: Some(folder),
            ..Sources::default()
        },
        Fetched::Whole => Sources {
            osv: Some(folder),
            ..Sources::default()
        },
    };
    update(dir, &sources, &mut |_| {}).unwrap();
    fetched
}

fn known(dir: &Path) -> Vec<String> {
    let index = Index::open(dir).unwrap().unwrap();
    let rows = index.all_records().unwrap().map(Result::unwrap);
    rows.map(|(package, _)| package.name().to_owned()).collect()
}

#[tokio::test]
async fn the_first_time_is_whole_and_then_only_what_has_changed() {
    let server = Server::start().await;
    let dir = server.path("packages");
    let (t1, t2) = ("2025-06-01T00:00:00Z", "2025-06-02T00:00:00Z");
    server.put("ecosystems.txt", File::Whole(b"npm\nDebian\n".to_vec()));
    let first = [
        ("MAL-1", record("MAL-1", "one", t1, false)),
        ("MAL-2", record("MAL-2", "two", t1, false)),
    ];
    server.put("npm/all.zip", File::Whole(archive(&first)));
    let list = format!("{t1},npm/MAL-2\n{t1},npm/MAL-1\n{t1},Debian/DSA-1\n");
    server.put("modified_id.csv", File::Whole(list.clone().into_bytes()));
    assert_eq!(round(&server, &dir, "1").await, Fetched::Whole);
    assert_eq!(known(&dir), ["one", "two"]);
    assert_eq!(round(&server, &dir, "2").await, Fetched::Nothing);
    server.asked();
    // One is new, one is withdrawn, one was changed to be about another package, one is gone again.
    let list = format!(
        "{t2},npm/MAL-3\n{t2},npm/MAL-1\n{t2},npm/MAL-2\n{t2},npm/MAL-4\n{t2},npm/../../x\n{t2},Debian/DSA-2\n{list}"
    );
    server.put("modified_id.csv", File::Whole(list.into_bytes()));
    server.put(
        "npm/MAL-3.json",
        File::Whole(record("MAL-3", "three", t2, false)),
    );
    server.put(
        "npm/MAL-1.json",
        File::Whole(record("MAL-1", "one", t2, true)),
    );
    server.put(
        "npm/MAL-2.json",
        File::Whole(record("MAL-2", "deux", t2, false)),
    );
    assert_eq!(round(&server, &dir, "3").await, Fetched::Changes(4));
    assert_eq!(known(&dir), ["deux", "three"]);
    let mut asked = server.asked();
    asked.sort();
    assert_eq!(
        asked,
        [
            "/feed/modified_id.csv",
            "/feed/npm/MAL-1.json",
            "/feed/npm/MAL-2.json",
            "/feed/npm/MAL-3.json",
            "/feed/npm/MAL-4.json"
        ]
    );
    assert_eq!(round(&server, &dir, "4").await, Fetched::Nothing);
}

#[tokio::test]
async fn many_changes_are_fetched_as_archives() {
    let server = Server::start().await;
    let dir = server.path("packages");
    let t1 = "2025-06-01T00:00:00Z";
    server.put("ecosystems.txt", File::Whole(b"npm\n".to_vec()));
    server.put(
        "npm/all.zip",
        File::Whole(archive(&[("MAL-1", record("MAL-1", "one", t1, false))])),
    );
    server.put(
        "modified_id.csv",
        File::Whole(format!("{t1},npm/MAL-1\n").into_bytes()),
    );
    assert_eq!(round(&server, &dir, "1").await, Fetched::Whole);
    let line = |i| format!("2025-06-02T00:00:00Z,npm/MAL-{i}\n");
    let list: String = (2..3000).map(line).collect();
    server.put("modified_id.csv", File::Whole(list.into_bytes()));
    assert_eq!(round(&server, &dir, "2").await, Fetched::Whole);
}

#[tokio::test]
async fn a_bad_download_leaves_the_old_index() {
    let server = Server::start().await;
    let dir = server.path("packages");
    let t1 = "2025-06-01T00:00:00Z";
    let whole = archive(&[("MAL-1", record("MAL-1", "one", t1, false))]);
    server.put("ecosystems.txt", File::Whole(b"npm\n".to_vec()));
    server.put("npm/all.zip", File::Whole(whole.clone()));
    server.put(
        "modified_id.csv",
        File::Whole(format!("{t1},npm/MAL-1\n").into_bytes()),
    );
    round(&server, &dir, "1").await;
    let mut damaged = whole.clone();
    let middle = damaged.len() / 3;
    damaged[middle] ^= 0x55;
    for (name, zip) in [
        ("cut", whole[..whole.len() / 2].to_vec()),
        ("damaged", damaged),
        ("empty", vec![]),
    ] {
        server.put("npm/all.zip", File::Whole(zip));
        let folder = server.folder(name);
        let mut client = server.client();
        let fetched = fetch(&mut client, &server.base, &folder, None, &mut |_, _, _| {}).await;
        assert_eq!(fetched.unwrap(), Fetched::Whole);
        let sources = Sources {
            osv: Some(folder),
            ..Sources::default()
        };
        assert!(update(&dir, &sources, &mut |_| {}).is_err(), "{name}");
        assert_eq!(known(&dir), ["one"], "{name}");
    }
    // A list that is none is an error, not "nothing new".
    server.put(
        "modified_id.csv",
        File::Whole(b"<html>,welcome</html>\n".to_vec()),
    );
    let since = Index::open(&dir).unwrap().unwrap().manifest().newest;
    let folder = server.folder("list");
    let fetched = fetch(
        &mut server.client(),
        &server.base,
        &folder,
        since,
        &mut |_, _, _| {},
    )
    .await;
    assert!(
        matches!(fetched, Err(FetchError::Data { .. })),
        "{fetched:?}"
    );
}
