//! The backend to `object_store`, and to what runs its requests.
//!
//! Nobody waits in a task: every request runs on two threads of its own and is waited for over a channel, so that a program
//! may call this crate from an asynchronous one too. Every request ends, by itself or by [`LONGEST`]. A bucket that never
//! answered is asked by connections of less patience than one that did.

use super::whole::{FIRST_PATIENCE_S, PATIENCE_S};
use crate::storage::file_version::CHANGED;
use crate::storage::location::Url;
use object_store::{
    BackoffConfig, Error as StoreError, GetOptions, GetRange, MultipartUpload, ObjectMeta,
    ObjectStore, ObjectStoreExt as _, PutMode, PutOptions, PutPayload, RetryConfig,
    aws::AmazonS3Builder,
    azure::MicrosoftAzureBuilder,
    client::{HttpError, HttpErrorKind},
    gcp::GoogleCloudStorageBuilder,
    memory::InMemory,
    path::Path as Key,
};
use std::{
    collections::HashMap,
    future::Future,
    io::{Error, ErrorKind, Result},
    ops::Range,
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering::SeqCst},
        mpsc::{Receiver, sync_channel},
    },
    time::{Duration, Instant},
};
use tokio::{
    runtime::{Builder, Runtime},
    task::AbortHandle,
    time::{sleep, timeout},
};

/// How long a request is tried again.
const PATIENCE: Duration = Duration::from_secs(PATIENCE_S);
/// How long a connection may take to be made, which is what the store's client gives it.
const TO_CONNECT: Duration = Duration::from_secs(5);
/// The longest pause between two attempts at a bucket that never answered.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// How long attempts at it are begun, so that with the last pause and connection [`FIRST_PATIENCE_S`] is kept.
const FIRST_PATIENCE: Duration = Duration::from_secs(FIRST_PATIENCE_S)
    .saturating_sub(TO_CONNECT)
    .saturating_sub(FIRST_PAUSE);
/// The longest that any request takes, with the one attempt that is under way when patience ends.
const LONGEST: Duration = Duration::from_secs(PATIENCE_S + 30);
/// The same for taking back what was begun.
const TO_ABORT: Duration = Duration::from_secs(5);
/// How long the look at an object may take that a failed request is followed by.
const TO_LOOK: Duration = Duration::from_secs(2);
/// The first pause before a request is tried again, and the longest.
const PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// Shorter values of the environment are no secrets.
const SHORTEST_SECRET: usize = 4;

/// Connections to a bucket, with credentials.
type Store = Arc<dyn ObjectStore>;

/// A bucket: used for all of its objects.
struct Bucket {
    /// Asked until there was an answer.
    first: Store,
    /// Asked from then on.
    store: Store,
    answered: AtomicBool,
}

impl Bucket {
    /// Has the store do something. One that never answered, and to which no connection can be made, is told soon.
    async fn ask<T, W: Future<Output = std::result::Result<T, StoreError>>>(
        &self,
        work: impl Fn(Store) -> W,
    ) -> Result<T> {
        if !self.answered.load(SeqCst) {
            let told = work(Arc::clone(&self.first)).await.map_err(plain);
            match told {
                // Another request may have been answered meanwhile: then this one has the patience of all.
                Err(e) if is_lost(&e) => {
                    if !self.answered.load(SeqCst) {
                        let amiss = e.get_ref().and_then(|e| e.downcast_ref::<Amiss>());
                        let why = amiss.map_or_else(|| e.to_string(), |Amiss(why)| why.clone());
                        return Err(Error::new(
                            ErrorKind::HostUnreachable,
                            format!("{UNREACHED}: {why}; {LOOK}"),
                        ));
                    }
                }
                Err(e) if !is_decided(&e) => self.answered.store(true, SeqCst),
                told => {
                    self.answered.store(true, SeqCst);
                    return told;
                }
            }
        }
        work(Arc::clone(&self.store)).await.map_err(plain)
    }
}

/// What is said of a store that no request has reached.
const UNREACHED: &str = "the store was never reached";
const LOOK: &str = "look at its endpoint in the environment, and at the network";

/// An answer of the store that has no words of its own here: the store's.
#[derive(Debug)]
struct Amiss(String);

impl std::fmt::Display for Amiss {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the store does not answer as it should: {}", self.0)
    }
}

impl std::error::Error for Amiss {}

/// Whether no connection was made, or no answer came in time.
fn is_lost(e: &Error) -> bool {
    matches!(e.kind(), ErrorKind::NotConnected | ErrorKind::TimedOut)
}

/// Whether asking once more changes nothing.
fn is_decided(e: &Error) -> bool {
    use ErrorKind::{
        AlreadyExists, HostUnreachable, InvalidData, InvalidInput, NotFound, PermissionDenied,
    };
    matches!(
        e.kind(),
        AlreadyExists | HostUnreachable | InvalidData | InvalidInput | NotFound | PermissionDenied
    )
}

/// Those that were asked for something, by scheme and name.
type Buckets = HashMap<(&'static str, String), Arc<Bucket>>;
static BUCKETS: Mutex<Option<Buckets>> = Mutex::new(None);

/// What a store tells about an object.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct About {
    /// In bytes.
    pub size: u64,
    /// Differs when the content does.
    pub tag: String,
}

/// A part of an object.
#[derive(Debug)]
pub(crate) struct Got {
    pub bytes: Vec<u8>,
    pub about: About,
}

/// A request that is under way; dropped, it is given up.
#[derive(Debug)]
pub(crate) struct Pending<T> {
    told: Receiver<Result<T>>,
    task: Option<AbortHandle>,
}

impl<T> Pending<T> {
    /// Waits for its end.
    pub(crate) fn wait(self) -> Result<T> {
        self.told
            .recv()
            .unwrap_or_else(|_| Err(Error::other("the request was stopped")))
    }
}

impl<T> Drop for Pending<T> {
    fn drop(&mut self) {
        self.task.iter().for_each(AbortHandle::abort);
    }
}

/// Reads a part of an object: of the version that has this tag, or of any. Shorter where the object ends.
pub(crate) fn get(url: &Url, range: Range<u64>, tag: Option<&str>) -> Pending<Got> {
    let (at, tag) = (located(url), tag.map(str::to_owned));
    start(LONGEST, async move {
        let (bucket, key) = at?;
        let (clock, mut pause) = (Instant::now(), PAUSE);
        loop {
            let got = once(&bucket, &key, range.clone(), tag.as_deref()).await;
            if let (Err(e), None) = (&got, &tag)
                && !matches!(e.kind(), ErrorKind::NotFound | ErrorKind::HostUnreachable)
                && let Ok(Ok(meta)) = timeout(TO_LOOK, look(&bucket, &key)).await
                && meta.size == 0
            {
                // Of an empty one there is no part to be had.
                return Ok(Got {
                    bytes: Vec::new(),
                    about: about(&meta),
                });
            }
            match got {
                // What the store has decided stays so; all else is tried again.
                Err(e) if !is_decided(&e) => {
                    if clock.elapsed() + pause > PATIENCE {
                        return Err(e);
                    }
                    sleep(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
                done => return done,
            }
        }
    })
}

async fn look(bucket: &Bucket, key: &Key) -> Result<ObjectMeta> {
    let key = key.clone();
    bucket.ask(move |store| head_of(store, key.clone())).await
}

async fn once(bucket: &Bucket, key: &Key, range: Range<u64>, tag: Option<&str>) -> Result<Got> {
    let options = GetOptions {
        if_match: tag.filter(|tag| !tag.starts_with(TIME)).map(str::to_owned),
        range: Some(GetRange::Bounded(range.clone())),
        ..GetOptions::default()
    };
    let asked = |store: Store| {
        let (key, options) = (key.clone(), options.clone());
        async move { store.get_opts(&key, options).await }
    };
    let answer = bucket.ask(asked).await?;
    let about = about(&answer.meta);
    if tag.is_some_and(|tag| tag != about.tag) {
        return Err(Error::new(ErrorKind::InvalidData, CHANGED));
    }
    let bytes = Vec::from(answer.bytes().await.map_err(plain)?);
    if bytes.len() as u64 != about.size.min(range.end).saturating_sub(range.start) {
        return Err(Error::new(
            ErrorKind::UnexpectedEof,
            "the store sends less than it says",
        ));
    }
    Ok(Got { bytes, about })
}

/// What the store tells about an object; `None` where there is none.
pub(crate) fn head(url: &Url) -> Pending<Option<About>> {
    let at = located(url);
    start(LONGEST, async move {
        let (bucket, key) = at?;
        match look(&bucket, &key).await {
            Ok(meta) => Ok(Some(about(&meta))),
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
            Err(e) => Err(e),
        }
    })
}

/// Writes a whole object; with `create`, only if there is none (`AlreadyExists`).
pub(crate) fn put(url: &Url, bytes: Vec<u8>, create: bool) -> Pending<()> {
    let at = located(url);
    let mode = if create {
        PutMode::Create
    } else {
        PutMode::Overwrite
    };
    start(LONGEST, async move {
        let (bucket, key) = at?;
        let (options, bytes) = (
            PutOptions {
                mode,
                ..PutOptions::default()
            },
            PutPayload::from(bytes),
        );
        let asked = |store: Store| {
            let (key, options, bytes) = (key.clone(), options.clone(), bytes.clone());
            async move { store.put_opts(&key, bytes, options).await }
        };
        bucket.ask(asked).await.map(drop)
    })
}

/// Removes an object.
pub(crate) fn delete(url: &Url) -> Pending<()> {
    let at = located(url);
    start(LONGEST, async move {
        let (bucket, key) = at?;
        let asked = |store: Store| {
            let key = key.clone();
            async move { store.delete(&key).await }
        };
        bucket.ask(asked).await
    })
}

/// The names of the objects of a folder, without those in folders within, sorted; `within` is one that might be among them.
pub(crate) fn list(within: &Url) -> Pending<Vec<String>> {
    let at = located(within);
    let folder = within
        .key
        .rsplit_once('/')
        .map(|(folder, _)| folder.to_owned());
    start(LONGEST, async move {
        let (bucket, _) = at?;
        let folder = folder
            .map(Key::parse)
            .transpose()
            .map_err(|e| Error::new(ErrorKind::InvalidInput, e.to_string()))?;
        let asked = |store: Store| {
            let folder = folder.clone();
            async move { store.list_with_delimiter(folder.as_ref()).await }
        };
        let listed = bucket.ask(asked).await?;
        let name = |meta: &ObjectMeta| meta.location.filename().map(str::to_owned);
        let mut names: Vec<String> = listed.objects.iter().filter_map(name).collect();
        names.sort();
        Ok(names)
    })
}

/// An object that is sent in parts.
#[derive(Debug)]
pub(crate) struct Parts(Box<dyn MultipartUpload>);

impl Parts {
    /// Begins one; nothing of it is visible. Whoever does has asked for the object before, so that the store has answered.
    pub(crate) fn begin(url: &Url) -> Pending<Self> {
        let at = located(url);
        start(LONGEST, async move {
            let (bucket, key) = at?;
            bucket
                .store
                .put_multipart(&key)
                .await
                .map(Self)
                .map_err(plain)
        })
    }

    /// Sends the next part.
    pub(crate) fn send(&mut self, bytes: Vec<u8>) -> Pending<()> {
        let sent = self.0.put_part(PutPayload::from(bytes));
        start(LONGEST, async move { sent.await.map_err(plain) })
    }

    /// Makes the object visible, when all parts were sent.
    pub(crate) fn complete(mut self) -> Pending<()> {
        start(LONGEST, async move {
            self.0.complete().await.map(drop).map_err(plain)
        })
    }

    /// Takes back what was sent.
    pub(crate) fn abort(mut self) -> Pending<()> {
        start(TO_ABORT, async move { self.0.abort().await.map_err(plain) })
    }
}

/// Starts a request, which ends within a time.
fn start<T: Send + 'static>(
    longest: Duration,
    work: impl Future<Output = Result<T>> + Send + 'static,
) -> Pending<T> {
    static RUNTIME: OnceLock<Option<Runtime>> = OnceLock::new();
    let runtime = RUNTIME.get_or_init(|| {
        Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("soundtrack-store")
            .enable_all()
            .build()
            .ok()
    });
    // There is room for the answer: telling never waits, and who does not want to know has dropped the other end.
    let (tell, told) = sync_channel(1);
    let Some(runtime) = runtime else {
        let _ = tell.send(Err(Error::other(
            "no thread can be started for requests to the store",
        )));
        return Pending { told, task: None };
    };
    let task = runtime.spawn(async move {
        let late = || {
            Err(Error::new(
                ErrorKind::TimedOut,
                format!("no answer within {} s", longest.as_secs()),
            ))
        };
        let _ = tell.send(timeout(longest, work).await.unwrap_or_else(|_| late()));
    });
    Pending {
        told,
        task: Some(task.abort_handle()),
    }
}

/// The bucket of an object, and the object's name in it.
fn located(url: &Url) -> Result<(Arc<Bucket>, Key)> {
    let key =
        Key::parse(&url.key).map_err(|e| Error::new(ErrorKind::InvalidInput, e.to_string()))?;
    let mut buckets = BUCKETS.lock().unwrap_or_else(PoisonError::into_inner);
    let buckets = buckets.get_or_insert_default();
    let name = (url.scheme, url.bucket.clone());
    if let Some(bucket) = buckets.get(&name) {
        return Ok((Arc::clone(bucket), key));
    }
    let bucket = Arc::new(open(url).map_err(plain)?);
    buckets.insert(name, Arc::clone(&bucket));
    Ok((bucket, key))
}

fn open(url: &Url) -> std::result::Result<Bucket, StoreError> {
    // Where the program has chosen one already, that is used.
    let _ = rustls::crypto::ring::default_provider().install_default();
    // The time alone ends it, not how often that was.
    let patience = |retry_timeout, max_backoff| {
        let backoff = BackoffConfig {
            max_backoff,
            ..BackoffConfig::default()
        };
        RetryConfig {
            backoff,
            max_retries: usize::MAX,
            retry_timeout,
        }
    };
    let first = connected(url, patience(FIRST_PATIENCE, FIRST_PAUSE))?;
    // What is in memory is in one place.
    let store = if url.scheme == "memory" {
        Arc::clone(&first)
    } else {
        connected(url, patience(PATIENCE, LONGEST_PAUSE))?
    };
    Ok(Bucket {
        first,
        store,
        answered: AtomicBool::new(false),
    })
}

fn connected(url: &Url, retry: RetryConfig) -> std::result::Result<Store, StoreError> {
    let bucket = &url.bucket;
    Ok(match url.scheme {
        "s3" => Arc::new(
            AmazonS3Builder::from_env()
                .with_bucket_name(bucket)
                .with_retry(retry)
                .build()?,
        ),
        "gs" => Arc::new(
            GoogleCloudStorageBuilder::from_env()
                .with_bucket_name(bucket)
                .with_retry(retry)
                .build()?,
        ),
        "az" => Arc::new(
            MicrosoftAzureBuilder::from_env()
                .with_container_name(bucket)
                .with_retry(retry)
                .build()?,
        ),
        _ => Arc::new(InMemory::new()),
    })
}

async fn head_of(store: Store, key: Key) -> std::result::Result<ObjectMeta, StoreError> {
    store.head(&key).await
}

/// What a tag begins with that is a time, where the store has no better one. No store's own tag does.
const TIME: &str = "changed ";

fn about(meta: &ObjectMeta) -> About {
    let tag = meta
        .e_tag
        .clone()
        .unwrap_or_else(|| format!("{TIME}{}", meta.last_modified.to_rfc3339()));
    About {
        size: meta.size,
        tag,
    }
}

/// An error in words of ours: those of the store hold addresses, answers, and what was sent.
fn plain(e: StoreError) -> Error {
    let denied = "the store refuses access: look at the credentials in the environment, and at what they allow";
    match &e {
        StoreError::NotFound { .. } => {
            Error::new(ErrorKind::NotFound, "there is no such object or bucket")
        }
        StoreError::PermissionDenied { .. } | StoreError::Unauthenticated { .. } => {
            Error::new(ErrorKind::PermissionDenied, denied)
        }
        StoreError::Precondition { .. } => Error::new(ErrorKind::InvalidData, CHANGED),
        StoreError::AlreadyExists { .. } => Error::new(ErrorKind::AlreadyExists, "exists already"),
        _ => {
            let (mut deepest, mut kind): (&dyn std::error::Error, _) = (&e, ErrorKind::Other);
            while let Some(cause) = deepest.source() {
                deepest = cause;
                kind = cause.downcast_ref::<HttpError>().map_or(kind, kind_of);
            }
            let first: String = deepest
                .to_string()
                .lines()
                .next()
                .unwrap_or_default()
                .chars()
                .take(200)
                .collect();
            let status = first
                .strip_prefix(STATUS)
                .and_then(|rest| rest.get(..3)?.parse::<u16>().ok());
            kind = match status {
                Some(429 | 500..) => ErrorKind::ResourceBusy,
                // What S3 says of a connection that was too slow, among much else.
                Some(400 | 408) | None => kind,
                Some(_) => ErrorKind::InvalidInput,
            };
            Error::new(kind, Amiss(without_secrets(first)))
        }
    }
}

/// What the error of an answer with a status begins with, which has no type of its own.
const STATUS: &str = "Server returned non-2xx status code: ";

fn kind_of(e: &HttpError) -> ErrorKind {
    match e.kind() {
        HttpErrorKind::Connect => ErrorKind::NotConnected,
        HttpErrorKind::Timeout => ErrorKind::TimedOut,
        HttpErrorKind::Request | HttpErrorKind::Interrupted => ErrorKind::ConnectionReset,
        _ => ErrorKind::Other,
    }
}

/// A text without the values of the environment that may be secret, and without the queries of addresses.
fn without_secrets(mut text: String) -> String {
    let ours = |name: &str| {
        ["AWS_", "AZURE_", "GOOGLE_"]
            .iter()
            .any(|store| name.starts_with(store))
    };
    let secret = |name: &str| {
        ["KEY", "SECRET", "TOKEN", "SAS", "ACCOUNT"]
            .iter()
            .any(|word| name.contains(word))
    };
    for (name, value) in std::env::vars_os() {
        if let (Some(name), Some(value)) = (name.to_str(), value.to_str())
            && (ours(name) && secret(name) && value.len() >= SHORTEST_SECRET)
        {
            text = text.replace(value, "***");
        }
    }
    text.split(' ')
        .map(|word| word.split('?').next().unwrap_or_default())
        .collect::<Vec<_>>()
        .join(" ")
}
