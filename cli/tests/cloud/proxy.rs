//! A proxy to a server that counts requests and can cut connections.

use std::{
    collections::BTreeMap,
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
    thread,
};

/// State of the connection: counted requests and faults to inject.
#[derive(Default)]
pub struct Wire {
    /// Requests by method.
    requests: Mutex<BTreeMap<String, u64>>,
    /// Number of connections that are still to be cut.
    cuts: AtomicU64,
    /// Bytes, of both ways together, after which a connection is cut.
    after: AtomicU64,
}

impl Wire {
    /// Listens on a port and passes on to another.
    pub fn start(port: u16, server: u16) -> Arc<Self> {
        let wire = Arc::new(Self::default());
        let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
        let own = Arc::clone(&wire);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let Ok(server) = TcpStream::connect(("127.0.0.1", server)) else {
                    continue;
                };
                let passed = Arc::new(AtomicU64::new(0));
                let ends = [(&client, &server), (&server, &client)]
                    .map(|(a, b)| (a.try_clone(), b.try_clone()));
                for (i, (from, to)) in ends.into_iter().enumerate() {
                    let (own, passed) = (Arc::clone(&own), Arc::clone(&passed));
                    let (from, to) = (from.unwrap(), to.unwrap());
                    thread::spawn(move || own.pass(from, to, &passed, i == 0));
                }
            }
        });
        wire
    }

    fn pass(&self, mut from: TcpStream, mut to: TcpStream, passed: &AtomicU64, count: bool) {
        let mut buf = vec![0; 64 << 10];
        while let Ok(n @ 1..) = from.read(&mut buf) {
            if count {
                self.count(&buf[..n]);
            }
            let before = passed.fetch_add(n as u64, SeqCst);
            let cut = self.cuts.load(SeqCst) > 0 && before + n as u64 > self.after.load(SeqCst);
            if cut
                && self
                    .cuts
                    .fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1))
                    .is_ok()
            {
                break;
            }
            if to.write_all(&buf[..n]).is_err() {
                break;
            }
        }
        let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
    }

    /// Counts a request by its method; a client sends it in one piece.
    fn count(&self, bytes: &[u8]) {
        let method: String = bytes
            .iter()
            .take(7)
            .take_while(|b| b.is_ascii_uppercase())
            .map(|b| *b as char)
            .collect();
        if ["GET", "PUT", "HEAD", "POST", "DELETE"].contains(&method.as_str()) {
            *self.requests.lock().unwrap().entry(method).or_default() += 1;
        }
    }

    /// Cuts so many connections, each after so many bytes.
    pub fn cut(&self, cuts: u64, after: u64) {
        self.after.store(after, SeqCst);
        self.cuts.store(cuts, SeqCst);
    }

    /// Returns the number of cuts that are left.
    pub fn cuts(&self) -> u64 {
        self.cuts.load(SeqCst)
    }

    /// Takes the requests of one method counted so far; all others are forgotten too.
    pub fn taken(&self, method: &str) -> u64 {
        std::mem::take(&mut *self.requests.lock().unwrap())
            .remove(method)
            .unwrap_or(0)
    }
}
