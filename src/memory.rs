//! What programs allocate with, and how long it keeps what they free.

/// Cheaper than the system's on the paths that allocate.
pub type Allocator = mimalloc::MiMalloc;

/// For a program's `#[global_allocator]`; a library chooses none.
pub const ALLOCATOR: Allocator = mimalloc::MiMalloc;

/// The allocator's number for how long freed memory stays with the process before the system has it back.
const PURGE_DELAY: libmimalloc_sys::mi_option_t = 15;
const KEPT_MS: std::ffi::c_long = 60_000;

/// Has freed memory stay for a minute. A fold frees and takes the same sizes all the time: what was given back after a
/// second had to be cleared again, which was a third to half of its processor time.
#[allow(unsafe_code)]
pub fn keep_freed() {
    // SAFETY: the option is a number in a table of the allocator, which may be set at any time by any thread.
    unsafe { libmimalloc_sys::mi_option_set(PURGE_DELAY, KEPT_MS) };
}
