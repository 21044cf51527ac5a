#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
#
# Adds up the TRX files of a test run: names what failed or was skipped, and ends with 'N passed, N failed, N skipped'.
set -euo pipefail

results=${1:?usage: test-summary.sh DIRECTORY}
shopt -s nullglob
files=("$results"/*.trx)
if ((${#files[@]} == 0)); then
    echo "error: no test wrote a result into $results" >&2
    exit 1
fi

# One element a line; the attribute order is the logger's own.
grep -hoE '<UnitTestResult [^>]*>' "${files[@]}" | awk '
    function attribute(name) {
        return match($0, " " name "=\"[^\"]*\"") ? substr($0, RSTART + length(name) + 3, RLENGTH - length(name) - 4) : ""
    }
    {
        outcome = attribute("outcome")
        count[outcome]++
        if (outcome == "Failed" || outcome == "NotExecuted")
            print (outcome == "Failed" ? "failed:  " : "skipped: ") attribute("testName")
    }
    END {
        printf "%d passed, %d failed, %d skipped\n", count["Passed"], count["Failed"], count["NotExecuted"]
        exit count["Passed"] == 0 || count["Failed"] > 0
    }'
