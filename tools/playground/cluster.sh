#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
#
# Two nodes, their pods and two clients, in network namespaces. See ../README.md for the picture.
#
#   cluster.sh up --id RUN      prints what it made, as shell assignments
#   cluster.sh down --id RUN    removes all of it; nothing there is no error
#
# Everything carries the run id, so that runs do not meet.

set -Eeuo pipefail

usage() {
	echo "usage: cluster.sh up|down --id RUN      (RUN: 1 to 20 of a-z 0-9)" >&2
	exit 2
}

[[ $# -eq 3 && $2 == --id && $3 =~ ^[a-z0-9]{1,20}$ ]] || usage
verb=$1
run=$3

directory=/run/ebpflb-playground-$run
namespaces=("n1-$run" "n2-$run" "p11-$run" "p12-$run" "p13-$run" "p14-$run" "p21-$run" "p22-$run" "c-$run" "d-$run")

cgroup2=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
[[ -n $cgroup2 ]] || { echo "cluster.sh: no cgroup2 is mounted: mount -t cgroup2 none /sys/fs/cgroup/unified" >&2; exit 1; }
cgroup=$cgroup2/ebpflb-$run

# Before links exist, because they inherit the defaults. No duplicate address detection: addresses are usable at once.
sysctls() { # NAMESPACE IS_ROUTER
	# shellcheck disable=SC2016 # the inner shell expands
	nsenter --net="/run/netns/$1" sh -c '
		cd /proc/sys/net
		for device in all default; do
			echo 0 >ipv6/conf/$device/disable_ipv6
			echo 0 >ipv6/conf/$device/accept_dad
			echo 0 >ipv4/conf/$device/rp_filter
		done
		if [ "$0" = 1 ]; then
			echo 1 >ipv4/ip_forward
			echo 1 >ipv6/conf/all/forwarding
		fi' "$2"
}

# The index: a veth whose two ends have the same index, each in its namespace, looks to the kernel like a device without a lower one,
# whose state it may take a second to follow. Until then frames are lost.
links() { # NODE POD...
	local node=$1 pod
	shift
	echo "link set lo up"
	echo "link add eth0 index 101 type veth peer name $node netns c-$run"
	echo "link add br0 type bridge mcast_snooping 0"
	for pod in "$@"; do
		echo "link add $pod type veth peer name eth0 netns $pod-$run"
		echo "link set $pod master br0 up"
	done
	echo "link set br0 up"
	echo "link set eth0 up"
}

node() { # NUMBER OTHER POD...
	local number=$1 other=$2
	shift 2
	links "n$number" "$@"
	cat <<-END
		addr add 10.244.$number.1/24 dev br0
		addr add fd00:10:244:$number::1/64 dev br0 nodad
		addr add 10.10.0.$number/24 dev eth0
		addr add fd00:10:10::$number/64 dev eth0 nodad
		route add 10.244.$other.0/24 via 10.10.0.$other
		route add fd00:10:244:$other::/64 via fd00:10:10::$other
		route add default via 10.10.0.254
		route add default via fd00:10:10::fe
	END
}

pod() { # NODE_NUMBER HOST_NUMBER
	cat <<-END
		link set lo up
		link set eth0 up
		addr add 10.244.$1.$2/24 dev eth0
		addr add fd00:10:244:$1::$2/64 dev eth0 nodad
		route add default via 10.244.$1.1
		route add default via fd00:10:244:$1::1
	END
}

# The switch between the nodes, the router behind them and the client, in one.
client() {
	cat <<-END
		link set lo up
		link add fabric type bridge mcast_snooping 0
		link set n1 master fabric up
		link set n2 master fabric up
		link set fabric up
		addr add 192.0.2.10/32 dev lo
		addr add 2001:db8::10/128 dev lo nodad
		addr add 10.10.0.254/24 dev fabric noprefixroute
		addr add fd00:10:10::fe/64 dev fabric nodad noprefixroute
		route add 10.10.0.0/24 dev fabric src 192.0.2.10
		route add 10.244.1.0/24 via 10.10.0.1 src 192.0.2.10
		route add 10.244.2.0/24 via 10.10.0.2 src 192.0.2.10
		route add fd00:10:10::/64 dev fabric src 2001:db8::10
		route add fd00:10:244:1::/64 via fd00:10:10::1 src 2001:db8::10
		route add fd00:10:244:2::/64 via fd00:10:10::2 src 2001:db8::10
		link add name behind type veth peer name eth0 netns d-$run
		link set behind up
		addr add 198.51.100.1/24 dev behind
		addr add 2001:db8:51::1/64 dev behind nodad
	END
}

# A client behind the router.
distant_client() {
	cat <<-END
		link set lo up
		link set eth0 up
		addr add 198.51.100.10/24 dev eth0
		addr add 2001:db8:51::10/64 dev eth0 nodad
		route add default via 198.51.100.1
		route add default via 2001:db8:51::1
	END
}

describe() {
	local namespace name
	echo "RUN=$run"
	echo "RUN_DIRECTORY=$directory"
	echo "PIDS=$directory/pids"
	echo "BPFFS=$directory/bpf"
	echo "BPFFS_N2=$directory/bpf2"
	echo "CGROUP=$cgroup"
	echo "CGROUP_N1=$cgroup/node1"
	echo "CGROUP_N2=$cgroup/node2"
	echo "CGROUP_OUTSIDE=$cgroup/outside"
	for namespace in "${namespaces[@]}"; do
		name=${namespace%-"$run"}
		echo "NETNS_${name^^}=/run/netns/$namespace"
	done
}

up() {
	local namespace

	[[ ! -e $directory ]] || { echo "cluster.sh: run $run is up already; cluster.sh down --id $run ends it" >&2; exit 1; }
	trap 'down; exit 1' ERR INT TERM
	mkdir -m 0700 "$directory"
	mkdir "$directory/pids" "$directory/bpf" "$directory/bpf2"
	mount -t bpf -o mode=0700 none "$directory/bpf"
	mount -t bpf -o mode=0700 none "$directory/bpf2"
	mkdir "$cgroup" "$cgroup/node1" "$cgroup/node2" "$cgroup/outside"

	for namespace in "${namespaces[@]}"; do
		ip netns add "$namespace"
		case $namespace in
		n*|c*) sysctls "$namespace" 1 ;;
		*) sysctls "$namespace" 0 ;;
		esac
	done
	node 1 2 p11 p12 p13 p14 | ip -n "n1-$run" -batch -
	node 2 1 p21 p22 | ip -n "n2-$run" -batch -
	client | ip -n "c-$run" -batch -
	distant_client | ip -n "d-$run" -batch -
	pod 1 11 | ip -n "p11-$run" -batch -
	pod 1 12 | ip -n "p12-$run" -batch -
	pod 1 13 | ip -n "p13-$run" -batch -
	pod 1 14 | ip -n "p14-$run" -batch -
	pod 2 21 | ip -n "p21-$run" -batch -
	pod 2 22 | ip -n "p22-$run" -batch -
	describe | tee "$directory/env"
}

in_a_namespace_of_the_run() { # PID
	local namespace of_process
	of_process=$(stat -Lc %i "/proc/$1/ns/net" 2>/dev/null) || return 1
	for namespace in "${namespaces[@]}"; do
		[[ $(stat -Lc %i "/run/netns/$namespace" 2>/dev/null) != "$of_process" ]] || return 0
	done
	return 1
}

# Those in the run's cgroups, and those recorded in the run's directory. A recorded number may meanwhile be someone else's process:
# only one that lives in a namespace of the run counts.
processes() {
	local pidfile pid
	if [[ -d $cgroup ]]; then
		find "$cgroup" -name cgroup.procs -exec cat {} +
	fi
	for pidfile in "$directory"/pids/*; do
		[[ -f $pidfile ]] || continue
		read -r pid <"$pidfile" || continue
		[[ $pid =~ ^[0-9]+$ ]] || continue
		if in_a_namespace_of_the_run "$pid"; then
			echo "$pid"
		fi
	done
}

end_processes() {
	local signal tries pids
	for signal in TERM KILL; do
		mapfile -t pids < <(processes | sort -un)
		((${#pids[@]})) || return 0
		kill -s "$signal" "${pids[@]}" 2>/dev/null || true
		for ((tries = 0; tries < 100; tries++)); do
			[[ -n $(processes) ]] || return 0
			sleep 0.02
		done
	done
	echo "cluster.sh: processes of run $run do not end: $(processes | tr '\n' ' ')" >&2
	return 1
}

down() {
	local namespace
	trap - ERR INT TERM
	end_processes
	for namespace in "${namespaces[@]}"; do
		[[ ! -e /run/netns/$namespace ]] || ip netns del "$namespace"
	done
	if [[ -d $cgroup ]]; then
		find "$cgroup" -depth -type d -exec rmdir {} \;
	fi
	local mount
	for mount in "$directory/bpf" "$directory/bpf2"; do
		if mountpoint -q "$mount"; then
			umount "$mount"
		fi
	done
	rm -rf "$directory"
}

case $verb in
up) up ;;
down) down ;;
*) usage ;;
esac
