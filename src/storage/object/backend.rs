//! Sends requests through `object_store`.
//!
//! Every request runs on a runtime with two threads of its own, and the caller waits on a channel;
//! a program may therefore use this crate from an asynchronous context. Every request ends by
//! itself or after [`MAX_REQUEST`]. A bucket that never answered gets shorter timeouts than one
//! that did.

use super::{About, FIRST_CONTACT_TIMEOUT_S, ObjectPart, RETRY_TIMEOUT_S};
use crate::storage::file_version::CHANGED;
use crate::storage::location::ObjectUrl;
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

/// Time for which a failed request is retried.
const RETRY_TIME: Duration = Duration::from_secs(RETRY_TIMEOUT_S);
/// Time for a connection attempt, the default of the store's client.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Maximum pause between two attempts at a bucket that never answered.
const FIRST_CONTACT_MAX_PAUSE: Duration = Duration::from_secs(1);
/// Time during which such attempts start; with the last pause and connection attempt,
/// [`FIRST_CONTACT_TIMEOUT_S`] is kept.
const FIRST_CONTACT_RETRY_TIME: Duration = Duration::from_secs(FIRST_CONTACT_TIMEOUT_S)
    .saturating_sub(CONNECT_TIMEOUT)
    .saturating_sub(FIRST_CONTACT_MAX_PAUSE);
/// Maximum time of any request, including the attempt under way when the retry time ends.
const MAX_REQUEST: Duration = Duration::from_secs(RETRY_TIMEOUT_S + 30);
/// Maximum time for aborting an upload.
const ABORT_TIMEOUT: Duration = Duration::from_secs(5);
/// Maximum time for inspecting an object after a failed read.
const HEAD_TIMEOUT: Duration = Duration::from_secs(2);
/// First and maximum pause between two attempts.
const MIN_PAUSE: Duration = Duration::from_millis(100);
const MAX_PAUSE: Duration = Duration::from_secs(2);
/// Shorter values in the environment are not treated as secrets.
const MIN_SECRET_LEN: usize = 4;

/// Client for a bucket, with credentials.
type Store = Arc<dyn ObjectStore>;

/// A bucket with the clients for all of its objects.
struct Bucket {
    /// Client with short timeouts, used until the first answer.
    first: Store,
    /// Client used after the first answer.
    store: Store,
    answered: AtomicBool,
}

impl Bucket {
    /// Runs a request. Fails early if the bucket never answered and no connection can be made.
    async fn request<T, W: Future<Output = std::result::Result<T, StoreError>>>(
        &self,
        work: impl Fn(Store) -> W,
    ) -> Result<T> {
        if !self.answered.load(SeqCst) {
            let answer = work(Arc::clone(&self.first)).await.map_err(to_io_error);
            match answer {
                // If another request was answered in the meantime, retry with the normal timeouts.
                Err(e) if is_lost(&e) => {
                    if !self.answered.load(SeqCst) {
                        let unexpected = e
                            .get_ref()
                            .and_then(|e| e.downcast_ref::<UnexpectedAnswer>());
                        let why = unexpected
                            .map_or_else(|| e.to_string(), |UnexpectedAnswer(why)| why.clone());
                        return Err(Error::new(
                            ErrorKind::HostUnreachable,
                            format!("{NEVER_REACHED}: {why}; {CHECK_ENDPOINT}"),
                        ));
                    }
                }
                Err(e) if !is_decided(&e) => self.answered.store(true, SeqCst),
                answer => {
                    self.answered.store(true, SeqCst);
                    return answer;
                }
            }
        }
        work(Arc::clone(&self.store)).await.map_err(to_io_error)
    }
}

/// Message about a store that no request has reached.
const NEVER_REACHED: &str = "the store was never reached";
const CHECK_ENDPOINT: &str = "check its endpoint in the environment, and the network";

/// Answer of the store without a message of this crate: holds the store's own text.
#[derive(Debug)]
struct UnexpectedAnswer(String);

impl std::fmt::Display for UnexpectedAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the store does not answer as it should: {}", self.0)
    }
}

impl std::error::Error for UnexpectedAnswer {}

/// Returns true if no connection was made or no answer arrived in time.
fn is_lost(e: &Error) -> bool {
    matches!(e.kind(), ErrorKind::NotConnected | ErrorKind::TimedOut)
}

/// Returns true if a retry would give the same result.
fn is_decided(e: &Error) -> bool {
    use ErrorKind::{
        AlreadyExists, HostUnreachable, InvalidData, InvalidInput, NotFound, PermissionDenied,
    };
    matches!(
        e.kind(),
        AlreadyExists | HostUnreachable | InvalidData | InvalidInput | NotFound | PermissionDenied
    )
}

/// Buckets used by this process, by scheme and name.
type Buckets = HashMap<(&'static str, String), Arc<Bucket>>;
static BUCKETS: Mutex<Option<Buckets>> = Mutex::new(None);

/// Request in progress. Dropping it aborts the request.
#[derive(Debug)]
pub(crate) struct Pending<T> {
    receiver: Receiver<Result<T>>,
    task: Option<AbortHandle>,
}

impl<T> Pending<T> {
    /// Waits for the result.
    pub(crate) fn wait(self) -> Result<T> {
        self.receiver
            .recv()
            .unwrap_or_else(|_| Err(Error::other("the request was stopped")))
    }
}

impl<T> Drop for Pending<T> {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

/// Reads a byte range of an object, shorter if the object ends before it. With `tag`, reads only
/// that version.
pub(crate) fn get(url: &ObjectUrl, range: Range<u64>, tag: Option<&str>) -> Pending<ObjectPart> {
    let (at, tag) = (locate(url), tag.map(str::to_owned));
    spawn(MAX_REQUEST, async move {
        let (bucket, key) = at?;
        let (clock, mut pause) = (Instant::now(), MIN_PAUSE);
        loop {
            let got = get_once(&bucket, &key, range.clone(), tag.as_deref()).await;
            if let (Err(e), None) = (&got, &tag)
                && !matches!(e.kind(), ErrorKind::NotFound | ErrorKind::HostUnreachable)
                && let Ok(Ok(meta)) = timeout(HEAD_TIMEOUT, head_with_retry(&bucket, &key)).await
                && meta.size == 0
            {
                // A range request for an empty object fails in most stores.
                return Ok(ObjectPart {
                    bytes: Vec::new(),
                    about: about(&meta),
                });
            }
            match got {
                // Errors that a retry cannot change are final.
                Err(e) if !is_decided(&e) => {
                    if clock.elapsed() + pause > RETRY_TIME {
                        return Err(e);
                    }
                    sleep(pause).await;
                    pause = (pause * 2).min(MAX_PAUSE);
                }
                done => return done,
            }
        }
    })
}

async fn head_with_retry(bucket: &Bucket, key: &Key) -> Result<ObjectMeta> {
    let key = key.clone();
    bucket
        .request(move |store| send_head(store, key.clone()))
        .await
}

async fn get_once(
    bucket: &Bucket,
    key: &Key,
    range: Range<u64>,
    tag: Option<&str>,
) -> Result<ObjectPart> {
    let options = GetOptions {
        if_match: tag
            .filter(|tag| !tag.starts_with(TIME_TAG_PREFIX))
            .map(str::to_owned),
        range: Some(GetRange::Bounded(range.clone())),
        ..GetOptions::default()
    };
    let asked = |store: Store| {
        let (key, options) = (key.clone(), options.clone());
        async move { store.get_opts(&key, options).await }
    };
    let answer = bucket.request(asked).await?;
    let about = about(&answer.meta);
    if tag.is_some_and(|tag| tag != about.tag) {
        return Err(Error::new(ErrorKind::InvalidData, CHANGED));
    }
    let bytes = Vec::from(answer.bytes().await.map_err(to_io_error)?);
    if bytes.len() as u64 != about.size.min(range.end).saturating_sub(range.start) {
        return Err(Error::new(
            ErrorKind::UnexpectedEof,
            "the store sent fewer bytes than it announced",
        ));
    }
    Ok(ObjectPart { bytes, about })
}

/// Returns the properties of an object; `None` if it does not exist.
pub(crate) fn head(url: &ObjectUrl) -> Pending<Option<About>> {
    let at = locate(url);
    spawn(MAX_REQUEST, async move {
        let (bucket, key) = at?;
        match head_with_retry(&bucket, &key).await {
            Ok(meta) => Ok(Some(about(&meta))),
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
            Err(e) => Err(e),
        }
    })
}

/// Writes a whole object. With `create`, fails with `AlreadyExists` if the object exists.
pub(crate) fn put(url: &ObjectUrl, bytes: Vec<u8>, create: bool) -> Pending<()> {
    let at = locate(url);
    let mode = if create {
        PutMode::Create
    } else {
        PutMode::Overwrite
    };
    spawn(MAX_REQUEST, async move {
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
        bucket.request(asked).await.map(drop)
    })
}

/// Deletes an object.
pub(crate) fn delete(url: &ObjectUrl) -> Pending<()> {
    let at = locate(url);
    spawn(MAX_REQUEST, async move {
        let (bucket, key) = at?;
        let asked = |store: Store| {
            let key = key.clone();
            async move { store.delete(&key).await }
        };
        bucket.request(asked).await
    })
}

/// Returns the sorted names of the objects in the folder that contains `within`, without those in
/// subfolders. `within` itself need not exist.
pub(crate) fn list(within: &ObjectUrl) -> Pending<Vec<String>> {
    let at = locate(within);
    let folder = within
        .key
        .rsplit_once('/')
        .map(|(folder, _)| folder.to_owned());
    spawn(MAX_REQUEST, async move {
        let (bucket, _) = at?;
        let folder = folder
            .map(Key::parse)
            .transpose()
            .map_err(|e| Error::new(ErrorKind::InvalidInput, e.to_string()))?;
        let asked = |store: Store| {
            let folder = folder.clone();
            async move { store.list_with_delimiter(folder.as_ref()).await }
        };
        let listed = bucket.request(asked).await?;
        let name = |meta: &ObjectMeta| meta.location.filename().map(str::to_owned);
        let mut names: Vec<String> = listed.objects.iter().filter_map(name).collect();
        names.sort();
        Ok(names)
    })
}

/// Multipart upload.
#[derive(Debug)]
pub(crate) struct Parts(Box<dyn MultipartUpload>);

impl Parts {
    /// Begins an upload; nothing becomes visible. The caller must have sent another request to the
    /// bucket before, so that it counts as answered.
    pub(crate) fn begin(url: &ObjectUrl) -> Pending<Self> {
        let at = locate(url);
        spawn(MAX_REQUEST, async move {
            let (bucket, key) = at?;
            bucket
                .store
                .put_multipart(&key)
                .await
                .map(Self)
                .map_err(to_io_error)
        })
    }

    /// Sends the next part.
    pub(crate) fn send(&mut self, bytes: Vec<u8>) -> Pending<()> {
        let sent = self.0.put_part(PutPayload::from(bytes));
        spawn(MAX_REQUEST, async move { sent.await.map_err(to_io_error) })
    }

    /// Makes the object visible after all parts have been sent.
    pub(crate) fn complete(mut self) -> Pending<()> {
        spawn(MAX_REQUEST, async move {
            self.0.complete().await.map(drop).map_err(to_io_error)
        })
    }

    /// Aborts the upload and deletes the parts sent.
    pub(crate) fn abort(mut self) -> Pending<()> {
        spawn(ABORT_TIMEOUT, async move {
            self.0.abort().await.map_err(to_io_error)
        })
    }
}

/// Starts a request with a maximum duration.
fn spawn<T: Send + 'static>(
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
    // The channel has room for the one answer, so sending never blocks; it fails only if the caller
    // has dropped the request.
    let (sender, receiver) = sync_channel(1);
    let Some(runtime) = runtime else {
        let _ = sender.send(Err(Error::other(
            "cannot start the threads that send requests to the store",
        )));
        return Pending {
            receiver,
            task: None,
        };
    };
    let task = runtime.spawn(async move {
        let result = timeout(longest, work).await.unwrap_or_else(|_| {
            Err(Error::new(
                ErrorKind::TimedOut,
                format!("no answer within {} s", longest.as_secs()),
            ))
        });
        let _ = sender.send(result);
    });
    Pending {
        receiver,
        task: Some(task.abort_handle()),
    }
}

/// Returns the bucket of an object, and the object's key in it.
fn locate(url: &ObjectUrl) -> Result<(Arc<Bucket>, Key)> {
    let key =
        Key::parse(&url.key).map_err(|e| Error::new(ErrorKind::InvalidInput, e.to_string()))?;
    let mut buckets = BUCKETS.lock().unwrap_or_else(PoisonError::into_inner);
    let buckets = buckets.get_or_insert_default();
    let name = (url.scheme, url.bucket.clone());
    if let Some(bucket) = buckets.get(&name) {
        return Ok((Arc::clone(bucket), key));
    }
    let bucket = Arc::new(open(url).map_err(to_io_error)?);
    buckets.insert(name, Arc::clone(&bucket));
    Ok((bucket, key))
}

fn open(url: &ObjectUrl) -> std::result::Result<Bucket, StoreError> {
    // Fails if the program has already chosen a provider, which is then used.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let first = connect(
        url,
        retry_config(FIRST_CONTACT_RETRY_TIME, FIRST_CONTACT_MAX_PAUSE),
    )?;
    // A memory store must not be created twice.
    let store = if url.scheme == "memory" {
        Arc::clone(&first)
    } else {
        connect(url, retry_config(RETRY_TIME, MAX_PAUSE))?
    };
    Ok(Bucket {
        first,
        store,
        answered: AtomicBool::new(false),
    })
}

/// Returns retry settings that limit the time of the attempts, not their number.
fn retry_config(retry_timeout: Duration, max_backoff: Duration) -> RetryConfig {
    RetryConfig {
        backoff: BackoffConfig {
            max_backoff,
            ..BackoffConfig::default()
        },
        max_retries: usize::MAX,
        retry_timeout,
    }
}

fn connect(url: &ObjectUrl, retry: RetryConfig) -> std::result::Result<Store, StoreError> {
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

async fn send_head(store: Store, key: Key) -> std::result::Result<ObjectMeta, StoreError> {
    store.head(&key).await
}

/// Prefix of tags made from the modification time, for stores without entity tags. No store's own
/// tags begin with it.
const TIME_TAG_PREFIX: &str = "changed ";

fn about(meta: &ObjectMeta) -> About {
    let tag = meta
        .e_tag
        .clone()
        .unwrap_or_else(|| format!("{TIME_TAG_PREFIX}{}", meta.last_modified.to_rfc3339()));
    About {
        size: meta.size,
        tag,
    }
}

/// Converts an error to one with a message of this crate: the messages of the store contain
/// addresses, answers and request data.
fn to_io_error(e: StoreError) -> Error {
    let denied =
        "the store refuses access: check the credentials in the environment, and what they permit";
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
                .strip_prefix(STATUS_PREFIX)
                .and_then(|rest| rest.get(..3)?.parse::<u16>().ok());
            kind = match status {
                Some(429 | 500..) => ErrorKind::ResourceBusy,
                // S3 answers 400 to a connection that was too slow, among many other errors.
                Some(400 | 408) | None => kind,
                Some(_) => ErrorKind::InvalidInput,
            };
            Error::new(kind, UnexpectedAnswer(without_secrets(first)))
        }
    }
}

/// Prefix of the message of an HTTP error status, which has no type of its own.
const STATUS_PREFIX: &str = "Server returned non-2xx status code: ";

fn kind_of(e: &HttpError) -> ErrorKind {
    match e.kind() {
        HttpErrorKind::Connect => ErrorKind::NotConnected,
        HttpErrorKind::Timeout => ErrorKind::TimedOut,
        HttpErrorKind::Request | HttpErrorKind::Interrupted => ErrorKind::ConnectionReset,
        _ => ErrorKind::Other,
    }
}

/// Replaces values of environment variables that may be secret, and removes the queries of URLs.
fn without_secrets(mut text: String) -> String {
    for (name, value) in std::env::vars_os() {
        if let (Some(name), Some(value)) = (name.to_str(), value.to_str())
            && is_secret(name)
            && value.len() >= MIN_SECRET_LEN
        {
            text = text.replace(value, "***");
        }
    }
    text.split(' ')
        .map(|word| word.split('?').next().unwrap_or_default())
        .collect::<Vec<_>>()
        .join(" ")
}

/// Returns true if an environment variable belongs to a store and may hold a secret.
fn is_secret(name: &str) -> bool {
    const STORES: [&str; 3] = ["AWS_", "AZURE_", "GOOGLE_"];
    const SECRETS: [&str; 5] = ["KEY", "SECRET", "TOKEN", "SAS", "ACCOUNT"];
    STORES.iter().any(|store| name.starts_with(store))
        && SECRETS.iter().any(|secret| name.contains(secret))
}
