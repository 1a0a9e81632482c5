//! What an event says, in the types of the table.

use monitor_core::event::{KeptEvent, Warning};

use crate::error::StoreError;

/// Warnings as the text of an array; `None` without any.
pub(super) fn warnings(warnings: &[Warning]) -> Option<String> {
    let names: Vec<&str> = warnings.iter().map(Into::into).collect();
    (!names.is_empty()).then(|| format!("{{{}}}", names.join(",")))
}

/// The numbers of an event that are narrower in the table.
pub(super) struct Numbers {
    pub(super) started_after_ms: Option<i32>,
    /// DNS, connect, TLS, first byte, transfer, total.
    pub(super) phases_us: [Option<i32>; 6],
    pub(super) status_code: Option<i16>,
    pub(super) attempts: i16,
}

impl Numbers {
    pub(super) fn of(event: &KeptEvent<'_>) -> Result<Self, StoreError> {
        Self::narrowed(event).map_err(|error| {
            StoreError::Value(format!(
                "check {} does not fit the table: {error}",
                event.id
            ))
        })
    }

    fn narrowed(event: &KeptEvent<'_>) -> Result<Self, std::num::TryFromIntError> {
        let t = &event.timings_us;
        let mut phases_us = [None; 6];
        let phases = [t.dns, t.connect, t.tls, t.first_byte, t.transfer, t.total];
        for (narrow, wide) in phases_us.iter_mut().zip(phases) {
            *narrow = wide.map(i32::try_from).transpose()?;
        }
        let started_after = event.started_at.map(|at| at - event.scheduled_at);
        Ok(Self {
            started_after_ms: started_after
                .map(|delay| delay.num_milliseconds().try_into())
                .transpose()?,
            phases_us,
            status_code: event.status_code.map(i16::try_from).transpose()?,
            attempts: i16::try_from(event.attempts)?,
        })
    }
}
