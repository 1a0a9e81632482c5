//! Variables that look like ours but are not: misspellings.

use strsim::damerau_levenshtein;

use crate::section::Table;
use crate::{Environment, Problem, Variable};

/// How many letters may differ before a name is no longer taken for a misspelling.
const MISSPELT_LETTERS: usize = 2;

/// A problem for every variable that is set, has a prefix of ours, and is in no table.
pub(crate) fn unknown_variables(
    environment: &Environment,
    tables: &[Table],
    known: &[&'static str],
) -> Vec<Problem> {
    let ours = |name: &str| {
        let mut prefixes = tables.iter().map(|table| table.owned_prefix);
        prefixes.any(|prefix| !prefix.is_empty() && name.starts_with(prefix))
    };
    environment
        .set()
        .filter(|(name, _)| ours(name) && !known.contains(name))
        .filter(|(name, value)| !is_kubernetes_service_link(name, value))
        .map(|(name, _)| Problem::unknown(name, nearest(name, known)))
        .collect()
}

/// A variable that is set, belongs to nobody, and is nearly called like the missing `variable`.
/// Finds a misspelling in the prefix itself.
pub(crate) fn misspelling_of<'a>(
    variable: &Variable,
    environment: &'a Environment,
    known: &[&'static str],
) -> Option<&'a str> {
    let distance = |name: &str| damerau_levenshtein(name, variable.name);
    environment
        .set()
        .map(|(name, _)| name)
        .filter(|name| !known.contains(name) && distance(name) <= MISSPELT_LETTERS)
        .min_by_key(|name| distance(name))
}

fn nearest(name: &str, known: &[&'static str]) -> Option<&'static str> {
    known
        .iter()
        .copied()
        .min_by_key(|candidate| damerau_levenshtein(name, candidate))
}

/// Whether Kubernetes made this variable. It describes every service of the namespace to every pod
/// in variables derived from the service's name: beside a service called `kafka`, a pod gets
/// `KAFKA_SERVICE_HOST`, `KAFKA_SERVICE_PORT`, `KAFKA_PORT=tcp://…` and `KAFKA_PORT_9092_TCP_ADDR`.
/// Nobody wrote them, so they are no misspellings, and a pod must start in spite of them.
fn is_kubernetes_service_link(name: &str, value: &str) -> bool {
    if name.ends_with("_SERVICE_HOST") || name.ends_with("_SERVICE_PORT") {
        return true;
    }
    if name.contains("_SERVICE_PORT_") {
        return true; // A port that has a name: KAFKA_SERVICE_PORT_CLIENTS.
    }
    if name.ends_with("_PORT") {
        return ["tcp://", "udp://", "sctp://"]
            .iter()
            .any(|scheme| value.starts_with(scheme));
    }
    name.match_indices("_PORT_")
        .any(|(at, separator)| is_port_link(&name[at + separator.len()..]))
}

/// Whether `rest` is what follows `_PORT_`: `9092_TCP`, `9092_TCP_ADDR`.
fn is_port_link(rest: &str) -> bool {
    let Some((number, protocol)) = rest.split_once('_') else {
        return false;
    };
    let (protocol, detail) = protocol.split_once('_').unwrap_or((protocol, ""));
    number.parse::<u16>().is_ok()
        && matches!(protocol, "TCP" | "UDP" | "SCTP")
        && matches!(detail, "" | "PROTO" | "PORT" | "ADDR")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, value: &str, expected: bool) {
        assert_eq!(
            is_kubernetes_service_link(name, value),
            expected,
            "{name}={value}"
        );
    }

    #[test]
    fn variables_made_by_kubernetes_are_recognised() {
        check("KAFKA_SERVICE_HOST", "10.0.0.7", true);
        check("KAFKA_SERVICE_PORT", "9092", true);
        check("KAFKA_SERVICE_PORT_CLIENTS", "9092", true);
        check("KAFKA_PORT", "tcp://10.0.0.7:9092", true);
        check("KAFKA_PORT_9092_TCP", "tcp://10.0.0.7:9092", true);
        check("KAFKA_PORT_9092_TCP_ADDR", "10.0.0.7", true);
        check("KAFKA_HEADLESS_PORT_9092_UDP_PROTO", "udp", true);
    }

    #[test]
    fn variables_written_by_people_are_not_taken_for_them() {
        check("KAFKA_PORT", "9092", false);
        check("KAFKA_PORT_TIMEOUT", "1s", false);
        check("KAFKA_PORT_9092_TLS", "x", false);
        check("KAFKA_SERVICE", "x", false);
        check("KAFKA_BROKER", "localhost:9092", false);
    }
}
