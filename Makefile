# SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
#
# The front door: every verb is one target. 'make' alone lists them.

SHELL         := /bin/bash
.SHELLFLAGS   := -euo pipefail -c
.DEFAULT_GOAL := help

CONFIGURATION ?= Release
ARGS          ?=
QUICK         ?=

RID     := linux-$(if $(filter aarch64,$(shell uname -m)),arm64,x64)
RESULTS := artifacts/test-results
DOTNET  := DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 dotnet

.PHONY: help deps bpf probe build publish test fuzz verify demo bench-sync bench-xdp fmt lint clean

demo: deps probe publish ## Watch a ClusterIP served by the kernel, in namespaces of its own (root)
	@tools/demo/demo.sh $(ARGS)

bench-sync: build publish ## Measure the cost of a connection and of programming services (root)
	$(DOTNET) run --project tools/EbpfLb.Bench -c $(CONFIGURATION) --no-build -- $(ARGS)

bench-xdp: deps bpf probe ## Measure the packet path against a bare XDP program and the kernel (root); QUICK=1: a minute
	@$(MAKE) --silent --no-print-directory -C tools/xdpbench
	$(DOTNET) build tools/EbpfLb.Bench -c $(CONFIGURATION) --nologo -v quiet
	$(DOTNET) run --project tools/EbpfLb.Bench -c $(CONFIGURATION) --no-build -- --packets $(if $(QUICK),--quick) \
		--json artifacts/bench/xdp.json $(ARGS)

fmt: ## Format C and C#
	clang-format -i $$(git ls-files '*.c' '*.h')
	$(DOTNET) format EbpfLb.sln whitespace --no-restore

lint: ## Check formatting, scripts and C without changing anything
	clang-format --dry-run -Werror $$(git ls-files '*.c' '*.h')
	$(DOTNET) format EbpfLb.sln whitespace --no-restore --verify-no-changes
	@if command -v shellcheck >/dev/null; then shellcheck $$(git ls-files '*.sh') .ci/run; else echo "shellcheck is not installed: scripts not checked"; fi

clean: ## Remove what was built
	rm -rf artifacts
	find src tests tools -type d \( -name bin -o -name obj \) -prune -exec rm -rf {} +
