//! Which of a machine's addresses are used for calls. Must not look at a machine's interfaces itself.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;

/// What is used: of interfaces and of addresses, what any rule allows (everything, where none allows) and none forbids.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    /// By the interface's name.
    pub interfaces: Vec<Rule<InterfaceName>>,
    /// By the address itself.
    pub addresses: Vec<Rule<IpNet>>,
}

/// One rule; written with a `!` in front where it forbids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule<T> {
    /// Whether it allows; else it forbids.
    pub allows: bool,
    /// What.
    pub what: T,
}

/// The name of an interface, or the beginning of one with a `*` behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InterfaceName {
    name: String,
    beginning: bool,
}

/// Why a text is no rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a rule")]
pub struct NoRule;

/// Longest name of an interface, in bytes (Linux: IFNAMSIZ without its end).
const LONGEST_NAME: usize = 15;

impl Filter {
    /// Whether it lets everything through.
    pub fn is_open(&self) -> bool {
        self.interfaces.is_empty() && self.addresses.is_empty()
    }

    /// Whether `address` of the interface called `interface` is used.
    pub fn lets(&self, interface: &str, address: IpAddr) -> bool {
        lets(&self.interfaces, |name| name.is(interface))
            && lets(&self.addresses, |network| network.contains(&address))
    }
}

fn lets<T>(rules: &[Rule<T>], fits: impl Fn(&T) -> bool) -> bool {
    let by = |allows: bool| rules.iter().filter(move |rule| rule.allows == allows);
    let allowed = by(true).next().is_none() || by(true).any(|rule| fits(&rule.what));
    allowed && !by(false).any(|rule| fits(&rule.what))
}

impl InterfaceName {
    fn is(&self, name: &str) -> bool {
        if self.beginning { name.starts_with(&self.name) } else { name == self.name }
    }
}

impl FromStr for InterfaceName {
    type Err = NoRule;

    fn from_str(text: &str) -> Result<Self, NoRule> {
        let (name, beginning) = text.strip_suffix('*').map_or((text, false), |name| (name, true));
        let sound = name.bytes().all(|b| b.is_ascii_graphic() && !b"/*!".contains(&b));
        if !sound || name.len() > LONGEST_NAME || (name.is_empty() && !beginning) {
            return Err(NoRule);
        }
        Ok(Self { name: name.to_owned(), beginning })
    }
}

impl FromStr for Rule<InterfaceName> {
    type Err = NoRule;

    fn from_str(text: &str) -> Result<Self, NoRule> {
        let (allows, what) = split(text);
        Ok(Self { allows, what: what.parse()? })
    }
}

impl FromStr for Rule<IpNet> {
    type Err = NoRule;

    /// Takes an address or a network such as `192.168.0.0/16`.
    fn from_str(text: &str) -> Result<Self, NoRule> {
        let (allows, what) = split(text);
        let network = what.parse::<IpNet>().or_else(|_| what.parse::<IpAddr>().map(IpNet::from));
        Ok(Self { allows, what: network.map_err(|_| NoRule)? })
    }
}

fn split(text: &str) -> (bool, &str) {
    text.strip_prefix('!').map_or((true, text), |what| (false, what))
}

impl fmt::Display for InterfaceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        f.write_str(if self.beginning { "*" } else { "" })
    }
}
