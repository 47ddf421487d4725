//! Starting and stopping a Canvass: folders, keys, ledgers, jobs and listeners.

use std::{
    future::Future,
    io,
    net::{IpAddr, SocketAddr},
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request, State, connect_info::Connected},
    http::{HeaderValue, StatusCode, header},
    middleware::{Next, from_fn, from_fn_with_state},
    response::{IntoResponse as _, Response},
    serve::IncomingStream,
};
use canvass_core::{
    App, CoreError,
    access::{Gate, RulesError},
    alerts::webhooks::Inside,
    proposals::RulesFault,
};
use canvass_notices::{Notices, NoticesError};
use canvass_store_objects::{BlobError, Blobs};
use canvass_store_sqlite::{OpenError, Options, SqliteRecords};
use canvass_types::{Clock, Entropy, Policy, leaf::Log};
use tokio::{
    net::TcpListener,
    sync::{Mutex, Notify, Semaphore, watch},
    task::{JoinHandle, JoinSet},
};
use tokio_util::sync::CancellationToken;

use crate::{
    asked,
    config::{ConfigError, DataFolder, Role, ServeConfig, Tls},
    desk::{Desk, Parts, Told},
    files, jobs,
    keys::{self, Keys, KeysError, origin},
    keysfile,
    ledgers::{Ledgers, LedgersError},
    oidc::Oidc,
    outbound::Outbound,
    pace::Pace,
    pages::{self, Pages, Part, Site},
    plates::{self, ReadsPace},
    problem::Problem,
    public::{
        self, AskedConfig, PublicConfig,
        files::{Files, FilesConfig},
        headers::{POLICY, keep_to_tls},
        spool::{Spool, SpoolConfig, SpoolError},
    },
    reading, routes, rules_repair, telemetry,
    telemetry::Metrics,
    tls::{self, TlsError, TlsListener},
    uploads,
};

/// Requests that the desk answers at the same time.
const AT_ONCE: usize = 512;
/// Most streams of alerts that are open at the same time.
const MOST_STREAMS: usize = 512;
/// Within which an answer must begin, uploads and evidence aside.
const ANSWER: Duration = Duration::from_secs(60);
/// Within which connections may end once the server is told to stop.
const GRACE: Duration = Duration::from_secs(20);

/// Why a Canvass did not start.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The settings.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A folder or file.
    #[error("{path}: can't be made or read ({source}); look at the folder, its space and its owner")]
    File {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The address is taken, or not this machine's.
    #[error("{at}: can't listen there ({source}); stop what listens, or choose another address")]
    Listen {
        /// Which.
        at: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The policy file.
    #[error("{path}: not a policy ({reason}); mend it, or remove it to begin with the defaults")]
    Policy {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The rules of who may do what.
    #[error(transparent)]
    Rules(#[from] RulesError),
    /// The rules that two operators approved, which this version can't use any more.
    #[error(
        "the rules that are in force here can't be used by this version of Canvass:\n{errors}\n\
         start the version before again and propose rules that this one can use; or put the mended files, by their path \
         below policies/, into {repair}, start again, and remove that folder: the change will stand in the ledger",
        repair = .repair.display()
    )]
    StoredRules {
        /// What is wrong, by file and line.
        errors: RulesError,
        /// Where mended files are looked for.
        repair: PathBuf,
    },
    /// Keys.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// Keys of the private check for plate owners.
    #[error(transparent)]
    Asked(#[from] asked::AskedError),
    /// Records.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// Sealed bytes.
    #[error(transparent)]
    Blobs(#[from] BlobError),
    /// Plate reads.
    #[error("reads: {0}")]
    Reads(canvass_plates::StoreError),
    /// Ledgers.
    #[error(transparent)]
    Ledgers(#[from] LedgersError),
    /// Spool.
    #[error(transparent)]
    Spool(#[from] SpoolError),
    /// Notices.
    #[error(transparent)]
    Notices(#[from] NoticesError),
    /// The domain.
    #[error(transparent)]
    Core(#[from] CoreError),
    /// Certificates.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

impl ServeError {
    pub(crate) fn file(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { path, source }
    }
}

/// A Canvass that runs.
pub struct Running {
    /// Where the agency desk listens.
    pub private_addr: Option<SocketAddr>,
    /// Where the public role listens.
    pub public_addr: Option<SocketAddr>,
    /// The one address of the desk at which passkeys count; none when it can't carry them.
    pub passkeys_at: Option<String>,
    done: JoinHandle<()>,
    stop: CancellationToken,
}

impl Running {
    /// Waits until everything has stopped.
    pub async fn finished(self) {
        let _ = self.done.await;
    }

    /// Tells everything to stop, and waits until it has.
    pub async fn stop(self) {
        self.stop.cancel();
        let _ = self.done.await;
    }
}

/// Where a connection of the desk comes from, and whether a proxy may stand between.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub SocketAddr, pub bool);

impl Connected<IncomingStream<'_, TcpListener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, TcpListener>) -> Self {
        Self(*stream.remote_addr(), false)
    }
}

impl Connected<IncomingStream<'_, TlsListener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, TlsListener>) -> Self {
        Self(*stream.remote_addr(), false)
    }
}

/// Starts a Canvass. It runs until `shutdown` resolves; then no connection is taken any more, what is under way ends,
/// and each job finishes its batch.
///
/// # Errors
/// [`ServeError`] says what stands in the way and what to do.
pub async fn serve(
    config: ServeConfig,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<Running, ServeError> {
    config.check()?;
    let folder = DataFolder(config.data.clone());
    make_folder(&folder.0, 0o700)?;
    let stop = CancellationToken::new();
    let mut parts = JoinSet::new();
    let (mut private_addr, mut public_addr, mut passkeys_at) = (None, None, None);
    if config.role != Role::Public {
        let desk = open_desk(&config, &folder, &clock, &entropy, &stop).await?;
        private_addr = Some(start_private(&config, desk.clone(), &stop, &mut parts).await?);
        passkeys_at = desk.app.desk_origin().map(|origin| format!("{origin}/desk/"));
    }
    if config.role != Role::Private {
        public_addr = Some(start_public(&config, &folder, clock, entropy, &stop, &mut parts).await?);
    }
    let token = stop.clone();
    let done = tokio::spawn(async move {
        tokio::select! {
            () = shutdown => {}
            () = token.cancelled() => {}
        }
        token.cancel();
        while parts.join_next().await.is_some() {}
        tracing::info!("stopped");
    });
    Ok(Running { private_addr, public_addr, passkeys_at, done, stop })
}

pub(crate) fn make_folder(path: &Path, mode: u32) -> Result<(), ServeError> {
    std::fs::DirBuilder::new().recursive(true).mode(mode).create(path).map_err(ServeError::file(path))
}

/// Opens everything of the private role.
pub(crate) async fn open_desk(
    config: &ServeConfig,
    folder: &DataFolder,
    clock: &Arc<dyn Clock>,
    entropy: &Arc<dyn Entropy>,
    stop: &CancellationToken,
) -> Result<Desk, ServeError> {
    let records = SqliteRecords::open(folder.records(), Options::default()).await?;
    let begun = begun(&records).await?;
    let keys = Keys::open(&folder.keys(), !begun, &origin(&config.identity.public_url), entropy.as_ref())?;
    make_folder(&folder.public(), 0o755)?;
    let at = u64::try_from(clock.now().as_second()).unwrap_or(0);
    let ledgers = Ledgers::open(&records, &folder.public(), &keys, at).await?;
    let blobs = Blobs::local(&folder.0)?;
    let spool =
        |root: PathBuf| SpoolConfig::new(root, config.spool_bytes, Arc::clone(clock), Arc::clone(entropy));
    for name in ["tmp", "open", "done", "messages", "wishes"] {
        make_folder(&folder.spool().join(name), 0o700)?;
    }
    let agency_spool = Spool::open(spool(folder.agency_spool()))?;
    let reads = plates::open(folder, entropy).await?;
    let app = App::new(records, Gate::shipped()?, Policy::default(), Arc::clone(clock), Arc::clone(entropy));
    app.provided_by(config.providers.iter().map(|it| it.provider.clone()).collect());
    app.set_up_policy(read_policy(&folder.policy())?).await?;
    let repair = rules_repair::read(&folder.rules_repair())?;
    app.load_rules(repair.as_ref()).await.map_err(|fault| match fault {
        RulesFault::Core(error) => ServeError::Core(error),
        RulesFault::Unusable(errors) => ServeError::StoredRules { errors, repair: folder.rules_repair() },
    })?;
    app.note_rules().await?;
    app.derive_from(keys::derive_key(&folder.keys(), !app.key_is_needed().await?, entropy.as_ref())?);
    app.webhooks_inside(Inside::parse(&config.webhooks_inside).map_err(ConfigError::Inside)?);
    // Before the first camera is listened to.
    app.load_hotlists().await?;
    app.load_safelists().await?;
    for epoch in asked::keep(&app, &folder.asked(), entropy.as_ref()).await? {
        tracing::error!(
            %epoch,
            "a key of the private check is gone; put it back into the folder `asked` from where you keep the keys: until \
             then its quarter's searches are refused and its days stay unpublished"
        );
    }
    let notices = match config.notices() {
        Some(notices) => Some(Notices::open(notices, Arc::clone(clock), Arc::clone(entropy)).await?),
        None => None,
    };
    let desk = Desk::new(Parts {
        app,
        blobs,
        reads,
        reads_pace: ReadsPace::default(),
        sightings_pace: ReadsPace::default(),
        ledgers,
        spool: Spool::attach(spool(folder.spool())),
        agency_spool,
        folder: folder.clone(),
        identity: config.identity.clone(),
        notices,
        keys,
        providers: Oidc::new(config.providers.clone(), Arc::clone(clock)),
        metrics: Metrics::default(),
        clock: Arc::clone(clock),
        entropy: Arc::clone(entropy),
        changed: Notify::new(),
        grown: Notify::new(),
        alerted: watch::Sender::new(0),
        told: Told::default(),
        outbound: Outbound::default(),
        streams: Arc::new(Semaphore::new(MOST_STREAMS)),
        closing: stop.clone(),
        pace: Pace::default(),
        summary: Mutex::default(),
        transparency: Mutex::default(),
    });
    let path = desk.public("ledger/keys.json");
    files::write_json(path.clone(), &keysfile::of(&desk)).await.map_err(ServeError::file(&path))?;
    Ok(desk)
}

/// Whether a ledger was ever signed.
async fn begun(records: &SqliteRecords) -> Result<bool, ServeError> {
    for log in Log::ALL {
        if records.head(log).await.map_err(CoreError::from)?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

fn read_policy(path: &Path) -> Result<Policy, ServeError> {
    match std::fs::read(path) {
        Ok(bytes) => serde_json::from_slice(&bytes)
            .map_err(|error| ServeError::Policy { path: path.to_owned(), reason: error.to_string() }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Policy::default()),
        Err(error) => Err(ServeError::file(path)(error)),
    }
}

/// All of the desk's routes with their limits.
pub(crate) fn desk_router(desk: &Desk) -> Router {
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let answering = routes::api().split_for_parts().0.layer(from_fn(in_time)).with_state(desk.clone());
    Router::new()
        .merge(answering)
        .merge(uploads::router(desk))
        .fallback(|| async { Problem::not_found() })
        .layer(DefaultBodyLimit::disable())
        .layer(from_fn(move |request: Request, next: Next| bounded(Arc::clone(&places), request, next)))
        .layer(from_fn_with_state(desk.clone(), telemetry::observe))
        .layer(from_fn(secure))
}

/// What the desk serves besides its API: its pages, and the public files that they read.
fn desk_files(config: &ServeConfig, desk: &Desk) -> Arc<Files> {
    let mut files = FilesConfig::new(desk.folder.public(), Arc::clone(&desk.clock));
    files.pages = Pages::of(Part::Desk, config.pages);
    Arc::new(Files::new(files))
}

async fn files_first(State(files): State<Arc<Files>>, request: Request, next: Next) -> Response {
    match request.uri().path() {
        "/" if request.method().is_safe() => pages::to_desk(),
        path if files.serves(path) => files.respond(request.method(), path, request.headers()).await,
        _ => next.run(request).await,
    }
}

async fn in_time(request: Request, next: Next) -> Response {
    match tokio::time::timeout(ANSWER, next.run(request)).await {
        Ok(response) if response.status() == StatusCode::METHOD_NOT_ALLOWED => {
            let allow = response.headers().get(header::ALLOW).cloned();
            let problem =
                Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method", "This method is not served here")
                    .detail("the address has other methods")
                    .remedy("see /api/v1/openapi.json");
            match allow {
                Some(allow) => problem.header(header::ALLOW, allow).into_response(),
                None => problem.into_response(),
            }
        }
        Ok(response) => response,
        Err(_) => Problem::new(StatusCode::SERVICE_UNAVAILABLE, "too-slow", "It took too long")
            .detail("the answer did not begin within a minute; what was asked may have been done")
            .remedy("look whether it was done, then try again")
            .retry_after(10)
            .into_response(),
    }
}

async fn bounded(places: Arc<Semaphore>, request: Request, next: Next) -> Response {
    match places.try_acquire() {
        Ok(_place) => next.run(request).await,
        Err(_) => Problem::new(StatusCode::SERVICE_UNAVAILABLE, "busy", "Too many requests at this moment")
            .detail("as many requests are under way as may be")
            .remedy("try again in a few seconds")
            .retry_after(2)
            .into_response(),
    }
}

async fn secure(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(header::CONTENT_SECURITY_POLICY, POLICY);
    response
}

async fn strict(State(by_tls): State<bool>, request: Request, next: Next) -> Response {
    keep_to_tls(by_tls, next.run(request).await)
}

async fn listen(at: SocketAddr) -> Result<TcpListener, ServeError> {
    TcpListener::bind(at).await.map_err(|source| ServeError::Listen { at, source })
}

async fn start_private(
    config: &ServeConfig,
    desk: Desk,
    stop: &CancellationToken,
    parts: &mut JoinSet<()>,
) -> Result<SocketAddr, ServeError> {
    let site = desk.public(pages::SITE);
    files::write_json(site.clone(), &Site::of(config, desk.notices.as_ref()))
        .await
        .map_err(ServeError::file(&site))?;
    for (name, bytes, copies) in reading::footage::files() {
        let path = desk.public(name);
        files::write(path.clone(), bytes, copies).await.map_err(ServeError::file(&path))?;
    }
    let acceptor = config.tls.as_ref().map(tls::acceptor).transpose()?;
    let listener = listen(config.listen).await?;
    let address = listener.local_addr().map_err(|source| ServeError::Listen { at: config.listen, source })?;
    let at = config.desk_address(address).unwrap_or_default();
    match desk.app.open_at(&at) {
        Ok(()) => tracing::info!(address = at, "passkeys count at this address alone"),
        Err(error) => tracing::warn!(%error, "nobody can sign in by passkey; tokens still count"),
    }
    let behind_proxy = config.insecure_http;
    let router = desk_router(&desk)
        .layer(from_fn_with_state(desk_files(config, &desk), files_first))
        .layer(from_fn_with_state(behind_proxy, mark_proxied))
        .layer(from_fn_with_state(config.desk_by_tls(), strict));
    let service = router.into_make_service_with_connect_info::<Peer>();
    let (token, late) = (stop.clone(), stop.clone());
    let told = move || async move { token.cancelled().await };
    let served: std::pin::Pin<Box<dyn Future<Output = io::Result<()>> + Send>> = match acceptor {
        Some(acceptor) => {
            let listener = TlsListener::over(listener, acceptor, stop.clone())
                .map_err(ServeError::file(&config.data))?;
            Box::pin(axum::serve(listener, service).with_graceful_shutdown(told()).into_future())
        }
        None => Box::pin(axum::serve(listener, service).with_graceful_shutdown(told()).into_future()),
    };
    let mut jobs = jobs::start(&desk, config.pace, stop);
    parts.spawn(async move {
        let cut = async {
            late.cancelled().await;
            tokio::time::sleep(GRACE).await;
        };
        tokio::select! {
            _ = served => {}
            () = cut => tracing::warn!("some connections did not end in time and are cut"),
        }
        while jobs.join_next().await.is_some() {}
        desk.app.records().close().await;
    });
    tracing::info!(port = address.port(), "the agency desk listens");
    Ok(address)
}

async fn mark_proxied(State(behind_proxy): State<bool>, mut request: Request, next: Next) -> Response {
    if let Some(axum::extract::ConnectInfo(peer)) =
        request.extensions_mut().get_mut::<axum::extract::ConnectInfo<Peer>>()
    {
        peer.1 = behind_proxy;
    }
    next.run(request).await
}

async fn start_public(
    config: &ServeConfig,
    folder: &DataFolder,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    stop: &CancellationToken,
    parts: &mut JoinSet<()>,
) -> Result<SocketAddr, ServeError> {
    make_folder(&folder.public(), 0o755)?;
    let spool =
        SpoolConfig::new(folder.spool(), config.spool_bytes, Arc::clone(&clock), Arc::clone(&entropy));
    let spool = Spool::open(spool)?;
    let acceptor = config.public_tls.as_ref().map(|tls: &Tls| tls::acceptor(tls)).transpose()?;
    let outer = listen(config.public_listen).await?;
    let at = config.public_listen;
    let address = outer.local_addr().map_err(|source| ServeError::Listen { at, source })?;
    let inner = match acceptor {
        None => outer,
        Some(acceptor) => {
            let inner = listen(SocketAddr::new(IpAddr::from([127, 0, 0, 1]), 0)).await?;
            let to = inner.local_addr().map_err(|source| ServeError::Listen { at, source })?;
            let from = TlsListener::over(outer, acceptor, stop.clone())
                .map_err(|source| ServeError::Listen { at, source })?;
            parts.spawn(tls::bridge(from, to, stop.clone()));
            inner
        }
    };
    let mut public = PublicConfig::new(folder.public(), spool, clock);
    public.by_tls = config.public_by_tls();
    public.asked = Some(AskedConfig { folder: folder.asked(), entropy });
    public.files.pages = Pages::of(Part::Resident, config.pages);
    let token = stop.clone();
    parts.spawn(async move {
        if let Err(error) = public::serve(inner, public, async move { token.cancelled().await }).await {
            tracing::error!(%error, "the public role ended");
        }
    });
    Ok(address)
}
