# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
#
# To be sourced: the objects of the scenarios, in few words.

services=/api/v1/namespaces/shop/services
slices=/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices

ports='ports:
  - {name: http, protocol: TCP, port: 80, targetPort: 8080}
  - {name: dns, protocol: UDP, port: 80, targetPort: 8080}'

# The same with a NodePort.
node_ports() { # PORT
    echo "${ports//targetPort: 8080/targetPort: 8080, nodePort: $1}"
}

service() { # NAME SPEC_LINE...
    local line
    {
        printf 'apiVersion: v1\nkind: Service\nmetadata: {namespace: shop, name: %s}\nspec:\n' "$1"
        for line in "${@:2}"; do
            # shellcheck disable=SC2001 # of each line
            sed 's/^/  /' <<<"$line"
        done
    } | apply "$services/$1"
}

# What a load balancer's controller writes.
ingress() { # NAME IP [MODE]
    patch "$services/$1/status" "{\"status\": {\"loadBalancer\": {\"ingress\": [{\"ip\": \"$2\", \"ipMode\": \"${3:-VIP}\"}]}}}"
}

# Endpoints are pods in a state: p11, p11=unready, p11=draining (terminating, still serving), p11=gone (terminating, serves no more).
slice() { # NAME SERVICE ENDPOINT...
    local endpoint pod state number conditions
    {
        printf 'apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\naddressType: IPv4\n'
        printf 'metadata:\n  namespace: shop\n  name: %s\n  labels: {kubernetes.io/service-name: %s}\n' "$1" "$2"
        printf 'ports:\n- {name: http, protocol: TCP, port: 8080}\n- {name: dns, protocol: UDP, port: 8080}\n'
        printf 'endpoints:%s\n' "$( (($# > 2)) || echo ' []')"
        for endpoint in "${@:3}"; do
            pod=${endpoint%%=*} state=${endpoint#"$pod"}
            number=${pod#p}
            case $state in
            '') conditions='ready: true, serving: true, terminating: false' ;;
            =unready) conditions='ready: false, serving: false, terminating: false' ;;
            =draining) conditions='ready: false, serving: true, terminating: true' ;;
            =gone) conditions='ready: false, serving: false, terminating: true' ;;
            *) refuse "there is no state '$state' of an endpoint" ;;
            esac
            printf -- '- {addresses: [10.244.%d.%d], nodeName: n%d, conditions: {%s}}\n' \
                "${number:0:1}" "$number" "${number:0:1}" "$conditions"
        done
    } | apply "$slices/$1"
}

forget() { # SERVICE...: with its slices of the same name
    local name
    for name in "$@"; do
        request DELETE "$slices/$name" >/dev/null </dev/null
        request DELETE "$services/$name" >/dev/null </dev/null
    done
}

cluster_objects() {
    local node
    create /api/v1/namespaces <<<'{apiVersion: v1, kind: Namespace, metadata: {name: shop}}'
    # A real server makes this one itself, from its --service-cluster-ip-range.
    # shellcheck disable=SC2154 # from e2e.sh
    ! $fake || create /apis/networking.k8s.io/v1/servicecidrs <<-'END'
		{apiVersion: networking.k8s.io/v1, kind: ServiceCIDR, metadata: {name: kubernetes},
		 spec: {cidrs: [10.96.0.0/16, 'fd00:10:96::/112']}}
	END
    for node in 1 2; do
        create /api/v1/nodes <<<"{apiVersion: v1, kind: Node, metadata: {name: n$node, labels: {topology.kubernetes.io/zone: z$node}}}"
        patch "/api/v1/nodes/n$node/status" "{\"status\": {\"addresses\": [{\"type\": \"InternalIP\", \"address\": \"10.10.0.$node\"}]}}"
    done
}
