# SPDX-License-Identifier: Apache-2.0
#   make              the same as make build
#   make build        installs missing Debian packages, then builds bazel-bin/runsc/runsc
#   make run          a short tour of a sandbox; make run CMD='ls /proc' runs one command in it
#   make test         every test; the last line counts the cases
#   make test-asan    the same with AddressSanitizer and UndefinedBehaviorSanitizer
#   make test-engines containers under podman, Docker and containerd, beside runc
#   make bench        the benchmarks (ARGS='...' goes to test/benchmark/run)
#   make soak         a sandbox under changing load, for SOAK_SECONDS=600
#   make lint         layering, file sizes, licence lines, format
#   make install      PREFIX=/usr/local
#   make clean        removes what was built

SHELL := /bin/bash
BAZEL ?= bazel
PREFIX ?= /usr/local
SOAK_SECONDS ?= 600
RUNSC := bazel-bin/runsc/runsc

.PHONY: build setup run test test-asan test-engines bench soak lint install clean

build: setup
	@$(BAZEL) build //runsc

setup:
	@tools/setup

# CMD travels in the environment: its quotes are the guest shell's business, not make's.
export CMD BAZEL
run: build
	@if [[ -n "$$CMD" ]]; then exec $(RUNSC) do -- sh -c "$$CMD"; else exec tools/tour; fi

test: setup
	@tools/test

test-asan: setup
	@tools/test --config=asan

test-engines: build
	@test/engines/setup
	@test/engines/run --runsc=$(RUNSC) $(ARGS)

bench: build
	@test/benchmark/run $(ARGS)

soak: build
	@test/stress/soak.py --runsc=$(RUNSC) --seconds=$(SOAK_SECONDS)

lint:
	@tools/lint/lint

install: $(RUNSC)
	install -D -m 0755 $(RUNSC) $(DESTDIR)$(PREFIX)/bin/runsc

$(RUNSC):
	@$(MAKE) --no-print-directory build

clean:
	@$(BAZEL) clean
