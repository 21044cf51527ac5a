#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
#
# A node and everything around it, in two network namespaces. See README.md for the picture.
#
#   pair.sh up --id RUN      prints what it made, as shell assignments
#   pair.sh down --id RUN    removes all of it; nothing there is no error

set -Eeuo pipefail

usage() {
	echo "usage: pair.sh up|down --id RUN      (RUN: 1 to 20 of a-z 0-9)" >&2
	exit 2
}

[[ $# -eq 3 && $2 == --id && $3 =~ ^[a-z0-9]{1,20}$ ]] || usage
verb=$1
run=$3

here=$(dirname "$(readlink -f "$0")")
artifacts=$here/../../artifacts
directory=/run/ebpflb-xdpbench-$run
around=g-$run
node=n-$run

# Fixed, so that generators need not ask.
mac_n0=02:eb:00:00:00:01
mac_g0=02:eb:00:00:00:02
mac_n1=02:eb:00:00:00:03
mac_g1=02:eb:00:00:00:04

# Before links exist, because they inherit the defaults. A node whose way out is its way in would send redirects.
sysctls() { # NAMESPACE
	# shellcheck disable=SC2016 # the inner shell expands
	nsenter --net="/run/netns/$1" sh -c '
		cd /proc/sys/net
		for device in all default; do
			echo 0 >ipv6/conf/$device/disable_ipv6
			echo 0 >ipv6/conf/$device/accept_dad
			echo 0 >ipv6/conf/$device/router_solicitations
			echo 0 >ipv4/conf/$device/rp_filter
			echo 0 >ipv4/conf/$device/send_redirects
		done
		echo 1 >ipv4/ip_forward
		echo 1 >ipv6/conf/all/forwarding'
}

# Indexes differ between the ends: see tools/playground/cluster.sh.
links() {
	cat <<-END
		link set lo up
		link add n0 index 101 address $mac_n0 type veth peer name g0 address $mac_g0 netns $around
		link add n1 index 102 address $mac_n1 type veth peer name g1 address $mac_g1 netns $around
		link set n0 up
		link set n1 up
		addr add 10.10.0.1/24 dev n0
		addr add 10.20.0.1/24 dev n1
		addr add fd00:10:10::1/64 dev n0 nodad
		addr add fd00:10:20::1/64 dev n1 nodad
		neigh add 10.10.0.254 lladdr $mac_g0 dev n0
		neigh add 10.20.0.254 lladdr $mac_g1 dev n1
		neigh add fd00:10:10::fe lladdr $mac_g0 dev n0
		neigh add fd00:10:20::fe lladdr $mac_g1 dev n1
	END
}

routes() {
	cat <<-END
		route add default via 10.10.0.254
		route add 10.244.2.0/24 via 10.10.0.254
		route add 10.244.3.0/24 via 10.20.0.254
		route add default via fd00:10:10::fe
		route add fd00:10:244:2::/64 via fd00:10:10::fe
		route add fd00:10:244:3::/64 via fd00:10:20::fe
	END
}

around_links() {
	cat <<-END
		link set g0 up
		link set g1 up
		addr add 10.10.0.254/24 dev g0
		addr add 10.20.0.254/24 dev g1
		addr add fd00:10:10::fe/64 dev g0 nodad
		addr add fd00:10:20::fe/64 dev g1 nodad
		neigh add 10.10.0.1 lladdr $mac_n0 dev g0
		neigh add fd00:10:10::1 lladdr $mac_n0 dev g0
	END
}

describe() {
	echo "RUN=$run"
	echo "BPFFS=$directory/bpf"
	echo "PINS=$directory/bpf/tool"
	echo "NETNS_NODE=/run/netns/$node"
	echo "NETNS_AROUND=/run/netns/$around"
	echo "FLOWS='--from $mac_g0 --to $mac_n0'"
}

up() {
	local device

	[[ ! -e $directory ]] || { echo "pair.sh: run $run is up already; pair.sh down --id $run ends it" >&2; exit 1; }
	trap 'down; exit 1' ERR INT TERM
	mkdir -m 0700 "$directory"
	mkdir "$directory/bpf"
	mount -t bpf -o mode=0700 none "$directory/bpf"
	ip netns add "$around"
	ip netns add "$node"
	sysctls "$around"
	sysctls "$node"
	links | ip -n "$node" -batch -
	around_links | ip -n "$around" -batch -
	routes | ip -n "$node" -batch -

	mkdir "$directory/bpf/tool" "$directory/bpf/links"
	bpftool prog loadall "$artifacts/bench/xdpbench.bpf.o" "$directory/bpf/tool/programs" pinmaps "$directory/bpf/tool/maps"
	for device in g0 g1; do
		"$artifacts/tools/xdpbench" attach --netns "/run/netns/$around" --device $device \
			--program "$directory/bpf/tool/programs/count" --hook xdp --link "$directory/bpf/links/$device"
	done
	# Where bare_redirect sends: n1, whose index is 102.
	bpftool map update pinned "$directory/bpf/tool/maps/outlet" key 0 0 0 0 value 102 0 0 0
	describe
}

down() {
	local namespace
	trap - ERR INT TERM
	for namespace in "$around" "$node"; do
		[[ ! -e /run/netns/$namespace ]] || ip netns del "$namespace"
	done
	if mountpoint -q "$directory/bpf"; then
		umount "$directory/bpf"
	fi
	rm -rf "$directory"
}

case $verb in
up) up ;;
down) down ;;
*) usage ;;
esac
