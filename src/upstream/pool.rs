//! Idle connections, kept per worker: each worker is one thread with its own runtime, so taking a connection is no more than
//! popping a list, and no request wakes another thread.

use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep_until, timeout};

use super::Upstream;
use super::connect::Connection;

thread_local! {
    static POOL: RefCell<Pool> = RefCell::new(Pool::default());
}

#[derive(Default)]
struct Pool {
    /// By endpoint identity; the most recently used connection last.
    idle: HashMap<Arc<str>, VecDeque<Idle>>,
    sweeping: bool,
}

struct Idle {
    connection: Connection,
    until: Instant,
}

impl Idle {
    fn is_usable(&self, now: Instant) -> bool {
        now < self.until && self.connection.sender.is_ready() && !self.connection.sender.is_closed()
    }
}

/// The most recently used idle connection: it is the least likely to be closed by the other end meanwhile.
pub(super) fn take(upstream: &Upstream) -> Option<Connection> {
    let now = Instant::now();
    POOL.with_borrow_mut(|pool| {
        let idle = pool.idle.get_mut(upstream.endpoint.identity())?;
        while let Some(last) = idle.pop_back() {
            if last.is_usable(now) {
                return Some(last.connection);
            }
        }
        None
    })
}

/// Keeps a connection whose exchange is complete.
pub(super) fn give_back(upstream: &Arc<Upstream>, mut connection: Connection) {
    if connection.sender.is_closed() || upstream.max_idle_per_worker == 0 {
        return;
    }
    if connection.sender.is_ready() {
        return keep(upstream, connection);
    }
    // The connection's task has the end of the answer, but was not run since. Let it finish.
    let upstream = Arc::clone(upstream);
    actix_web::rt::spawn(async move {
        if let Ok(Ok(())) = timeout(SETTLING_TIME, connection.sender.ready()).await {
            keep(&upstream, connection);
        }
    });
}

/// A connection that is not ready for the next request after this long still has something to send or read: not worth keeping.
const SETTLING_TIME: Duration = Duration::from_secs(1);

fn keep(upstream: &Upstream, connection: Connection) {
    let until = Instant::now() + upstream.idle_keep_alive;
    let start_sweeping = POOL.with_borrow_mut(|pool| {
        let identity = upstream.endpoint.identity();
        if !pool.idle.contains_key(identity) {
            pool.idle.insert(Arc::clone(identity), VecDeque::new());
        }
        if let Some(idle) = pool.idle.get_mut(identity) {
            idle.push_back(Idle { connection, until });
            if idle.len() > upstream.max_idle_per_worker {
                idle.pop_front();
            }
        }
        !std::mem::replace(&mut pool.sweeping, true)
    });
    if start_sweeping {
        actix_web::rt::spawn(sweep());
    }
}

/// Drops connections that are past their idle time, until the pool is empty; the next connection kept starts it anew.
async fn sweep() {
    while let Some(next) = POOL.with_borrow_mut(Pool::sweep) {
        // Not for every single expiry: a second late does no harm.
        sleep_until(next + Duration::from_secs(1)).await;
    }
}

impl Pool {
    fn sweep(&mut self) -> Option<Instant> {
        let now = Instant::now();
        for idle in self.idle.values_mut() {
            idle.retain(|idle| idle.is_usable(now));
        }
        self.idle.retain(|_, idle| !idle.is_empty());
        let next = self.idle.values().flatten().map(|idle| idle.until).min();
        self.sweeping = next.is_some();
        next
    }
}
