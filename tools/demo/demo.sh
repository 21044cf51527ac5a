#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
#
# A node, its pods and an agent in network namespaces, real traffic, and a check of all that is claimed. See --help.

# shellcheck disable=SC2016 # commands are shown as they are typed, variables included, before they are run
set -Eeuo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cluster=$root/tools/playground/cluster.sh
PATH=$root/artifacts:$root/artifacts/tools:$PATH:/usr/sbin:/sbin

web4=10.96.0.10 web6=fd00:10:96::10
cart=10.96.0.20
search=10.96.0.30
front4=10.96.0.40
nobody=10.96.0.99
node4=10.10.0.1 node6=fd00:10:10::1
lb4=203.0.113.10 lb6=2001:db8:113::10
client4=192.0.2.10 client6=2001:db8::10

keep=false
run=
finished=false
background=()
output=

usage() {
    cat <<END
usage: demo.sh [--keep]      show services served by the kernel, and check them
       demo.sh --down RUN    take down what --keep left up

  --keep    leave the namespaces, the agent and the maps up at the end, and say how to play with them

Needs root, and what 'make publish probe' builds. Works in network namespaces, a cgroup and a BPF file system of its own: this
machine's network, cgroups and pins stay as they are, and two demos may run at once.

Exit status: 0 all checks held, 1 one did not, 2 wrong usage or something is missing.
END
}

refuse() {
    echo "demo.sh: $1" >&2
    exit 2
}

# --- What people see ---

if [[ -t 1 && -z ${NO_COLOR-} ]]; then
    bold=$'\e[1m' green=$'\e[32m' red=$'\e[31m' plain=$'\e[0m'
else
    bold='' green='' red='' plain=''
fi

steps=0
step() { # TITLE EXPLANATION
    steps=$((steps + 1))
    printf '\n%s%d. %s%s\n   %s\n' "$bold" "$steps" "$1" "$plain" "$2"
}

say() {
    printf '     %s\n' "${1//$'\n'/$'\n     '}"
}

# Shows a command, runs it, shows what it says and keeps that in $output. That a command fails may be the point.
try() { # COMMAND
    printf '   $ %s\n' "$1"
    output=$(eval "$1" 2>&1) || true
    [[ -z $output ]] || say "$output"
}

# --- What is checked ---

passed=0
failed=0
results=()
check() { # WHAT EXPECTED SEEN
    if [[ $3 == "$2" ]]; then
        passed=$((passed + 1))
        results+=("${green}ok${plain}      $(printf '%-67s' "$1")  $3")
    else
        failed=$((failed + 1))
        results+=("${red}FAILED${plain}  $1: expected '$2', saw '${3//$'\n'/ }'")
        say "${red}FAILED${plain}  $1"
    fi
}

# Without this the rest means nothing.
require() { # WHAT EXPECTED SEEN
    check "$1" "$2" "$3"
    [[ $3 != "$2" ]] || return 0
    say "the end of the agent's log:"
    say "$(tail -n 8 "$RUN_DIRECTORY/agent.log")"
    summary
    echo "The rest was not tried."
    exit 1
}

summary() {
    printf '\n%sSummary%s\n' "$bold" "$plain"
    printf '   %s\n' "${results[@]}"
    if ((failed)); then
        printf '\n%s%d of %d checks FAILED.%s\n' "$red" "$failed" "$((passed + failed))" "$plain"
    else
        printf '\n%sAll %d checks held.%s %d seconds.\n' "$green" "$passed" "$plain" "$SECONDS"
    fi
}

eventually() { # SECONDS COMMAND...
    local deadline=$((SECONDS + $1))
    shift
    until "$@"; do
        ((SECONDS < deadline)) || return 1
        sleep 0.02
    done
}

# --- What lbprobe reports ---

# A tally as "name count" lines in order; the first of that name is the total.
tally() { # JSON FIELD
    local entry entries=()
    [[ $1 =~ \"$2\":\{([^}]*)\} ]] || return 0
    IFS=, read -ra entries <<<"${BASH_REMATCH[1]//\"/}"
    for entry in "${entries[@]}"; do
        echo "${entry%:*} ${entry##*:}"
    done | sort
}

names() { # JSON FIELD
    tally "$1" "$2" | awk '{ printf "%s%s", separator, $1; separator = " " }'
}

counts() { # JSON FIELD
    tally "$1" "$2" | awk '{ printf "%s%s %d", separator, $1, $2; separator = ", " }'
}

number() { # JSON FIELD
    [[ $1 =~ \"$2\":([0-9]+) ]] || true
    echo "${BASH_REMATCH[1]-none}"
}

outcome() { # JSON
    echo "$(number "$1" succeeded) ok, $(number "$1" failed) failed"
}

# "p11 p12, 0 failed"
answers() { # JSON
    echo "$(names "$1" backends), $(number "$1" failed) failed"
}

# Where traffic comes from: the client pod, unless said otherwise.
from='pod p14'

ask() { # ARGUMENT...: of lbprobe
    $from lbprobe "$@"
}

# A command of lbprobe, its result in words, and the JSON in $output.
try_probe() { # ARGUMENT...
    output=$(ask "$@" 2>&1) || true
    local refused
    refused=$(counts "$output" failures)
    printf '   $ %-68s %s%s\n' "$from lbprobe $*" "$(counts "$output" backends)" "${refused:+failed: $refused}"
}

# Which backend answered how often, over time.
timeline() { # JSON COLUMN...
    local rest=$1 row column count
    shift
    say "$(printf '%8s' ms "$@" failed)"
    rest=${rest#*\"buckets\":}
    while [[ $rest =~ \{\"at_ms\":([0-9]+),\"backends\":\{([^}]*)\},\"failures\":\{([^}]*)\}\} ]]; do
        rest=${rest#*"${BASH_REMATCH[0]}"}
        row=("${BASH_REMATCH[1]}")
        for column in "$@"; do
            count=$(awk -v name="$column" '$1 == name { print $2 }' <<<"$(tally "${BASH_REMATCH[0]}" backends)")
            row+=("${count:--}")
        done
        row+=("$(tally "${BASH_REMATCH[0]}" failures | awk '{ sum += $2 } END { print sum + 0 }')")
        say "$(printf '%8s' "${row[@]}")"
    done
}

streams=()
start_stream() { # NAME PLACE tcp|udp ADDRESS PORT
    enter "$2" lbprobe stream "${@:3}" --interval 5 --duration 60000 --timeout 2000 --bucket 400 >"$RUN_DIRECTORY/stream-$1" &
    background+=($!)
    streams+=("$1")
}

start_streams() {
    streams=()
    start_stream TCP p14 tcp $web4 80
    start_stream UDP p14 udp $web6 443
    say "a new connection to $web4 port 80 and a datagram from a new socket to $web6 port 443 every 5 ms"
}

stop_streams() {
    # One that is gone already reports nothing, and that is what the checks will see.
    kill -s TERM "${background[@]}" || true
    wait "${background[@]}" || true
    background=()
}

streamed() { # NAME
    cat "$RUN_DIRECTORY/stream-$1"
}

# "TCP 424 ok, 0 failed; UDP ..."
outcomes() {
    local name line=
    for name in "${streams[@]}"; do
        line+="; $name $(outcome "$(streamed "$name")")"
    done
    echo "${line#; }"
}

failures() {
    local name line=
    for name in "${streams[@]}"; do
        line+=", $name $(number "$(streamed "$name")" failed)"
    done
    echo "failed: ${line#, }"
}

# --- The cluster and the agent ---

start_server() { # POD
    enter "$1" setsid lbprobe serve --name "$1" --tcp 8080 --udp 8443 --pidfile "$PIDS/$1" </dev/null >"$RUN_DIRECTORY/$1.log" 2>&1 &
    disown
    eventually 5 test -s "$PIDS/$1" || { cat "$RUN_DIRECTORY/$1.log" >&2; return 1; }
}

agent_command='nsenter --net=$NETNS_N1 ebpflb agent --manifests $RUN_DIRECTORY/manifests --node-name n1 --bpffs $BPFFS --cgroup $CGROUP_N1'

start_agent() {
    touch "$RUN_DIRECTORY/agent.log"
    syncs_before=$(first_syncs)
    printf '   $ %s &\n' "$agent_command"
    eval "exec setsid $agent_command" </dev/null >>"$RUN_DIRECTORY/agent.log" 2>&1 &
    agent=$!
    disown
    echo "$agent" >"$PIDS/agent"
}

gone() { # PID
    ! kill -s 0 "$1" 2>/dev/null
}

first_syncs() {
    grep -c 'First sync' "$RUN_DIRECTORY/agent.log" 2>/dev/null || true
}

# The log tells whose state 'status' shows: for a moment after its start an agent has none of its own.
agent_is_ready_or_gone() {
    gone "$agent" || { (($(first_syncs) > syncs_before)) && [[ $(verdict) == OK ]]; }
}

verdict() {
    ebpflb status --bpffs "$BPFFS" 2>&1 | sed -n 1p || true
}

await_agent() { # WHAT
    eventually 15 agent_is_ready_or_gone || true
    require "$1" OK "$(verdict)"
}

# Notes every link, program and map of this run, as "kind id" lines: what is pinned, and what programs hold.
remember_objects() {
    local kind pin noted=$RUN_DIRECTORY/objects
    touch "$noted"
    {
        for pin in "$BPFFS"/ebpflb/links/* "$BPFFS"/ebpflb/programs/*/* "$BPFFS"/ebpflb/*_v*; do
            case $pin in
            */links/*) kind='link' ;;
            */programs/*) kind='prog' ;;
            *) kind='map' ;;
            esac
            [[ ! -e $pin ]] || bpftool "$kind" show pinned "$pin" | awk -v kind="$kind" '
                NR == 1 { print kind, $1 + 0 }
                match($0, /map_ids [0-9,]+/) {
                    count = split(substr($0, RSTART + 8, RLENGTH - 8), ids, ",")
                    for (i = 1; i <= count; i++) print "map", ids[i]
                }'
        done
        cat "$noted"
    } | sort -u >"$noted.new"
    mv "$noted.new" "$noted"
}

# Those of them that the kernel still has.
alive_objects() {
    local kind
    for kind in link prog map; do
        bpftool "$kind" show | awk -v kind=$kind '/^[0-9]+:/ { print kind, $1 + 0 }'
    done | sort | comm -12 - "$RUN_DIRECTORY/objects"
}

count_objects() {
    alive_objects | awk '{ n[$1]++ } END { printf "%d links, %d programs, %d maps", n["link"], n["prog"], n["map"] }'
}

no_object_left() {
    [[ -z $(alive_objects) ]]
}

finish() {
    local status=$?
    trap '' INT TERM
    trap - ERR
    [[ -n $run ]] || exit "$status"
    ((${#background[@]} == 0)) || kill -s TERM "${background[@]}" 2>/dev/null || true
    if $keep && [[ -e /run/ebpflb-playground-$run/demo.env ]]; then
        $finished || echo "demo.sh: stopped half way; everything is left up. Take it down: $0 --down $run" >&2
    else
        "$cluster" down --id "$run" || status=1
    fi
    exit "$status"
}

take_down() { # RUN
    local directory=/run/ebpflb-playground-$1 other others=()
    if [[ ! -e $directory/demo.env ]]; then
        for other in /run/ebpflb-playground-*/demo.env; do
            other=${other%/demo.env}
            [[ ! -e $other ]] || others+=("${other#/run/ebpflb-playground-}")
        done
        refuse "there is no demo '$1'. Up: ${others[*]:-none}."
    fi
    "$cluster" down --id "$1"
    echo "Demo $1 is down."
}

how_to_play() {
    cat <<END

${bold}Left up, as run $run.${plain} In a root shell (bash):
   source $RUN_DIRECTORY/demo.env              # the variables above, pod, and the PATH to ebpflb and lbprobe

   pod p14 bash                                                  # a shell in the client pod
   pod p14 bash -c 'read -r a <>/dev/tcp/$web4/80; echo \$a'  # who answers? p11, p12 and p21 serve, p13 has stopped
   pod p14 lbprobe tcp $web4 80 --count 100                 # 'lbprobe --help' has the rest
   outside lbprobe tcp $node4 30080 --count 100               # from outside; also $lb4 80 and $lb6 80
   node n1 bash                                                  # the node: ip, nft, tcpdump -i br0 ...

   ebpflb status --bpffs \$BPFFS                                  # also services, backends, conntrack, counters ...; -o wide, json, yaml
   bpftool map dump pinned \$BPFFS/ebpflb/svc_names_v1            # ls \$BPFFS/ebpflb has them all
   bpftool cgroup show \$CGROUP_N1                                # the programs at work

   \$EDITOR \$RUN_DIRECTORY/manifests/web-endpoints.yaml           # live as soon as it is saved
   tail -f \$RUN_DIRECTORY/agent.log                              # what the agent makes of it; kill \$(cat \$PIDS/agent) stops it

Take it down: $0 --down $run
END
}

# --- The demo ---

# What the router and the wire of a real node need not be told.
wire() {
    local end=c-$run
    ip -n "$end" -batch - <<END
route add 203.0.113.0/24 via $node4 src $client4
route add 2001:db8:113::/64 via $node6 src $client6
route add 10.96.0.0/16 via $node4 src $client4
END
    # Behind the wire checksums are complete, and frames that XDP sends are taken. A veth does the one only without offload, and the other
    # only while its other end has an XDP program too.
    nsenter --net="$NETNS_C" ethtool -K n1 tx off >"$RUN_DIRECTORY/ethtool.log"
    ip -n "$end" link set dev n1 xdpdrv object "$root/artifacts/tools/pass.bpf.o" section xdp
}

demo_cluster() {
    step "A node, its pods and a client" "In network namespaces of their own, with a cgroup and a BPF file system that only this run uses."
    run=demo$$
    while [[ -e /run/ebpflb-playground-$run ]]; do
        run=demo$RANDOM
    done
    printf '   $ eval "$(tools/playground/cluster.sh up --id %s)"\n' "$run"
    local described
    described=$("$cluster" up --id "$run")
    eval "$described"
    cp -r "$root/tools/manifests" "$RUN_DIRECTORY/manifests"
    {
        sed 's/^/export /' "$RUN_DIRECTORY/env"
        printf 'PATH=%q:%q:$PATH\n' "$root/artifacts" "$root/artifacts/tools"
        printf 'source %q\n' "$root/tools/demo/pods.sh"
    } >"$RUN_DIRECTORY/demo.env"
    # shellcheck source=tools/demo/pods.sh
    source "$root/tools/demo/pods.sh"

    local name
    for name in p11 p12 p13 p21; do
        start_server "$name"
    done
    wire
    say "node n1: p11, p12, p13 serve TCP 8080 and UDP 8443, p14 is a client; node n2: p21 serves too"
    say "outside: $client4, and the router that sends $lb4 and $lb6 to n1"
    say "'pod p14 COMMAND', 'node n1 COMMAND' and 'outside COMMAND' run a command there: in that network namespace and cgroup"
}

demo_agent() {
    step "Start the agent" "It follows a directory of Kubernetes manifests, here a copy of tools/manifests, and programs the kernel."
    start_agent
    await_agent "the agent starts and 'ebpflb status' says OK"
    remember_objects
    try 'ebpflb services --bpffs $BPFFS'
    check "every service port of the manifests is in the kernel" 10 "$(($(wc -l <<<"$output") - 1))"
    say "$(sed -n 's/.*\] \(Devices served.*\|Packets .*\)/it logs: \1/p' "$RUN_DIRECTORY/agent.log")"
}

demo_traffic() {
    step "Traffic to the ClusterIP" "The kernel connects each socket straight to a backend. 60 sockets a line: which backend answered how often."
    local everyone="p11 p12 p13, 0 failed"
    try_probe tcp $web4 80 --count 60
    check "TCP over IPv4 reaches every backend" "$everyone" "$(answers "$output")"
    local tcp4=$output
    try_probe tcp $web6 80 --count 60
    check "TCP over IPv6 reaches every backend" "$everyone" "$(answers "$output")"
    local tcp6=$output
    try_probe udp $web4 443 --count 60
    check "UDP over IPv4 reaches every backend" "$everyone" "$(answers "$output")"
    local udp4=$output
    try_probe udp $web6 443 --count 60
    check "UDP over IPv6 reaches every backend" "$everyone" "$(answers "$output")"
    local udp6=$output
    try "pod p14 bash -c 'read -r answer <>/dev/tcp/$web4/80; echo \"\$answer\"'"
    check "a program that knows nothing of all this (bash) is answered" answered "$(sed -E 's/^p1[123] .*/answered/' <<<"$output")"

    say "What both ends see: the client goes on seeing the service, the server sees the pod."
    say "client  TCP getpeername()  $(names "$tcp4" peernames)  $(names "$tcp6" peernames)"
    say "client  UDP recvfrom()     $(names "$udp4" from)  $(names "$udp6" from)"
    say "server  the client is      $(names "$tcp4" sources)  $(names "$tcp6" sources)"
    check "TCP: the client's peer is the ClusterIP, v4 and v6" "$web4:80 [$web6]:80" "$(names "$tcp4" peernames) $(names "$tcp6" peernames)"
    check "UDP: answers come from the ClusterIP, v4 and v6" "$web4:443 [$web6]:443" "$(names "$udp4" from) $(names "$udp6" from)"
    check "the server sees the pod's own address, v4 and v6" "10.244.1.14 [fd00:10:244:1::14]" \
        "$(for json in "$tcp4" "$udp4" "$tcp6" "$udp6"; do names "$json" sources; echo; done | uniq | paste -sd ' ')"
}

demo_refusals() {
    step "Refusals and session affinity" "A port that the ClusterIP does not have, a service without endpoints, and one whose clients stay."
    try_probe tcp $web4 81 --count 3
    check "a port that the ClusterIP does not have is refused" "ECONNREFUSED 3" "$(counts "$output" failures)"
    try_probe udp $web4 81 --connected --count 3
    check "datagrams to it as well, where they would leave the node" "ECONNREFUSED 3" "$(counts "$output" failures)"
    try_probe tcp $search 9200 --count 3
    check "a service without endpoints is refused" "ECONNREFUSED 3" "$(counts "$output" failures)"
    try_probe tcp $nobody 80 --count 1 --timeout 300
    check "an address of the service range that no service has leads nowhere" "timeout 1" "$(counts "$output" failures)"
    output=$(ask checks tcp $web4 80 --refused-port 81) || true
    [[ $output =~ \"nonblocking_refused\":\{\"ok\":([a-z]+) ]] || true
    check "refused at once: connect() of a non-blocking socket says so itself" true "${BASH_REMATCH[1]-}"
    try_probe tcp $cart 80 --count 30
    check "session affinity keeps a client on one backend" "1 of 3 backends, 0 failed" \
        "$(tally "$output" backends | wc -l) of 3 backends, $(number "$output" failed) failed"
    try 'ebpflb affinity --bpffs $BPFFS'
}

reasons() {
    ebpflb counters --by reason --bpffs "$BPFFS" 2>/dev/null
}

counted() { # REASONS HOOK REASON: packets
    awk -v hook="$2" -v reason="$3" '$1 == hook && $2 == reason { n = $3 } END { print n + 0 }' <<<"$1"
}

# One checksum of 65,536 looks by chance like one that a device is to complete, and its packet is left to tc.
at_most_two() { # NUMBER
    if (($1 <= 2)); then echo "at most 2"; else echo "$1"; fi
}

past_xdp() { # REASONS
    echo "left to tc $(counted "$1" xdp handed_down), begun there $(counted "$1" tc_ingress new_flow)"
}

# Until a node knows its neighbour's MAC address, XDP leaves it to tc to ask.
at_start=none
neighbours_known() {
    local before=$at_start address
    for address in $node4 $node6; do
        from=outside ask tcp "$address" 30080 --count 20 >"$RUN_DIRECTORY/neighbours.log" || true
    done
    at_start=$(reasons)
    [[ $(past_xdp "$at_start") == "$(past_xdp "$before")" ]]
}

# Asks shop/front in several ways, and counts those where all is as it must be.
ways=0 answered=0 as_dialled=0 sources_right=0
try_ways() { # PROTOCOL "ADDRESS PORT"...
    local protocol=$1 way address port dialled here there expected seen
    shift
    for way in "$@"; do
        read -r address port <<<"$way"
        from=outside try_probe "$protocol" "$address" "$port" --count 60
        ways=$((ways + 1))
        [[ $(answers "$output") != "p11 p21, 0 failed" ]] || answered=$((answered + 1))
        here=$(tally "$output" backends | awk '$1 == "p11" { print $2 }')
        there=$(tally "$output" backends | awk '$1 == "p21" { print $2 }')
        case $address in
        *:*) dialled="[$address]:$port" expected="[$client6] $here, [$node6] $there" ;;
        *) dialled="$address:$port" expected="$node4 $there, $client4 $here" ;;
        esac
        seen=$(names "$output" "$([[ $protocol == tcp ]] && echo peernames || echo from)")
        [[ $seen != "$dialled" ]] || as_dialled=$((as_dialled + 1))
        [[ $(counts "$output" sources) != "$expected" ]] || sources_right=$((sources_right + 1))
    done
}

# The program in eth0's driver on n1.
xdp_program() {
    node n1 bpftool net show dev eth0 | sed -n 's/^eth0.* driver id //p'
}

demo_outside() {
    step "From outside: NodePorts and the address of a load balancer" \
        "XDP on the node's device turns the packets: into the node for p11, back out of the device for p21 on n2."
    try 'node n1 bpftool net show dev eth0 | grep eth0'
    local ours
    ours=$(bpftool link show pinned "$BPFFS"/ebpflb/links/xdp_* 2>/dev/null | sed -n '1s/.* prog \([0-9]*\).*/\1/p' || true)
    check "eth0's driver runs our XDP program" "${ours:-one that is pinned}" "$(xdp_program)"
    eventually 5 neighbours_known || true

    local after_tcp after_udp
    try_ways tcp "$node4 30080" "$node6 30080" "$lb4 80" "$lb6 80"
    after_tcp=$(reasons)
    try_ways udp "$node4 30443" "$node6 30443" "$lb4 443" "$lb6 443"
    after_udp=$(reasons)
    try "for i in {1..12}; do outside bash -c 'read -r answer <>/dev/tcp/$lb4/80; echo \"\$answer\"'; done | sort -u -k1,1"
    say "p11 sees the client. p21, on another node, sees n1, to which it answers; n1 knows whose answer it is."
    check "from outside, 8 ways: each reaches a backend here and one on n2" "8 of 8" "$answered of $ways"
    check "the client's peer is what it dialled" "8 of 8 ways" "$as_dialled of $ways ways"
    check "p11 sees the client's own address, p21 the node's" "8 of 8 ways" "$sources_right of $ways ways"
    check "XDP began every TCP connection itself" "240 of 240" \
        "$(($(counted "$after_tcp" xdp new_flow) - $(counted "$at_start" xdp new_flow))) of 240"
    check "and left hardly a packet to tc once the neighbours were known" "at most 2" \
        "$(at_most_two $(($(counted "$after_udp" xdp handed_down) - $(counted "$at_start" xdp handed_down))))"

    from=outside try_probe tcp $lb4 81 --count 3
    check "a port that a load balancer's address does not have is refused" "ECONNREFUSED 3" "$(counts "$output" failures)"
    from=outside try_probe udp $lb6 81 --connected --count 3
    check "datagrams to it as well" "ECONNREFUSED 3" "$(counts "$output" failures)"
    from=outside try_probe tcp $front4 80 --count 1 --timeout 300
    check "a ClusterIP is not served to the outside" "timeout 1" "$(counts "$output" failures)"
    from='node n1' try_probe tcp 127.0.0.1 30080 --count 20
    check "a process of the node reaches a NodePort on 127.0.0.1" "p11 p21, 0 failed" "$(answers "$output")"
    try 'ebpflb counters --by reason --bpffs $BPFFS'
    try "ebpflb conntrack --service front:http --client $client6 --limit 4 --bpffs \$BPFFS"
}

# Both columns of packets, of UDP over IPv4 and over IPv6: one datagram there and one back for each of 2 times 60 sockets.
front_datagrams() {
    ebpflb counters --by service --service front:quic --bpffs "$BPFFS" 2>/dev/null |
        awk '$2 == "UDP" { printf "%s%d in %d out", separator, $5, $7; separator = ", " }'
}

datagrams_counted() {
    [[ $(front_datagrams) == "120 in 120 out, 120 in 120 out" ]]
}

# The four ways to shop/web, once each, all with the same answer.
switched() {
    local way
    for way in "tcp $web4 80" "tcp $web6 80" "udp $web4 443" "udp $web6 443"; do
        # shellcheck disable=SC2086
        output=$(ask $way --count 60)
        [[ $(answers "$output") == "p11 p12 p21, 0 failed" ]] || return 1
    done
}

demo_change() {
    step "One endpoint goes, another comes, under traffic" "The new version of the file is moved over the old one; p13 stops once it is out."
    start_streams
    sleep 1
    try 'cd $RUN_DIRECTORY/manifests
     sed "s/10.244.1.13\(.*\)n1/10.244.2.21\1n2/; s/fd00:10:244:1::13\(.*\)n1/fd00:10:244:2::21\1n2/" web-endpoints.yaml >.new
     mv .new web-endpoints.yaml'
    eventually 5 switched || true
    check "the new backend answers, the old one no more" "p11 p12 p21, 0 failed" "$(answers "$output")"
    sleep 0.2
    try 'kill $(cat $PIDS/p13)'
    sleep 0.8
    stop_streams
    timeline "$(streamed TCP)" p11 p12 p13 p21
    say "$(outcomes)"
    check "meanwhile no connection failed and no datagram went unanswered" "failed: TCP 0, UDP 0" "$(failures)"
}

squeezed() {
    tr -d ' \t\n' | sed 's/},{"key"/},\n{"key"/g; s/^\[//; s/\]$//'
}

# A u32 as bpftool takes a key, on the little-endian machines that this is built for.
key() { # NUMBER
    echo "$(($1 & 255)) $(($1 >> 8 & 255)) $(($1 >> 16 & 255)) $(($1 >> 24))"
}

# Shows the command for the first key and what it says for each; that is left in $output.
lookup() { # MAP KEY...
    local map=$1 number rows=() words
    shift
    printf '   $ bpftool map lookup pinned $BPFFS/ebpflb/%s key %s%s\n' "$map" "$(key "$1")" "${2:+    # and ${*:2}}"
    for number in "$@"; do
        read -ra words <<<"$(key "$number")"
        rows+=("$(bpftool map lookup pinned "$BPFFS/ebpflb/$map" key "${words[@]}" 2>&1 | squeezed || true)")
    done
    output=$(printf '%s\n' "${rows[@]}")
    say "$output"
}

# Endpoints of backends_v1 entries, from their bytes.
endpoints() {
    sed -n 's/.*255,255,\([0-9]*\),\([0-9]*\),\([0-9]*\),\([0-9]*\)\]},"port":\([0-9]*\),.*/\1.\2.\3.\4 \5/p' |
        awk '{ print $1 ":" ($2 % 256) * 256 + int($2 / 256) }' | sort | paste -sd ' '
}

demo_maps() {
    step "The same state in commands and in maps" "The commands read the pinned maps. Any tool can: frontend -> service -> slots -> backends."
    try 'ebpflb frontends --bpffs $BPFFS'
    # The sweep that the gone endpoint called for has brought them up to date.
    eventually 6 datagrams_counted || true
    try 'ebpflb counters --by service --service front --bpffs $BPFFS 2>/dev/null'
    check "packets are counted by service, 120 sockets of UDP for each family" "120 in 120 out, 120 in 120 out" "$(front_datagrams)"
    try 'ebpflb backends --service web:http --bpffs $BPFFS'
    printf '   $ bpftool map dump pinned $BPFFS/ebpflb/frontends_v1    # of which: %s, port 80 (in network order), TCP\n' "$web4"
    output=$(bpftool map dump pinned "$BPFFS/ebpflb/frontends_v1" | squeezed | grep -F '255,255,10,96,0,10]},"port":20480,"protocol":6' || true)
    output=${output%,}
    say "$output"
    local service base count keys
    service=$(number "$output" service_id)
    if [[ $service != none ]]; then
        lookup services_v1 "$service"
        base=$(number "$output" base)
        count=$(number "$output" count)
        mapfile -t keys < <(seq "$base" "$((base + count - 1))")
        if ((${#keys[@]})); then
            lookup slots_v1 "${keys[@]}"
            mapfile -t keys < <(awk -F '[:}]' '{ print $3 }' <<<"$output")
            lookup backends_v1 "${keys[@]}"
        fi
    fi
    check "bpftool finds the same backends" "10.244.1.11:8080 10.244.1.12:8080 10.244.2.21:8080" "$(endpoints <<<"$output")"
}

synced_again() {
    (($(first_syncs) == 2))
}

demo_death() {
    step "The agent is killed, and started again" "The kernel goes on without it. The next agent finds in the maps what it wants, and leaves it alone."
    start_streams
    start_stream NodePort c tcp $node4 30080
    start_stream LoadBalancer c udp $lb6 443
    say "and from outside, as often, a connection to $node4 port 30080 and a datagram to $lb6 port 443"
    sleep 0.4
    local before
    before=$(ebpflb services -o json --bpffs "$BPFFS")
    try 'kill -9 $(cat $PIDS/agent)'
    eventually 5 gone "$agent"
    try 'ebpflb status --bpffs $BPFFS | sed -n 1p'
    check "'ebpflb status' says that the datapath serves without an agent" "DEGRADED: the agent is not running; the datapath serves" \
        "${output%% what it last programmed*}"
    try_probe tcp $web6 80 --count 60
    check "services are served while no agent runs" "p11 p12 p21, 0 failed" "$(answers "$output")"
    from=outside try_probe tcp $lb4 80 --count 60
    check "to clients from outside as well" "p11 p21, 0 failed" "$(answers "$output")"
    start_agent
    await_agent "the agent starts again"
    eventually 5 synced_again || true
    local log after
    log=$(sed -n 's/.*\] \(First sync.*\)/\1/p' "$RUN_DIRECTORY/agent.log" | sed -n 2p)
    say "it logs: $log"
    after=$(ebpflb services -o json --bpffs "$BPFFS")
    check "the new agent writes nothing: every service is what it was" "0 map writes, same" \
        "$(sed -n 's/.*; \([0-9]* map writes\).*/\1/p' <<<"$log"), $([[ $after == "$before" ]] && echo same || echo changed)"
    sleep 0.4
    stop_streams
    say "$(outcomes)"
    check "from the kill to the restart nothing failed" "failed: TCP 0, UDP 0, NodePort 0, LoadBalancer 0" "$(failures)"
}

demo_cleanup() {
    step "Take it off the node" "Stopping the agent leaves the datapath in place; 'cleanup' removes it."
    try 'kill $(cat $PIDS/agent)'
    eventually 10 gone "$agent"
    remember_objects
    local before after
    before=$(count_objects)
    try 'ebpflb cleanup --bpffs $BPFFS'
    eventually 5 no_object_left || true
    after=$(count_objects)
    say "bpftool link|prog|map show, objects of this run: $before before, $after after"
    [[ " $before" != *" 0 "* ]] || after="$before before it"
    check "'ebpflb cleanup' leaves nothing of this run in the kernel" "0 links, 0 programs, 0 maps" "$after"
    local left
    left=$(bpftool cgroup show "$CGROUP_N1" | sed 1d && find "$BPFFS" -mindepth 1 -name 'ebpflb*' && xdp_program)
    check "nothing is attached to the cgroup or to eth0, nothing is pinned" nothing "${left:-nothing}"
    try 'node n1 sysctl net.ipv4.ip_local_reserved_ports'
    check "what stays: the ports that are reserved for masquerading" 50000-65535 "${output##* }"
}

# --- From start to end ---

case "$#:${1-}" in
0:) ;;
1:--keep) keep=true ;;
1:-h | 1:--help) usage; exit 0 ;;
2:--down) ;;
*) usage >&2; exit 2 ;;
esac

((EUID == 0)) || refuse "needs root, for network namespaces and BPF: sudo make demo"
missing=()
for tool in ip ethtool nsenter setsid mount mountpoint awk sed grep bpftool; do
    command -v "$tool" >/dev/null || missing+=("$tool")
done
((${#missing[@]} == 0)) || refuse "missing: ${missing[*]}. 'make deps' installs what is needed."
[[ ${1-} != --down ]] || { take_down "$2"; exit; }
for tool in ebpflb tools/lbprobe; do
    [[ -x $root/artifacts/$tool ]] || refuse "$root/artifacts/$tool is not built: 'make publish probe' does it, 'make demo' as well."
done
[[ -e $root/artifacts/tools/pass.bpf.o ]] || refuse "$root/artifacts/tools/pass.bpf.o is not built: 'make -C tools/demo' does it."

trap 'exit 130' INT
trap 'exit 143' TERM HUP
trap 'echo "demo.sh: line $LINENO: failed: $BASH_COMMAND" >&2' ERR
trap finish EXIT

demo_cluster
demo_agent
demo_traffic
demo_refusals
demo_outside
demo_change
demo_maps
demo_death
$keep || demo_cleanup
summary
finished=true
! $keep || how_to_play
trap - ERR
((failed == 0))
