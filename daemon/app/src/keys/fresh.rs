//! Makes keys that nobody can guess. Must not know where they are kept.

use porthole_core::access::{Key, KeyId, Label, Role, Secret, Stamp};

/// Random bytes in a key's id. Not secret; long enough that no two keys ever share one.
const ID_BYTES: usize = 6;

/// The machine gives no random numbers, so no key may be made.
#[derive(Debug, thiserror::Error)]
#[error("this machine gives no random numbers ({0}), and a key that can be guessed is none")]
pub struct NoRandomness(getrandom::Error);

/// A key with an id and a secret of its own.
///
/// # Errors
/// [`NoRandomness`].
pub fn key(name: Label, role: Role, made: Stamp, until: Option<Stamp>) -> Result<Key, NoRandomness> {
    let id = hex(random::<ID_BYTES>()?);
    let id = KeyId::new(&id).unwrap_or_else(|_| unreachable!("{id} is made of allowed characters"));
    Ok(Key { id, name, role, made, until, secret: Secret::new(random()?) })
}

/// 16 characters that nobody foresees.
///
/// # Errors
/// [`NoRandomness`].
pub fn unguessable() -> Result<String, NoRandomness> {
    random::<8>().map(hex)
}

/// 43 characters that nobody guesses, however often it is tried.
///
/// # Errors
/// [`NoRandomness`].
pub fn unguessable_for_long() -> Result<String, NoRandomness> {
    random().map(|bytes| Secret::new(bytes).text())
}

fn hex<const N: usize>(bytes: [u8; N]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// From the kernel; where it has to gather them first, this waits.
fn random<const N: usize>() -> Result<[u8; N], NoRandomness> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(NoRandomness)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_has_an_id_and_a_secret_of_its_own() {
        let fresh = || key(Label::new("owner").unwrap(), Role::Manage, Stamp(7), None).unwrap();
        let (one, other) = (fresh(), fresh());
        assert_ne!(one.id, other.id);
        assert_ne!(one.secret.text(), other.secret.text());
        assert_eq!(
            (one.name.as_str(), one.role, one.made, one.until),
            ("owner", Role::Manage, Stamp(7), None)
        );
        assert_eq!(one.token().len(), 12 + 1 + 43, "{}", one.token());
    }
}
