//! How much the server takes at once, and how long it waits for anything.

use std::time::Duration;

/// Every bound of the server, in one place. The defaults suit one machine.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Open sockets; more wait in the kernel's queue.
    pub connections_max: usize,
    /// Requests answered at once; more are a 503.
    pub requests_max: usize,
    /// Listeners of `/live`; more are a 503. Below `connections_max`, so that queries always find a socket.
    pub live_max: usize,
    /// From the first byte waited for to the whole head: also how long an idle connection is kept.
    pub header_wait_max: Duration,
    /// From the head to the body's last byte.
    pub body_wait_max: Duration,
    /// From the head to the whole answer, the body's arrival included.
    pub request_wait_max: Duration,
    /// How long the log may take to have events on its disk.
    pub append_wait_max: Duration,
    /// How long a reader may leave what was written to it lie.
    pub write_stall_max: Duration,
    /// How long `X-Min-Position` is waited for.
    pub position_wait_max: Duration,
    /// How long open requests may go on once the server stops.
    pub stop_wait_max: Duration,
    /// Bytes of a head.
    pub head_bytes_max: usize,
    /// Bytes of a body that is one event, or a question.
    pub body_bytes_max: usize,
    /// Bytes of a body that asks what would be decided.
    pub check_bytes_max: usize,
    /// Bytes of a body that is a list of events.
    pub batch_bytes_max: usize,
    /// Between two looks at how far the projections are.
    pub applied_every: Duration,
    /// A listener gets an event at most this often.
    pub live_every: Duration,
    /// A listener hears at least this often that the line is up.
    pub heartbeat_every: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections_max: 1_024,
            requests_max: 256,
            live_max: 256,
            header_wait_max: Duration::from_secs(10),
            body_wait_max: Duration::from_secs(10),
            request_wait_max: Duration::from_secs(15),
            append_wait_max: Duration::from_secs(8),
            write_stall_max: Duration::from_secs(30),
            position_wait_max: Duration::from_secs(5),
            stop_wait_max: Duration::from_secs(5),
            head_bytes_max: 64 << 10,
            body_bytes_max: 1 << 20,
            check_bytes_max: 64 << 10,
            batch_bytes_max: 8 << 20,
            applied_every: Duration::from_millis(50),
            live_every: Duration::from_millis(500),
            heartbeat_every: Duration::from_secs(15),
        }
    }
}
