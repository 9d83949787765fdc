//! Whose request it is, by address: the other end of the connection, or, if that is a proxy of ours, the client that the
//! proxy names. It believes nobody else, because everybody can send a header.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use axum::http::header::{self, HeaderName};
use axum::http::{HeaderMap, HeaderValue};

use crate::config::{AddressHeader, TrustedProxies};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Whom to believe, and where they tell it.
#[derive(Debug, Clone)]
pub struct Proxies {
    /// The proxies in front of the server.
    pub trusted: TrustedProxies,
    /// The header they append to.
    pub header: AddressHeader,
}

impl Default for Proxies {
    fn default() -> Self {
        Self { trusted: TrustedProxies::default(), header: AddressHeader::XForwardedFor }
    }
}

impl Proxies {
    /// The client's address. Each proxy appends whom it got the request from, so the list is read from its end, and ends at
    /// the first address that is not a proxy of ours: what stands before it is what the client made up. Where an address
    /// cannot be read, the proxy that wrote it stands for its clients.
    #[must_use]
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut client = peer.to_canonical();
        if !self.trusted.contains(client) {
            return client;
        }
        let values = match self.header {
            AddressHeader::XForwardedFor => headers.get_all(X_FORWARDED_FOR),
            AddressHeader::Forwarded => headers.get_all(header::FORWARDED),
        };
        let lines: Vec<&[u8]> = values.iter().map(HeaderValue::as_bytes).collect();
        let hops = lines.iter().rev().flat_map(|line| line.rsplit(|byte| *byte == b','));
        for hop in hops {
            // What is no text is no address either, and spoils nothing but itself.
            let hop = std::str::from_utf8(hop).unwrap_or_default();
            let named = match self.header {
                AddressHeader::XForwardedFor => address(hop.trim()),
                AddressHeader::Forwarded => forwarded_for(hop),
            };
            let Some(named) = named else { return client };
            client = named;
            if !self.trusted.contains(client) {
                return client;
            }
        }
        client
    }
}

/// The address whose requests are counted together. Whoever has one IPv6 address has the 2⁶⁴ of its network.
#[must_use]
pub fn counted(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(long) => {
            let [first, second, third, fourth, ..] = long.segments();
            Ipv6Addr::new(first, second, third, fourth, 0, 0, 0, 0).into()
        }
    }
}

/// The `for` of one element of `Forwarded`: `for=192.0.2.60;proto=http`, `For="[2001:db8::17]:4711"`.
fn forwarded_for(element: &str) -> Option<IpAddr> {
    let mut pairs = element.split(';').filter_map(|pair| pair.split_once('='));
    let (_, node) = pairs.find(|(name, _)| name.trim().eq_ignore_ascii_case("for"))?;
    let node = node.trim();
    address(node.strip_prefix('"').and_then(|node| node.strip_suffix('"')).unwrap_or(node))
}

/// An address, with or without brackets and a port.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse().or_else(|_| text.parse::<SocketAddr>().map(|with_port| with_port.ip()));
    address.ok().map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn proxies(header: AddressHeader) -> Proxies {
        Proxies { trusted: "10.0.0.0/8, 2001:db8:ffff::/48, 192.0.2.7".parse().unwrap(), header }
    }

    fn headers(name: &'static str, lines: &[&str]) -> HeaderMap {
        let lines = lines.iter().map(|line| HeaderValue::from_bytes(line.as_bytes()).unwrap());
        lines.map(|line| (HeaderName::from_static(name), line)).fold(HeaderMap::new(), |mut all, (name, line)| {
            all.append(name, line);
            all
        })
    }

    fn by_list(peer: &str, lines: &[&str]) -> String {
        let proxies = proxies(AddressHeader::XForwardedFor);
        proxies.client(peer.parse().unwrap(), &headers("x-forwarded-for", lines)).to_string()
    }

    fn by_forwarded(peer: &str, lines: &[&str]) -> String {
        let proxies = proxies(AddressHeader::Forwarded);
        proxies.client(peer.parse().unwrap(), &headers("forwarded", lines)).to_string()
    }

    #[test]
    fn a_header_from_anybody_else_is_ignored() {
        for lines in [&["198.51.100.1"][..], &["10.0.0.1"], &["198.51.100.1, 10.0.0.1", "10.0.0.2"]] {
            assert_eq!(by_list("203.0.113.9", lines), "203.0.113.9");
        }
        assert_eq!(by_list("192.0.2.8", &["198.51.100.1"]), "192.0.2.8");
        let nobody = Proxies::default();
        let sent = headers("x-forwarded-for", &["198.51.100.1"]);
        assert_eq!(nobody.client("10.0.0.1".parse().unwrap(), &sent).to_string(), "10.0.0.1");
    }

    #[test]
    fn a_proxy_tells_its_client() {
        for (line, client) in [
            ("198.51.100.1", "198.51.100.1"),
            (" 198.51.100.1:4711 ", "198.51.100.1"),
            ("2001:db8::17", "2001:db8::17"),
            ("[2001:db8::17]", "2001:db8::17"),
            ("[2001:db8::17]:4711", "2001:db8::17"),
            ("::ffff:198.51.100.1", "198.51.100.1"),
        ] {
            assert_eq!(by_list("10.0.0.1", &[line]), client);
        }
        assert_eq!(by_list("::ffff:10.0.0.1", &["198.51.100.1"]), "198.51.100.1");
        assert_eq!(by_list("10.0.0.1", &[]), "10.0.0.1", "without a header the proxy asks for itself");
    }

    #[test]
    fn a_chain_of_proxies_is_followed_to_the_first_stranger() {
        // Two proxies of ours, on one line and on two; before them what the client made up.
        assert_eq!(by_list("10.0.0.1", &["1.1.1.1, 198.51.100.1, 192.0.2.7"]), "198.51.100.1");
        assert_eq!(by_list("10.0.0.1", &["1.1.1.1, 198.51.100.1", "192.0.2.7"]), "198.51.100.1");
        assert_eq!(by_list("10.0.0.1", &["10.9.9.9, 198.51.100.1, 192.0.2.7"]), "198.51.100.1");
        // All of ours: the request began at one of them.
        assert_eq!(by_list("10.0.0.1", &["10.0.0.3, 10.0.0.2"]), "10.0.0.3");
    }

    #[test]
    fn what_cannot_be_read_is_the_proxys_own() {
        for garbage in ["", " ", ",", "unknown", "_hidden", "1.2.3", "1.2.3.4.5", "<script>", "10.0.0.1:port", "\u{e9}"]
        {
            assert_eq!(by_list("10.0.0.1", &[garbage]), "10.0.0.1", "{garbage:?}");
            let line = format!("198.51.100.1, {garbage}, 192.0.2.7");
            assert_eq!(by_list("10.0.0.1", &[&line]), "192.0.2.7", "{garbage:?}");
            assert_eq!(by_forwarded("10.0.0.1", &[garbage]), "10.0.0.1", "{garbage:?}");
            let line = format!("{garbage}, 198.51.100.1, 192.0.2.7");
            assert_eq!(by_list("10.0.0.1", &[&line]), "198.51.100.1", "nobody hides behind {garbage:?}");
        }
        let endless = "10.0.0.2,".repeat(5_000) + "10.0.0.3";
        assert_eq!(by_list("10.0.0.1", &[&endless]), "10.0.0.2");
    }

    #[test]
    fn forwarded_is_read_where_the_proxies_send_it_and_the_other_header_never() {
        for (line, client) in [
            ("for=198.51.100.1", "198.51.100.1"),
            ("proto=https;For=\"198.51.100.1:4711\";by=10.0.0.1", "198.51.100.1"),
            ("for=\"[2001:db8::17]:4711\"", "2001:db8::17"),
            ("for=1.1.1.1, for=198.51.100.1;proto=http, for=192.0.2.7", "198.51.100.1"),
            ("for=1.1.1.1, by=10.0.0.1", "10.0.0.1"),
            ("for=unknown", "10.0.0.1"),
        ] {
            assert_eq!(by_forwarded("10.0.0.1", &[line]), client, "{line}");
        }
        let both = headers("x-forwarded-for", &["1.1.1.1"]);
        let peer = "10.0.0.1".parse().unwrap();
        assert_eq!(proxies(AddressHeader::Forwarded).client(peer, &both), peer);
        let both = headers("forwarded", &["for=1.1.1.1"]);
        assert_eq!(proxies(AddressHeader::XForwardedFor).client(peer, &both), peer);
    }

    #[test]
    fn a_network_of_ipv6_counts_as_one() {
        let counted = |text: &str| counted(text.parse().unwrap()).to_string();
        assert_eq!(counted("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        assert_eq!(counted("2001:db8:1:2:ffff::"), "2001:db8:1:2::");
        assert_ne!(counted("2001:db8:1:3::1"), "2001:db8:1:2::");
        assert_eq!(counted("198.51.100.1"), "198.51.100.1");
    }
}
