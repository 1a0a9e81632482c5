//! `server.properties` and what it refers to.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

use super::options::{KafkaMember, KafkaOptions, KafkaTls};

pub(super) const LOGGING: &str = include_str!("../../../../deploy/local/kafka/log4j2.properties");
const SERVER: &str = include_str!("../../../../deploy/local/kafka/server.properties");

/// Where the node listens.
#[derive(Clone, Debug)]
pub(super) struct Ports {
    pub(super) plaintext: u16,
    pub(super) controller: u16,
    pub(super) ssl: Option<u16>,
    pub(super) proxied: Vec<Proxied>,
}

/// A listener with a proxy in front of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Proxied {
    /// Where the broker listens.
    pub(super) port: u16,
    /// Where the proxy listens, which is what clients are told.
    pub(super) proxy: u16,
}

/// Writes the settings of one run; the later of two wins, so the caller's come last.
pub(super) fn write(path: &Path, home: &Path, ports: &Ports, options: &KafkaOptions) -> Result<()> {
    let mut settings = settings(&home.join("data"), ports, options.member);
    if let Some(tls) = &options.tls {
        settings.extend(tls_settings(tls)?);
    }
    settings.extend(options.settings.iter().cloned());
    fs::write(path, render(&settings)).with_context(|| format!("cannot write {}", path.display()))
}

/// The settings for making the log folder; the ports are not remembered in it.
pub(super) fn for_format(data: &Path, member: Option<KafkaMember>) -> String {
    let nowhere = Ports {
        plaintext: 1,
        controller: 2,
        ssl: None,
        proxied: Vec::new(),
    };
    render(&settings(data, &nowhere, member))
}

fn settings(data: &Path, ports: &Ports, member: Option<KafkaMember>) -> Vec<(String, String)> {
    let controller = ports.controller;
    let mut listeners = vec![format!("PLAINTEXT://127.0.0.1:{}", ports.plaintext)];
    let mut advertised = listeners.clone();
    let mut protocols = vec!["CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SSL:SSL".to_owned()];
    if let Some(port) = ports.ssl {
        listeners.push(format!("SSL://127.0.0.1:{port}"));
        advertised.push(format!("SSL://localhost:{port}"));
    }
    for (number, Proxied { port, proxy }) in ports.proxied.iter().enumerate() {
        listeners.push(format!("PROXIED_{number}://127.0.0.1:{port}"));
        advertised.push(format!("PROXIED_{number}://127.0.0.1:{proxy}"));
        protocols.push(format!("PROXIED_{number}:PLAINTEXT"));
    }
    let (node, roles) = member.map_or((1, "broker,controller"), |member| (member.node, "broker"));
    if member.is_none() {
        listeners.push(format!("CONTROLLER://127.0.0.1:{controller}"));
    }
    [
        ("node.id", node.to_string()),
        ("process.roles", roles.to_owned()),
        ("log.dirs", data.to_string_lossy().into_owned()),
        (
            "controller.quorum.voters",
            format!("1@127.0.0.1:{controller}"),
        ),
        ("listeners", listeners.join(",")),
        ("advertised.listeners", advertised.join(",")),
        ("listener.security.protocol.map", protocols.join(",")),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

fn tls_settings(tls: &KafkaTls) -> Result<Vec<(String, String)>> {
    let location = |path: &Path| -> Result<String> {
        let path = std::path::absolute(path).context("cannot tell the current folder")?;
        Ok(path.to_string_lossy().into_owned())
    };
    Ok([
        ("ssl.client.auth", "required".to_owned()),
        ("ssl.keystore.type", "PEM".to_owned()),
        ("ssl.keystore.location", location(&tls.keystore)?),
        ("ssl.truststore.type", "PEM".to_owned()),
        ("ssl.truststore.location", location(&tls.truststore)?),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into())
}

fn render(settings: &[(String, String)]) -> String {
    let mut text = format!("{SERVER}\n");
    for (name, value) in settings {
        // In this format a backslash begins an escape. Writing to a string cannot fail.
        writeln!(text, "{name}={}", value.replace('\\', "\\\\")).ok();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(ssl: Option<u16>, proxied: Vec<Proxied>) -> String {
        rendered_for(ssl, proxied, None)
    }

    fn rendered_for(
        ssl: Option<u16>,
        proxied: Vec<Proxied>,
        member: Option<KafkaMember>,
    ) -> String {
        let ports = Ports {
            plaintext: 9092,
            controller: 9093,
            ssl,
            proxied,
        };
        render(&settings(Path::new("/data"), &ports, member))
    }

    #[test]
    fn the_second_listener_is_there_only_with_certificates() {
        let plain = "listeners=PLAINTEXT://127.0.0.1:9092,CONTROLLER://127.0.0.1:9093\n";
        assert!(rendered(None, Vec::new()).contains(plain));
        let both = "listeners=PLAINTEXT://127.0.0.1:9092,SSL://127.0.0.1:9094,CONTROLLER://127.0.0.1:9093\n";
        assert!(rendered(Some(9094), Vec::new()).contains(both));
    }

    #[test]
    fn another_broker_of_a_cluster_has_the_first_ones_controller() {
        let member = KafkaMember {
            node: 2,
            controller: 9093,
        };
        let text = rendered_for(None, Vec::new(), Some(member));
        for line in [
            "node.id=2\n",
            "process.roles=broker\n",
            "controller.quorum.voters=1@127.0.0.1:9093\n",
            "listeners=PLAINTEXT://127.0.0.1:9092\n",
        ] {
            assert!(text.contains(line), "{text}");
        }
    }

    #[test]
    fn clients_of_a_proxy_are_told_its_port() {
        let proxied = Proxied {
            port: 9095,
            proxy: 19095,
        };
        let text = rendered(None, vec![proxied]);
        for line in [
            "listeners=PLAINTEXT://127.0.0.1:9092,PROXIED_0://127.0.0.1:9095,CONTROLLER://127.0.0.1:9093\n",
            "advertised.listeners=PLAINTEXT://127.0.0.1:9092,PROXIED_0://127.0.0.1:19095\n",
            "PROXIED_0:PLAINTEXT\n",
        ] {
            assert!(text.contains(line), "{text}");
        }
    }
}
