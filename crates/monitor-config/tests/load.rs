//! What a person sees who gets the configuration right, or wrong.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use monitor_config::{
    Environment, Problem, Secret, Section, Variable, help_text, table_mistakes, tables, template,
    template_mistakes,
};
use proptest::prelude::*;
use serde::Deserialize;

#[derive(Debug, Deserialize, PartialEq)]
#[serde(rename_all = "snake_case")]
enum Protocol {
    Plaintext,
    SaslSsl,
}

#[derive(Debug, Deserialize)]
struct Broker {
    brokers: String,
    security_protocol: Protocol,
    ssl_cert: Option<PathBuf>,
    ssl_key: Option<PathBuf>,
    password: Option<Secret>,
    pin: Option<u32>,
}

impl Section for Broker {
    const PREFIX: &'static str = "KAFKA_";
    const VARIABLES: &'static [Variable] = &[
        Variable::required("KAFKA_BROKERS", "host:port of the brokers").example("localhost:9092"),
        Variable::with_default(
            "KAFKA_SECURITY_PROTOCOL",
            "plaintext",
            "how to talk to them",
        ),
        Variable::optional("KAFKA_SSL_CERT", "client certificate"),
        Variable::optional("KAFKA_SSL_KEY", "client key"),
        Variable::optional("KAFKA_PASSWORD", "password").secret(),
        Variable::optional("KAFKA_PIN", "a secret number").secret(),
    ];

    fn validate(&self) -> Vec<Problem> {
        match (&self.ssl_cert, &self.ssl_key) {
            (None, Some(_)) => vec![Problem::new("KAFKA_SSL_KEY", "set without KAFKA_SSL_CERT")],
            _ => Vec::new(),
        }
    }
}

#[derive(Debug, Deserialize)]
struct Checker {
    region: String,
    max_in_flight: NonZeroU32,
    port: u16,
    allow_private_targets: bool,
    #[serde(deserialize_with = "monitor_config::duration")]
    grace: Duration,
    #[serde(default, deserialize_with = "monitor_config::duration")]
    horizon: Option<Duration>,
    #[serde(deserialize_with = "monitor_config::bytes")]
    spool_limit: usize,
    #[serde(deserialize_with = "monitor_config::socket_address")]
    listen: SocketAddr,
    #[serde(deserialize_with = "monitor_config::list")]
    codes: Vec<u16>,
    ratio: f64,
}

impl Section for Checker {
    const PREFIX: &'static str = "CHECKER_";
    const VARIABLES: &'static [Variable] = &[
        Variable::with_default("CHECKER_REGION", "local", "name of the region"),
        Variable::with_default("CHECKER_MAX_IN_FLIGHT", "1000", "checks at one time"),
        Variable::with_default("CHECKER_PORT", "80", "a port"),
        Variable::with_default(
            "CHECKER_ALLOW_PRIVATE_TARGETS",
            "false",
            "check private hosts",
        ),
        Variable::with_default("CHECKER_GRACE", "10s", "time to stop"),
        Variable::optional("CHECKER_HORIZON", "how far back"),
        Variable::with_default("CHECKER_SPOOL_LIMIT", "1MiB", "size of the spool"),
        Variable::with_default("CHECKER_LISTEN", "127.0.0.1:0", "address"),
        Variable::with_default("CHECKER_CODES", "200, 204", "codes"),
        Variable::with_default("CHECKER_RATIO", "0.5", "ratio"),
    ];
}

#[derive(Debug, Deserialize)]
struct Database {
    database_url: Secret,
}

impl Section for Database {
    const PREFIX: &'static str = "";
    const OWNED_PREFIX: &'static str = "DATABASE_";
    const VARIABLES: &'static [Variable] =
        &[Variable::required("DATABASE_URL", "where the database is").secret()];
}

type All = (Broker, Database, Checker);

const ENOUGH: [(&str, &str); 2] = [
    ("KAFKA_BROKERS", "localhost:9092"),
    ("DATABASE_URL", "postgres://user:hunter2@host/db"),
];

/// The lines under the heading when `ENOUGH` and `extra` are set.
fn problems(extra: &[(&str, &str)]) -> Vec<String> {
    let environment = Environment::from_pairs(ENOUGH.iter().chain(extra).copied());
    match environment.load::<All>() {
        Ok(_) => Vec::new(),
        Err(error) => error.problems().iter().map(ToString::to_string).collect(),
    }
}

fn check(extra: (&str, &str), expected: &str) {
    assert_eq!(problems(&[extra]), [expected]);
}

#[test]
fn the_tables_agree_with_their_structs() {
    assert_eq!(table_mistakes::<Broker>(), [""; 0]);
    assert_eq!(table_mistakes::<Database>(), [""; 0]);
    assert_eq!(table_mistakes::<Checker>(), [""; 0]);
}

#[test]
fn defaults_of_the_table_fill_what_is_not_set() {
    let (broker, database, checker) = Environment::from_pairs(ENOUGH).load::<All>().unwrap();
    assert_eq!(broker.brokers, "localhost:9092");
    assert_eq!(broker.security_protocol, Protocol::Plaintext);
    assert!(broker.ssl_cert.is_none() && broker.password.is_none() && broker.pin.is_none());
    assert_eq!(
        database.database_url.expose(),
        "postgres://user:hunter2@host/db"
    );
    assert_eq!(checker.region, "local");
    assert_eq!(checker.max_in_flight.get(), 1000);
    assert_eq!((checker.port, checker.allow_private_targets), (80, false));
    assert_eq!(
        (checker.grace, checker.horizon),
        (Duration::from_secs(10), None)
    );
    assert_eq!(checker.spool_limit, 1 << 20);
    assert_eq!(checker.listen, SocketAddr::from(([127, 0, 0, 1], 0)));
    assert_eq!(checker.codes, [200, 204]);
    assert!((checker.ratio - 0.5).abs() < f64::EPSILON);
}

#[test]
fn values_that_are_set_win_over_defaults() {
    let extra = [
        ("KAFKA_SECURITY_PROTOCOL", "sasl_ssl"),
        ("CHECKER_HORIZON", "1h 30m"),
        ("CHECKER_CODES", "500,"),
    ];
    let environment = Environment::from_pairs(ENOUGH.into_iter().chain(extra));
    let (broker, _, checker) = environment.load::<All>().unwrap();
    assert_eq!(broker.security_protocol, Protocol::SaslSsl);
    assert_eq!(checker.horizon, Some(Duration::from_mins(90)));
    assert_eq!(checker.codes, [500]);
}

#[test]
fn a_variable_set_to_nothing_counts_as_unset() {
    let environment = Environment::from_pairs([
        ("KAFKA_BROKERS", ""),
        ("DATABASE_URL", "  "),
        ("CHECKER_REGION", ""),
        ("CHECKER_UNKNOWN", ""),
    ]);
    let error = environment.load::<All>().unwrap_err();
    assert_eq!(error.problems().len(), 2, "{error}");
    assert_eq!(
        Environment::from_pairs([("CHECKER_REGION", "")])
            .load::<Checker>()
            .unwrap()
            .region,
        "local"
    );
}

#[test]
fn all_problems_of_all_sections_are_named_at_once() {
    let environment = Environment::from_pairs([
        ("KAFKA_SECURITY_PROTOCOL", "telepathy"),
        ("CHECKER_REGOIN", "eu"),
        ("CHECKER_MAX_IN_FLIGHT", "lots"),
        ("CHECKER_GRACE", "soon"),
    ]);
    let error = environment.load::<All>().unwrap_err();
    assert_eq!(
        error.to_string(),
        "bad configuration, 6 problems:\n\
         \x20 KAFKA_BROKERS is not set (host:port of the brokers)\n\
         \x20 KAFKA_SECURITY_PROTOCOL=telepathy: expected one of plaintext, sasl_ssl\n\
         \x20 DATABASE_URL is not set (where the database is)\n\
         \x20 CHECKER_MAX_IN_FLIGHT=lots: expected a whole number\n\
         \x20 CHECKER_GRACE=soon: expected a duration such as 200ms, 30s or 5m\n\
         \x20 CHECKER_REGOIN is not a known variable; did you mean CHECKER_REGION?"
    );
}

#[test]
fn malformed_values_are_answered_with_what_was_expected() {
    check(
        ("CHECKER_PORT", "65536"),
        "CHECKER_PORT=65536: expected a whole number from 0 to 65535",
    );
    check(
        ("CHECKER_MAX_IN_FLIGHT", "0"),
        "CHECKER_MAX_IN_FLIGHT=0: invalid value: integer `0`, expected a nonzero u32",
    );
    check(
        ("CHECKER_ALLOW_PRIVATE_TARGETS", "yes"),
        "CHECKER_ALLOW_PRIVATE_TARGETS=yes: expected true or false",
    );
    check(
        ("CHECKER_SPOOL_LIMIT", "big"),
        "CHECKER_SPOOL_LIMIT=big: expected a size such as 4096, 64KiB or 1MiB",
    );
    check(
        ("CHECKER_LISTEN", "localhost"),
        "CHECKER_LISTEN=localhost: expected an IP address and a port such as 127.0.0.1:8080 or [::]:8080",
    );
    check(
        ("CHECKER_CODES", "200,ok"),
        "CHECKER_CODES=200,ok: item 2 of the list: invalid digit found in string",
    );
    check(
        ("CHECKER_RATIO", "half"),
        "CHECKER_RATIO=half: expected a number",
    );
}

#[test]
fn settings_that_contradict_each_other_are_reported_with_the_rest() {
    let found = problems(&[("KAFKA_SSL_KEY", "key.pem"), ("CHECKER_PORT", "http")]);
    assert_eq!(
        found,
        [
            "KAFKA_SSL_KEY: set without KAFKA_SSL_CERT",
            "CHECKER_PORT=http: expected a whole number"
        ]
    );
}

#[test]
fn a_misspelt_prefix_is_found_when_the_right_name_is_missing() {
    let environment = Environment::from_pairs([
        ("KAFKA_BROKERS", "x:1"),
        ("DATABSE_URL", "postgres://hunter2"),
    ]);
    let message = environment.load::<All>().unwrap_err().to_string();
    assert!(
        message.contains("DATABSE_URL is set: is that a misspelling?"),
        "{message}"
    );
    assert!(!message.contains("hunter2"), "{message}");
}

#[test]
fn variables_of_others_are_left_alone() {
    assert_eq!(
        problems(&[("SINK_GROUP", "x"), ("PATH", "/bin"), ("KAFKAESQUE", "yes")]),
        [""; 0]
    );
}

#[test]
fn variables_that_kubernetes_adds_for_a_service_are_left_alone() {
    let found = problems(&[
        ("KAFKA_SERVICE_HOST", "10.0.0.7"),
        ("KAFKA_SERVICE_PORT", "9092"),
        ("KAFKA_SERVICE_PORT_CLIENTS", "9092"),
        ("KAFKA_PORT", "tcp://10.0.0.7:9092"),
        ("KAFKA_PORT_9092_TCP_ADDR", "10.0.0.7"),
    ]);
    assert_eq!(found, [""; 0]);
}

#[test]
fn the_summary_shows_what_is_set_and_redacts_secrets() {
    let extra = [("KAFKA_PASSWORD", "hunter2"), ("CHECKER_REGION", "eu")];
    let environment = Environment::from_pairs(ENOUGH.into_iter().chain(extra));
    assert_eq!(
        environment.summary::<All>(),
        "KAFKA_BROKERS=localhost:9092 KAFKA_PASSWORD=[redacted] DATABASE_URL=[redacted] \
         CHECKER_REGION=eu"
    );
    assert!(!format!("{environment:?}").contains("hunter2"));
}

#[test]
fn help_and_template_show_every_variable_of_nested_sections() {
    let tables = tables::<((Broker, Database), Checker)>();
    let (help, template) = (help_text(&tables), template(&tables));
    for variable in tables.into_iter().flatten() {
        assert!(help.contains(variable.name), "{}", variable.name);
        assert!(template.contains(variable.help), "{}", variable.name);
    }
}

/// A section with every mistake that a table can have.
#[derive(Debug, Deserialize)]
struct Mistaken {
    #[expect(dead_code, reason = "only its name and type matter")]
    port: u16,
    #[expect(dead_code, reason = "only its name and type matter")]
    forgotten: Option<String>,
}

impl Section for Mistaken {
    const PREFIX: &'static str = "APP_";
    const VARIABLES: &'static [Variable] = &[
        Variable::with_default("APP_PORT", "http", "a port"),
        Variable::optional("APP_COLOUR", "fills nothing"),
        Variable::optional("PORT", "lacks the prefix"),
    ];
}

#[test]
fn a_table_that_disagrees_with_its_struct_is_found_out() {
    assert_eq!(
        table_mistakes::<Mistaken>(),
        [
            "the default of APP_PORT is refused: expected a whole number",
            "PORT does not begin with APP_",
            "APP_COLOUR fills no field",
            "the field forgotten has no variable",
        ]
    );
}

#[test]
fn a_template_holds_every_variable_and_is_a_configuration() {
    type Program = (Broker, Checker);
    let right = template(&tables::<Program>());
    let mistakes = |text: &str| template_mistakes::<Program>(text);
    assert_eq!(mistakes(&right), [""; 0]);
    assert_eq!(mistakes(&format!("{right}\nSINK_GROUP=x\n")), [""; 0]);

    let older = right.replace("name of the region", "the region");
    assert!(mistakes(&older)[0].contains("name of the region"));
    let misspelt = right.replace("CHECKER_PORT=80", "CHECKER_PORT=http");
    assert!(mistakes(&misspelt)[1].contains("CHECKER_PORT=http: expected"));
}

proptest! {
    #[test]
    fn the_value_of_a_secret_is_never_echoed(value in "[0-9]{0,4}[a-z!{}`'\"\\\\]{1,4}[0-9]{6,12}") {
        for name in ["KAFKA_PIN", "KAFKA_PASSWORD"] {
            let environment = Environment::from_pairs(
                ENOUGH.into_iter().chain([(name, value.as_str()), ("CHECKER_PORT", "http")]),
            );
            let error = environment.load::<All>().unwrap_err();
            prop_assert!(!error.to_string().contains(&value), "{}", error);
            prop_assert!(!format!("{error:?}").contains(&value), "{:?}", error);
        }
    }

    #[test]
    fn a_misspelt_name_is_answered_with_the_right_one(
        index in 0..Checker::VARIABLES.len(), at in 9_usize..12, letter in "[XYZ]",
    ) {
        let right = Checker::VARIABLES[index].name;
        let wrong = format!("{}{letter}{}", &right[..at], &right[at..]);
        let found = problems(&[(&wrong, "x")]);
        let expected = format!("{wrong} is not a known variable; did you mean {right}?");
        prop_assert_eq!(found, [expected]);
    }
}
