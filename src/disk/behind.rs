//! Threads that make figures stand back behind those that answer.

/// How much this thread stands back, as `nice` counts: of a processor that both want, it gets a tenth.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 10;

/// From now on this thread, and those it starts, work when nobody who waits for an answer does. Only Linux knows this
/// of single threads; elsewhere all are alike.
pub(crate) fn stand_back() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::setpriority_process(None, NICENESS) {
        tracing::debug!(%error, "this thread keeps its priority");
    }
}
