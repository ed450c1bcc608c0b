//! What the C library's allocator is told, so that a daemon that lives for months stays small. Must not know who
//! allocates.

/// Keeps the allocator to a few arenas and large blocks out of them. GStreamer runs a dozen threads a call; with an
/// arena for each of them (the default is eight a core) what one call frees is of no use to the next, and one picture
/// among small things keeps a whole arena from shrinking. Called once, before there are threads.
#[cfg(target_env = "gnu")]
pub fn tune() {
    const ARENAS: libc::c_int = 2;
    const LARGE_BYTES: libc::c_int = 256 * 1024;
    for (name, value) in [(libc::M_ARENA_MAX, ARENAS), (libc::M_MMAP_THRESHOLD, LARGE_BYTES)] {
        // SAFETY: mallopt(3) only sets a number inside the allocator; no other thread exists yet. What it does not
        // take stays as it was.
        unsafe { libc::mallopt(name, value) };
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
pub fn tune() {}

/// Other C libraries give memory back by themselves.
#[cfg(not(target_env = "gnu"))]
pub fn give_back() {}
