//! Asking a V4L2 device what it is, through the kernel's own calls (`linux/videodev2.h`), and setting its controls. The
//! bindings of others want a C compiler's front end to build; these eight calls have not changed in twenty years. Must
//! not judge what it hears.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// What a device says it is.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default)]
pub struct Capability {
    pub driver: [u8; 16],
    pub card: [u8; 32],
    pub bus: [u8; 32],
    pub version: u32,
    pub capabilities: u32,
    pub of_this_node: u32,
    pub reserved: [u32; 3],
}

/// A format, by its place in the device's list.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default)]
pub struct FormatEntry {
    pub index: u32,
    pub kind: u32,
    pub flags: u32,
    pub description: [u8; 32],
    pub four_letters: [u8; 4],
    pub bus_code: u32,
    pub reserved: [u32; 3],
}

/// A size of a format, by its place. `numbers` is width and height, or, in steps, least, most and step of the width
/// and then of the height.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default)]
pub struct SizeEntry {
    pub index: u32,
    pub four_letters: [u8; 4],
    pub kind: u32,
    pub numbers: [u32; 6],
    pub reserved: [u32; 2],
}

/// A frame interval of a size, by its place. `numbers` are the seconds of a frame as fractions: one, or, in steps,
/// shortest, longest and step.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default)]
pub struct IntervalEntry {
    pub index: u32,
    pub four_letters: [u8; 4],
    pub width: u32,
    pub height: u32,
    pub kind: u32,
    pub numbers: [u32; 6],
    pub reserved: [u32; 2],
}

/// A control, by its id.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default)]
pub struct ControlEntry {
    pub id: u32,
    pub kind: u32,
    pub name: [u8; 32],
    pub least: i32,
    pub most: i32,
    pub step: i32,
    pub default: i32,
    pub flags: u32,
    pub reserved: [u32; 2],
}

/// A word of a control's menu, by its place. Where the menu has numbers in place of words, `word` begins with one.
#[repr(C, packed)]
#[derive(Debug, Clone, Copy, Default)]
pub struct MenuEntry {
    pub id: u32,
    pub index: u32,
    pub word: [u8; 32],
    pub reserved: u32,
}

/// A control's value.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default)]
struct Value {
    id: u32,
    value: i32,
}

/// [`FormatEntry::kind`], and others': pictures that come.
pub const CAPTURE: u32 = 1;
/// The same in several planes.
pub const CAPTURE_PLANES: u32 = 9;
/// The only kind of [`SizeEntry`] and [`IntervalEntry`] that is a single one.
pub const DISCRETE: u32 = 1;

/// The bits of [`Capability::of_this_node`].
pub mod is {
    pub const CAPTURE: u32 = 0x1;
    pub const CAPTURE_PLANES: u32 = 0x1000;
    pub const CONVERTER_PLANES: u32 = 0x4000;
    pub const CONVERTER: u32 = 0x8000;
    pub const STREAMING: u32 = 0x0400_0000;
    /// What it gives depends on what a media controller has set up before it.
    pub const PART: u32 = 0x2000_0000;
    /// [`super::Capability::of_this_node`] is filled in.
    pub const NODE_KNOWN: u32 = 0x8000_0000;
}

/// The kinds and flags of a [`ControlEntry`].
pub mod control {
    pub const NUMBER: u32 = 1;
    pub const SWITCH: u32 = 2;
    pub const MENU: u32 = 3;
    pub const NUMBER_MENU: u32 = 9;
    pub const DISABLED: u32 = 0x1;
    pub const READ_ONLY: u32 = 0x4;
    /// In place of an id: the control after this one.
    pub const NEXT: u32 = 0x8000_0000;
}

/// The calls of a V4L2 device. Each fills in what it was given; an error ends a list.
pub trait Driver {
    /// `VIDIOC_QUERYCAP`
    fn capability(&self) -> io::Result<Capability>;
    /// `VIDIOC_ENUM_FMT`
    fn format(&self, entry: &mut FormatEntry) -> io::Result<()>;
    /// `VIDIOC_ENUM_FRAMESIZES`
    fn size(&self, entry: &mut SizeEntry) -> io::Result<()>;
    /// `VIDIOC_ENUM_FRAMEINTERVALS`
    fn interval(&self, entry: &mut IntervalEntry) -> io::Result<()>;
    /// `VIDIOC_QUERYCTRL`
    fn control(&self, entry: &mut ControlEntry) -> io::Result<()>;
    /// `VIDIOC_QUERYMENU`
    fn menu(&self, entry: &mut MenuEntry) -> io::Result<()>;
    /// `VIDIOC_G_CTRL`
    fn value(&self, id: u32) -> io::Result<i32>;
    /// `VIDIOC_S_CTRL`
    fn set(&self, id: u32, value: i32) -> io::Result<()>;
}

/// A device node that is open. Others may have it open, too; only one can have pictures from it.
pub struct Node(File);

impl Node {
    /// Opens `path`, which starts nothing.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().read(true).write(true).custom_flags(libc::O_NONBLOCK).open(path)?;
        Ok(Self(file))
    }

    /// One call: number `nr` of those of V4L2, whose argument is written (`1`), read (`2`) or both (`3`).
    fn call<T: Copy>(&self, direction: u32, nr: u32, argument: &mut T) -> io::Result<()> {
        let request = number::<T>(direction, nr);
        // SAFETY: the kernel reads and writes at most as many bytes as the number of the call says, which are those of
        // `T`; every `T` here is plain numbers, of which any bit pattern is one.
        let answer =
            unsafe { libc::ioctl(self.0.as_raw_fd(), request as libc::Ioctl, std::ptr::from_mut(argument)) };
        if answer == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    }
}

const READ: u32 = 2;
const BOTH: u32 = 3;

/// The kernel's number for a call (`asm-generic/ioctl.h`, which is that of every board this runs on).
fn number<T>(direction: u32, nr: u32) -> u32 {
    let size = u32::try_from(size_of::<T>()).unwrap_or(0);
    (direction << 30) | (size << 16) | (u32::from(b'V') << 8) | nr
}

impl Driver for Node {
    fn capability(&self) -> io::Result<Capability> {
        let mut capability = Capability::default();
        self.call(READ, 0, &mut capability)?;
        Ok(capability)
    }

    fn format(&self, entry: &mut FormatEntry) -> io::Result<()> {
        self.call(BOTH, 2, entry)
    }

    fn size(&self, entry: &mut SizeEntry) -> io::Result<()> {
        self.call(BOTH, 74, entry)
    }

    fn interval(&self, entry: &mut IntervalEntry) -> io::Result<()> {
        self.call(BOTH, 75, entry)
    }

    fn control(&self, entry: &mut ControlEntry) -> io::Result<()> {
        self.call(BOTH, 36, entry)
    }

    fn menu(&self, entry: &mut MenuEntry) -> io::Result<()> {
        self.call(BOTH, 37, entry)
    }

    fn value(&self, id: u32) -> io::Result<i32> {
        let mut value = Value { id, value: 0 };
        self.call(BOTH, 27, &mut value)?;
        Ok(value.value)
    }

    fn set(&self, id: u32, value: i32) -> io::Result<()> {
        self.call(BOTH, 28, &mut Value { id, value })
    }
}

/// The text in a field that ends with a zero, or with the field.
pub fn text(field: &[u8]) -> String {
    let end = field.iter().position(|byte| *byte == 0).unwrap_or(field.len());
    String::from_utf8_lossy(&field[..end]).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use std::mem::offset_of;

    use super::*;

    #[test]
    fn calls_have_the_numbers_and_fields_the_places_that_the_kernel_s_header_gives_them() {
        // As a C compiler prints them.
        assert_eq!(number::<Capability>(READ, 0), 0x8068_5600);
        assert_eq!(number::<FormatEntry>(BOTH, 2), 0xc040_5602);
        assert_eq!(number::<SizeEntry>(BOTH, 74), 0xc02c_564a);
        assert_eq!(number::<IntervalEntry>(BOTH, 75), 0xc034_564b);
        assert_eq!(number::<ControlEntry>(BOTH, 36), 0xc044_5624);
        assert_eq!(number::<MenuEntry>(BOTH, 37), 0xc02c_5625);
        assert_eq!(number::<Value>(BOTH, 27), 0xc008_561b);
        assert_eq!(number::<Value>(BOTH, 28), 0xc008_561c);
        assert_eq!(offset_of!(Capability, of_this_node), 88);
        assert_eq!(offset_of!(FormatEntry, four_letters), 44);
        assert_eq!((offset_of!(SizeEntry, kind), offset_of!(SizeEntry, numbers)), (8, 12));
        assert_eq!((offset_of!(IntervalEntry, kind), offset_of!(IntervalEntry, numbers)), (16, 20));
        assert_eq!((offset_of!(ControlEntry, least), offset_of!(ControlEntry, flags)), (40, 56));
        assert_eq!(offset_of!(MenuEntry, word), 8);
    }

    #[test]
    fn a_file_that_is_no_device_says_so_to_every_call() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let node = Node::open(file.path()).unwrap();
        assert_eq!(node.capability().unwrap_err().raw_os_error(), Some(libc::ENOTTY));
        assert!(node.value(0x98_0900).is_err() && node.set(0x98_0900, 1).is_err());
    }
}
