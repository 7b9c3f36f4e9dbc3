//! Whoever reads what is measured: `GET /metrics`, over HTTP.
//!
//! However many ask, however slowly they do: so many are heard at once, each has so much time, least of all while it says
//! nothing, and all of a second get the same text. The packet thread only copies counters, and the taps piece by piece, as it does for the control socket.

use std::convert::Infallible;
use std::io;
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use rustc_hash::FxHashMap;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::{Mutex, Semaphore};
use tokio::time::{Instant, timeout};
use tracing::warn;

use super::callers::{self, CALLERS, PATIENCE, Seat};
use super::clock::time_of_day;
use super::mailbox::{Gone, Sender, Which};
use super::open_socket;
use crate::config::{General, MetricsListen};
use crate::io::log::Losses;
use crate::io::nfqueue::QueueList;
use crate::io::succession::Succession;
use crate::io::unix_socket::UnixSocket;
use crate::metrics::{Bindings, Snapshot, Talkers, render};
use crate::queue_list::Listed;

/// Where the text is.
const PATH: &str = "/metrics";
/// The classic text format.
const TEXT: HeaderValue = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
/// How long a caller may take to ask. Anybody may hold a seat for so long, over and over.
const ASKING: Duration = Duration::from_secs(1);
/// For how long a text is good for others who ask as well.
const FRESH: Duration = Duration::from_secs(1);
/// How long a request may be, in bytes: the least that the library takes.
const LONGEST: usize = 8192;
/// How many header fields it may have.
const FIELDS: usize = 32;

/// What has to be opened while we may: where callers come, and what is root's to read.
#[derive(Debug)]
pub(super) struct Exposition {
    listener: Listener,
    list: Option<QueueList>,
    queue_limit: u32,
    started: Duration,
    losses: Option<Losses>,
}

/// A socket at which callers arrive.
#[derive(Debug)]
enum Listener {
    Tcp(std::net::TcpListener),
    Unix(std::os::unix::net::UnixListener),
}

impl Exposition {
    /// Opens what `general` asks for, if it does; and the unix socket, to be removed at the end. Without it nothing is measured,
    /// and nothing else is missing.
    pub(super) fn open(
        general: &General,
        losses: Option<Losses>,
        succession: Succession,
    ) -> Option<(Self, Option<UnixSocket>)> {
        let place = general.metrics_listen.as_ref()?;
        let opened = succession.take_over(|| Listener::open(place, general));
        let (listener, socket) =
            opened.inspect_err(|error| warn!(place = place.to_string(), "no metrics: {error}")).ok()?;
        let list = QueueList::open().inspect_err(|error| warn!("how full the queues are is not measured: {error}"));
        let queue_limit = general.backlog.queue_length;
        Some((Self { listener, list: list.ok(), queue_limit, started: time_of_day(), losses }, socket))
    }

    /// What answers all callers, for ever. To be called inside a runtime.
    pub(super) fn serve(self, packets: Sender) -> io::Result<impl Future<Output = ()> + Send + 'static> {
        let Self { listener, list, queue_limit, started, losses } = self;
        let memory = Mutex::default();
        let scraper = Arc::new(Scraper { packets, list, queue_limit, started, losses, memory });
        let entrance = match listener {
            Listener::Tcp(listener) => Entrance::Tcp(TcpListener::from_std(listener)?),
            Listener::Unix(listener) => Entrance::Unix(UnixListener::from_std(listener)?),
        };
        let seats = Arc::new(Semaphore::new(CALLERS));
        Ok(callers::serve(entrance, seats, move |stream, seat| hear(stream, seat, Arc::clone(&scraper))))
    }
}

impl Listener {
    fn open(place: &MetricsListen, general: &General) -> io::Result<(Self, Option<UnixSocket>)> {
        match place {
            MetricsListen::Tcp(address) => {
                let listener = std::net::TcpListener::bind(address)?;
                listener.set_nonblocking(true)?;
                Ok((Self::Tcp(listener), None))
            }
            MetricsListen::Unix(path) => {
                let (socket, listener) = open_socket(path, general)?;
                Ok((Self::Unix(listener), Some(socket)))
            }
        }
    }
}

/// A socket at which callers are waited for.
#[derive(Debug)]
enum Entrance {
    Tcp(TcpListener),
    Unix(UnixListener),
}

/// Either kind of connection.
trait Stream: AsyncRead + AsyncWrite + Send {}
impl<T: AsyncRead + AsyncWrite + Send> Stream for T {}

impl callers::Entrance for Entrance {
    type Stream = Pin<Box<dyn Stream>>;

    async fn admit(&self) -> io::Result<Self::Stream> {
        Ok(match self {
            Self::Tcp(listener) => Box::pin(listener.accept().await?.0),
            Self::Unix(listener) => Box::pin(listener.accept().await?.0),
        })
    }
}

/// Hears one caller, who asks once.
async fn hear(stream: Pin<Box<dyn Stream>>, _seat: Seat, scraper: Arc<Scraper>) {
    let service = service_fn(move |request| {
        let scraper = Arc::clone(&scraper);
        async move { Ok::<_, Infallible>(scraper.answer(&request).await) }
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(ASKING);
    http.keep_alive(false).max_buf_size(LONGEST).max_headers(FIELDS);
    // Who takes too long, or asks for something that is no HTTP, has been told or finds out.
    let _ = timeout(PATIENCE, http.serve_connection(TokioIo::new(stream), service)).await;
}

/// What callers are answered from.
#[derive(Debug)]
struct Scraper {
    packets: Sender,
    list: Option<QueueList>,
    queue_limit: u32,
    started: Duration,
    losses: Option<Losses>,
    memory: Mutex<Memory>,
}

/// What is remembered from caller to caller. One has it at a time.
#[derive(Debug, Default)]
struct Memory {
    talkers: Talkers,
    last: Option<(Instant, Bytes)>,
    /// Whether it is said that the kernel's list cannot be read.
    is_told: bool,
}

impl Scraper {
    async fn answer(&self, request: &Request<Incoming>) -> Response<Full<Bytes>> {
        if request.uri().path() != PATH {
            return refusal(StatusCode::NOT_FOUND);
        }
        if request.method() != Method::GET {
            let mut response = refusal(StatusCode::METHOD_NOT_ALLOWED);
            response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET"));
            return response;
        }
        let Ok(text) = self.text().await else {
            return refusal(StatusCode::SERVICE_UNAVAILABLE);
        };
        let mut response = Response::new(Full::new(text));
        response.headers_mut().insert(CONTENT_TYPE, TEXT);
        response
    }

    /// The text: made now, or for somebody else a moment ago.
    async fn text(&self) -> Result<Bytes, Gone> {
        let mut memory = self.memory.lock().await;
        if let Some((_, text)) = memory.last.as_ref().filter(|(made, _)| made.elapsed() < FRESH) {
            return Ok(text.clone());
        }
        let text = Bytes::from(render(self.look(&mut memory).await?));
        memory.last = Some((Instant::now(), text.clone()));
        Ok(text)
    }

    /// Gathers all that there is.
    async fn look(&self, memory: &mut Memory) -> Result<Snapshot, Gone> {
        let (mut bindings, mut packets) = (Bindings::default(), FxHashMap::default());
        let mut next = Some(Which::After(None));
        while let Some(which) = next {
            let report = self.packets.report(which).await?;
            for status in &report.taps {
                bindings.count(status);
                packets.insert(status.tap, status.stats.packets());
            }
            next = report.next();
        }
        let measured = self.packets.measured().await?;
        Ok(Snapshot {
            started: self.started,
            talkers: memory.talkers.look(measured.now, packets),
            measured,
            listed: self.listed(&mut memory.is_told),
            queue_limit: self.queue_limit,
            bindings,
            lost_lines: self.losses.as_ref().map_or(0, Losses::total),
        })
    }

    /// What the kernel says of its queues. That it says nothing any more is told once.
    fn listed(&self, is_told: &mut bool) -> Vec<Listed> {
        match self.list.as_ref().map(QueueList::read) {
            Some(Ok(listed)) => listed,
            Some(Err(error)) if !mem::replace(is_told, true) => {
                warn!("how full the queues are is not measured any more: {error}");
                Vec::new()
            }
            _ => Vec::new(),
        }
    }
}

/// An answer without a text.
fn refusal(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    response
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncWriteExt as _, duplex};
    use tokio::runtime::Builder;

    use super::super::mailbox::mailbox;
    use super::*;

    /// How long a caller is heard who sends these bytes, and then says no more and hears no answer.
    fn heard_for(request: &[u8]) -> Duration {
        let (packets, _commands) = mailbox().unwrap();
        let (list, losses, memory) = (None, None, Mutex::default());
        let scraper = Scraper { packets, list, queue_limit: 0, started: Duration::ZERO, losses, memory };
        let runtime = Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let (mut caller, stream) = duplex(1024);
            caller.write_all(request).await.unwrap();
            let start = Instant::now();
            hear(Box::pin(stream), None, scraper.into()).await;
            start.elapsed()
        })
    }

    #[test]
    fn who_does_not_ask_is_not_heard_as_long_as_who_waits_for_an_answer() {
        for (request, expected) in
            [(&b""[..], ASKING), (b"GET /metrics HTTP/1.1\r\nX-", ASKING), (b"GET /metrics HTTP/1.1\r\n\r\n", PATIENCE)]
        {
            // The runtime's clock has ticks of a millisecond.
            let late = heard_for(request).checked_sub(expected).unwrap();
            assert!(late < Duration::from_millis(10), "{late:?}");
        }
    }
}
