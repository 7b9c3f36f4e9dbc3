//! Whoever calls on a socket of ours: so many are heard at once, and each has so much time.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::sleep;

/// How many callers of one socket are heard at once. More wait for their turn in the kernel's queue.
pub(super) const CALLERS: usize = 8;
/// How long a caller may take to ask, and then to read the answer, or each piece of it.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);
/// How long no new caller is heard after the kernel would not let one in.
const PAUSE: Duration = Duration::from_secs(1);

/// A socket at which callers arrive.
pub(super) trait Entrance {
    /// The connection with one of them.
    type Stream;

    /// Lets in the next one.
    fn admit(&self) -> impl Future<Output = io::Result<Self::Stream>> + Send;
}

impl Entrance for UnixListener {
    type Stream = UnixStream;

    async fn admit(&self) -> io::Result<UnixStream> {
        Ok(self.accept().await?.0)
    }
}

/// The right to be heard, until it is dropped.
pub(super) type Seat = Option<OwnedSemaphorePermit>;

/// Has `hear` hear whoever comes when there is a seat, each for itself, for ever.
pub(super) async fn serve<E, F>(entrance: E, seats: Arc<Semaphore>, hear: impl Fn(E::Stream, Seat) -> F)
where
    E: Entrance,
    F: Future<Output: Send> + Send + 'static,
{
    let mut heard = JoinSet::new();
    loop {
        tokio::select! {
            Some(_) = heard.join_next() => {}
            (stream, seat) = next(&entrance, &seats) => {
                heard.spawn(hear(stream, seat));
            }
        }
    }
}

/// The next caller, when there is a seat.
async fn next<E: Entrance>(entrance: &E, seats: &Arc<Semaphore>) -> (E::Stream, Seat) {
    // Seats are never taken away, so that there always is one some time.
    let seat = Arc::clone(seats).acquire_owned().await.ok();
    loop {
        match entrance.admit().await {
            Ok(stream) => return (stream, seat),
            // There is no descriptor left, or no memory. There may be some later.
            Err(_) => sleep(PAUSE).await,
        }
    }
}
