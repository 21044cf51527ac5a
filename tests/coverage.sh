#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
#
# Branches of src that the suites take which run in one process: the live ones start agents of their own and are left out. Prints the
# summary; the report of every line is artifacts/coverage/index.html. What is built already is what is run.
set -euo pipefail
cd "$(dirname "$0")/.."

configuration=${1-Release}
suites=(LoadBalancing Kubernetes Linux Datapath Agent Cli Scenarios)
out=artifacts/coverage

rm -rf "$out"
status=0
for suite in "${suites[@]}"; do
	dotnet test "tests/EbpfLb.$suite.Tests" -c "$configuration" --no-build --nologo --verbosity quiet \
		--collect 'XPlat Code Coverage' --settings tests/coverage.runsettings --results-directory "$out/raw" ||
		status=1
done

dotnet tool restore >"$out/restore.log" || { cat "$out/restore.log" >&2; exit 1; }
dotnet reportgenerator "-reports:$out/raw/**/*.xml" "-targetdir:$out" '-reporttypes:Html;TextSummary' -verbosity:Warning
awk '/^  (Line|Branch) coverage/ || /^(EbpfLb|ebpflb)/' "$out/Summary.txt"
exit "$status"
