# Thin names over cargo; `cargo xtask --help` says more. Nothing here needs `just`.

[private]
default:
    @just --list

# The whole monitor on this machine, until Ctrl-C
up *args:
    cargo xtask up {{args}}

# PostgreSQL and Kafka alone, until Ctrl-C
stack:
    cargo xtask stack

# Every check and test, on a stack of its own
test *args:
    cargo xtask test {{args}}

# What the programs cost, beside floors and peers
bench *args:
    cargo xtask bench {{args}}

# The checker
check *args:
    cargo run -q -p checker-bin -- {{args}}

# The sink
sink *args:
    cargo run -q -p sink-bin -- {{args}}

# Apply the migrations
migrate:
    cargo run -q -p admin-bin -- migrate

# Import sites
seed file="deploy/sites.yaml":
    cargo run -q -p admin-bin -- sites import {{file}}

# Format all sources
fmt:
    cargo xtask fmt

# Formatting, lints and documentation
lint:
    cargo xtask lint
