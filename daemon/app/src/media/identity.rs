//! The key that the camera proves itself with in its calls (DTLS). GStreamer makes a new one in each process, up to 1.26 of the
//! kind (RSA) that takes a small board seconds, and as long does whoever calls first after a start wait. So it is kept, and
//! given to GStreamer when it asks OpenSSL for a new one. Must not know calls.

use std::fs;
use std::io;
use std::os::raw::{c_int, c_void};
use std::path::{Path, PathBuf};
use std::ptr;

use openssl::bn::BigNumRef;
use openssl::pkey::Private;
use openssl::rsa::{Padding, Rsa};
use openssl_sys::{BIGNUM, BN_GENCB, RSA, RSA_METHOD};

use crate::whole;

/// The file, beside the keys of the room.
const FILE: &str = "calls.pem";
/// What is in it (RFC 8017 appendix A.1.2).
const LABEL: &str = "RSA PRIVATE KEY";

// What OpenSSL has for keys that are made otherwise (RSA_meth_new(3), RSA_set_method(3)), and openssl-sys leaves out.
unsafe extern "C" {
    fn RSA_PKCS1_OpenSSL() -> *const RSA_METHOD;
    fn RSA_meth_dup(of: *const RSA_METHOD) -> *mut RSA_METHOD;
    fn RSA_meth_set_keygen(method: *mut RSA_METHOD, make: Make) -> c_int;
    fn RSA_meth_set0_app_data(method: *mut RSA_METHOD, kept: *mut c_void) -> c_int;
    fn RSA_meth_get0_app_data(method: *const RSA_METHOD) -> *mut c_void;
    fn RSA_get_method(rsa: *const RSA) -> *const RSA_METHOD;
    fn RSA_set_method(rsa: *mut RSA, method: *const RSA_METHOD) -> c_int;
    fn RSA_set_default_method(method: *const RSA_METHOD);
}

/// Makes a key of so many bits into the first one; 1 if that worked.
type Make = extern "C" fn(*mut RSA, c_int, *mut BIGNUM, *mut BN_GENCB) -> c_int;

/// The next RSA key that is made in this process, which is that of GStreamer's certificate, is the one kept in `folder`. Where
/// there is none yet, the new one is kept there.
pub fn keep_in(folder: &Path) {
    let method = kept_in(folder);
    if !method.is_null() {
        // SAFETY: it lives as long as the process.
        unsafe { RSA_set_default_method(method) };
    }
}

/// OpenSSL's way, but for where a key comes from. Lives as long as the process; null where there is no memory.
fn kept_in(folder: &Path) -> *mut RSA_METHOD {
    // SAFETY: what comes back is ours alone, and is asked for nothing but what OpenSSL has a word for.
    unsafe {
        let method = RSA_meth_dup(RSA_PKCS1_OpenSSL());
        if !method.is_null() {
            let file = Box::into_raw(Box::new(folder.join(FILE)));
            RSA_meth_set0_app_data(method, file.cast());
            RSA_meth_set_keygen(method, take_or_make);
        }
        method
    }
}

extern "C" fn take_or_make(rsa: *mut RSA, bits: c_int, e: *mut BIGNUM, told: *mut BN_GENCB) -> c_int {
    // SAFETY: OpenSSL calls this for a key that has our method, whose data is the path that was put there and never freed. From
    // here on it is a key like any other, and so are those that are made later.
    let file = unsafe {
        let file = &*RSA_meth_get0_app_data(RSA_get_method(rsa)).cast::<PathBuf>();
        RSA_set_method(rsa, RSA_PKCS1_OpenSSL());
        RSA_set_default_method(RSA_PKCS1_OpenSSL());
        file
    };
    match read(file, bits) {
        Ok(key) if fill(rsa, &key) => return 1,
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => log::info!("{}: {error}; a new key for calls takes its place", file.display()),
    }
    // SAFETY: with the arguments that OpenSSL was given.
    let made = unsafe { openssl_sys::RSA_generate_key_ex(rsa, bits, e, told) };
    if made == 1
        && let Err(error) = encoded(rsa).and_then(|key| whole::write(file, &shown(key)))
    {
        log::info!(
            "{}: {error}; the key for calls is made anew at each start, and on a small board the first viewer waits for it",
            file.display()
        );
    }
    made
}

/// The key in `file`, if it is one of so many bits.
fn read(file: &Path, bits: c_int) -> io::Result<Rsa<Private>> {
    let held = pem::parse(fs::read(file)?).map_err(io::Error::other)?;
    let key = Rsa::private_key_from_der(held.contents()).map_err(io::Error::other)?;
    let right = i64::from(key.size()) * 8 == i64::from(bits) && works(&key).unwrap_or(false);
    right.then_some(key).ok_or_else(|| io::Error::other("the key in it is of no use"))
}

/// Whether what the private half makes is known by the public one.
fn works(key: &Rsa<Private>) -> Result<bool, openssl::error::ErrorStack> {
    let words = b"porthole";
    let (mut made, mut known) = (vec![0; key.size() as usize], vec![0; key.size() as usize]);
    key.private_encrypt(words, &mut made, Padding::PKCS1)?;
    let long = key.public_decrypt(&made, &mut known, Padding::PKCS1)?;
    Ok(known.get(..long) == Some(words))
}

/// Puts a copy of `key` into `rsa`. Whether all of it is there.
fn fill(rsa: *mut RSA, key: &Rsa<Private>) -> bool {
    let copy = |number: &BigNumRef| {
        let octets = number.to_vec();
        // No number of a key has more octets than fit. SAFETY: as many octets as are said.
        unsafe { openssl_sys::BN_bin2bn(octets.as_ptr(), octets.len() as c_int, ptr::null_mut()) }
    };
    let parts = (key.p(), key.q(), key.dmp1(), key.dmq1(), key.iqmp());
    let (Some(p), Some(q), Some(dmp1), Some(dmq1), Some(iqmp)) = parts else { return false };
    // SAFETY: `rsa` takes the copies over.
    unsafe {
        openssl_sys::RSA_set0_key(rsa, copy(key.n()), copy(key.e()), copy(key.d())) == 1
            && openssl_sys::RSA_set0_factors(rsa, copy(p), copy(q)) == 1
            && openssl_sys::RSA_set0_crt_params(rsa, copy(dmp1), copy(dmq1), copy(iqmp)) == 1
    }
}

/// A key in DER.
fn encoded(rsa: *const RSA) -> io::Result<Vec<u8>> {
    // SAFETY: the first call only says how many octets the second one writes.
    let key = unsafe {
        let long = openssl_sys::i2d_RSAPrivateKey(rsa, ptr::null_mut());
        let mut key = vec![0; usize::try_from(long).unwrap_or(0)];
        (openssl_sys::i2d_RSAPrivateKey(rsa, &mut key.as_mut_ptr()) == long).then_some(key)
    };
    key.filter(|key| !key.is_empty()).ok_or_else(|| io::Error::other(openssl::error::ErrorStack::get()))
}

/// A key as it is kept.
fn shown(key: impl Into<Vec<u8>>) -> Vec<u8> {
    pem::encode(&pem::Pem::new(LABEL, key)).into_bytes()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    const BITS: c_int = 2048;

    #[test]
    fn a_key_is_made_once_and_used_after_each_start() {
        let folder = tempfile::tempdir().unwrap();
        // A folder that is not there yet.
        let ours = folder.path().join("porthole");
        let first = made(&ours);
        assert_eq!(made(&ours), first);
        let left: Vec<_> = fs::read_dir(&ours).unwrap().map(|file| file.unwrap().file_name()).collect();
        assert_eq!(left, [FILE]);
        for (path, mode) in [(ours.join(FILE), 0o600), (ours, 0o700)] {
            assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, mode);
        }
    }

    #[test]
    fn what_is_of_no_use_gives_way_to_a_new_one() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(FILE);
        let good = Rsa::generate(2048).unwrap().private_key_to_der().unwrap();
        let mut wrong = good.clone();
        // In the middle of the modulus.
        wrong[100] ^= 1;
        let small = Rsa::generate(1024).unwrap().private_key_to_der().unwrap();
        for useless in [shown(wrong), shown(small), shown(&good[..200]), Vec::new(), b"calls".to_vec()] {
            fs::write(&file, useless).unwrap();
            let key = made(folder.path());
            assert_eq!(read(&file, BITS).unwrap().private_key_to_der().unwrap(), key);
        }
    }

    #[test]
    fn where_none_can_be_kept_there_is_one_all_the_same() {
        let no_folder = tempfile::NamedTempFile::new().unwrap();
        assert_ne!(made(no_folder.path()), made(no_folder.path()));
    }

    /// The key that GStreamer would be given, in DER.
    fn made(folder: &Path) -> Vec<u8> {
        let e = openssl::bn::BigNum::from_u32(65537).unwrap().to_vec();
        // SAFETY: as OpenSSL's manual has it; the method is the key's alone.
        unsafe {
            let rsa = openssl_sys::RSA_new();
            RSA_set_method(rsa, kept_in(folder));
            let e = openssl_sys::BN_bin2bn(e.as_ptr(), e.len() as c_int, ptr::null_mut());
            assert_eq!(openssl_sys::RSA_generate_key_ex(rsa, BITS, e, ptr::null_mut()), 1);
            let key = encoded(rsa).unwrap();
            assert!(works(&Rsa::private_key_from_der(&key).unwrap()).unwrap());
            openssl_sys::BN_free(e);
            openssl_sys::RSA_free(rsa);
            key
        }
    }
}
