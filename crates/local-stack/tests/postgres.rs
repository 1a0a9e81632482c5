//! A PostgreSQL server that starts, stops, crashes and comes back.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use local_stack::{Durability, Postgres, PostgresOptions, PostgresTls, ReservedPort};

fn count(server: &Postgres) -> String {
    server
        .query("monitor", "SELECT count(*) FROM kept")
        .unwrap()
}

fn with_rows() -> Postgres {
    let server = Postgres::start(PostgresOptions::default()).unwrap();
    let rows = "CREATE TABLE kept AS SELECT * FROM generate_series(1, 1000)";
    server.query("monitor", rows).unwrap();
    server
}

#[test]
fn data_survives_a_restart_on_the_same_port() {
    let mut server = with_rows();
    let url = server.url();
    server.restart().unwrap();
    assert_eq!(server.url(), url);
    assert_eq!(count(&server), "1000");
}

#[test]
fn data_survives_a_crash() {
    let mut server = with_rows();
    server.kill().unwrap();
    assert!(server.query("monitor", "SELECT 1").is_err());
    server.restart().unwrap();
    assert_eq!(count(&server), "1000");
}

#[test]
fn a_kept_folder_serves_the_next_run_with_the_same_password() {
    let folder = tempfile::tempdir().unwrap();
    let options = || PostgresOptions {
        directory: Some(folder.path().join("postgres")),
        durability: Durability::Durable,
        ..PostgresOptions::default()
    };
    let first = Postgres::start(options()).unwrap();
    first
        .query("monitor", "CREATE TABLE kept (id int)")
        .unwrap();
    let (password, place) = (first.password().to_owned(), first.directory().to_owned());
    drop(first);
    let second = Postgres::start(options()).unwrap();
    assert_eq!(second.password(), password);
    assert_eq!(count(&second), "0");
    assert_eq!(second.query("monitor", "SHOW fsync").unwrap(), "on");
    drop(second);
    std::fs::remove_dir_all(place).unwrap();
}

#[test]
fn a_temporary_server_leaves_nothing_behind() {
    let mut server = Postgres::start(PostgresOptions::default()).unwrap();
    let (place, pid) = (server.directory().to_owned(), server.process().id());
    assert!(place.exists());
    drop(server);
    assert!(!place.exists());
    assert!(!std::path::Path::new(&format!("/proc/{pid}")).exists());
}

#[test]
fn a_taken_port_is_not_fatal() {
    let taken = ReservedPort::any().unwrap();
    let options = PostgresOptions {
        port: Some(taken.number()),
        ..PostgresOptions::default()
    };
    let server = Postgres::start(options).unwrap();
    assert_ne!(server.port(), taken.number());
}

#[test]
fn a_wrong_setting_is_told_in_the_words_of_the_server() {
    let options = PostgresOptions {
        settings: vec![("no_such_setting".to_owned(), "1".to_owned())],
        ..PostgresOptions::default()
    };
    let error = format!("{:#}", Postgres::start(options).unwrap_err());
    assert!(error.contains("cannot start PostgreSQL"), "{error}");
    assert!(error.contains("no_such_setting"), "{error}");
}

#[test]
fn connections_are_encrypted_and_the_name_verified_with_a_certificate() {
    let folder = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let tls = PostgresTls {
        certificate: folder.path().join("server.crt"),
        key: folder.path().join("server.key"),
    };
    std::fs::write(&tls.certificate, made.cert.pem()).unwrap();
    std::fs::write(&tls.key, made.signing_key.serialize_pem()).unwrap();
    let root = tls.certificate.clone();
    let options = PostgresOptions {
        tls: Some(tls),
        ..PostgresOptions::default()
    };
    let server = Postgres::start(options).unwrap();
    let mut psql = server.psql("monitor");
    let sql = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
    psql.args(["--host", "localhost", "-c", sql])
        .env("PGSSLMODE", "verify-full")
        .env("PGSSLROOTCERT", &root);
    let output = psql.output().unwrap();
    assert_eq!(
        String::from_utf8_lossy(&output.stdout).trim(),
        "t",
        "{output:?}"
    );
}
