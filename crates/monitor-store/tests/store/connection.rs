//! Connections as the programs make them.

use std::net::TcpListener;

use monitor_config::Environment;
use monitor_store::{DatabaseSettings, ErrorClass, StoreError};
use sqlx::{ConnectOptions as _, PgPool};

fn settings(url: &str) -> DatabaseSettings {
    let environment = Environment::from_pairs([("DATABASE_URL", url)]);
    environment.load::<DatabaseSettings>().unwrap()
}

#[sqlx::test(migrations = false)]
async fn a_connection_bears_the_name_of_its_program(pool: PgPool) {
    let settings = settings(pool.connect_options().to_url_lossy().as_str());
    let mut connection = settings.connect("sink").await.unwrap();
    let own = "SELECT current_setting('application_name')";
    let name: String = sqlx::query_scalar(own)
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert_eq!(name, "sink");
    let readers = settings.pool("admin").await.unwrap();
    let name: String = sqlx::query_scalar(own).fetch_one(&readers).await.unwrap();
    assert_eq!(name, "admin");
}

#[tokio::test]
async fn an_unreachable_server_is_named_with_the_reason_and_without_the_password() {
    // Bound and closed again: nobody listens there.
    let port = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port()
    };
    let settings = settings(&format!("postgres://monitor:hunter2@127.0.0.1:{port}/m"));
    let check = |error: StoreError| {
        let (shown, debug) = (error.to_string(), format!("{error:?} {settings:?}"));
        assert!(shown.contains(&format!("127.0.0.1:{port}")), "{shown}");
        assert!(shown.contains("refused"), "{shown}");
        assert!(!shown.contains("hunter2") && !debug.contains("hunter2"));
        assert_eq!(error.class(), ErrorClass::Reconnect);
    };
    check(settings.connect("sink").await.unwrap_err());
    check(settings.pool("admin").await.unwrap_err());
}

#[sqlx::test(migrations = false)]
async fn a_database_that_is_not_there_calls_for_an_operator(pool: PgPool) {
    let mut url = pool.connect_options().to_url_lossy();
    url.set_path("/no_such_database");
    let error = settings(url.as_str()).connect("sink").await.unwrap_err();
    assert_eq!(error.class(), ErrorClass::Setup, "{error}");
    assert!(error.to_string().contains("no_such_database"), "{error}");
}
