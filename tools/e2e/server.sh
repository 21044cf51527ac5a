# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
#
# To be sourced: an API server beside the router of a playground, a real one with etcd or tools/EbpfLb.FakeApi, and requests to it. Wants
# the variables of the playground, pods.sh, refuse, eventually, $fake and $fakeapi, and $pki for certificates.

# shellcheck disable=SC2154 # from e2e.sh

# Where the nodes see it: the router's address.
api_address=10.10.0.254
api_url=https://$api_address:6443
service_ranges=10.96.0.0/16,fd00:10:96::/112

# --- Certificates ---

issue() { # NAME SUBJECT EXTENSIONS
    openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout "$pki/$1.key" -subj "$2" 2>>"$pki/log" |
        openssl x509 -req -CA "$pki/ca.crt" -CAkey "$pki/ca.key" -CAcreateserial -days 1 -out "$pki/$1.crt" \
            -extfile <(echo "$3") 2>>"$pki/log"
}

make_certificates() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -keyout "$pki/ca.key" -out "$pki/ca.crt" \
        -subj /CN=e2e-ca 2>>"$pki/log"
    issue server /CN=kube-apiserver "subjectAltName=IP:$api_address,IP:10.96.0.1,DNS:kubernetes"
    issue admin /O=system:masters/CN=admin extendedKeyUsage=clientAuth
    openssl ecparam -name prime256v1 -genkey -noout -out "$pki/accounts.key" 2>>"$pki/log"
    openssl ec -in "$pki/accounts.key" -pubout -out "$pki/accounts.pub" 2>>"$pki/log"
}

# --- The server ---

background() { # NAME COMMAND...
    enter c setsid "${@:2}" </dev/null >>"$RUN_DIRECTORY/$1.log" 2>&1 &
    echo $! >"$PIDS/$1"
    disown
}

end_background() { # NAME
    local pid
    pid=$(<"$PIDS/$1")
    kill -s TERM "$pid" 2>/dev/null || true
    eventually 30 gone "$pid"
}

start_api() {
    if $fake; then
        background apiserver "$fakeapi" --listen "$api_address:6443" --tls "$pki" --names "$api_address"
    else
        background apiserver "$KUBEBUILDER_ASSETS/kube-apiserver" \
            --etcd-servers=http://127.0.0.1:2379 --secure-port=6443 --advertise-address="$api_address" \
            --tls-cert-file="$pki/server.crt" --tls-private-key-file="$pki/server.key" --client-ca-file="$pki/ca.crt" \
            --cert-dir="$pki/generated" --authorization-mode=RBAC --service-cluster-ip-range="$service_ranges" \
            --service-account-issuer="$api_url" --service-account-key-file="$pki/accounts.pub" \
            --service-account-signing-key-file="$pki/accounts.key" --disable-admission-plugins=ServiceAccount
    fi
    eventually 60 api_is_ready || {
        tail -n 5 "$RUN_DIRECTORY/apiserver.log" >&2
        refuse "the API server does not get ready; $RUN_DIRECTORY/apiserver.log"
    }
}

start_etcd() {
    background etcd "$KUBEBUILDER_ASSETS/etcd" --data-dir="$RUN_DIRECTORY/etcd" --listen-client-urls=http://127.0.0.1:2379 \
        --advertise-client-urls=http://127.0.0.1:2379 --listen-peer-urls=http://127.0.0.1:2380 --unsafe-no-fsync
}

api_is_ready() {
    [[ $(request GET /readyz) == 200 ]]
}

has_namespace() { # NAME
    [[ $(request GET "/api/v1/namespaces/$1") == 200 ]]
}

# --- Requests, as an administrator. The status; what is answered is in $RUN_DIRECTORY/answer ---

request() { # METHOD PATH [CONTENT_TYPE]; with a type the body comes from standard input
    local certificate=$pki/admin body=()
    ! $fake || certificate=$pki/client
    (($# < 3)) || body=(--header "Content-Type: $3" --data-binary @-)
    outside curl --silent --max-time 10 --cacert "$pki/ca.crt" --cert "$certificate.crt" --key "$certificate.key" \
        --request "$1" "${body[@]}" --output "$RUN_DIRECTORY/answer" --write-out '%{http_code}' "$api_url$2" || true
}

must() { # METHOD PATH [CONTENT_TYPE]
    local status
    status=$(request "$@")
    if [[ $status != 2?? ]]; then
        refuse "$1 $2: status $status: $(head -c 600 "$RUN_DIRECTORY/answer" 2>/dev/null)"
    fi
}

# Creates it, or makes it what the YAML says.
apply() { # PATH; YAML from standard input
    must PATCH "$1?fieldManager=e2e&force=true" application/apply-patch+yaml
}

create() { # COLLECTION; YAML from standard input
    must POST "$1" application/yaml
}

patch() { # PATH JSON
    must PATCH "$1" application/merge-patch+json <<<"$2"
}

remove() { # PATH
    must DELETE "$1" </dev/null
}

field_of_answer() { # NAME
    grep -oE "\"$1\": *\"[^\"]*\"" "$RUN_DIRECTORY/answer" | head -n 1 | sed 's/.*: *"//; s/"$//'
}

# --- The agent's account, as tools/deploy makes it ---

account=system:serviceaccount:kube-system:ebpflb

deploy_account() {
    local base=$root/tools/deploy/base
    # A real server makes the namespace, a moment after it is ready.
    $fake || eventually 10 has_namespace kube-system || refuse "the API server has no namespace kube-system"
    apply /api/v1/namespaces/kube-system/serviceaccounts/ebpflb <"$base/serviceaccount.yaml"
    apply /apis/rbac.authorization.k8s.io/v1/clusterrolebindings/ebpflb <"$base/clusterrolebinding.yaml"
    # The fake one asks nobody until somebody is named.
    ! $fake || fake_request access '{"user": "admin", "grants": [{"verbs": ["*"], "resources": ["*"]}]}'
    set_role <"$base/clusterrole.yaml"
    new_token
}

# The ClusterRole from standard input is what the account may do.
set_role() {
    if $fake; then
        fake_request access "{\"user\": \"$account\", \"grants\": [$(grants)]}"
    else
        apply /apis/rbac.authorization.k8s.io/v1/clusterroles/ebpflb
    fi
}

# Of a ClusterRole whose rules have a group and a resource each, as the fake API server takes them.
grants() {
    sed -nE 's/.*apiGroups: \["?([^]"]*)"?\]/group \1/p; s/.*(resources|verbs): \[(.*)\]/\1 \2/p' | awk '
        $1 == "group" { suffix = $2 == "" ? "" : "." $2 }
        $1 == "resources" { resource = $2 suffix }
        $1 == "verbs" {
            sub(/^verbs /, "")
            gsub(/, /, "\", \"")
            printf "%s{\"verbs\": [\"%s\"], \"resources\": [\"%s\"]}", separator, $0, resource
            separator = ", "
        }'
}

new_token() {
    if $fake; then
        openssl rand -hex 16 >"$RUN_DIRECTORY/token.new"
        fake_request access "{\"token\": \"$(<"$RUN_DIRECTORY/token.new")\", \"user\": \"$account\"}"
    else
        create /api/v1/namespaces/kube-system/serviceaccounts/ebpflb/token <<-'END'
			{apiVersion: authentication.k8s.io/v1, kind: TokenRequest, spec: {expirationSeconds: 3600}}
		END
        field_of_answer token >"$RUN_DIRECTORY/token.new"
    fi
    mv "$RUN_DIRECTORY/token.new" "$RUN_DIRECTORY/token"
}

# The kubelet exchanges what is in the file. Only the fake server can refuse the old one before its time is over.
exchange_token() {
    local old
    old=$(<"$RUN_DIRECTORY/token")
    new_token
    if $fake; then
        fake_request access "{\"token\": \"$old\"}"
        cut_watches '"ending": "Reset"'
    fi
}

# With the agent's token. The status: who may not is told so before anything else.
request_of_agent() { # METHOD PATH
    local body=()
    [[ $1 != P* ]] || body=(--header 'Content-Type: application/merge-patch+json' --data '{}')
    outside curl --silent --max-time 10 --cacert "$pki/ca.crt" --header "Authorization: Bearer $(<"$RUN_DIRECTORY/token")" \
        --request "$1" "${body[@]}" --output /dev/null --write-out '%{http_code}' "$api_url$2" || true
}

# --- What an API server does to its clients ---

forbid_slices() {
    sed '/discovery.k8s.io/,+2d' "$root/tools/deploy/base/clusterrole.yaml" | set_role
}

allow_slices() {
    set_role <"$root/tools/deploy/base/clusterrole.yaml"
}

# The fake one would forget its objects: it resets every connection instead.
api_down() {
    if $fake; then
        fake_request faults '{"reset": true}'
        cut_watches '"ending": "Reset"'
    else
        end_background apiserver
    fi
}

api_up() {
    if $fake; then
        must DELETE /fake/faults </dev/null
    else
        start_api
    fi
}

cut_watches() { # HOW
    local resource
    for resource in services endpointslices nodes servicecidrs; do
        fake_request watches "{\"resource\": \"$resource\", $1}"
    done
}

# Nothing older than what is there now can be watched any more.
forget_history() {
    if $fake; then
        fake_request compact '{}'
        cut_watches '"ending": "Error", "status": 410'
        return
    fi
    must GET /api/v1/services
    local revision
    revision=$(field_of_answer resourceVersion)
    outside curl --silent --show-error --fail --max-time 10 http://127.0.0.1:2379/v3/kv/compaction \
        --data "{\"revision\": $revision}" --output "$RUN_DIRECTORY/compaction"
    # Its cache of events knows more than etcd.
    end_background apiserver
    start_api
}

fake_request() { # PAGE JSON
    must POST "/fake/$1" application/json <<<"$2"
}
