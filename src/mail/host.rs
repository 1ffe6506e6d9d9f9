//! Host and port as a URL writes them.

use std::net::{IpAddr, Ipv6Addr};

use super::route::UrlError;

/// The longest host name (RFC 1035).
const HOST_BYTES_MAX: usize = 253;
/// The longest part of a host name between two dots (RFC 1035).
const LABEL_BYTES_MAX: usize = 63;

/// Takes host and port apart, the host checked.
pub(super) fn split_port(authority: &str) -> Result<(String, Option<&str>), UrlError> {
    if let Some(inner) = authority.strip_prefix('[') {
        let (address, rest) = inner.split_once(']').ok_or(UrlError::Host)?;
        let address: Ipv6Addr = address.parse().map_err(|_| UrlError::Host)?;
        return match rest.strip_prefix(':') {
            Some(port) => Ok((address.to_string(), Some(port))),
            None if rest.is_empty() => Ok((address.to_string(), None)),
            None => Err(UrlError::Host),
        };
    }
    let (host, port) = match authority.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (authority, None),
    };
    let host = host.to_ascii_lowercase();
    if is_host(&host) { Ok((host, port)) } else { Err(UrlError::Host) }
}

fn is_host(host: &str) -> bool {
    if let Ok(address) = host.parse::<IpAddr>() {
        return address.is_ipv4();
    }
    let labels_are_plain = host.split('.').all(|label| {
        (1..=LABEL_BYTES_MAX).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    });
    // `127.1` and `0x7f.1` are old ways to write an address, and no names.
    let ends_as_name = host.rsplit('.').next().is_some_and(|last| !last.starts_with(|c: char| c.is_ascii_digit()));
    host.len() <= HOST_BYTES_MAX && labels_are_plain && ends_as_name
}

/// Reads a port; zero is none.
pub(super) fn parse_port(text: &str) -> Result<u16, UrlError> {
    let is_number = text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|port| is_number && *port != 0).ok_or(UrlError::Port)
}
