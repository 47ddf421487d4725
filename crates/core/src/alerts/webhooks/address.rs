//! Where messages may go. An administrator names an address, and the server sends there: it must not become a way into the
//! network that the server stands in (server-side request forgery). Pure; whoever resolves a name asks [`is_public`] again.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use canvass_types::FieldProblem;
use url::{Host, Url};

use crate::problem;

/// Longest address, bytes.
pub const MOST_URL: usize = 500;

/// Addresses within the operator's own network that webhooks may reach: a host, whose addresses may then be private, or a
/// whole origin, then also by plain HTTP.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inside(Vec<String>);

impl Inside {
    /// Reads the operator's list.
    ///
    /// # Errors
    /// Says which entry is neither a host nor an origin.
    pub fn parse(entries: &[String]) -> Result<Self, String> {
        let mut list = Vec::with_capacity(entries.len());
        for entry in entries {
            let origin = Url::parse(entry).ok().filter(|url| {
                matches!(url.scheme(), "http" | "https")
                    && url.path() == "/"
                    && url.query().is_none()
                    && url.username().is_empty()
            });
            let kept = match origin {
                Some(url) => url.origin().ascii_serialization(),
                None if entry.contains('/') => return Err(entry.clone()),
                None => match Host::parse(entry) {
                    Ok(host) => host.to_string(),
                    Err(_) => return Err(entry.clone()),
                },
            };
            list.push(kept);
        }
        Ok(Self(list))
    }

    fn names(&self, text: &str) -> bool {
        self.0.iter().any(|entry| entry == text)
    }
}

/// An address that messages may go to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// As it is called.
    pub url: Url,
    /// Its host, as people read it.
    pub host: String,
    /// Whether the operator lets it be within their own network.
    pub inside: bool,
}

/// Whether an address of the internet is one that everybody reaches, and none of a network of somebody's own, of this
/// machine, or with a special meaning (the registries of RFC 6890).
#[must_use]
pub fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => match ip.to_ipv4_mapped() {
            Some(ip) => is_public_v4(ip),
            None => is_public_v6(ip),
        },
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    let special = ip.is_private()
        || ip.is_loopback()
        || ip.is_link_local()
        || ip.is_documentation()
        || ip.is_multicast()
        // This network; shared by carriers; assignments of protocols; relays of 6to4; measurements; reserved.
        || a == 0
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 192 && b == 88 && c == 99)
        || (a == 198 && (b == 18 || b == 19))
        || a >= 240;
    !special
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    let [a, b, ..] = ip.segments();
    // Of all addresses only these were given out for unicast; within, some hold addresses of the older kind, or none at all.
    let given_out = a & 0xe000 == 0x2000;
    let special = a == 0x2002 || a == 0x3fff || (a == 0x2001 && (b < 0x0200 || b == 0x0db8));
    given_out && !special
}

/// Names that stand for something within a network, whatever they resolve to.
fn is_local_name(host: &str) -> bool {
    let host = host.trim_end_matches('.');
    let ends = ["localhost", "local", "internal", "intranet", "lan", "home.arpa", "onion"];
    !host.contains('.')
        || ends.iter().any(|end| host.strip_suffix(end).is_some_and(|rest| rest.ends_with('.')))
}

fn wrong(rule: &str, message: &str, remedy: &str) -> Box<FieldProblem> {
    Box::new(problem("url", rule, message, remedy))
}

/// Checks an address as it was typed, or as it is stored: what the operator lets be inside may have changed since.
///
/// # Errors
/// Says what is wrong with it. It never repeats the address.
pub fn check(text: &str, inside: &Inside) -> Result<Address, Box<FieldProblem>> {
    if text.len() > MOST_URL {
        let message = format!("it has more than {MOST_URL} bytes");
        return Err(wrong("length", &message, "give a shorter address"));
    }
    let example = "write https:// and the address, as https://dispatch.example/hooks/canvass";
    let url = Url::parse(text).map_err(|_| wrong("form", "this is no address", example))?;
    let Some(host) = url.host() else { return Err(wrong("form", "this is no address of the web", example)) };
    if !url.username().is_empty() || url.password().is_some() {
        let remedy = "leave the name and the password out: messages are signed";
        return Err(wrong("credentials", "a name or password stands in the address", remedy));
    }
    if url.fragment().is_some() {
        return Err(wrong("fragment", "a part behind # is never sent", "leave it out"));
    }
    let (name, origin) = (host.to_string(), url.origin().ascii_serialization());
    let listed_origin = inside.names(&origin);
    let is_inside = listed_origin || inside.names(&name);
    if url.scheme() != "https" && !(url.scheme() == "http" && listed_origin) {
        return Err(wrong("https", "messages go by https alone", example));
    }
    let private = match host {
        Host::Domain(name) => is_local_name(name),
        Host::Ipv4(ip) => !is_public(IpAddr::V4(ip)),
        Host::Ipv6(ip) => !is_public(IpAddr::V6(ip)),
    };
    if private && !is_inside {
        return Err(wrong(
            "private",
            "this address lies within a network of somebody's own",
            "give one that the internet reaches, or ask the operator to allow this host (`canvass serve --webhook-inside`)",
        ));
    }
    Ok(Address { url, host: name, inside: is_inside })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rule(text: &str, inside: &[&str]) -> Result<bool, String> {
        let entries: Vec<String> = inside.iter().map(|&one| one.to_owned()).collect();
        let inside = Inside::parse(&entries).unwrap();
        check(text, &inside).map(|address| address.inside).map_err(|problem| problem.rule)
    }

    #[test]
    fn only_addresses_of_the_internet_are_taken() {
        for good in
            ["https://dispatch.example/hooks?key=1", "https://93.184.215.14/", "https://[2606:2800:21f::1]/x"]
        {
            assert_eq!(rule(good, &[]), Ok(false), "{good}");
        }
        for (bad, why) in [
            ("", "form"),
            ("dispatch.example", "form"),
            ("data:text/plain,x", "form"),
            ("http://dispatch.example/", "https"),
            ("ftp://dispatch.example/", "https"),
            ("https://ann:word@dispatch.example/", "credentials"),
            ("https://dispatch.example/#x", "fragment"),
            ("https://localhost/", "private"),
            ("https://localhost./", "private"),
            ("https://a.localhost/", "private"),
            ("https://printer/", "private"),
            ("https://nas.local/", "private"),
            ("https://metadata.google.internal/", "private"),
            ("https://127.0.0.1/", "private"),
            ("https://0x7f000001/", "private"),
            ("https://2130706433/", "private"),
            ("https://017700000001/", "private"),
            ("https://127.1/", "private"),
            ("https://0.0.0.0/", "private"),
            ("https://10.1.2.3/", "private"),
            ("https://172.31.0.1/", "private"),
            ("https://192.168.1.1/", "private"),
            ("https://169.254.169.254/latest", "private"),
            ("https://100.64.0.1/", "private"),
            ("https://224.0.0.1/", "private"),
            ("https://255.255.255.255/", "private"),
            ("https://[::1]/", "private"),
            ("https://[::]/", "private"),
            ("https://[::ffff:127.0.0.1]/", "private"),
            ("https://[fe80::1]/", "private"),
            ("https://[fd00::1]/", "private"),
            ("https://[64:ff9b::7f00:1]/", "private"),
            ("https://[2002:7f00:1::]/", "private"),
            ("https://[2001:0:7f00:1::]/", "private"),
        ] {
            assert_eq!(rule(bad, &[]), Err(why.to_owned()), "{bad}");
        }
        let long = format!("https://dispatch.example/{}", "a".repeat(MOST_URL));
        assert_eq!(rule(&long, &[]), Err("length".to_owned()));
    }

    #[test]
    fn an_operator_allows_a_host_or_a_whole_origin() {
        let inside = ["dispatch.local", "http://127.0.0.1:9000", "10.0.0.5"];
        for good in [
            "https://dispatch.local/x",
            "https://DISPATCH.local:8443/x",
            "http://127.0.0.1:9000/x",
            "https://10.0.0.5/",
        ] {
            assert_eq!(rule(good, &inside), Ok(true), "{good}");
        }
        for (bad, why) in [
            ("http://dispatch.local/x", "https"),
            ("http://127.0.0.1:9001/x", "https"),
            ("https://127.0.0.1:9000/x", "private"),
            ("https://10.0.0.6/", "private"),
            ("https://other.dispatch.local/", "private"),
        ] {
            assert_eq!(rule(bad, &inside), Err(why.to_owned()), "{bad}");
        }
        for bad in ["", "http://a.example/path", "a b", "https://ann@a.example"] {
            assert!(Inside::parse(&[bad.to_owned()]).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn what_is_private_stays_so_however_it_is_written(bits in any::<u32>()) {
            let ip = Ipv4Addr::from(bits);
            let public = is_public(IpAddr::V4(ip));
            prop_assert_eq!(is_public(IpAddr::V6(ip.to_ipv6_mapped())), public);
            for text in [format!("https://{ip}/"), format!("https://{bits}/"), format!("https://0x{bits:x}/")] {
                prop_assert_eq!(rule(&text, &[]).is_ok(), public, "{}", text);
            }
            if ip.is_private() || ip.is_loopback() || ip.is_link_local() || ip.is_unspecified() || ip.is_multicast() {
                prop_assert!(!public);
            }
        }

        #[test]
        fn no_text_makes_it_panic(text in ".{0,80}") {
            let _ = check(&text, &Inside::default());
            let _ = Inside::parse(&[text]);
        }
    }
}
