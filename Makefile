# SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
#
# The front door: every verb is one target. 'make' alone lists them.

SHELL         := /bin/bash
.SHELLFLAGS   := -euo pipefail -c
.DEFAULT_GOAL := help

CONFIGURATION ?= Release
ARGS          ?=
QUICK         ?=
RUN           ?= artifacts/bench/compare/results.json

RID     := linux-$(if $(filter aarch64,$(shell uname -m)),arm64,x64)
RESULTS := artifacts/test-results
DOTNET  := DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 dotnet

.PHONY: help deps bpf probe loadgen build publish image test e2e fuzz soak mutants coverage coverage-bpf verify kernels demo bench bench-check bench-sync \
	bench-xdp fmt lint clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo "  Arguments go in ARGS: make demo ARGS=--keep"

deps: ## Install what building and testing need (Debian, Ubuntu)
	@tools/deps.sh

bpf: ## Compile the BPF objects into artifacts/bpf
	@$(MAKE) --silent --no-print-directory -C bpf

probe: ## Compile the traffic tool into artifacts/tools
	@$(MAKE) --silent --no-print-directory -C tools/probe

loadgen: ## Compile the load generator of comparisons into artifacts/tools
	@$(MAKE) --silent --no-print-directory -C tools/loadgen
	@$(MAKE) --silent --no-print-directory -C tools/demo

build: deps bpf probe loadgen ## Build everything
	$(DOTNET) build EbpfLb.sln -c $(CONFIGURATION) --nologo -v quiet

publish: deps bpf ## Leave the self-contained executable at artifacts/ebpflb
	@echo "publishing artifacts/ebpflb: a minute or so"
	@$(DOTNET) publish src/EbpfLb.Cli -c Release -r $(RID) -o artifacts --nologo -v quiet
	@ls -lh artifacts/ebpflb | awk '{ print "artifacts/ebpflb " $$5 }'

image: deps probe publish ## Leave an OCI image of the agent at artifacts/ebpflb-image.tar, and run what is in it (root)
	@tools/deploy/image.sh $(ARGS)
	@$(DOTNET) build tools/EbpfLb.FakeApi -c Release --nologo -v quiet
	@tools/deploy/image-check.sh

test: build ## Run every test (as root: those that meet the kernel take it)
	@rm -rf $(RESULTS)
	@status=0; \
	$(DOTNET) test EbpfLb.sln -c $(CONFIGURATION) --no-build --nologo -m:1 --logger trx --results-directory $(RESULTS) \
		-- RunConfiguration.TreatNoTestsAsError=true || status=$$?; \
	tools/test-summary.sh $(RESULTS) || status=1; \
	exit $$status

e2e: deps probe publish ## Serve from a real API server: KUBEBUILDER_ASSETS names etcd and kube-apiserver (root)
	@$(MAKE) --silent --no-print-directory -C tools/demo
	@[[ -z "$${EBPFLB_E2E_FAKE-}" ]] || $(DOTNET) build tools/EbpfLb.FakeApi -c Release --nologo -v quiet
	@tools/e2e/e2e.sh $(ARGS)

fuzz: build ## Run ten million frames through every program, also as C with sanitizers (root)
	@$(MAKE) --silent --no-print-directory -C tests/sanitizer run COUNT=$${EBPFLB_FUZZ_FRAMES:-10000000}
	EBPFLB_FUZZ_FRAMES=$${EBPFLB_FUZZ_FRAMES:-10000000} $(DOTNET) test tests/EbpfLb.Packets.Tests -c $(CONFIGURATION) --no-build --nologo \
		--filter FullyQualifiedName~FuzzTests

coverage-bpf: deps ## Show which branches of bpf/lib a million frames take
	@$(MAKE) --silent --no-print-directory -C tests/sanitizer coverage COUNT=1000000

soak: build ## Change, kill, stop and start for half an hour under traffic, and see that nothing fails and nothing grows (root)
	@mkdir -p artifacts && rm -f artifacts/soak.log
	EBPFLB_SOAK_SECONDS=$${EBPFLB_SOAK_SECONDS:-1800} EBPFLB_SOAK_LOG=$(CURDIR)/artifacts/soak.log $(DOTNET) test tests/EbpfLb.Live.Tests \
		-c $(CONFIGURATION) --no-build --nologo --filter FullyQualifiedName~S190_

mutants: deps ## Check that the tests find each of the bugs in tests/mutants (root): half an hour
	@tests/mutants/run.sh $(ARGS)

coverage: build coverage-bpf ## Show which branches of bpf/lib and of src the suites take (root); the report is artifacts/coverage/index.html
	@tests/coverage.sh $(CONFIGURATION)

verify: deps bpf ## Load every BPF object and show what the verifier says of its programs (root)
	@tools/verify/verify.sh

kernels: deps bpf probe publish ## Run it on Debian's kernels under qemu: ARGS='6.1 newest' (root); a quarter of an hour
	@tools/kernels/kernels.sh $(ARGS)

demo: deps probe publish ## Watch services served by the kernel, in namespaces of their own (root)
	@$(MAKE) --silent --no-print-directory -C tools/demo
	@tools/demo/demo.sh $(ARGS)

bench: deps bpf probe loadgen publish ## Compare direct, iptables, nftables and this data plane (root): ten minutes; QUICK=1: two
	$(DOTNET) build tools/EbpfLb.Bench -c $(CONFIGURATION) --nologo -v quiet
	$(DOTNET) run --project tools/EbpfLb.Bench -c $(CONFIGURATION) --no-build -- --compare $(if $(QUICK),--quick) $(ARGS)

bench-check: deps ## Compare the ratios of the last comparison with the committed ones; RUN=FILE for another
	@$(DOTNET) build tools/EbpfLb.Bench -c $(CONFIGURATION) --nologo -v quiet
	@$(DOTNET) run --project tools/EbpfLb.Bench -c $(CONFIGURATION) --no-build -- --compare-check $(RUN) $(ARGS)

bench-sync: build publish ## Measure the cost of a connection and of programming services (root); QUICK=1: three minutes
	$(DOTNET) run --project tools/EbpfLb.Bench -c $(CONFIGURATION) --no-build -- $(if $(QUICK),--quick) $(ARGS)

bench-xdp: deps bpf probe ## Measure the packet path against a bare XDP program and the kernel (root); QUICK=1: a minute
	@$(MAKE) --silent --no-print-directory -C tools/xdpbench
	$(DOTNET) build src/EbpfLb.Cli -c $(CONFIGURATION) --nologo -v quiet
	$(DOTNET) build tools/EbpfLb.Bench -c $(CONFIGURATION) --nologo -v quiet
	$(DOTNET) run --project tools/EbpfLb.Bench -c $(CONFIGURATION) --no-build -- --packets $(if $(QUICK),--quick) \
		--agent src/EbpfLb.Cli/bin/$(CONFIGURATION)/net10.0/ebpflb \
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
