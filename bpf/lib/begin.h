/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
#ifndef EBPFLB_BEGIN_H
#define EBPFLB_BEGIN_H

/*
 * A packet that belongs to no flow: what it dials, whether it may, which backend it is given, and the two halves of its
 * flow. Once per connection.
 */

#include "frontend.h"
#include "flow.h"
#include "port.h"
#include "select.h"
#include "service.h"

/* Where a packet comes from, as policies see it. */
enum begin_scope {
	BEGIN_FROM_WIRE, /* from outside of the node */
	BEGIN_FROM_POD,  /* from a pod of this node */
};

static __always_inline bool source_is_martian(const struct packet *packet)
{
	const struct lb_address *source = &packet->tuple.source;
	__u8 first = source->bytes[packet->is_v4 ? 12 : 0];

	if (address_equal(source, &packet->tuple.destination))
		return true;
	if (packet->is_v4)
		return first == 0 || first == 127 || first >= 224;
	return first == 0xff || (!(address_word(source, 0) | address_word(source, 1) | address_word(source, 2)) &&
				 bpf_ntohl(address_word(source, 3)) <= 1);
}

/* A connection begins with SYN alone; any segment that has an acknowledgement may be in the middle of one. */
static __always_inline int begin_tcp(__u8 flags)
{
	bool syn = flags & TCP_SYN;

	if ((syn && (flags & (TCP_FIN | TCP_RST))) || !(flags & (TCP_SYN | TCP_RST | TCP_ACK)))
		return LB_REASON_MALFORMED;
	if ((flags & (TCP_FIN | TCP_RST)) || (syn && (flags & TCP_ACK)))
		return LB_REASON_NO_FLOW;
	return OUTCOME_CONTINUE;
}

/* Whether the packet may be the first of a flow to a frontend, whichever. */
static __always_inline int begin_is_sound(hook_ctx *ctx, const struct packet *packet)
{
	switch (frame_destination(ctx, packet)) {
	case FRAME_FOR_MANY:
		return LB_REASON_NOT_FOR_US;
	case FRAME_FOR_OTHERS:
		return OUTCOME_PASS;
	case FRAME_FOR_US:
		break;
	}
	if (source_is_martian(packet))
		return LB_REASON_MARTIAN;
	if (!packet->tuple.source_port || !packet->tuple.destination_port)
		return LB_REASON_MALFORMED;
	return packet->tuple.protocol == IPPROTO_UDP ? OUTCOME_CONTINUE : begin_tcp(packet->tcp_flags);
}

static __always_inline bool source_is_admitted(const struct packet *packet, __u32 service_id)
{
	struct lb_source_range_key key = {
		.prefix_bits = 8 * (sizeof(service_id) + sizeof(packet->tuple.source)),
		.service_id = service_id,
		.address = packet->tuple.source,
	};

	return bpf_map_lookup_elem(&src_ranges_v1, &key);
}

/* An address of the node is its own, whatever range somebody has given to services. */
static __always_inline bool is_service_address(const struct lb_address *address)
{
	struct lb_service_cidr_key key = {.prefix_bits = 8 * sizeof(*address), .address = *address};
	bool is_node;

	if (!bpf_map_lookup_elem(&svc_cidrs_v1, &key))
		return false;
	node_address_flags(address, &is_node);
	return !is_node;
}

static __always_inline enum dialler packet_dialler(const struct packet *packet)
{
	return packet->hook == LB_HOOK_TC_EGRESS || packet->hook == LB_HOOK_TC_POD ? DIALLER_POD : DIALLER_WIRE;
}

/* What is dialled. Without a frontend: the fate of the packet. */
SUBPROGRAM int begin_dialled(const struct packet *packet, struct lb_frontend *frontend)
{
	struct lb_frontend_key key;

	if (!packet || !frontend)
		return OUTCOME_PASS;
	key = (struct lb_frontend_key){
		.address = packet->tuple.destination,
		.port = packet->tuple.destination_port,
		.protocol = packet->tuple.protocol,
	};
	switch (frontend_find(&key, packet_dialler(packet), frontend)) {
	case DIALLED_FRONTEND:
		return OUTCOME_CONTINUE;
	case DIALLED_NO_PORT:
		return packet->has_ports ? LB_REASON_REFUSED_NO_PORT : LB_REASON_OTHER_PROTOCOL;
	case DIALLED_NOTHING:
		break;
	}
	return is_service_address(&key.address) ? LB_REASON_UNALLOCATED : OUTCOME_PASS;
}

SUBPROGRAM int begin_choose(const struct packet *packet, enum begin_scope scope, const struct lb_frontend *frontend,
			    __u64 hash, struct backend_choice *choice)
{
	const volatile struct lb_settings *settings = settings_read();
	struct select_client client = {
		.affinity = {.client_kind = LB_CLIENT_ADDRESS},
		.hash = hash,
		.by_hash = true,
	};
	enum service_policy policy = SERVICE_POLICY_EXTERNAL;
	struct service_view service;
	bool is_cluster_ip;
	int error;

	if (!packet || !frontend || !choice)
		return OUTCOME_PASS;
	is_cluster_ip = frontend->flags & LB_FRONTEND_CLUSTER_IP;
	if (is_cluster_ip)
		policy = SERVICE_POLICY_INTERNAL;
	else if (scope == BEGIN_FROM_POD)
		policy = SERVICE_POLICY_CLUSTER;
	if (is_cluster_ip && scope == BEGIN_FROM_WIRE &&
	    !(settings && (settings->flags & LB_SETTING_EXTERNAL_CLUSTER_IPS)))
		return LB_REASON_CLUSTER_IP;
	if (!service_read(frontend->service_id, policy, &service))
		return LB_REASON_REFUSED_NO_ENDPOINT;
	if ((frontend->flags & LB_FRONTEND_LOAD_BALANCER) && (service.flags & LB_SERVICE_SOURCE_RANGES) &&
	    !source_is_admitted(packet, service.id))
		return LB_REASON_SOURCE_RANGE;

	__builtin_memcpy(client.affinity.client, &packet->tuple.source, sizeof(client.affinity.client));
	/* Affinity says it better, and wants to hear of each opening. */
	if (!service.affinity_timeout_s && (recent_backend(RECENT_OPENINGS, hash, &service, choice) ||
					    (!(packet->tcp_flags & TCP_SYN) && packet_is_tcp(packet) &&
					     recent_backend(RECENT_CONNECTIONS, hash, &service, choice))))
		return OUTCOME_CONTINUE;
	error = select_backend(&client, &service, choice);
	if (error)
		return error == -ETIMEDOUT ? LB_REASON_NO_LOCAL_ENDPOINT : LB_REASON_REFUSED_NO_ENDPOINT;
	return OUTCOME_CONTINUE;
}

/* A backend that is a frontend itself would send the packet round. */
SUBPROGRAM int begin_is_loop(const struct packet *packet, const struct lb_backend *backend)
{
	struct lb_frontend_key key;
	struct lb_frontend frontend;

	if (!packet || !backend)
		return 0;
	key = (struct lb_frontend_key){
		.address = backend->address,
		.port = backend->port,
		.protocol = packet->tuple.protocol,
	};
	return frontend_find(&key, packet_dialler(packet), &frontend) == DIALLED_FRONTEND;
}

/*
 * An address that answers come back to where they are seen: that of the device the packet leaves through, if our
 * programs are there, else of the one it came in by.
 */
static __always_inline bool device_source(hook_ctx *ctx, __u32 ifindex, bool is_v4, struct lb_address *source)
{
	const struct lb_device *device = bpf_map_lookup_elem(&devices_v1, &ifindex);
	__u32 arrival = hook_ifindex(ctx);

	if (!device || !(device->flags & LB_DEVICE_ATTACHED))
		device = bpf_map_lookup_elem(&devices_v1, &arrival);
	if (!device)
		return false;
	*source = is_v4 ? device->source_v4 : device->source_v6;
	return !address_is_zero(source);
}

/*
 * The packet's own direction, all but its source port. A backend of another node is shown an address of this one, so
 * that its answers come back here. So is a pod that is its own backend.
 */
static __always_inline int begin_forward(hook_ctx *ctx, const struct packet *packet, enum begin_scope scope,
					 const struct backend_choice *choice, struct lb_conntrack *forward)
{
	bool is_hairpin = address_equal(&choice->backend.address, &packet->tuple.source);
	bool is_remote = scope == BEGIN_FROM_WIRE && !(choice->backend.flags & LB_BACKEND_ON_NODE);
	/* The stack would not take a packet that comes in with an address of its own. */
	bool leaves = is_remote || (is_hairpin && scope == BEGIN_FROM_POD);
	__u32 now = clock_now();
	int outcome;

	*forward = (struct lb_conntrack){
		.source = packet->tuple.source,
		.destination = choice->backend.address,
		.source_port = packet->tuple.source_port,
		.destination_port = choice->backend.port,
		.flags = (leaves ? 0 : LB_CONNTRACK_LOCAL) | (scope == BEGIN_FROM_POD ? LB_CONNTRACK_INTERNAL : 0),
		.seen = now,
		.checked = now,
		.backend_id = choice->id,
	};
	if (packet->tcp_flags & TCP_SYN)
		forward->flags |= LB_CONNTRACK_SYN;
	else if (packet->tuple.protocol != IPPROTO_UDP)
		forward->flags |= LB_CONNTRACK_PICKED_UP | LB_CONNTRACK_DATA;
	flow_note_arrival(ctx, forward);
	if (!leaves) {
		forward->flags |= LB_CONNTRACK_OTHER_EGRESS;
		return OUTCOME_CONTINUE;
	}
	if (packet->ttl <= 1)
		return LB_REASON_TTL_EXCEEDED;
	outcome = flow_route(ctx, packet, forward);
	if (outcome != OUTCOME_CONTINUE && outcome != OUTCOME_SEND_RESOLVING)
		return outcome;
	/* Left to tc before anything is remembered: it would be done there again. */
	if (HOOK_CAN_HAND_DOWN && (forward->flags & LB_CONNTRACK_NO_XDP))
		return LB_REASON_HANDED_DOWN;
	if (!device_source(ctx, forward->ifindex, packet->is_v4, &forward->source))
		return LB_REASON_NO_ROUTE;
	return OUTCOME_CONTINUE;
}

/* The reply half for the source address the packet's own half has; its port is still to be found. */
static __always_inline void begin_search(const struct packet *packet, struct port_search *search)
{
	struct lb_conntrack *forward = &search->forward;

	conntrack_other_key(&packet->tuple, forward, &search->key);
	conntrack_mirror(&packet->tuple, forward, &search->key, &search->reply);
	/* A client whose address is kept keeps its port too, if no other flow to this backend has both. */
	search->wanted = address_equal(&forward->source, &packet->tuple.source) ? packet->tuple.source_port : 0;
}

/*
 * A segment in the middle of a connection that this node never had: its route has moved here from another node. If that
 * node ran the backend, the backend knows the client by its own address, and the answers find their frontend there.
 */
static __always_inline bool begin_came_elsewhere(struct port_search *search, __u64 hash)
{
	return (search->forward.flags & (LB_CONNTRACK_DATA | LB_CONNTRACK_LOCAL)) == LB_CONNTRACK_DATA &&
	       !recent_is(RECENT_OPENINGS, hash, search->forward.backend_id) &&
	       !recent_is(RECENT_CONNECTIONS, hash, search->forward.backend_id) && !port_is_of_flow();
}

/*
 * Takes a source port by putting the reply half into the map. The packet's own half waits until the backend answers, or
 * the client speaks again: a flood of openings then costs one element each, and never one that looks used. A segment in
 * the middle of a connection is no opening.
 */
SUBPROGRAM int begin_insert(hook_ctx *ctx, const struct packet *packet, __u64 hash)
{
	const volatile struct lb_settings *settings = settings_read();
	struct port_search *search = port_search();
	struct lb_conntrack_key own;
	struct lb_conntrack *forward;
	bool is_opening;
	int found;

	if (!packet || !search || !settings)
		return OUTCOME_PASS;
	forward = &search->forward;
	is_opening = !(forward->flags & LB_CONNTRACK_DATA);
	search->first = settings->snat_port_first;
	search->count = settings->snat_port_last - search->first + 1;
	search->hash = hash;
	search->now = forward->seen;
	begin_search(packet, search);
	if (begin_came_elsewhere(search, hash)) {
		forward->source = packet->tuple.source;
		begin_search(packet, search);
	}
	if (is_opening)
		search->reply.checked = forward->seen - CONNTRACK_UNCHECKED;
	found = port_find(ctx, search);
	if (found < 0)
		return found == -EEXIST ? LB_REASON_NO_SNAT_PORT : LB_REASON_MAP_FULL;

	forward->source_port = search->key.destination_port;
	conntrack_set_delta(&packet->tuple, forward);
	/* This packet; what its translation counts is counted in the copy. */
	forward->packets = 1;
	forward->bytes = packet->length;
	if (found != PORT_TAKEN || !is_opening) {
		own = packet->tuple;
		if (bpf_map_update_elem(&conntrack_v1, &own, forward, BPF_ANY)) {
			if (found == PORT_TAKEN)
				bpf_map_delete_elem(&conntrack_v1, &search->key);
			return LB_REASON_MAP_FULL;
		}
	}
	if (found == PORT_OF_FLOW)
		count_reason(packet, LB_REASON_REBUILT);
	if (found != PORT_TAKEN)
		return OUTCOME_CONTINUE;
	recent_keep(RECENT_OPENINGS, hash, forward->backend_id);
	if (is_opening) {
		count_reason(packet, LB_REASON_NEW_FLOW);
		count_connection(packet, forward->backend_id);
	} else {
		count_reason(packet, LB_REASON_PICKED_UP);
	}
	return OUTCOME_CONTINUE;
}

/* The packet's half of the flow, all but its source port; or why there is none. */
SUBPROGRAM int begin_decide(hook_ctx *ctx, const struct packet *packet, enum begin_scope scope, __u64 hash)
{
	struct lb_conntrack *forward = port_search_forward();
	struct lb_frontend frontend = {};
	struct backend_choice choice = {};
	int outcome, dialled;

	if (!packet || !forward)
		return OUTCOME_PASS;
	dialled = begin_dialled(packet, &frontend);
	if (dialled == OUTCOME_PASS)
		return dialled;
	/* Before any answer: nobody answers a frame for somebody else, or an address that cannot be a source. */
	outcome = begin_is_sound(ctx, packet);
	if (outcome != OUTCOME_CONTINUE)
		return outcome;
	if (dialled != OUTCOME_CONTINUE)
		return dialled;
	if (nat_checksum_is_partial(ctx, packet))
		return LB_REASON_HANDED_DOWN;
	outcome = begin_choose(packet, scope, &frontend, hash, &choice);
	if (outcome != OUTCOME_CONTINUE)
		return outcome;
	if (begin_is_loop(packet, &choice.backend))
		return LB_REASON_LOOP;
	return begin_forward(ctx, packet, scope, &choice, forward);
}

/* OUTCOME_CONTINUE: the flow's half for this packet is in the scratch of this CPU. */
static __always_inline int begin_flow(hook_ctx *ctx, const struct packet *packet, enum begin_scope scope)
{
	__u64 hash = recent_hash(packet);
	int outcome = begin_decide(ctx, packet, scope, hash);

	return outcome == OUTCOME_CONTINUE ? begin_insert(ctx, packet, hash) : outcome;
}

#endif
