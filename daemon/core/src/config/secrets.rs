//! The names of what may hold secrets in place of the file: variables of the environment. Must not know what they hold.

use super::ice::{PASSWORD, SECRET};
use super::publish::TOKEN;
use super::relay::AUTH;

/// What every one of them begins with.
pub const PREFIX: &str = "PORTHOLE_";

/// Longest key of `relay.auth`.
const AUTH_KEY: usize = 64;

/// Whether a variable of this name is ever looked at.
pub fn is_known(variable: &str) -> bool {
    let numbered = |start: &str| {
        variable.strip_prefix(start).is_some_and(|rest| {
            let number = rest.strip_prefix('_').filter(|number| !number.starts_with('0'));
            rest.is_empty() || number.is_some_and(|number| number.parse::<u16>().is_ok())
        })
    };
    let of_auth = |key: &str| {
        let fits = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_';
        (1..=AUTH_KEY).contains(&key.len()) && key.bytes().all(fits)
    };
    numbered(PASSWORD)
        || numbered(SECRET)
        || variable == TOKEN
        || variable.strip_prefix(AUTH).is_some_and(of_auth)
}

/// The names that there are, in words, without `prefix`.
pub fn known(prefix: &str) -> String {
    let [password, secret, token, auth] =
        [PASSWORD, SECRET, TOKEN, AUTH].map(|name| name.strip_prefix(prefix).unwrap_or(name));
    format!(
        "{password} and {secret}, each also with _1, _2 and so on, {token}, and {auth} with a key of relay.auth in capitals"
    )
}
