//! What the C library's allocator is told, so that a daemon that lives for months stays small. Must not know who
//! allocates.

/// Keeps the allocator to a few arenas. GStreamer runs a dozen threads a call; with an arena for each of them (the
/// default is eight a core) what one call frees is of no use to the next. Called once, before there are threads.
#[cfg(target_env = "gnu")]
pub fn keep_few_arenas() {
    const ARENAS: libc::c_int = 2;
    // SAFETY: mallopt(3) only sets a number inside the allocator; it is called before any other thread exists.
    let taken = unsafe { libc::mallopt(libc::M_ARENA_MAX, ARENAS) };
    if taken == 0 {
        log::debug!("the allocator did not take M_ARENA_MAX");
    }
}

/// Gives free memory back to the system. Takes a few milliseconds.
#[cfg(target_env = "gnu")]
pub fn give_back() {
    // SAFETY: malloc_trim(3) is thread-safe and touches free memory only.
    unsafe { libc::malloc_trim(0) };
}

/// Other C libraries have no arenas to limit.
#[cfg(not(target_env = "gnu"))]
pub fn keep_few_arenas() {}

/// Other C libraries give memory back by themselves.
#[cfg(not(target_env = "gnu"))]
pub fn give_back() {}
