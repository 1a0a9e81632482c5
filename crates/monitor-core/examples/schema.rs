//! Prints the JSON Schema of the check event:
//! `cargo run -p monitor-core --example schema > crates/monitor-core/schema/monitor.check.v1.json`.
#![expect(clippy::print_stdout, reason = "printing is what this program is for")]

use monitor_core::event;

fn main() -> Result<(), serde_json::Error> {
    println!("{}", serde_json::to_string_pretty(&event::json_schema())?);
    Ok(())
}
