//! An object store inside the test: speaks the part of S3 that the library uses, can be switched off, and keeps a log.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering::SeqCst},
    },
    thread,
    time::Duration,
};

pub const KEY: &str = "AKIAEXAMPLEEXAMPLE00";
pub const SECRET: &str = "hunter2hunter2hunter2hunter2hunter2hunte";

/// Returns the variables that lead to a store at an address.
pub fn variables(endpoint: &str) -> [(&'static str, String); 6] {
    [
        ("AWS_ENDPOINT", endpoint.to_owned()),
        ("AWS_ALLOW_HTTP", "true".to_owned()),
        ("AWS_REGION", "us-east-1".to_owned()),
        ("AWS_ACCESS_KEY_ID", KEY.to_owned()),
        ("AWS_SECRET_ACCESS_KEY", SECRET.to_owned()),
        ("NO_PROXY", "*".to_owned()),
    ]
}

/// Returns a port without a listener.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

/// Reads an object from a server without the library.
pub fn fetched(port: u16, key: &str) -> Option<Vec<u8>> {
    let mut to = TcpStream::connect(("127.0.0.1", port)).unwrap();
    write!(
        to,
        "GET /{key} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = Vec::new();
    to.read_to_end(&mut answer).unwrap();
    let body = answer.windows(4).position(|w| w == b"\r\n\r\n").unwrap() + 4;
    answer
        .starts_with(b"HTTP/1.1 200")
        .then(|| answer.split_off(body))
}

/// Makes a bucket that everyone may read.
pub fn bucket(port: u16, name: &str) {
    put(port, name, b"");
    let policy = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::NAME","arn:aws:s3:::NAME/*"]}]}"#;
    put(
        port,
        &format!("{name}?policy"),
        policy.replace("NAME", name).as_bytes(),
    );
}

/// Puts an object into a server without this crate.
pub fn put(port: u16, key: &str, bytes: &[u8]) {
    let mut to = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let size = bytes.len();
    write!(to, "PUT /{key} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {size}\r\nConnection: close\r\n\r\n")
        .unwrap();
    to.write_all(bytes).unwrap();
    let mut answer = String::new();
    to.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 20"), "{answer}");
}

#[derive(Default)]
struct State {
    objects: Mutex<BTreeMap<String, Vec<u8>>>,
    parts: Mutex<BTreeMap<(String, u32), Vec<u8>>>,
    log: Mutex<Vec<String>>,
    busy: AtomicBool,
    uploads: AtomicU64,
}

/// The store.
pub struct Fake {
    pub port: u16,
    state: Arc<State>,
    open: Arc<AtomicBool>,
    listens: Option<thread::JoinHandle<()>>,
}

impl Fake {
    /// Listens on a port.
    pub fn start(port: u16) -> Self {
        let mut fake = Self {
            port,
            state: Arc::default(),
            open: Arc::default(),
            listens: None,
        };
        fake.come_back();
        fake
    }

    pub fn come_back(&mut self) {
        let listener = TcpListener::bind(("127.0.0.1", self.port)).unwrap();
        listener.set_nonblocking(true).unwrap();
        self.open.store(true, SeqCst);
        let (open, state) = (Arc::clone(&self.open), Arc::clone(&self.state));
        self.listens = Some(thread::spawn(move || {
            while open.load(SeqCst) {
                let Ok((client, _)) = listener.accept() else {
                    thread::sleep(Duration::from_millis(1));
                    continue;
                };
                let state = Arc::clone(&state);
                // A client that hangs up has its reasons.
                thread::spawn(move || drop(state.answered(client)));
            }
        }));
    }

    /// Stops listening.
    pub fn go_away(&mut self) {
        self.open.store(false, SeqCst);
        self.listens.take().unwrap().join().unwrap();
    }

    /// Sets whether every request is answered with "too busy".
    pub fn busy(&self, busy: bool) {
        self.state.busy.store(busy, SeqCst);
    }

    /// Returns the requests that changed something, in their order: `PUT bucket/key`.
    pub fn log(&self) -> Vec<String> {
        self.state.log.lock().unwrap().clone()
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.open.store(false, SeqCst);
    }
}

/// An answer: its status, further headers, and what it brings.
type Answer = (&'static str, String, Vec<u8>);

fn plain(status: &'static str) -> Answer {
    (status, String::new(), Vec::new())
}

/// Returns an ETag, which differs if the content does.
fn tag(bytes: &[u8]) -> String {
    let hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |h, b| {
        (h ^ u64::from(*b)).wrapping_mul(0x100_0000_01b3)
    });
    format!("\"{hash:016x}\"")
}

impl State {
    fn answered(&self, client: TcpStream) -> std::io::Result<()> {
        client.set_nonblocking(false)?;
        let mut from = BufReader::new(client);
        let mut first = String::new();
        from.read_line(&mut first)?;
        let mut headers = BTreeMap::new();
        loop {
            let mut line = String::new();
            from.read_line(&mut line)?;
            let Some((name, value)) = line.trim_end().split_once(':') else {
                break;
            };
            headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
        }
        let length = headers
            .get("content-length")
            .map_or(0, |n| n.parse().unwrap());
        let mut body = vec![0; length];
        from.read_exact(&mut body)?;
        let mut words = first.split_whitespace();
        let (method, target) = (
            words.next().unwrap_or_default(),
            words.next().unwrap_or_default(),
        );
        let (key, query) = target
            .trim_start_matches('/')
            .split_once('?')
            .unwrap_or((target.trim_start_matches('/'), ""));
        let (status, more, bytes) = if self.busy.load(SeqCst) {
            plain("503 Slow Down")
        } else {
            self.done(method, key, query, &headers, body)
        };
        // Of a look the length is that of the object, which is among the further headers.
        let length = if method == "HEAD" {
            String::new()
        } else {
            format!("Content-Length: {}\r\n", bytes.len())
        };
        let mut to = from.into_inner();
        write!(
            to,
            "HTTP/1.1 {status}\r\n{length}{more}Connection: close\r\n\r\n"
        )?;
        to.write_all(&bytes)
    }

    fn done(
        &self,
        method: &str,
        key: &str,
        query: &str,
        headers: &BTreeMap<String, String>,
        body: Vec<u8>,
    ) -> Answer {
        let part = query
            .split('&')
            .find_map(|q| q.strip_prefix("partNumber="))
            .map(|n| n.parse().unwrap());
        let upload = query
            .split('&')
            .find_map(|q| q.strip_prefix("uploadId="))
            .unwrap_or_default()
            .to_owned();
        let mut objects = self.objects.lock().unwrap();
        let note = |what: &str| self.log.lock().unwrap().push(format!("{what} {key}"));
        let written = |bytes: &[u8]| format!("ETag: {}\r\n", tag(bytes));
        match (method, part) {
            ("GET", _) if query.contains("list-type=2") => {
                // All objects whose names begin so, and of those within folders nothing.
                let prefix = query
                    .split('&')
                    .find_map(|q| q.strip_prefix("prefix="))
                    .unwrap_or_default();
                let prefix = prefix.replace("%2F", "/").replace("%2f", "/");
                let mut text = "<ListBucketResult>".to_owned();
                for (name, bytes) in objects.iter() {
                    let name = name
                        .strip_prefix(key)
                        .and_then(|name| name.strip_prefix('/'))
                        .unwrap_or_default();
                    if name
                        .strip_prefix(&*prefix)
                        .is_some_and(|rest| !rest.is_empty() && !rest.contains('/'))
                    {
                        let (size, date) = (bytes.len(), "2015-10-21T07:28:00.000Z");
                        text += &format!(
                            "<Contents><Key>{name}</Key><Size>{size}</Size><LastModified>{date}</LastModified></Contents>"
                        );
                    }
                }
                (
                    "200 OK",
                    String::new(),
                    (text + "</ListBucketResult>").into_bytes(),
                )
            }
            ("GET" | "HEAD", _) => {
                let Some(bytes) = objects.get(key) else {
                    return plain("404 Not Found");
                };
                if headers
                    .get("if-match")
                    .is_some_and(|wanted| *wanted != tag(bytes))
                {
                    return plain("412 Precondition Failed");
                }
                let about = format!(
                    "ETag: {}\r\nLast-Modified: Wed, 21 Oct 2015 07:28:00 GMT\r\n",
                    tag(bytes)
                );
                if method == "HEAD" {
                    return (
                        "200 OK",
                        format!("{about}Content-Length: {}\r\n", bytes.len()),
                        Vec::new(),
                    );
                }
                let range = headers
                    .get("range")
                    .and_then(|r| r.strip_prefix("bytes=")?.split_once('-'));
                let Some((from, to)) = range else {
                    return ("200 OK", about, bytes.clone());
                };
                let (from, to) = (
                    from.parse().unwrap(),
                    to.parse::<usize>()
                        .unwrap()
                        .min(bytes.len().saturating_sub(1)),
                );
                match bytes.get(from..=to) {
                    None => plain("416 Range Not Satisfiable"),
                    Some(some) => {
                        let range = format!(
                            "{about}Content-Range: bytes {from}-{to}/{}\r\n",
                            bytes.len()
                        );
                        ("206 Partial Content", range, some.to_vec())
                    }
                }
            }
            ("PUT", Some(part)) => {
                let answer = ("200 OK", written(&body), Vec::new());
                self.parts.lock().unwrap().insert((upload, part), body);
                answer
            }
            ("PUT", None) => {
                if headers.contains_key("if-none-match") && objects.contains_key(key) {
                    return plain("412 Precondition Failed");
                }
                note("PUT");
                let answer = ("200 OK", written(&body), Vec::new());
                objects.insert(key.to_owned(), body);
                answer
            }
            ("POST", _) if query.starts_with("delete") => {
                let body = String::from_utf8_lossy(&body);
                let name = body
                    .split("<Key>")
                    .nth(1)
                    .and_then(|rest| rest.split("</Key>").next())
                    .unwrap_or_default();
                let key = format!("{key}/{name}");
                self.log.lock().unwrap().push(format!("DELETE {key}"));
                objects.remove(&key);
                let text =
                    format!("<DeleteResult><Deleted><Key>{name}</Key></Deleted></DeleteResult>");
                ("200 OK", String::new(), text.into_bytes())
            }
            ("POST", _) if upload.is_empty() => {
                let id = self.uploads.fetch_add(1, SeqCst);
                let text = format!(
                    "<InitiateMultipartUploadResult><UploadId>u{id}</UploadId></InitiateMultipartUploadResult>"
                );
                ("200 OK", String::new(), text.into_bytes())
            }
            ("POST", _) => {
                let mut parts = self.parts.lock().unwrap();
                let whole: Vec<u8> = parts
                    .iter()
                    .filter(|((id, _), _)| *id == upload)
                    .flat_map(|(_, bytes)| bytes.clone())
                    .collect();
                parts.retain(|(id, _), _| *id != upload);
                note("COMPLETE");
                let text = format!(
                    "<CompleteMultipartUploadResult><ETag>{}</ETag></CompleteMultipartUploadResult>",
                    tag(&whole)
                );
                objects.insert(key.to_owned(), whole);
                ("200 OK", String::new(), text.into_bytes())
            }
            ("DELETE", _) => plain("204 No Content"),
            _ => plain("405 Method Not Allowed"),
        }
    }
}
