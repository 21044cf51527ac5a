#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
#
# Runs what is in an image as the DaemonSet runs it: a read-only root file system, /proc/sys and /sys read-only, three capabilities, no new
# privileges, the host's BPF file system and cgroups mounted in, its files where they are in a pod. It follows tools/EbpfLb.FakeApi over TLS.
# In namespaces of its own, as tools/playground makes them.

set -Eeuo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cluster=$root/tools/playground/cluster.sh
PATH=$root/artifacts/tools:$PATH:/usr/sbin:/sbin
image=${1:-$root/artifacts/ebpflb-image.tar}
fakeapi=$root/tools/EbpfLb.FakeApi/bin/Release/net10.0/EbpfLb.FakeApi

refuse() {
    echo "image-check.sh: $1" >&2
    exit 2
}

((EUID == 0)) || refuse "takes root: it makes namespaces"
[[ -f $image ]] || refuse "there is no $image: run 'make image'"
command -v lbprobe >/dev/null || refuse "there is no lbprobe: run 'make probe'"
command -v curl >/dev/null || refuse "curl is not installed"
[[ -x $fakeapi ]] || refuse "there is no $fakeapi: run 'dotnet build tools/EbpfLb.FakeApi -c Release'"

failed=0
check() { # WHAT EXPECTED SEEN
    if [[ $3 == "$2" ]]; then
        printf '   ok      %-62s  %s\n' "$1" "$3"
    else
        failed=$((failed + 1))
        printf "   FAILED  %s: expected '%s', saw '%s'\n" "$1" "$2" "${3//$'\n'/ }"
    fi
}

eventually() { # SECONDS COMMAND...
    local deadline=$((SECONDS + $1))
    shift
    until "$@"; do
        ((SECONDS < deadline)) || return 1
        sleep 0.05
    done
}

run=image$$
described=$("$cluster" up --id "$run")
eval "$described"
sandbox=$RUN_DIRECTORY/sandbox
# shellcheck source=tools/demo/pods.sh
source "$root/tools/demo/pods.sh"

finish() {
    local status=$?
    trap '' INT TERM
    "$cluster" down --id "$run" || status=1
    exit "$status"
}
trap finish EXIT
trap 'exit 1' INT TERM

# --- The file system of the container: the layers, one over the other, by what the manifest says ---

mkdir "$RUN_DIRECTORY/oci" "$sandbox"
tar -xf "$image" -C "$RUN_DIRECTORY/oci"
blob() { # DIGEST
    echo "$RUN_DIRECTORY/oci/blobs/sha256/${1#sha256:}"
}
digests() { # FILE
    grep -oE 'sha256:[0-9a-f]{64}' "$1"
}
manifest=$(blob "$(digests "$RUN_DIRECTORY/oci/index.json")")
# The first is the configuration.
mapfile -t layers < <(digests "$manifest" | tail -n +2)
for layer in "${layers[@]}"; do
    tar -xzf "$(blob "$layer")" -C "$sandbox"
done

# setpriv comes in from outside, in a directory that a pod has no use for.
mkdir "$RUN_DIRECTORY/outside"
cp "$(command -v setpriv)" "$RUN_DIRECTORY/outside/setpriv"
ldd "$(command -v setpriv)" | awk '$3 ~ /^\// { print $3 }' | xargs -I{} cp -L {} "$RUN_DIRECTORY/outside"
loader=$(cd "$sandbox" && find lib lib64 -name 'ld-linux*' -print -quit)

# --- The API server, beside the router, and what the pod gets: the ConfigMap and the account ---

api_address=10.10.0.254
token=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
mkdir "$RUN_DIRECTORY/config" "$RUN_DIRECTORY/account"
enter c setsid "$fakeapi" --listen "$api_address:6443" --tls "$RUN_DIRECTORY/pki" --token "$token" --objects "$root/tools/manifests" \
    </dev/null >"$RUN_DIRECTORY/apiserver.log" 2>&1 &
echo $! >"$PIDS/apiserver"
disown
eventually 30 grep -q '"ready":true' "$RUN_DIRECTORY/apiserver.log" || refuse "no API server: $(<"$RUN_DIRECTORY/apiserver.log")"
cp "$RUN_DIRECTORY/pki/ca.crt" "$RUN_DIRECTORY/account/ca.crt"
echo -n "$token" >"$RUN_DIRECTORY/account/token"
cp "$root/tools/deploy/base/config.conf" "$RUN_DIRECTORY/config/config.conf"
sed "s|server: .*|server: https://$api_address:6443|" "$root/tools/deploy/base/kubeconfig.conf" >"$RUN_DIRECTORY/config/kubeconfig.conf"

mounts() {
    local at
    mount --make-rprivate /
    mount --bind -o ro "$sandbox" "$sandbox"
    mount -t proc proc "$sandbox/proc"
    for at in bus fs irq sys; do
        mount --bind -o ro "$sandbox/proc/$at" "$sandbox/proc/$at"
    done
    mount -t sysfs -o ro sysfs "$sandbox/sys"
    # Those that every container has.
    mount -t tmpfs -o mode=755 tmpfs "$sandbox/dev"
    for at in null zero full random urandom; do
        touch "$sandbox/dev/$at"
        mount --bind "/dev/$at" "$sandbox/dev/$at"
    done
    mount --bind "$BPFFS" "$sandbox/host/bpf"
    mount --bind -o ro "$CGROUP_N1" "$sandbox/host/cgroup"
    mount --bind /proc/sys/net "$sandbox/host/proc/sys/net"
    mount --bind -o ro "$RUN_DIRECTORY/config" "$sandbox/var/lib/kube-proxy"
    mount --bind -o ro "$RUN_DIRECTORY/account" "$sandbox/var/run/secrets/kubernetes.io/serviceaccount"
    mount --bind -o ro "$RUN_DIRECTORY/outside" "$sandbox/tmp"
}

least=(--no-new-privs --inh-caps=-all "--bounding-set=-all,+bpf,+net_admin,+perfmon")

# Takes the place of the shell; COMMAND is a path in the image.
contained() { # COMMAND...
    # shellcheck disable=SC2016 # the inner shell expands
    exec env -i SANDBOX="$sandbox" BPFFS="$BPFFS" CGROUP_N1="$CGROUP_N1" RUN_DIRECTORY="$RUN_DIRECTORY" PATH="$PATH" \
        MOUNTS="sandbox=$sandbox; $(declare -f mounts)" \
        nsenter --net="$NETNS_N1" unshare --mount --pid --fork --kill-child bash -euc '
            eval "$MOUNTS"
            mounts
            loader=$1
            shift
            exec env -i PATH=/usr/bin:/usr/sbin DOTNET_EnableDiagnostics=0 /usr/sbin/chroot "$SANDBOX" "/$loader" --library-path /tmp \
                /tmp/setpriv "$@"' contained "$loader" "${least[@]}" "$@"
}

ebpflb() { # ARGUMENT...
    (contained /usr/bin/ebpflb "$@")
}

# As 'kubectl exec' does it.
beside_the_agent() { # COMMAND...
    nsenter --target "$agent" --mount --pid --net --root --wd=/ "/$loader" --library-path /tmp /tmp/setpriv "${least[@]}" "$@"
}

# What the kubelet gives a pod of the DaemonSet's priority, or what this shell has where it may give no other: what matters is that the
# agent finds what it is told.
score=-997
(echo "$score" >/proc/self/oom_score_adj) 2>/dev/null || score=$(</proc/self/oom_score_adj)

# As the DaemonSet gives them.
# shellcheck disable=SC2016 # the DaemonSet has it as it stands
mapfile -t agent_arguments < <(awk '
    /^ *args:/ { in_list = 1; next }
    in_list && $1 == "#" { next }
    in_list && $1 != "-" { exit }
    in_list { sub(/^ *- /, ""); print }' "$root/tools/deploy/base/daemonset.yaml" |
    sed "s|\\\$(NODE_NAME)|n1|; s|^--oom-score-adj=-997$|--oom-score-adj=$score|")

start_agent() {
    : >"$RUN_DIRECTORY/agent.log"
    (echo "$score" >/proc/self/oom_score_adj; contained /usr/bin/ebpflb "${agent_arguments[@]}") </dev/null >"$RUN_DIRECTORY/agent.log" 2>&1 &
    shell=$!
    eventually 30 find_agent || true
}

health() {
    outside curl --silent --max-time 3 --output /dev/null --write-out '%{http_code}' http://10.10.0.1:10256/healthz || true
}

# The one process of the sandbox; what started it waits outside of its PID namespace.
find_agent() {
    local child=$shell
    while child=$(pgrep -P "$child" | head -n 1) && [[ -n $child ]]; do
        agent=$child
    done
    [[ $(readlink "/proc/${agent:-0}/root") == "$sandbox" && $(tr '\0' ' ' <"/proc/$agent/cmdline") == /usr/bin/ebpflb* ]]
}

first_sync() {
    grep -q 'First sync' "$RUN_DIRECTORY/agent.log" || ! kill -s 0 "$shell" 2>/dev/null
}

field() { # NAME
    awk -v name="$1:" '$1 == name { print $2 }' "/proc/$agent/status"
}

echo "What $image holds"
check "the agent runs, with no library but those of the image" "ebpflb" "$(ebpflb version 2>&1 | cut -d ' ' -f 1)"
check "bpftool runs" "bpftool" "$( (contained /usr/sbin/bpftool version) 2>&1 | sed -n '1s/.*\(bpftool\) v.*/\1/p')"
check "there is no shell" "" "$(cd "$sandbox" && find . -name '*sh' -type f -perm /111)"

for pod in p11 p12 p13; do
    enter "$pod" setsid lbprobe serve --name "$pod" --tcp 8080 --udp 8443 --pidfile "$PIDS/$pod" \
        </dev/null >"$RUN_DIRECTORY/$pod.log" 2>&1 &
    disown
    eventually 5 test -s "$PIDS/$pod"
done

start_agent
eventually 60 first_sync || true
if ! grep -q 'First sync' "$RUN_DIRECTORY/agent.log"; then
    cat "$RUN_DIRECTORY/agent.log"
fi
# CAP_NET_ADMIN 12, CAP_PERFMON 38, CAP_BPF 39.
check "the agent has three capabilities" 000000c000001000 "$(field CapEff)"
check "and can get no other" "000000c000001000 1" "$(field CapBnd) $(field NoNewPrivs)"
check "it follows the API server" "https://$api_address:6443/" "$(beside_the_agent /usr/bin/ebpflb status 2>&1 | awk '$1 == "Source:" { print $2 }')"
check "which it knows from where the account is mounted, over TLS" "services" \
    "$(grep -oE '\] services: [1-9][0-9]* listed' "$RUN_DIRECTORY/agent.log" | grep -o services)"
check "'ebpflb status' beside it, no more privileged" OK "$(beside_the_agent /usr/bin/ebpflb status 2>&1 | sed -n 1p)"
check "/healthz" 200 "$(health)"
for family in 10.96.0.10 fd00:10:96::10; do
    check "a pod reaches $family" "p11 p12 p13" "$(pod p14 lbprobe tcp "$family" 80 --count 60 |
        sed 's/.*"backends":{\([^}]*\)}.*/\1/' | grep -oE '"p[0-9]+"' | tr -d '"' | sort | paste -sd ' ')"
done
check "the ports for masquerading are reserved" 50000-65535 \
    "$(nsenter --net="$NETNS_N1" cat /proc/sys/net/ipv4/ip_local_reserved_ports)"
check "XDP and tc are attached" "XDP, tc ingress, tc egress" \
    "$(sed -n 's/.*Packets of eth0 (\(.*\)) are balanced/\1/p' "$RUN_DIRECTORY/agent.log")"

kill -s TERM "$agent"
status=0
wait "$shell" || status=$?
check "SIGTERM ends it" 0 "$status"
start_agent
eventually 60 first_sync || true
check "the next one finds everything in place" "0 map writes" \
    "$(sed -n 's/.*First sync.*; \([0-9]* map writes\).*/\1/p' "$RUN_DIRECTORY/agent.log")"
kill -s TERM "$agent"
wait "$shell" || true
check "no warning was logged" "" "$(grep -E ' (warn|fail|crit):' "$RUN_DIRECTORY/agent.log")"
check "'ebpflb cleanup' leaves nothing" "Removed" "$(ebpflb cleanup 2>&1 | grep -o '^Removed')"
check "no pin is left" "" "$(find "$BPFFS" -mindepth 1 -name 'ebpflb*')"

if ((failed)); then
    echo "$failed checks FAILED."
    exit 1
fi
echo "All checks held."
