/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
#ifndef EBPFLB_PATH_H
#define EBPFLB_PATH_H

/* The ways of a packet through this node: in from a wire or a pod, and out to them. */

#include "begin.h"
#include "flow.h"
#include "icmp.h"

/* A packet whose protocol, or whose being broken, leaves only its destination to judge by. */
static __always_inline int path_by_destination(const struct packet *packet, enum lb_reason reason)
{
	bool is_node;

	if (!address_has_frontends(&packet->tuple.destination))
		return is_service_address(&packet->tuple.destination) ? LB_REASON_UNALLOCATED : OUTCOME_PASS;
	node_address_flags(&packet->tuple.destination, &is_node);
	return is_node ? OUTCOME_PASS : (int)reason;
}

/* What is not of a flow, whichever way it goes. OUTCOME_CONTINUE: the packet has ports, its own or its datagram's. */
static __always_inline int path_classify(hook_ctx *ctx, struct packet *packet, enum packet_kind kind)
{
	int outcome;

	switch (kind) {
	case PACKET_FLOW:
		return OUTCOME_CONTINUE;
	case PACKET_FRAGMENT:
		if (fragment_recall(packet))
			return OUTCOME_CONTINUE;
		return path_by_destination(packet, LB_REASON_FRAGMENT_UNKNOWN);
	case PACKET_ICMP_ERROR:
		outcome = icmp_translate(ctx, packet);
		if (outcome != OUTCOME_CONTINUE)
			return outcome;
		return path_by_destination(packet, LB_REASON_OTHER_PROTOCOL);
	case PACKET_OTHER:
		return path_by_destination(packet, LB_REASON_OTHER_PROTOCOL);
	case PACKET_BROKEN_TRANSPORT:
		return path_by_destination(packet, LB_REASON_MALFORMED);
	case PACKET_TINY_FRAGMENT:
		return path_by_destination(packet, LB_REASON_FRAGMENT_TINY);
	case PACKET_TOO_MANY_HEADERS:
		count_reason(packet, LB_REASON_TOO_MANY_HEADERS);
		return OUTCOME_PASS;
	case PACKET_NEIGHBOUR:
	case PACKET_FOREIGN:
	case PACKET_BROKEN:
		return OUTCOME_PASS; /* the stack drops what is broken */
	}
	return OUTCOME_PASS;
}

/* An answer to a translated flow that this node has forgotten: nobody here knows it, and a reset would end it. */
static __always_inline int path_orphaned_reply(hook_ctx *ctx, const struct packet *packet)
{
	const volatile struct lb_settings *settings = settings_read();
	__u16 port = bpf_ntohs(packet->tuple.destination_port);
	bool is_node;

	if (HOOK_CAN_HAND_DOWN || !settings || port < settings->snat_port_first || port > settings->snat_port_last)
		return OUTCOME_PASS;
	node_address_flags(&packet->tuple.destination, &is_node);
	return is_node && !hook_has_socket(ctx, packet) ? LB_REASON_NO_FLOW : OUTCOME_PASS;
}

static __always_inline int path_in(hook_ctx *ctx, struct packet *packet, enum packet_kind kind, enum begin_scope scope)
{
	struct lb_conntrack *flow;
	int outcome;

	outcome = path_classify(ctx, packet, kind);
	if (outcome != OUTCOME_CONTINUE)
		return outcome;
	flow = bpf_map_lookup_elem(&conntrack_v1, &packet->tuple);
	if (flow) {
		outcome = flow_packet(ctx, packet, flow, false);
		if (outcome != OUTCOME_RESTART)
			return outcome;
	}
	outcome = begin_flow(ctx, packet, scope);
	if (outcome == OUTCOME_PASS)
		return path_orphaned_reply(ctx, packet);
	if (outcome != OUTCOME_CONTINUE)
		return outcome;
	flow = port_search_forward();
	return flow ? flow_packet(ctx, packet, flow, true) : LB_REASON_FAILED;
}

/* Answers of backends get their frontend back. Nothing else is changed; what dials a service address stays here. */
static __always_inline int path_out(hook_ctx *ctx, struct packet *packet, enum packet_kind kind)
{
	struct lb_frontend frontend = {};
	struct lb_conntrack *flow;
	int outcome;

	outcome = path_classify(ctx, packet, kind);
	if (outcome != OUTCOME_CONTINUE)
		return outcome;
	flow = bpf_map_lookup_elem(&conntrack_v1, &packet->tuple);
	if (flow)
		return flow_packet(ctx, packet, flow, false);
	outcome = begin_dialled(packet, &frontend);
	if (outcome != OUTCOME_CONTINUE)
		return outcome;
	/* The socket hook did not see it. An external address may be served by somebody further on. */
	return frontend.flags & LB_FRONTEND_CLUSTER_IP ? (int)LB_REASON_CLUSTER_IP : OUTCOME_PASS;
}

#endif
