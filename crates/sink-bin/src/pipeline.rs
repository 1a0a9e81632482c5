//! The loop: fill a batch while others are being stored, and give it to a writer that is free.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use monitor_kafka::{Chunk, Consumer, Progress};
use monitor_runtime::CancellationToken;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use crate::begin::begin;
use crate::config::SinkSettings;
use crate::settle::Settler;
use crate::writer::Writer;

/// Most bytes of messages in a batch, but for its last chunk.
const BATCH_BYTES: usize = 7 << 20;
/// Most bytes of messages that are being stored or wait to be, but for the last chunk. Less than a
/// batch for each writer and another one: what comes next can wait with the client, and there it is
/// compressed.
const BYTES: usize = 17 << 20;

/// Reads, settles and commits until `stop`, or until the consumer has nothing more.
pub(crate) async fn run(
    mut consumer: Consumer,
    settler: Settler,
    writers: Vec<Writer>,
    settings: &SinkSettings,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let mut pipeline = Pipeline {
        progress: consumer.progress(),
        settler: Arc::new(settler),
        writers,
        jobs: JoinSet::new(),
        batches: 0,
        bytes: 0,
        starting: false,
        filling: Filling::new(settings),
        ended: false,
    };
    while !pipeline.is_done() {
        pipeline.dispatch();
        let next = pipeline.next_look();
        tokio::select! {
            biased;
            () = stop.cancelled() => break,
            Some(job) = pipeline.jobs.join_next() => pipeline.finished(job)?,
            () = pipeline.progress.has_news() => {}
            () = sleep_until(next.unwrap_or_else(Instant::now)), if next.is_some() => {}
            chunk = consumer.next_chunk(), if pipeline.has_room() => match chunk {
                Some(chunk) => pipeline.filling.push(chunk),
                None => pipeline.ended = true,
            }
        }
    }
    while let Some(job) = pipeline.jobs.join_next().await {
        pipeline.finished(job)?;
    }
    drop(pipeline);
    Ok(consumer.close().await?)
}

struct Pipeline {
    progress: Progress,
    settler: Arc<Settler>,
    /// Those that are free.
    writers: Vec<Writer>,
    jobs: JoinSet<(Job, Writer)>,
    /// How many batches are being settled.
    batches: usize,
    /// How many bytes of messages are in them.
    bytes: usize,
    /// Whether partitions are being started.
    starting: bool,
    filling: Filling,
    /// No more messages will come.
    ended: bool,
}

#[derive(Clone, Copy)]
enum Job {
    Start,
    /// Messages of so many bytes.
    Batch(usize),
}

impl Pipeline {
    fn is_done(&self) -> bool {
        self.ended && self.filling.chunks.is_empty() && self.jobs.is_empty()
    }

    fn has_room(&self) -> bool {
        let all = self.bytes + self.filling.bytes;
        !self.ended && !self.filling.is_full() && (all < BYTES || self.filling.chunks.is_empty())
    }

    /// Gives work to the writers that are free. To let partitions begin comes first.
    fn dispatch(&mut self) {
        let (waiting, _) = self.progress.waiting();
        if !self.starting && !waiting.is_empty() {
            self.start_partitions();
        }
        if self.batch_is_due() {
            self.settle_batch();
        }
    }

    /// A full batch is stored beside others; one that is not waits for them and goes on filling,
    /// because what counts then is not speed.
    fn batch_is_due(&self) -> bool {
        let Some(due) = self.filling.due() else {
            return false;
        };
        let waited = self.batches == 0 && (due <= Instant::now() || self.ended);
        self.filling.is_full() || waited
    }

    /// When to look again for something to do.
    fn next_look(&self) -> Option<Instant> {
        let (_, start) = self.progress.waiting();
        let batch = self.filling.due().filter(|_| self.batches == 0);
        let times = [batch, start.map(Instant::from_std)];
        times.into_iter().flatten().min()
    }

    fn start_partitions(&mut self) {
        let Some(mut writer) = self.writers.pop() else {
            return;
        };
        self.starting = true;
        let (settler, progress) = (Arc::clone(&self.settler), self.progress.clone());
        self.jobs.spawn(async move {
            begin(&settler, &progress, &mut writer).await;
            (Job::Start, writer)
        });
    }

    fn settle_batch(&mut self) {
        let Some(mut writer) = self.writers.pop() else {
            return;
        };
        let bytes = self.filling.bytes;
        (self.batches, self.bytes) = (self.batches + 1, self.bytes + bytes);
        let chunks = self.filling.take();
        let ticket = self.progress.take(&chunks);
        let settler = Arc::clone(&self.settler);
        self.jobs.spawn(async move {
            settler.settle(&mut writer, &ticket, &chunks).await;
            (Job::Batch(bytes), writer)
        });
    }

    fn finished(
        &mut self,
        job: Result<(Job, Writer), tokio::task::JoinError>,
    ) -> anyhow::Result<()> {
        let (job, writer) = job.context("storing ended without an end")?;
        match job {
            Job::Start => self.starting = false,
            Job::Batch(bytes) => {
                (self.batches, self.bytes) = (self.batches - 1, self.bytes - bytes);
            }
        }
        self.writers.push(writer);
        Ok(())
    }
}

/// The batch that is being filled.
struct Filling {
    chunks: Vec<Chunk>,
    messages: usize,
    bytes: usize,
    since: Option<Instant>,
    most: usize,
    chunk: usize,
    wait: Duration,
}

impl Filling {
    fn new(settings: &SinkSettings) -> Self {
        Self {
            chunks: Vec::new(),
            messages: 0,
            bytes: 0,
            since: None,
            most: settings.batch_max_events,
            chunk: settings.chunk_size(),
            wait: settings.batch_max_wait,
        }
    }

    fn push(&mut self, chunk: Chunk) {
        self.messages += chunk.len();
        self.bytes += chunk.bytes();
        self.since.get_or_insert_with(Instant::now);
        self.chunks.push(chunk);
    }

    fn is_full(&self) -> bool {
        let holds_some = !self.chunks.is_empty();
        holds_some && (self.messages + self.chunk > self.most || self.bytes >= BATCH_BYTES)
    }

    /// When its first message has waited long enough.
    fn due(&self) -> Option<Instant> {
        self.since.map(|since| since + self.wait)
    }

    fn take(&mut self) -> Vec<Chunk> {
        (self.messages, self.bytes, self.since) = (0, 0, None);
        std::mem::take(&mut self.chunks)
    }
}
