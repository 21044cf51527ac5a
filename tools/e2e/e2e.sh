#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
#
# The agent with the account of tools/deploy follows an API server, and what pods, nodes and a client outside see is checked. See --help.

set -Eeuo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cluster=$root/tools/playground/cluster.sh
PATH=$root/artifacts:$root/artifacts/tools:$PATH:/usr/sbin:/sbin
fake=false
[[ -z ${EBPFLB_E2E_FAKE-} ]] || fake=true
fakeapi=$root/tools/EbpfLb.FakeApi/bin/Release/net10.0/EbpfLb.FakeApi
[[ ${EBPFLB_E2E_FAKE-} != */* ]] || fakeapi=$EBPFLB_E2E_FAKE

usage() {
    cat <<END
usage: e2e.sh [PATTERN]     run the scenarios whose name has PATTERN; all without one

Needs root, what 'make publish probe' builds, and in the directory \$KUBEBUILDER_ASSETS the executables etcd and kube-apiserver, as the
Kubernetes project releases them for tests: 'setup-envtest use -p path' downloads them and says where they are; so does unpacking an
archive envtest-vVERSION-linux-ARCHITECTURE.tar.gz of its controller-tools releases. kubectl is not needed.

EBPFLB_E2E_FAKE=1 runs the same against the API server of tools/EbpfLb.FakeApi, which grants what the ClusterRole says; a path there
names another executable of it.

Works in network namespaces, a cgroup and a BPF file system of its own: this machine's network, cgroups and pins stay as they are.

Exit status: 0 all checks held, 1 one did not, 2 wrong usage or something is missing.
END
}

refuse() {
    echo "e2e.sh: $1" >&2
    exit 2
}

eventually() { # SECONDS COMMAND...
    local deadline=$((SECONDS + $1))
    shift
    until "$@"; do
        ((SECONDS < deadline)) || return 1
        sleep 0.05
    done
}

gone() { # PID
    ! kill -s 0 "$1" 2>/dev/null
}

# --- What is checked ---

passed=0
failures=()
check() { # WHAT EXPECTED SEEN
    if [[ $3 == "$2" ]]; then
        passed=$((passed + 1))
        printf '   ok      %-78s %s\n' "$1" "$3"
    else
        failures+=("$scenario: $1: expected '$2', saw '${3//$'\n'/ }'")
        printf "   FAILED  %s: expected '%s', saw '%s'\n" "$1" "$2" "${3//$'\n'/ }"
        tail -n 20 "$RUN_DIRECTORY/agent.log" | sed 's/^/           /'
    fi
}

# The cluster needs a moment; five seconds are the most that a change may take.
settles() { # WHAT EXPECTED COMMAND...
    local seen deadline=$((SECONDS + ${patience:-5}))
    while :; do
        seen=$("${@:3}" 2>&1) || true
        if [[ $seen == "$2" ]] || ((SECONDS >= deadline)); then
            break
        fi
        sleep 0.1
    done
    check "$1" "$2" "$seen"
}

# --- What lbprobe reports ---

names() { # JSON FIELD
    [[ $1 =~ \"$2\":\{([^}]*)\} ]] || return 0
    tr ',' '\n' <<<"${BASH_REMATCH[1]}" | sed -n 's/^"\(.*\)":[0-9]*$/\1/p' | sort | paste -sd ' '
}

# Whoever is no part of the cluster, behind the router.
distant() { # COMMAND...
    (
        # shellcheck disable=SC2153 # of the playground
        echo "$BASHPID" >"$CGROUP/cgroup.procs"
        exec nsenter --net="$NETNS_D" "$@"
    )
}

from() { # PLACE COMMAND...
    case $1 in
    d) distant "${@:2}" ;;
    *) (enter "$@") ;;
    esac
}

# "p11 p21", "ECONNREFUSED", or both.
answers() { # PLACE tcp|udp ADDRESS PORT [OPTION...]
    local json
    json=$(from "$1" lbprobe "${@:2}" --timeout 400)
    echo "$(names "$json" backends) $(names "$json" failures)" | sed 's/^ *//; s/ *$//'
}

# A few are enough to be refused or to wait in vain; thirty miss one of three backends once in a hundred thousand times.
many=(--count 30)
few=(--count 2)

seen() { # FIELD PLACE tcp|udp ADDRESS PORT [OPTION...]
    names "$(from "$2" lbprobe "${@:3}" --timeout 400)" "$1"
}

page() { # PLACE URL: status and body on one line
    from "$1" curl --silent --max-time 3 --write-out ' %{http_code}' "$2" | tr -d '\n\r' || true
}

status_of() { # PLACE URL
    from "$1" curl --silent --max-time 3 --output /dev/null --write-out '%{http_code}' "$2" || true
}

frontends_of() { # SERVICE
    ebpflb frontends --bpffs "$BPFFS" 2>/dev/null |
        awk -v name="shop/$1" 'index($NF, name ":") == 1 { print $1 }' | sort -u | paste -sd ' '
}

# --- The agent ---

write_configuration() {
    local base=$root/tools/deploy/base
    sed "s|server: .*|server: $api_url|; s|certificate-authority: .*|certificate-authority: $pki/ca.crt|
        s|tokenFile: .*|tokenFile: $RUN_DIRECTORY/token|" "$base/kubeconfig.conf" >"$RUN_DIRECTORY/kubeconfig.conf"
    chmod 0600 "$RUN_DIRECTORY/kubeconfig.conf" "$RUN_DIRECTORY/token"
    sed "s|kubeconfig: .*|kubeconfig: $RUN_DIRECTORY/kubeconfig.conf|" "$base/config.conf" >"$RUN_DIRECTORY/config.conf"
}

# With the capabilities of the DaemonSet, and no other.
start_agent() {
    : >"$RUN_DIRECTORY/agent.log"
    nsenter --net="$NETNS_N1" setsid setpriv --no-new-privs --inh-caps=-all "--bounding-set=-all,+bpf,+net_admin,+perfmon" \
        ebpflb agent --config "$RUN_DIRECTORY/config.conf" --node-name n1 --bpffs "$BPFFS" --cgroup "$CGROUP_N1" \
        </dev/null >>"$RUN_DIRECTORY/agent.log" 2>&1 &
    agent=$!
    disown
    echo "$agent" >"$PIDS/agent"
}

stop_agent() {
    kill -s TERM "$agent" 2>/dev/null || true
    eventually 10 gone "$agent"
}

logged() { # PATTERN
    grep -qiE "$1" "$RUN_DIRECTORY/agent.log"
}

has_logged() { # PATTERN
    if logged "$1"; then echo yes; else echo no; fi
}

agent_is_up() {
    logged 'First sync' || gone "$agent"
}

await_agent() {
    eventually 60 agent_is_up || true
    if ! logged 'First sync'; then
        tail -n 8 "$RUN_DIRECTORY/agent.log"
        refuse "the agent does not come up; $RUN_DIRECTORY/agent.log is above"
    fi
}

# --- The cluster ---

start_server() { # POD
    enter "$1" setsid lbprobe serve --name "$1" --tcp 8080 --udp 8080 --pidfile "$PIDS/$1" </dev/null >"$RUN_DIRECTORY/$1.log" 2>&1 &
    disown
    eventually 5 test -s "$PIDS/$1" || refuse "no server in $1: $(<"$RUN_DIRECTORY/$1.log")"
}

# Routes of addresses that lead to the node, and a wire: what is sent over it has its checksum, and frames that XDP sends are taken.
wire() {
    ip -n "c-$run" -batch - <<-END
		route add 203.0.113.0/24 via 10.10.0.1 src 192.0.2.10
	END
    nsenter --net="$NETNS_C" ethtool -K n1 tx off >"$RUN_DIRECTORY/ethtool.log"
    ip -n "c-$run" link set dev n1 xdpdrv object "$root/artifacts/tools/pass.bpf.o" section xdp
}

finish() {
    local status=$?
    trap '' INT TERM
    trap - ERR
    if [[ -n ${run-} ]]; then
        "$cluster" down --id "$run" || status=1
    fi
    exit "$status"
}

case ${1-} in
--help)
    usage
    exit 0
    ;;
-*)
    usage >&2
    exit 2
    ;;
esac
((EUID == 0)) || refuse "takes root: it makes network namespaces"
for tool in ebpflb lbprobe; do
    command -v "$tool" >/dev/null || refuse "there is no $tool: run 'make publish probe'"
done
for tool in curl openssl setpriv ethtool; do
    command -v "$tool" >/dev/null || refuse "$tool is not installed"
done
[[ -e $root/artifacts/tools/pass.bpf.o ]] || refuse "there is no artifacts/tools/pass.bpf.o: run 'make -C tools/demo'"
if $fake; then
    [[ -x $fakeapi ]] || refuse "there is no $fakeapi: run 'dotnet build tools/EbpfLb.FakeApi -c Release'"
else
    for tool in etcd kube-apiserver; do
        [[ -x ${KUBEBUILDER_ASSETS-}/$tool ]] || refuse "no $tool in KUBEBUILDER_ASSETS='${KUBEBUILDER_ASSETS-}'. It names a directory \
with etcd and kube-apiserver, such as 'setup-envtest use -p path' prints; --help has the rest."
    done
fi

trap finish EXIT
trap 'exit 1' INT TERM
run=e2e$$
described=$("$cluster" up --id "$run")
eval "$described"
pki=$RUN_DIRECTORY/pki
mkdir -m 0700 "$pki"
# shellcheck source=tools/demo/pods.sh
source "$root/tools/demo/pods.sh"
# shellcheck source=tools/e2e/server.sh
source "$root/tools/e2e/server.sh"
# shellcheck source=tools/e2e/objects.sh
source "$root/tools/e2e/objects.sh"
# shellcheck source=tools/e2e/scenarios.sh
source "$root/tools/e2e/scenarios.sh"

for pod in p11 p12 p21; do
    start_server "$pod"
done
wire
if ! $fake; then
    make_certificates
    start_etcd
fi
start_api
cluster_objects
deploy_account
write_configuration
start_agent
await_agent

mapfile -t scenarios < <(declare -F | awk '$3 ~ /^S[0-9]/ { print $3 }' | sort -V | grep -e "${1-.}")
((${#scenarios[@]})) || refuse "no scenario has '$1' in its name"
for scenario in "${scenarios[@]}"; do
    echo "${scenario//_/ }"
    "$scenario"
done

if ((${#failures[@]})); then
    printf '\n%d of %d checks FAILED:\n' "${#failures[@]}" $((passed + ${#failures[@]}))
    printf '   %s\n' "${failures[@]}"
    exit 1
fi
printf '\nAll %d checks of %d scenarios held. %d seconds.\n' "$passed" "${#scenarios[@]}" "$SECONDS"
