# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
#
# To be sourced: one function per scenario, named by its number. Each makes services of its own and removes them. p11 and p12 are pods
# of node n1, where the agent runs, p21 is one of n2; 'n1' is a process of the node itself; c and d are clients outside.

# shellcheck disable=SC2154 # from e2e.sh, server.sh and the playground

node=10.10.0.1

S1_TCP_to_a_ClusterIP() {
    service s1 'clusterIP: 10.96.1.1' "$ports"
    slice s1 s1 p11 p21
    settles "both endpoints answer, nothing fails" "p11 p21" answers p12 tcp 10.96.1.1 80 --count 100
    settles "the server sees the pod" 10.244.1.12 seen sources p12 tcp 10.96.1.1 80
    settles "the client's peer is the ClusterIP" 10.96.1.1:80 seen peernames p12 tcp 10.96.1.1 80
    forget s1
}

S2_UDP_to_a_ClusterIP() {
    service s2 'clusterIP: 10.96.1.2' "$ports"
    slice s2 s2 p11 p21
    settles "unconnected sockets reach both" "p11 p21" answers p12 udp 10.96.1.2 80 "${many[@]}"
    settles "connected ones as well" "p11 p21" answers p12 udp 10.96.1.2 80 "${many[@]}" --connected
    settles "answers come from the ClusterIP" 10.96.1.2:80 seen from p12 udp 10.96.1.2 80 "${many[@]}"
    settles "the server sees the pod" 10.244.1.12 seen sources p12 udp 10.96.1.2 80
    forget s2
}

S5_A_port_that_the_ClusterIP_does_not_have() {
    service s5 'clusterIP: 10.96.1.5' "$ports"
    slice s5 s5 p11
    settles "it is there" p11 answers p12 tcp 10.96.1.5 80
    settles "another port is refused to a pod" ECONNREFUSED answers p12 tcp 10.96.1.5 81 "${few[@]}"
    settles "and to the host" ECONNREFUSED answers n1 tcp 10.96.1.5 81 "${few[@]}"
    forget s5
}

S10_NodePort() {
    service s10 'type: NodePort' 'clusterIP: 10.96.1.10' "$(node_ports 30110)"
    slice s10 s10 p11 p21
    settles "TCP from outside reaches both nodes" "p11 p21" answers c tcp $node 30110 "${many[@]}"
    settles "UDP as well" "p11 p21" answers c udp $node 30110 "${many[@]}"
    settles "answers come from what was dialled" $node:30110 seen from c udp $node 30110 "${many[@]}"
    forget s10
}

S13_External_traffic_stays_local() {
    service s13 'type: NodePort' 'externalTrafficPolicy: Local' 'clusterIP: 10.96.1.13' "$(node_ports 30113)"
    slice s13 s13 p11 p21
    settles "only the local endpoint answers" p11 answers c tcp $node 30113 "${many[@]}"
    settles "it sees the client" 192.0.2.10 seen sources c tcp $node 30113
    forget s13
}

S14_External_traffic_without_a_local_endpoint() {
    service s14 'type: LoadBalancer' 'externalTrafficPolicy: Local' 'clusterIP: 10.96.1.14' "$(node_ports 30114)"
    ingress s14 203.0.113.14
    slice s14 s14 p21
    settles "a pod shows that it is programmed" p21 answers p12 tcp 10.96.1.14 80
    settles "the NodePort drops" timeout answers c tcp $node 30114 "${few[@]}"
    settles "and the load balancer's address" timeout answers c tcp 203.0.113.14 80 "${few[@]}"
    forget s14
}

S15_Inside_the_cluster_the_external_policy_is_short_circuited() {
    service s15 'type: LoadBalancer' 'externalTrafficPolicy: Local' 'clusterIP: 10.96.1.15' "$(node_ports 30115)"
    ingress s15 203.0.113.15
    slice s15 s15 p21
    settles "a pod reaches another node's endpoint through the NodePort" p21 answers p12 tcp $node 30115
    settles "and through the load balancer's address" p21 answers p12 tcp 203.0.113.15 80
    settles "as itself" 10.244.1.12 seen sources p12 tcp $node 30115
    settles "the node through its own NodePort" p21 answers n1 tcp $node 30115
    settles "and through the load balancer's address" p21 answers n1 tcp 203.0.113.15 80
    forget s15
}

S16_Internal_traffic_stays_local() {
    service s16 'type: NodePort' 'internalTrafficPolicy: Local' 'clusterIP: 10.96.1.16' "$(node_ports 30116)"
    slice s16 s16 p11 p21
    settles "only the local endpoint answers a pod" p11 answers p12 tcp 10.96.1.16 80 "${many[@]}"
    settles "the NodePort has both" "p11 p21" answers c tcp $node 30116 "${many[@]}"
    slice s16 s16 p21
    settles "without one it times out, and is not refused" ETIMEDOUT answers p12 tcp 10.96.1.16 80 "${few[@]}"
    settles "the NodePort goes on" p21 answers c tcp $node 30116
    forget s16
}

S17_No_endpoint_at_all() {
    service s17 'type: LoadBalancer' 'clusterIP: 10.96.1.17' 'externalIPs: [203.0.113.117]' "$(node_ports 30117)"
    ingress s17 203.0.113.17
    slice s17 s17
    local place
    for place in p12 n1; do
        settles "$place: ClusterIP" ECONNREFUSED answers $place tcp 10.96.1.17 80 "${few[@]}"
        settles "$place: connected UDP" ECONNREFUSED answers $place udp 10.96.1.17 80 "${few[@]}" --connected
    done
    for place in p12 n1 c; do
        settles "$place: NodePort" ECONNREFUSED answers $place tcp $node 30117 "${few[@]}"
        settles "$place: the load balancer's address" ECONNREFUSED answers $place tcp 203.0.113.17 80 "${few[@]}"
        settles "$place: the external IP" ECONNREFUSED answers $place tcp 203.0.113.117 80 "${few[@]}"
    done
    forget s17
}

S19_The_mode_of_an_ingress_address() {
    service s19 'type: LoadBalancer' 'clusterIP: 10.96.1.19' "$(node_ports 30119)"
    slice s19 s19 p11 p21
    ingress s19 203.0.113.19 VIP
    settles "VIP: the node answers" "p11 p21" answers c tcp 203.0.113.19 80 "${many[@]}"
    ingress s19 203.0.113.19 Proxy
    settles "Proxy: the address is none of ours" "0.0.0.0:30119 10.96.1.19:80" frontends_of s19
    forget s19
}

S21_Source_ranges() {
    service s21 'type: LoadBalancer' 'clusterIP: 10.96.1.21' 'loadBalancerSourceRanges: [192.0.2.0/28]' "$(node_ports 30121)"
    ingress s21 203.0.113.21
    slice s21 s21 p11
    settles "a client of the range is served" p11 answers c tcp 203.0.113.21 80
    settles "another one is dropped" timeout answers d tcp 203.0.113.21 80 "${few[@]}"
    settles "so is a pod" ETIMEDOUT answers p12 tcp 203.0.113.21 80 "${few[@]}"
    settles "the NodePort is open" p11 answers d tcp $node 30121
    settles "the ClusterIP too" p11 answers p12 tcp 10.96.1.21 80
    patch "$services/s21" '{"spec": {"loadBalancerSourceRanges": ["198.51.100.0/24"]}}'
    settles "another range: another client" p11 answers d tcp 203.0.113.21 80
    settles "and no more the first" timeout answers c tcp 203.0.113.21 80 "${few[@]}"
    patch "$services/s21" '{"spec": {"loadBalancerSourceRanges": null}}'
    settles "no range: everybody" p11 answers c tcp 203.0.113.21 80
    settles "the pod as well" p11 answers p12 tcp 203.0.113.21 80
    forget s21
}

S22_External_IP() {
    service s22 'clusterIP: 10.96.1.22' 'externalIPs: [203.0.113.122]' "$ports"
    slice s22 s22 p11 p21
    settles "from outside" "p11 p21" answers c tcp 203.0.113.122 80 "${many[@]}"
    settles "from a pod" "p11 p21" answers p12 tcp 203.0.113.122 80 "${many[@]}"
    forget s22
}

S24_Services_without_an_address() {
    service s24-headless 'clusterIP: None' "$ports"
    slice s24-headless s24-headless p11
    service s24-name 'type: ExternalName' 'externalName: name.example'
    service s24-mark 'clusterIP: 10.96.1.24' "$ports"
    slice s24-mark s24-mark p11
    settles "a service made after them is there" p11 answers p12 tcp 10.96.1.24 80
    settles "the headless one has no frontend" "" frontends_of s24-headless
    settles "ExternalName neither" "" frontends_of s24-name
    forget s24-headless s24-name s24-mark
}

S25_Another_proxys_service() {
    service s25 'clusterIP: 10.96.1.25' "$ports"
    slice s25 s25 p11
    settles "without the label it is served" p11 answers p12 tcp 10.96.1.25 80
    patch "$services/s25" '{"metadata": {"labels": {"service.kubernetes.io/service-proxy-name": "other"}}}'
    settles "with it no more" "" frontends_of s25
    patch "$services/s25" '{"metadata": {"labels": {"service.kubernetes.io/service-proxy-name": null}}}'
    settles "without it again" p11 answers p12 tcp 10.96.1.25 80
    forget s25
}

S26_A_headless_slice() {
    service s26 'clusterIP: 10.96.1.26' "$ports"
    slice s26 s26 p11
    settles "its endpoint is used" p11 answers p12 tcp 10.96.1.26 80
    patch "$slices/s26" '{"metadata": {"labels": {"service.kubernetes.io/headless": ""}}}'
    settles "with the label it is gone" ECONNREFUSED answers p12 tcp 10.96.1.26 80 "${few[@]}"
    forget s26
}

S28_The_NodePort_changes() {
    service s28 'type: NodePort' 'clusterIP: 10.96.1.28' "$(node_ports 30128)"
    slice s28 s28 p11
    settles "the first port answers" p11 answers c tcp $node 30128
    local line
    coproc HELD { enter c lbprobe hold $node 30128 --count 3; }
    read -r line <&"${HELD[0]}"
    check "three connections are open" '"alive":3' "$(grep -o '"alive":[0-9]*' <<<"$line")"
    service s28 'type: NodePort' 'clusterIP: 10.96.1.28' "$(node_ports 30228)"
    settles "the new port answers" p11 answers c tcp $node 30228
    settles "the old one is refused" ECONNREFUSED answers c tcp $node 30128 "${few[@]}"
    echo check >&"${HELD[1]}"
    read -r line <&"${HELD[0]}"
    check "the connections live on" '"alive":3' "$(grep -o '"alive":[0-9]*' <<<"$line")"
    kill "$HELD_PID" 2>/dev/null || true
    wait "$HELD_PID" 2>/dev/null || true
    forget s28
}

health_check() { # FIELD
    local answer
    answer=$(from c curl --silent --max-time 2 --include "http://$node:32030/" | tr -d ' \t\r')
    case $1 in
    status) awk 'NR == 1 { print substr($0, 9, 3) }' <<<"$answer" ;;
    weight) sed -n 's/^X-Load-Balancing-Endpoint-Weight://Ip' <<<"$answer" ;;
    *) tr -d '\n' <<<"$answer" | grep -oE "\"$1\":[^,}]*" ;;
    esac
}

S30_Health_check_port() {
    service s30 'type: LoadBalancer' 'externalTrafficPolicy: Local' 'healthCheckNodePort: 32030' 'clusterIP: 10.96.1.30' \
        "$(node_ports 30130)"
    slice s30 s30 p11 p21
    settles "one local endpoint: 200" 200 health_check status
    settles "its weight is in the header" 1 health_check weight
    settles "and in the body" '"localEndpoints":1' health_check localEndpoints
    settles "which names the service" '"name":"s30"' health_check name
    slice s30 s30 p11=draining p21
    settles "one that drains does not count: 503" 503 health_check status
    settles "but serves" p11 answers c tcp $node 30130
    slice s30 s30 p21
    settles "none: 503" 503 health_check status
    settles "weight 0" 0 health_check weight
    patch "$services/s30" '{"spec": {"externalTrafficPolicy": "Cluster", "healthCheckNodePort": null}}'
    patience=30 settles "policy Cluster closes the port" 000 status_of c http://$node:32030/
    forget s30
}

S31_Health_of_the_proxy() {
    settles "/healthz" 200 status_of c http://$node:10256/healthz
    settles "/livez" 200 status_of c http://$node:10256/livez
    local field
    for field in lastUpdated currentTime nodeEligible healthy; do
        check "/healthz says $field" "\"$field\"" "$(page c http://$node:10256/healthz | grep -oE "\"$field\"" | head -n 1)"
    done
    patch /api/v1/nodes/n1 '{"spec": {"taints": [{"key": "ToBeDeletedByClusterAutoscaler", "effect": "NoSchedule"}]}}'
    settles "a node that is to go: /healthz" 503 status_of c http://$node:10256/healthz
    settles "/livez is not about the node" 200 status_of c http://$node:10256/livez
    patch /api/v1/nodes/n1 '{"spec": {"taints": null}}'
    settles "it stays after all" 200 status_of c http://$node:10256/healthz
    settles "metrics are the node's own business" 000 status_of c http://$node:10249/metrics
    settles "where they are" 200 status_of n1 http://127.0.0.1:10249/metrics
    # kube-proxy's -999 takes CAP_SYS_RESOURCE.
    check "an OOM score that cannot be set is told" yes "$(has_logged 'oom_score_adj stays')"
    settles "and no problem" OK summary
}

summary() {
    ebpflb status --bpffs "$BPFFS" | sed -n 1p
}

S119_An_endpoint_that_drains_gets_nothing_new() {
    service s119 'clusterIP: 10.96.1.119' "$ports"
    slice s119 s119 p11 p21
    settles "both answer" "p11 p21" answers p12 tcp 10.96.1.119 80 "${many[@]}"
    local line
    coproc HELD { enter p12 lbprobe hold 10.96.1.119 80 --count 12; }
    read -r line <&"${HELD[0]}"
    slice s119 s119 p11=draining p21
    settles "new connections avoid it" p21 answers p12 tcp 10.96.1.119 80 "${many[@]}"
    echo check >&"${HELD[1]}"
    read -r line <&"${HELD[0]}"
    check "those that are there live on" '"alive":12' "$(grep -o '"alive":[0-9]*' <<<"$line")"
    kill "$HELD_PID" 2>/dev/null || true
    wait "$HELD_PID" 2>/dev/null || true
    forget s119
}

S120_Only_draining_endpoints_are_left() {
    service s120 'type: NodePort' 'externalTrafficPolicy: Local' 'clusterIP: 10.96.1.120' "$(node_ports 30220)"
    slice s120 s120 p11=draining p21
    settles "Local: the draining one of this node" p11 answers c tcp $node 30220 "${many[@]}"
    settles "Cluster: the ready one of the other" p21 answers p12 tcp 10.96.1.120 80 "${many[@]}"
    slice s120 s120 p11=draining p21=draining
    settles "Cluster: both, when none is ready" "p11 p21" answers p12 tcp 10.96.1.120 80 "${many[@]}"
    forget s120
}

S121_Endpoints_that_serve_no_more() {
    service s121 'clusterIP: 10.96.1.121' "$ports"
    slice s121 s121 p11
    settles "it answers" p11 answers p12 tcp 10.96.1.121 80
    slice s121 s121 p11=gone
    settles "refused" ECONNREFUSED answers p12 tcp 10.96.1.121 80 "${few[@]}"
    remove "$slices/s121"
    settles "refused without the slice" ECONNREFUSED answers p12 tcp 10.96.1.121 80 "${few[@]}"
    settles "no backend is left" 0 backends_of s121:http
    forget s121
}

S122_Unready_endpoints() {
    service s122 'clusterIP: 10.96.1.122' "$ports"
    slice s122 s122 p11=unready p21
    settles "only the ready one" p21 answers p12 tcp 10.96.1.122 80 "${many[@]}"
    slice s122 s122 p11=unready
    settles "an unready one is no endpoint" ECONNREFUSED answers p12 tcp 10.96.1.122 80 "${few[@]}"
    # What the controller writes for publishNotReadyAddresses.
    slice s122 s122 p11
    settles "published all the same: reached" p11 answers p12 tcp 10.96.1.122 80
    forget s122
}

S125_An_endpoint_moves_to_another_slice() {
    service s125 'clusterIP: 10.96.1.125' "$ports"
    slice s125 s125 p11 p21
    settles "two endpoints of one slice" "p11 p21" answers p12 tcp 10.96.1.125 80 "${many[@]}"
    slice s125-b s125 p21
    settles "one of them in both: once" 2 backends_of s125:http
    slice s125 s125 p11
    settles "in the other one only" "p11 p21" answers p12 tcp 10.96.1.125 80 "${many[@]}"
    slice s125-b s125
    settles "in none" p11 answers p12 tcp 10.96.1.125 80 "${many[@]}"
    forget s125 s125-b
}

backends_of() { # SERVICE:PORT
    ebpflb backends --service "$1" --bpffs "$BPFFS" 2>/dev/null | tail -n +2 | wc -l
}

declare -A streams

# A conversation after the other until end_stream.
start_stream() { # NAME PLACE ADDRESS PORT
    enter "$2" lbprobe stream tcp "$3" "$4" --interval 10 --duration 300000 --timeout 1000 >"$RUN_DIRECTORY/stream-$1" 2>&1 &
    streams[$1]=$!
}

# Checks that none failed, of so many at least.
end_stream() { # NAME WHAT AT_LEAST
    local json succeeded
    kill -s TERM "${streams[$1]}"
    wait "${streams[$1]}" || true
    json=$(<"$RUN_DIRECTORY/stream-$1")
    succeeded=$(grep -oE '"succeeded":[0-9]+' <<<"$json" | head -n 1)
    succeeded=${succeeded#*:}
    if ((${succeeded:-0} >= $3)); then
        check "$2" '"failed":0' "$(grep -oE '"failed":[0-9]+' <<<"$json" | head -n 1)"
    else
        check "$2" "$3 or more" "${succeeded:-$json}"
    fi
}

S128_The_agent_is_killed_under_traffic() {
    service s128 'type: LoadBalancer' 'externalTrafficPolicy: Local' 'healthCheckNodePort: 32128' 'clusterIP: 10.96.1.128' \
        "$(node_ports 30229)"
    slice s128 s128 p11
    settles "served" p11 answers p12 tcp 10.96.1.128 80
    settles "from outside too" p11 answers c tcp $node 30229
    settles "the health check port answers" 200 status_of c http://$node:32128/
    start_stream pod p12 10.96.1.128 80
    start_stream client c $node 30229
    kill -s KILL "$agent"
    eventually 10 gone "$agent" || true
    check "killed: nobody answers for the health" 000 "$(status_of c http://$node:10256/healthz)"
    check "nor for the service's" 000 "$(status_of c http://$node:32128/)"
    sleep 1
    start_agent
    await_agent
    check "the next one finds everything in place" "0 map writes" "$(grep -oE '[0-9]+ map writes' "$RUN_DIRECTORY/agent.log" | head -n 1)"
    settles "it has the port of the health" 200 status_of c http://$node:10256/healthz
    settles "that of the metrics" 200 status_of n1 http://127.0.0.1:10249/metrics
    settles "and that of the service" 200 status_of c http://$node:32128/
    slice s128 s128 p11 p12
    settles "what changes is followed" "p11 p12" answers c tcp $node 30229 "${many[@]}"
    end_stream pod "a pod has noticed nothing" 50
    end_stream client "nor has a client outside" 50
    forget s128
}

S146_The_API_server_goes_and_comes_back() {
    service s146 'clusterIP: 10.96.1.146' "$ports"
    slice s146 s146 p11
    settles "served" p11 answers p12 tcp 10.96.1.146 80
    start_stream pod p12 10.96.1.146 80
    api_down
    sleep 3
    check "the agent lives" 200 "$(status_of c http://$node:10256/livez)"
    api_up
    slice s146 s146 p21
    # Each resource is tried again after 30 seconds at most.
    patience=45 settles "what changed is followed" p21 answers p12 tcp 10.96.1.146 80 "${many[@]}"
    end_stream pod "meanwhile nothing failed" 100
    patience=45 settles "services too" 0 troubles
    forget s146
}

# Resources that are not followed.
troubles() {
    ebpflb status --bpffs "$BPFFS" 2>/dev/null | grep -c 'not followed since' || true
}

S147_History_is_gone() {
    service s147 'clusterIP: 10.96.1.147' "$ports"
    service s147-deleted 'clusterIP: 10.96.2.147' "$ports"
    slice s147 s147 p11
    slice s147-deleted s147-deleted p11
    settles "both services are there" 10.96.2.147:80 frontends_of s147-deleted
    start_stream pod p12 10.96.1.147 80
    # The agent hears nothing, however it asks.
    ip -n "n1-$run" route add unreachable "$api_address/32"
    forget s147-deleted
    service s147-new 'clusterIP: 10.96.3.147' "$ports"
    slice s147-new s147-new p21
    forget_history
    ip -n "n1-$run" route del unreachable "$api_address/32"
    patience=90 settles "what was deleted disappears" "" frontends_of s147-deleted
    settles "what was created is served" p21 answers p12 tcp 10.96.3.147 80
    end_stream pod "nothing that stayed has failed" 50
    forget s147 s147-new
}

S163_Certificates_and_credentials() {
    service s163 'clusterIP: 10.96.1.163' "$ports"
    slice s163 s163 p11
    settles "served" p11 answers p12 tcp 10.96.1.163 80
    local missing=$RUN_DIRECTORY/none.conf status=0
    ebpflb agent --kubeconfig "$missing" --node-name n1 --bpffs "$BPFFS" --cgroup "$CGROUP_N1" \
        >"$RUN_DIRECTORY/missing.log" 2>&1 || status=$?
    check "no kubeconfig: it does not start" true "$( ((status)) && echo true)"
    check "and names the file" "$missing" "$(grep -oF "$missing" "$RUN_DIRECTORY/missing.log" | head -n 1)"

    stop_agent
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -keyout "$pki/other.key" -out "$pki/other.crt" \
        -subj /CN=other-ca 2>>"$pki/log"
    cp "$pki/other.crt" "$RUN_DIRECTORY/trusted.crt"
    sed -i "s|certificate-authority: .*|certificate-authority: $RUN_DIRECTORY/trusted.crt|" "$RUN_DIRECTORY/kubeconfig.conf"
    start_agent
    patience=15 settles "a server that is not trusted: the log says so" yes has_logged 'certificate|trust'
    settles "the agent is alive" 200 status_of c http://$node:10256/livez
    settles "and not ready" 503 status_of c http://$node:10256/healthz
    settles "what was programmed is served" p11 answers p12 tcp 10.96.1.163 80
    cp "$pki/ca.crt" "$RUN_DIRECTORY/trusted.crt"
    patience=70 settles "the right authority in the same file is taken up" 200 status_of c http://$node:10256/healthz
    stop_agent
    sed -i "s|certificate-authority: .*|certificate-authority: $pki/ca.crt|" "$RUN_DIRECTORY/kubeconfig.conf"
    start_agent
    await_agent
    exchange_token
    slice s163 s163 p21
    patience=60 settles "a token that was exchanged in its file is taken up" p21 answers p12 tcp 10.96.1.163 80 "${many[@]}"
    forget s163
}

S164_A_permission_is_missing() {
    service s164 'clusterIP: 10.96.1.164' "$ports"
    slice s164 s164 p11
    settles "served" p11 answers p12 tcp 10.96.1.164 80
    local before
    before=$(frontends_of s164)
    stop_agent
    forbid_slices
    start_agent
    patience=15 settles "the log names the resource" yes has_logged 'endpointslices.discovery.k8s.io is forbidden'
    settles "not ready" 503 status_of c http://$node:10256/healthz
    settles "but alive" 200 status_of c http://$node:10256/livez
    check "nothing was deleted" "$before" "$(frontends_of s164)"
    settles "and it is served" p11 answers p12 tcp 10.96.1.164 80
    slice s164 s164 p21
    allow_slices
    patience=60 settles "granted: it converges without a restart" p21 answers p12 tcp 10.96.1.164 80 "${many[@]}"
    settles "and is ready" 200 status_of c http://$node:10256/healthz
    forget s164
}

# What the agent was refused, as KIND RESOURCE, and what it was allowed. A real server does not tell.
answered() { # 200|403
    must GET /fake/requests
    tr '{' '\n' <"$RUN_DIRECTORY/answer" | grep -F "\"user\":\"$account\"" |
        sed -nE 's/.*"kind":"([^"]*)","resource":"([^"]*)".*"status":'"$1"'.*/\1 \2/p' | sort -u
}

S195_The_account_suffices_and_allows_nothing_else() {
    service s195 'type: LoadBalancer' 'externalTrafficPolicy: Local' 'healthCheckNodePort: 32195' 'clusterIP: 10.96.1.195' \
        "$(node_ports 30195)"
    slice s195 s195 p11
    settles "everything above was done with it; this as well" p11 answers p12 tcp 10.96.1.195 80
    settles "it may list services" 200 request_of_agent GET /api/v1/services
    settles "and read its node" 200 request_of_agent GET /api/v1/nodes/n1
    enter n1 setsid lbprobe serve --name taken --tcp 32196 --pidfile "$PIDS/taken" </dev/null >"$RUN_DIRECTORY/taken.log" 2>&1 &
    eventually 5 test -s "$PIDS/taken" || true
    patch "$services/s195" '{"spec": {"healthCheckNodePort": 32196}}'
    settles "it may tell of a port that is taken, by an Event" FailedToStartServiceHealthcheck reason_of_event s195
    if $fake; then
        check "the agent's requests are known" "WatchList services" "$(answered 200 | grep -x 'WatchList services')"
        check "none was refused but those for slices, above" "" "$(answered 403 | grep -v ' endpointslices' | paste -sd ';')"
    fi
    local denied
    for denied in 'GET /api/v1/secrets' 'GET /api/v1/namespaces/kube-system/secrets/any' 'GET /api/v1/pods' 'GET /api/v1/configmaps' \
        'DELETE /api/v1/namespaces/shop/services/s195' 'POST /api/v1/namespaces/shop/pods' 'PATCH /api/v1/nodes/n1' \
        'GET /apis/events.k8s.io/v1/events' 'GET /api/v1/namespaces/shop/services/s195' \
        'PATCH /apis/rbac.authorization.k8s.io/v1/clusterroles/ebpflb'; do
        # shellcheck disable=SC2086 # two words
        check "it may not $denied" 403 "$(request_of_agent $denied)"
    done
    kill -s TERM "$(<"$PIDS/taken")"
    forget s195
}

reason_of_event() { # SERVICE
    must GET /apis/events.k8s.io/v1/namespaces/shop/events
    tr '{' '\n' <"$RUN_DIRECTORY/answer" | grep -qF "\"name\":\"$1\"" || return 0
    field_of_answer reason
}
