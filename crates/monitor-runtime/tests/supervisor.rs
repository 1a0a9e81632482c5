//! How a service ends, in paused time.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use monitor_runtime::{Outcome, Supervisor, TaskDied, stop_requests};
use tokio::time::{Instant, sleep};

const GRACE: Duration = Duration::from_secs(10);

fn died(task: &str, reason: &str) -> Outcome {
    Outcome::TaskDied(TaskDied {
        task: task.to_owned(),
        reason: reason.to_owned(),
    })
}

#[tokio::test(start_paused = true)]
async fn a_request_stops_all_tasks_and_the_end_is_clean() {
    let supervisor = Supervisor::new(GRACE);
    let context = supervisor.context();
    let finished = Arc::new(AtomicU32::new(0));
    for name in ["producer", "scheduler"] {
        let (stop, finished) = (context.stop.clone(), Arc::clone(&finished));
        context.spawn(name, async move {
            stop.cancelled().await;
            sleep(GRACE / 2).await;
            finished.fetch_add(1, Ordering::Relaxed);
            Ok(())
        });
    }
    let (sender, requests) = stop_requests();
    sender.send("test").unwrap();
    let main = async move {
        context.stop.cancelled().await;
        Ok(())
    };
    assert_eq!(supervisor.run(main, requests).await, Outcome::Clean);
    assert_eq!(
        finished.load(Ordering::Relaxed),
        2,
        "tasks may finish what they hold"
    );
}

#[tokio::test(start_paused = true)]
async fn a_service_whose_work_is_done_ends_by_itself_and_stops_the_rest() {
    let supervisor = Supervisor::new(GRACE);
    let context = supervisor.context();
    let main = async move {
        let stop = context.stop.clone();
        context.spawn("producer", async move {
            stop.cancelled().await;
            Ok(())
        });
        sleep(Duration::from_secs(3)).await;
        Ok(())
    };
    let (_sender, requests) = stop_requests();
    assert_eq!(supervisor.run(main, requests).await, Outcome::Clean);
}

#[tokio::test(start_paused = true)]
async fn a_task_started_in_the_last_moment_is_still_awaited() {
    let supervisor = Supervisor::new(GRACE);
    let context = supervisor.context();
    let finished = Arc::new(AtomicU32::new(0));
    let counter = Arc::clone(&finished);
    let main = async move {
        let stop = context.stop.clone();
        context.spawn("flush", async move {
            sleep(Duration::from_secs(1)).await;
            stop.cancelled().await;
            counter.fetch_add(1, Ordering::Relaxed);
            Ok(())
        });
        Ok(())
    };
    let (_sender, requests) = stop_requests();
    assert_eq!(supervisor.run(main, requests).await, Outcome::Clean);
    assert_eq!(finished.load(Ordering::Relaxed), 1);
}

#[tokio::test(start_paused = true)]
async fn a_task_that_ends_early_takes_the_service_down() {
    let supervisor = Supervisor::new(GRACE);
    let context = supervisor.context();
    context.spawn("producer", async { Ok(()) });
    let main = async move {
        context.stop.cancelled().await;
        Ok(())
    };
    let (_sender, requests) = stop_requests();
    let outcome = supervisor.run(main, requests).await;
    assert_eq!(outcome, died("producer", "it ended before it was asked to"));
}

#[tokio::test(start_paused = true)]
async fn a_task_that_fails_is_named_with_the_chain_of_causes() {
    let supervisor = Supervisor::new(GRACE);
    let context = supervisor.context();
    context.spawn("producer", async {
        sleep(Duration::from_secs(1)).await;
        Err(anyhow::anyhow!("connection refused").context("cannot reach localhost:1"))
    });
    let main = async move {
        context.stop.cancelled().await;
        Ok(())
    };
    let (_sender, requests) = stop_requests();
    let outcome = supervisor.run(main, requests).await;
    assert_eq!(
        outcome,
        died("producer", "cannot reach localhost:1: connection refused")
    );
}

#[tokio::test(start_paused = true)]
async fn a_task_that_panics_keeps_its_name() {
    let supervisor = Supervisor::new(GRACE);
    let context = supervisor.context();
    context.spawn("producer", async { panic!("no more {}", "ink") });
    let main = async move {
        context.stop.cancelled().await;
        Ok(())
    };
    let (_sender, requests) = stop_requests();
    let outcome = supervisor.run(main, requests).await;
    assert_eq!(outcome, died("producer", "it panicked: no more ink"));
}

#[tokio::test(start_paused = true)]
async fn a_failure_while_stopping_is_no_clean_end() {
    let supervisor = Supervisor::new(GRACE);
    let context = supervisor.context();
    let (sender, requests) = stop_requests();
    sender.send("test").unwrap();
    let main = async move {
        context.stop.cancelled().await;
        anyhow::bail!("cannot flush")
    };
    assert_eq!(
        supervisor.run(main, requests).await,
        died("main", "cannot flush")
    );
}

#[tokio::test(start_paused = true)]
async fn the_first_task_to_die_is_the_one_reported() {
    let supervisor = Supervisor::new(GRACE);
    let context = supervisor.context();
    context.spawn("producer", async { anyhow::bail!("broken") });
    let main = async move {
        context.stop.cancelled().await;
        anyhow::bail!("nobody to produce to")
    };
    let (_sender, requests) = stop_requests();
    assert_eq!(
        supervisor.run(main, requests).await,
        died("producer", "broken")
    );
}

#[tokio::test(start_paused = true)]
async fn tasks_that_outlast_the_grace_period_are_aborted_and_named() {
    let supervisor = Supervisor::new(GRACE);
    let context = supervisor.context();
    context.spawn("stuck", pending());
    let main = async move {
        context.stop.cancelled().await;
        Ok(())
    };
    let (sender, requests) = stop_requests();
    sender.send("test").unwrap();
    let started = Instant::now();
    let outcome = supervisor.run(main, requests).await;
    assert_eq!(outcome, Outcome::Forced(vec!["stuck".to_owned()]));
    assert_eq!(started.elapsed(), GRACE);
}

#[tokio::test(start_paused = true)]
async fn a_second_request_ends_the_grace_period_at_once() {
    let supervisor = Supervisor::new(GRACE);
    let (sender, requests) = stop_requests();
    sender.send("first").unwrap();
    let second = async {
        sleep(Duration::from_secs(2)).await;
        sender.send("second").unwrap();
    };
    let started = Instant::now();
    let (outcome, ()) = tokio::join!(supervisor.run(pending(), requests), second);
    assert_eq!(outcome, Outcome::Forced(vec!["main".to_owned()]));
    assert_eq!(started.elapsed(), Duration::from_secs(2));
}

#[tokio::test(start_paused = true)]
async fn a_task_can_ask_the_service_to_stop() {
    let supervisor = Supervisor::new(GRACE);
    let context = supervisor.context();
    let stop = context.stop.clone();
    context.spawn("watcher", async move {
        sleep(Duration::from_secs(1)).await;
        stop.cancel();
        Ok(())
    });
    let main = async move {
        context.stop.cancelled().await;
        Ok(())
    };
    let (_sender, requests) = stop_requests();
    let outcome = supervisor.run(main, requests).await;
    // The watcher ends in the same step in which it asks: that is no early end.
    assert_eq!(outcome, Outcome::Clean);
}
