# `make demo` and `make test` do all set-up on a fresh Debian machine (root or sudo). Rust itself is only checked for.
.PHONY: help demo test bench
.DEFAULT_GOAL := help

help:
	@echo 'make demo    build, and check the history in fixtures/demo'
	@echo 'make test    format, lints, every test (installs PostgreSQL and docker if there is none)'
	@echo 'make bench   `check` beside the parser alone, `prove` beside psql alone; HISTORY=dir takes a real history'

# The history of the demo has findings: the exit code is exactly 1, anything else is a failure of the demo.
demo:
	@scripts/setup build
	@echo 'building; the first time takes some minutes' && cargo build --locked --quiet
	@echo '$$ phasegate check fixtures/demo' && { cargo run --locked --quiet -- check fixtures/demo; code=$$?; } ; \
		if [ $$code -ne 1 ]; then echo "demo: exit code $$code, expected 1 (findings)" >&2; exit 1; fi

test:
	@scripts/setup test
	cargo fmt --check
	cargo clippy --locked --all-targets -- -D warnings
	@if cargo nextest --version >/dev/null 2>&1; then set -x; cargo nextest run --locked; else set -x; cargo test --locked; fi

bench:
	@scripts/setup test
	cargo build --locked --release
	cargo bench --locked --bench check -- $(HISTORY)
	cargo bench --locked --bench prove -- $(HISTORY)
