//! The one question that a doctor asks a STUN or TURN server: under which address it sees us (RFC 8489, Binding). Must not
//! send it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// What makes a question one's own.
pub type Transaction = [u8; 12];

const REQUEST: [u8; 2] = [0x00, 0x01];
const SUCCESS: [u8; 2] = [0x01, 0x01];
/// What every message has at its fifth byte (section 5).
const COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];
const HEADER: usize = 20;
const MAPPED: u16 = 0x0001;
const XOR_MAPPED: u16 = 0x0020;

/// The question.
pub fn question(id: &Transaction) -> [u8; HEADER] {
    let mut message = [0; HEADER];
    message[..2].copy_from_slice(&REQUEST);
    message[4..8].copy_from_slice(&COOKIE);
    message[8..].copy_from_slice(id);
    message
}

/// The address in the answer to that question; `None`: it is none, or says no address.
pub fn answer(message: &[u8], id: &Transaction) -> Option<SocketAddr> {
    let (head, body) = message.split_at_checked(HEADER)?;
    let long = usize::from(u16::from_be_bytes([*head.get(2)?, *head.get(3)?]));
    if head.get(..2)? != SUCCESS || head.get(4..8)? != COOKIE || head.get(8..)? != id || body.len() < long {
        return None;
    }
    let mut rest = body.get(..long)?;
    let mut plain = None;
    while let Some((about, after)) = rest.split_at_checked(4) {
        let kind = u16::from_be_bytes([about[0], about[1]]);
        let length = usize::from(u16::from_be_bytes([about[2], about[3]]));
        let value = after.get(..length)?;
        match kind {
            XOR_MAPPED => return address(value, |at, byte| byte ^ mask(id, at)),
            // Servers of before 2008.
            MAPPED => plain = address(value, |_, byte| byte),
            _ => {}
        }
        rest = after.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    plain
}

/// Cookie and transaction, with which addresses are hidden from routers that would mend them.
fn mask(id: &Transaction, at: usize) -> u8 {
    COOKIE.iter().chain(id).nth(at).copied().unwrap_or_default()
}

/// An address of either family (section 14.1).
fn address(value: &[u8], plain: impl Fn(usize, u8) -> u8) -> Option<SocketAddr> {
    let (family, port) = (*value.get(1)?, value.get(2..4)?);
    let port = u16::from_be_bytes([plain(0, port[0]), plain(1, port[1])]);
    let bytes: Vec<u8> = value.get(4..)?.iter().enumerate().map(|(at, byte)| plain(at, *byte)).collect();
    let ip: IpAddr = match family {
        1 => Ipv4Addr::from(<[u8; 4]>::try_from(bytes).ok()?).into(),
        2 => Ipv6Addr::from(<[u8; 16]>::try_from(bytes).ok()?).into(),
        _ => return None,
    };
    Some(SocketAddr::new(ip, port))
}
