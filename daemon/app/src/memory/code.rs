//! Code that was run once and may not be run again for days: it is left to the page cache, which is the system's to
//! empty when others need the room. Must not know who ran it.

/// Takes the code and the constants of this program and of all its libraries out of its memory. They are in files: what
/// is needed again comes back from the page cache by itself, sixteen pages at a time, and from the disk only if others
/// needed the room meanwhile. Nothing that was ever written is touched.
#[cfg(target_env = "gnu")]
pub fn leave() {
    // SAFETY: dl_iterate_phdr(3) calls `segments` for each object that is loaded, and holds the loader's lock
    // meanwhile: none can be unloaded, and none is half loaded.
    unsafe { libc::dl_iterate_phdr(Some(segments), std::ptr::null_mut()) };
}

/// Other C libraries do not promise that lock.
#[cfg(not(target_env = "gnu"))]
pub fn leave() {}

#[cfg(target_env = "gnu")]
use gnu::segments;

#[cfg(target_env = "gnu")]
mod gnu {
    use std::ffi::{c_int, c_void};

    /// An entry of an object's dynamic section, elf(5): the same for 32 and 64 bits.
    #[repr(C)]
    struct Dynamic {
        tag: usize,
        value: usize,
    }

    const END: usize = 0;
    const TEXTREL: usize = 22;
    const FLAGS: usize = 30;
    const FLAG_TEXTREL: usize = 4;

    /// Leaves what one object has that cannot be written.
    pub unsafe extern "C" fn segments(
        object: *mut libc::dl_phdr_info,
        _size: libc::size_t,
        _data: *mut c_void,
    ) -> c_int {
        // SAFETY: the loader hands over an object that is valid until we return.
        let object = unsafe { &*object };
        if object.dlpi_phdr.is_null() {
            return 0;
        }
        // SAFETY: it has this many headers, which stay where they are as long as the object is loaded.
        let headers = unsafe { std::slice::from_raw_parts(object.dlpi_phdr, object.dlpi_phnum.into()) };
        let address = |header: &Header| object.dlpi_addr as usize + header.p_vaddr as usize;
        // The loader has written into the code of such an object: its file is not what it runs.
        let written = headers.iter().filter(|header| header.p_type == libc::PT_DYNAMIC).any(|header| {
            // SAFETY: the dynamic section of a loaded object is in its memory, and ends with an END.
            unsafe { is_relocated(address(header) as *const Dynamic) }
        });
        if written {
            return 0;
        }
        // SAFETY: sysconf(3) only reads.
        let Ok(page) = usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }) else { return 0 };
        for header in headers {
            if header.p_type != libc::PT_LOAD || header.p_flags & libc::PF_W != 0 {
                continue;
            }
            // Whole pages: none that another segment may begin or end in.
            let from = address(header).next_multiple_of(page);
            let to = (address(header) + header.p_filesz as usize) / page * page;
            if from < to {
                // SAFETY: these pages are a private mapping of a file that can only be read and run, and that nobody
                // has written to: they read the same afterwards. Where the kernel does not want to, nothing happens.
                unsafe { libc::madvise(from as *mut c_void, to - from, libc::MADV_DONTNEED) };
            }
        }
        0
    }

    #[cfg(target_pointer_width = "64")]
    type Header = libc::Elf64_Phdr;
    #[cfg(target_pointer_width = "32")]
    type Header = libc::Elf32_Phdr;

    /// Whether the loader had to write into the object's code.
    ///
    /// # Safety
    /// `entry` is the first of a dynamic section that ends with [`END`].
    unsafe fn is_relocated(mut entry: *const Dynamic) -> bool {
        loop {
            // SAFETY: as promised, there is one more as long as none was the end.
            let Dynamic { tag, value } = unsafe { &*entry };
            match *tag {
                END => return false,
                TEXTREL => return true,
                FLAGS if value & FLAG_TEXTREL != 0 => return true,
                _ => {}
            }
            // SAFETY: it was not the last.
            entry = unsafe { entry.add(1) };
        }
    }
}
