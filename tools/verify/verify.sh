#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
#
# Loads every BPF object of artifacts/bpf on a BPF file system of its own, and prints what the verifier says of each program.

set -Eeuo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
PATH=$PATH:/usr/sbin:/sbin

((EUID == 0)) || { echo "verify.sh: takes root" >&2; exit 1; }

mkdir -p artifacts/tools
${CC:-clang} -O2 -Wall -Wextra -Werror -o artifacts/tools/proginfo tools/verify/proginfo.c

bpffs=$(mktemp -d)
trap 'umount "$bpffs" 2>/dev/null || true; rmdir "$bpffs"' EXIT
mount -t bpf -o mode=0700 none "$bpffs"

failed=0
printf '%-14s %12s %14s\n' program instructions verified_insns
for object in artifacts/bpf/lb_*.bpf.o; do
	name=$(basename "$object" .bpf.o)
	if bpftool --nomount prog loadall "$object" "$bpffs/$name" >"artifacts/$name.load.log" 2>&1; then
		artifacts/tools/proginfo "$bpffs/$name"/*
		rm "artifacts/$name.load.log"
	else
		echo "$object does not load; artifacts/$name.load.log ends:" >&2
		tail -n 20 "artifacts/$name.load.log" >&2
		failed=1
	fi
	rm -rf "${bpffs:?}/$name"
done
exit $failed
