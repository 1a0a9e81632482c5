//! When all partitions have to begin anew: an offset is not in the topic any more, or the topic is
//! another one.

use super::Poller;
use crate::consumer::Chunk;
use crate::error::KafkaError;

impl Poller {
    /// Some partition does not have the offset that was asked for; which, the client does not say.
    /// It has stopped reading that one for good, so all are to be taken over once more.
    pub(super) fn plan_to_begin_anew(&mut self) -> Result<(), KafkaError> {
        let partitions = self.member().assignment.partitions(true);
        tracing::warn!(
            ?partitions,
            "an offset is not in the topic: storing what was read, then looking anew where to begin"
        );
        self.anew = true;
        self.pause(&partitions)
    }

    /// Not before all that was read is stored: the topic may not have it any more, and only then is
    /// it known what is missing.
    pub(super) fn begin_anew(&mut self) -> Result<(), KafkaError> {
        let assignment = &self.context.role.assignment;
        if !self.anew || !self.chunk.is_empty() || assignment.is_under_way() {
            return Ok(());
        }
        self.anew = false;
        let partitions = assignment.all_partitions();
        if partitions.is_empty() {
            return Ok(());
        }
        self.take_over(&partitions)
    }

    /// What was read so far is nothing of the topic that has this name now.
    pub(super) fn follow_to_new_topic(&mut self) -> Result<(), KafkaError> {
        let partitions = self.member().assignment.all_partitions();
        tracing::error!(
            ?partitions,
            "the topic was deleted and made anew: reading all of it"
        );
        (self.chunk, self.anew) = (Chunk::default(), false);
        self.member().assignment.lost(&partitions);
        self.member().identity.accept(&partitions);
        self.take_over(&partitions)
    }
}
