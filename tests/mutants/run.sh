#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
#
# The test of the tests: each patch beside this script is a bug, and the tests it names must fail on it. They run once without any bug
# first, where all must pass. Everything happens in a work tree of HEAD, artifacts/mutants/tree; the results are in artifacts/mutants.
#
#   run.sh [NAME...]      all, or those with these names
#
# Exit status: 0 every bug was found, 1 one was not, or could not be tried.
set -euo pipefail
cd "$(dirname "$0")/../.."

out=$PWD/artifacts/mutants
tree=$out/tree
here=$PWD/tests/mutants
configuration=Release
mutants=("$@")
[[ ${#mutants[@]} -gt 0 ]] || mapfile -t mutants < <(cd "$here" && ls -- *.patch | sed 's/\.patch$//')

field() { # NAME FIELD
	[[ -f $here/$1.patch ]] || { echo "run.sh: there is no $here/$1.patch" >&2; exit 1; }
	sed -n "s/^$2: //p;/^$/q" "$here/$1.patch"
}

filter() { # TESTS, separated by |
	local expression=FullyQualifiedName~${1//|/|FullyQualifiedName~}
	echo "$expression"
}

# The packet suite loads objects where make left them; all others have them inside of what is built.
build() { # SUITE LOG [MUTANT]
	make -C "$tree" bpf probe >"$2" 2>&1 || return 1
	[[ $1 == Packets && -n ${3-} ]] && ! grep -q '^--- src/' "$here/$3.patch" ||
		dotnet build "$tree/tests/EbpfLb.$1.Tests" -c "$configuration" --nologo -v quiet >>"$2" 2>&1
}

run() { # SUITE TESTS LOG
	dotnet test "$tree/tests/EbpfLb.$1.Tests" -c "$configuration" --no-build --nologo --filter "$(filter "$2")" >"$3" 2>&1
}

failed() { # LOG: the first test that failed
	sed -n '/^ *Failed /{ s/^ *Failed \([^ ([]*\).*/\1/p; q }' "$1"
}

clean() {
	git worktree remove --force "$tree" 2>/dev/null || true
	git worktree prune
}

mkdir -p "$out"
clean
trap clean EXIT
git worktree add --quiet --detach "$tree" HEAD

echo "Without a bug: everything that is named must pass"
declare -A tests=()
for mutant in "${mutants[@]}"; do
	suite=$(field "$mutant" Suite)
	tests[$suite]+="${tests[$suite]:+|}$(field "$mutant" Tests)"
done
for suite in "${!tests[@]}"; do
	if ! build "$suite" "$out/$suite.log" || ! run "$suite" "${tests[$suite]}" "$out/$suite.log"; then
		echo "  $suite: failed without any bug, see $out/$suite.log" >&2
		exit 1
	fi
	echo "  $suite: $(sed -n 's/.*\(Passed: *[0-9]*\).*/\1/p' "$out/$suite.log" | tail -n 1)"
done

survivors=0
for mutant in "${mutants[@]}"; do
	suite=$(field "$mutant" Suite)
	log=$out/$mutant.log
	verdict=survived found=-
	if ! patch --directory "$tree" --strip 0 --fuzz 2 --forward --silent --input "$here/$mutant.patch" >"$log" 2>&1; then
		verdict='patch does not apply'
	elif ! build "$suite" "$log" "$mutant"; then
		verdict='does not build'
	elif ! run "$suite" "$(field "$mutant" Tests)" "$log"; then
		found=$(failed "$log")
		[[ -z $found ]] && verdict='no test failed' || verdict=found
	fi
	git -C "$tree" checkout --quiet -- .
	[[ $verdict == found ]] || survivors=$((survivors + 1))
	printf '%-22s %-12s %-14s %s\n' "$mutant" "$verdict" "$suite" "$found"
done

echo "${#mutants[@]} bugs, $((${#mutants[@]} - survivors)) found, $survivors not"
[[ $survivors -eq 0 ]]
