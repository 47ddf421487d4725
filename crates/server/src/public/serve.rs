//! Accepting connections: bounded in number and pace, and let go one by one when the server is told to stop.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::asked::Pace;
use super::files::Files;
use super::headers::keep_to_tls;
use super::io::Patient;
use super::spool::Spool;
use super::{Limits, PublicConfig, assemble};

/// Bytes that a connection may buffer for the head of a request, and between network and body.
const MAX_BUFFER: usize = 256 * 1024;
/// Header lines of one request.
const MAX_HEADERS: usize = 64;

/// Serves until `shutdown` resolves; then requests under way may finish within [`Limits::grace`], and what has arrived
/// of uploads is brought to disk.
///
/// # Errors
/// The listener has no address. A failing connection ends alone.
pub async fn serve(
    listener: TcpListener,
    config: PublicConfig,
    shutdown: impl Future<Output = ()> + Send,
) -> io::Result<()> {
    let port = listener.local_addr()?.port();
    let (limits, spool, clock) = (config.limits, config.spool.clone(), Arc::clone(&config.clock));
    let by_tls = config.by_tls;
    let (router, files) = assemble(config);
    let sweeper = tokio::spawn({
        let spool = spool.clone();
        async move {
            loop {
                tokio::time::sleep(limits.sweep).await;
                sweep(&spool, clock.now()).await;
            }
        }
    });
    tracing::info!(port, "the public role listens");
    let connections = GracefulShutdown::new();
    let cut = CancellationToken::new();
    let serving = Serving { limits, router, files, by_tls, cut: cut.clone() };
    accept(&listener, &serving, &connections, shutdown).await;
    drop(serving);
    drop(listener);
    sweeper.abort();
    tracing::info!("the public role stops; requests under way may finish");
    if tokio::time::timeout(limits.grace, connections.shutdown()).await.is_err() {
        tracing::warn!("some connections did not end in time and are cut");
    }
    // Writers see their body end, and bring what arrived to disk.
    cut.cancel();
    settle(&spool, limits.body).await;
    Ok(())
}

/// What every connection needs.
struct Serving {
    limits: Limits,
    router: Router,
    files: Arc<Files>,
    by_tls: bool,
    cut: CancellationToken,
}

async fn accept(
    listener: &TcpListener,
    serving: &Serving,
    connections: &GracefulShutdown,
    shutdown: impl Future<Output = ()> + Send,
) {
    let places = Arc::new(Semaphore::new(serving.limits.connections));
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(serving.limits.header)
        .max_headers(MAX_HEADERS)
        .max_buf_size(MAX_BUFFER);
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        let next = async {
            let place = Arc::clone(&places).acquire_owned().await;
            (place, listener.accept().await)
        };
        let (place, accepted) = tokio::select! {
            biased;
            () = &mut shutdown => return,
            next = next => next,
        };
        let stream = match accepted {
            // Who connects is nobody's business: the address is dropped here.
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(kind = ?error.kind(), "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let served = connection(stream, &http, serving);
        let watched = connections.watch(served);
        let cut = serving.cut.clone();
        tokio::spawn(async move {
            // Why a connection broke is not written down either.
            tokio::select! {
                _ = watched => {}
                () = cut.cancelled() => {}
            }
            drop(place);
        });
    }
}

type Handled = std::pin::Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

fn connection(
    stream: TcpStream,
    http: &http1::Builder,
    serving: &Serving,
) -> impl hyper_util::server::graceful::GracefulConnection<Error = hyper::Error> + Send + use<> {
    let _ = stream.set_nodelay(true);
    let routed = TowerToHyperService::new(serving.router.clone());
    let (files, by_tls) = (Arc::clone(&serving.files), serving.by_tls);
    // What one connection may ask is counted with the connection, and forgotten with it.
    let pace = Pace::default();
    let service = service_fn(move |mut request: Request<Incoming>| -> Handled {
        if is_static(request.uri().path()) {
            // The feed is asked for by everybody: no router stands in its way.
            let files = Arc::clone(&files);
            return Box::pin(async move {
                let answer = files.respond(request.method(), request.uri().path(), request.headers()).await;
                Ok(keep_to_tls(by_tls, answer))
            });
        }
        request.extensions_mut().insert(pace.clone());
        let answer = routed.call(request.map(Body::new));
        Box::pin(async move { answer.await.map(|answer| keep_to_tls(by_tls, answer)) })
    });
    http.serve_connection(TokioIo::new(Patient::new(stream, serving.limits.body)), service)
}

fn is_static(path: &str) -> bool {
    !["/uploads", "/messages", "/notices", "/asked/evaluate", "/healthz"]
        .iter()
        .any(|other| path.starts_with(other))
}

async fn sweep(spool: &Spool, now: jiff::Timestamp) {
    let spool = spool.clone();
    match tokio::task::spawn_blocking(move || spool.sweep(now)).await {
        Ok(Ok(0)) => {}
        Ok(Ok(removed)) => tracing::info!(removed, "expired uploads were removed"),
        Ok(Err(error)) => tracing::error!(%error, "expired uploads could not be removed"),
        Err(_) => {}
    }
}

/// Waits until no upload is being written, for at most `within`.
async fn settle(spool: &Spool, within: Duration) {
    let idle = async {
        while !spool.is_idle() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    if tokio::time::timeout(within, idle).await.is_err() {
        tracing::warn!("an upload was still being written; its client will go on from what is on disk");
    }
}
