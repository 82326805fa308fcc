//! What tells of one instance, in the forms in which services write it down:
//!
//! * `host:port`, `http://host:port`, `https://host:port`;
//! * JSON with `host` and `port`, and beside them `secure_port`, `named`, `weight`, `rank`,
//!   `enabled`;
//! * JSON of Curator's service discovery: `address`, `port`, `sslPort`, `enabled`;
//! * JSON of etcd's naming: `Addr`;
//! * URLs of Dubbo's providers, with `weight`, `disabled` and `enabled` in their query.

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use super::instance::{Health, Instance};
use crate::limits::ENTRY_BYTES_MAX;

/// Reads any of them but Dubbo's.
///
/// # Errors
/// What is wrong with it, for people.
pub(super) fn from_bytes(bytes: &[u8]) -> Result<Instance, String> {
    if bytes.len() > ENTRY_BYTES_MAX {
        return Err(format!("it has more than {ENTRY_BYTES_MAX} bytes"));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())?.trim();
    match text.as_bytes().first() {
        None => Err("it is empty".into()),
        Some(b'{' | b'"') => {
            let value = serde_json::from_str(text).map_err(|e| format!("it is not JSON: {e}"))?;
            from_value(&value)
        }
        Some(_) => from_address(text),
    }
}

/// Reads a JSON value: an address, or an object.
///
/// # Errors
/// What is wrong with it, for people.
pub(super) fn from_value(value: &Value) -> Result<Instance, String> {
    match value {
        Value::String(text) => from_address(text),
        Value::Object(object) => from_object(object),
        _ => Err("it is neither an address nor a table".into()),
    }
}

/// Reads the name of a node or key, if an instance can be seen from that alone. Of URLs of Dubbo
/// only those of `protocol` count, if one is given; others are nobody.
pub(super) fn from_name(name: &str, protocol: Option<&str>) -> Named {
    let Ok(text) = percent_decode_str(name).decode_utf8() else { return Named::No };
    match text.split_once("://") {
        Some((scheme, rest)) => match protocol.is_none_or(|wanted| wanted == scheme) {
            true => Named::Yes(from_provider(rest)),
            false => Named::Foreign,
        },
        None => from_address(&text).map_or(Named::No, |instance| Named::Yes(Ok(instance))),
    }
}

/// What a name says.
pub(super) enum Named {
    /// An instance, or a wrong one.
    Yes(Result<Instance, String>),
    /// An instance that is none of ours.
    Foreign,
    /// Nothing.
    No,
}

fn from_address(text: &str) -> Result<Instance, String> {
    let (scheme, rest) = text.split_once("://").map_or((None, text), |(s, rest)| (Some(s), rest));
    let place = rest.trim_end_matches('/');
    let (host, port) = match (scheme, place.contains(':')) {
        (Some("http"), false) => (place, 80),
        (Some("https"), false) => (place, 443),
        (None | Some("http" | "https"), _) => split(place)?,
        (Some(other), _) => return Err(format!("{other:?} is neither http nor https")),
    };
    let instance = checked(host, port)?;
    let secure_port = (scheme == Some("https")).then_some(port);
    Ok(Instance { secure_port, ..instance })
}

fn from_object(object: &Map<String, Value>) -> Result<Instance, String> {
    let text = |keys: &[&str]| keys.iter().find_map(|key| object.get(*key)?.as_str());
    let host = text(&["host", "address", "Addr"]).ok_or("it names no host")?;
    let secure_port = port(object, &["secure_port", "sslPort"])?;
    let instance = match port(object, &["port"])?.or(secure_port) {
        Some(port) => checked(host, port)?,
        None => from_address(host)?,
    };
    let instance = match object.get("weight") {
        Some(weight) => instance.weighing(weight.as_u64().ok_or("its weight is no whole number")?),
        None => instance,
    };
    let rank = object.get("rank").map_or(Some(0), Value::as_u64);
    let rank =
        rank.and_then(|rank| u16::try_from(rank).ok()).ok_or("its rank is no small number")?;
    let is_enabled = object.get("enabled").and_then(Value::as_bool) != Some(false);
    Ok(Instance {
        secure_port: secure_port.or(instance.secure_port),
        name: text(&["named"]).map(|name| name.to_ascii_lowercase().into()),
        rank,
        health: if is_enabled { instance.health } else { Health::Disabled },
        ..instance
    })
}

/// What stands behind the scheme of a provider's URL.
fn from_provider(rest: &str) -> Result<Instance, String> {
    let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
    let place = place.split('/').next().unwrap_or(place);
    let place = place.rsplit_once('@').map_or(place, |(_, place)| place);
    let (host, port) = split(place)?;
    let mut instance = checked(host, port)?;
    for (name, value) in query.split('&').filter_map(|setting| setting.split_once('=')) {
        match (name, value) {
            ("weight", _) => {
                let weight = value.parse().map_err(|_| "its weight is no whole number")?;
                instance = instance.weighing(weight);
            }
            ("disabled", "true") | ("enabled", "false") => instance.health = Health::Disabled,
            _ => {}
        }
    }
    Ok(instance)
}

fn port(object: &Map<String, Value>, keys: &[&str]) -> Result<Option<u16>, String> {
    let found = keys.iter().find_map(|key| object.get(*key).filter(|value| !value.is_null()));
    let Some(value) = found else { return Ok(None) };
    let number = value.as_u64().and_then(|number| u16::try_from(number).ok());
    number.filter(|port| *port > 0).map(Some).ok_or_else(|| format!("{value} is not a port"))
}

fn split(place: &str) -> Result<(&str, u16), String> {
    let (host, port) = place.rsplit_once(':').ok_or("it has no port; write it as host:port")?;
    let port = port.parse().ok().filter(|port| *port > 0);
    let port = port.ok_or_else(|| format!("{place:?} does not end in a port"))?;
    Ok((host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host), port))
}

fn checked(host: &str, port: u16) -> Result<Instance, String> {
    let is_address = host.parse::<std::net::IpAddr>().is_ok();
    let is_letter = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let is_name = !host.is_empty() && host.len() <= 253 && host.chars().all(is_letter);
    match is_address || is_name {
        true => Ok(Instance::new(host, port)),
        false => Err(format!("{host:?} is neither the name of a host nor an address")),
    }
}
