#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
#
# The only process of a guest (kernels.sh), on a copy of the machine's files: loads the objects, serves a playground, sends traffic. Tells
# the second serial line 'check NAME ok|failed|none DETAIL', and turns the guest off.

set -uo pipefail

export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root
cd "$REPOSITORY" || exit 1
exec 3>/dev/ttyS1
lbprobe=$REPOSITORY/artifacts/tools/lbprobe

check() { # NAME OUTCOME DETAIL...
	echo "check $1 $2 ${*:3}" | tr '\n' ' ' >&3
	echo >&3
}

# A command's last line tells what went wrong.
expect() { # NAME COMMAND...
	local output
	if output=$("${@:2}" 2>&1); then
		check "$1" ok "$output"
	else
		check "$1" failed "$output"
	fi
}

off() {
	check end ok "$(cut -d' ' -f1 /proc/uptime) s"
	sync
	echo o >/proc/sysrq-trigger
	sleep 60
}
trap off EXIT

set_up() {
	local directory
	mount -t tmpfs none /run
	mount -t tmpfs none /tmp
	mkdir -p /usr/lib/modules /sys/fs/cgroup /run/netns
	mount --bind "$MODULES" /usr/lib/modules
	mount -t bpf none /sys/fs/bpf
	mount -t cgroup2 none /sys/fs/cgroup
	for directory in /dev/pts /dev/shm; do
		mkdir -p "$directory"
	done
	mount -t devpts none /dev/pts
	mount -t tmpfs none /dev/shm
	ip link set lo up
	dmesg -n 1
}

loads() { # OBJECT
	bpftool --nomount prog loadall "artifacts/bpf/$1.bpf.o" "/sys/fs/bpf/$1" >"/tmp/$1.log" 2>&1 || {
		grep -v -e '^libbpf: failed' -e '^Error' -e '^Warning' -e '^If it' -e '^$' "/tmp/$1.log" | tail -n 3
		return 1
	}
	rm -r "/sys/fs/bpf/${1:?}"
}

playground() {
	local pod
	tools/playground/cluster.sh up --id guest >/tmp/cluster.env || return 1
	# shellcheck disable=SC1091
	. /tmp/cluster.env
	# shellcheck disable=SC1091
	. tools/demo/pods.sh
	# XDP reads checksums: a sender that leaves them to its device leaves its packets to tc.
	nsenter --net="$NETNS_C" ethtool -K n1 tx off >/dev/null
	ip -n c-guest -batch - <<-END
		route add 203.0.113.0/24 via 10.10.0.1 src 192.0.2.10
		route add 2001:db8:113::/64 via fd00:10:10::1 src 2001:db8::10
	END
	for pod in p11 p12 p13 p21; do
		enter "$pod" setsid "$lbprobe" serve --name "$pod" --tcp 8080 --udp 8443 --pidfile "$PIDS/$pod" </dev/null >"/tmp/$pod.log" 2>&1 &
	done
	mkdir "$RUN_DIRECTORY/manifests"
	cp tools/manifests/*.yaml "$RUN_DIRECTORY/manifests"
}

start_agent() {
	nsenter --net="$NETNS_N1" "$AGENT" agent --manifests "$RUN_DIRECTORY/manifests" --node-name n1 --bpffs "$BPFFS" --cgroup "$CGROUP_N1" \
		--healthz-bind-address none --metrics-bind-address none </dev/null >/tmp/agent.log 2>&1 &
	local second pid=$!
	echo "$pid" >"$PIDS/agent"
	for ((second = 0; second < 180; second++)); do
		grep -q 'First sync' /tmp/agent.log && return 0
		kill -0 "$pid" 2>/dev/null || break
		sleep 1
	done
	tail -n 3 /tmp/agent.log
	return 1
}

stop_agent() { # SIGNAL
	local pid
	pid=$(<"$PIDS/agent")
	kill "-$1" "$pid"
	while kill -0 "$pid" 2>/dev/null && ! grep -qs '^State:.*Z' "/proc/$pid/status"; do
		sleep 0.2
	done
}

# Both families, and every backend that there should be.
reaches() { # PLACE PROTOCOL ADDRESS PORT BACKENDS
	local answer backend
	answer=$(enter "$1" "$lbprobe" "$2" "$3" "$4" --count 40 --timeout 5000)
	for backend in $5; do
		[[ $answer == *"\"$backend\""* ]] || { echo "$2 $3 $4: $answer"; return 1; }
	done
	[[ $answer == *'"failed":0'* || $answer != *'"failed"'* ]] || { echo "$2 $3 $4: $answer"; return 1; }
}

reaches_all() { # PLACE BACKENDS PROTOCOL ADDRESS PORT [PROTOCOL ADDRESS PORT ...]
	local place=$1 backends=$2
	shift 2
	while (($#)); do
		(reaches "$place" "$1" "$2" "$3" "$backends") || return 1
		shift 3
	done
}

cluster_ip() {
	reaches_all p14 'p11 p12 p13' tcp 10.96.0.10 80 tcp fd00:10:96::10 80 udp 10.96.0.10 443 udp fd00:10:96::10 443
}

node_port() {
	reaches_all c 'p11 p21' tcp 10.10.0.1 30080 tcp fd00:10:10::1 30080 udp 10.10.0.1 30443 udp fd00:10:10::1 30443
}

load_balancer() {
	reaches_all c 'p11 p21' tcp 203.0.113.10 80 tcp 2001:db8:113::10 80 udp 203.0.113.10 443 udp 2001:db8:113::10 443
}

refused() {
	local answer
	answer=$( (enter p14 "$lbprobe" tcp 10.96.0.10 81 --count 3) )
	[[ $answer == *ECONNREFUSED* ]] || { echo "ClusterIP: $answer"; return 1; }
	answer=$( (enter c "$lbprobe" tcp 203.0.113.10 81 --count 3) )
	[[ $answer == *ECONNREFUSED* ]] || { echo "load balancer: $answer"; return 1; }
}

reader() { # ARGUMENTS...
	nsenter --net="$NETNS_N1" "$AGENT" "$@" --bpffs "$BPFFS"
}

xdp_works() {
	local links counters
	links=$(nsenter --net="$NETNS_N1" bpftool net show dev eth0)
	[[ $links == *'driver id'* ]] || { echo "not native: $links"; return 1; }
	counters=$(reader counters --by reason)
	grep -q '^xdp *new_flow' <<<"$counters" || { echo "$counters"; return 1; }
}

# How tc programs are held, by which the guest's kernel has to go.
tc_hold() {
	local filters
	filters=$(nsenter --net="$NETNS_N1" tc filter show dev eth0 ingress)
	if [[ $filters == *ebpflb* ]]; then
		check tcx none 'filters of clsact take its place'
	else
		check tcx ok
	fi
}

restart() {
	stop_agent KILL
	node_port || return 1
	start_agent || return 1
	node_port
}

clean_up() {
	stop_agent TERM
	reader cleanup || return 1
	local left
	left=$(nsenter --net="$NETNS_N1" tc qdisc show dev eth0 | grep clsact
		nsenter --net="$NETNS_N1" bpftool net show dev eth0 | grep eth0
		ls "$BPFFS")
	[[ -z $left ]] || { echo "left: $left"; return 1; }
}

set_up
check kernel ok "$(uname -r)"
for object in lb_sock lb_xdp lb_tc lb_sweep lb_sock_iter; do
	expect "load-${object//_/-}" loads "$object"
done
playground >/tmp/playground.log 2>&1 || {
	check playground failed "$(tail -n 3 /tmp/playground.log)"
	exit
}
if start_agent >/tmp/start.log; then
	check agent ok "$(grep -o 'Linux .*' /tmp/agent.log | head -n 1)"
elif grep -q 'cannot do without' /tmp/start.log; then
	check agent none
	check refusal ok "$(</tmp/start.log)"
	exit
else
	check agent failed "$(</tmp/start.log)"
	exit
fi
expect cluster-ip cluster_ip
expect node-port node_port
expect load-balancer load_balancer
expect refuses refused
expect xdp xdp_works
tc_hold
expect status reader status
expect restart restart
expect cleanup clean_up
