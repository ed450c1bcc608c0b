//! How the process ends, as a number other programs understand (sysexits.h). Must not know why.

use std::io::Write as _;
use std::process::ExitCode;

/// The exit status of the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// All went as asked.
    Well = 0,
    /// What was asked about is not well.
    Unwell = 1,
    /// The command line is not understood, or names something that there is not (EX_USAGE).
    Usage = 64,
    /// A file of ours is broken (EX_DATAERR).
    Broken = 65,
    /// A file named on the command line cannot be read (EX_NOINPUT).
    NoInput = 66,
    /// Something the daemon needs is not there, such as its port or a GStreamer element (EX_UNAVAILABLE).
    Unavailable = 69,
    /// A fault in the daemon itself (EX_SOFTWARE).
    Software = 70,
    /// A file of ours cannot be read or written (EX_IOERR).
    Unkept = 74,
    /// Not allowed for this user (EX_NOPERM).
    NotPermitted = 77,
    /// The configuration is not allowed (EX_CONFIG).
    Config = 78,
}

impl Exit {
    /// All of them, in order.
    pub const ALL: [Self; 10] = [
        Self::Well,
        Self::Unwell,
        Self::Usage,
        Self::Broken,
        Self::NoInput,
        Self::Unavailable,
        Self::Software,
        Self::Unkept,
        Self::NotPermitted,
        Self::Config,
    ];

    /// Ends the process now, without what C libraries do at an orderly end: some of their threads may still be at work, and it
    /// would pull the ground from under them (OpenSSL frees its locks while a certificate is being made).
    pub fn at_once(self) -> ! {
        let _ = std::io::stdout().flush();
        // SAFETY: _exit(2) ends the process and runs nothing more of it.
        unsafe { libc::_exit(i32::from(self as u8)) }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
