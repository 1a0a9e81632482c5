//! Prints the OpenAPI document: `cargo run -p api-bin --example openapi > crates/api-bin/openapi.json`.

#[expect(clippy::print_stdout, reason = "that is what it is for")]
fn main() {
    print!("{}", api::document());
}
