/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
#ifndef EBPFLB_PATH_H
#define EBPFLB_PATH_H

/* The way of a packet into this node, from a wire or a pod. */

#include "begin.h"
#include "flow.h"
#include "icmp.h"

/*
 * A packet whose protocol, or whose being broken, leaves only its destination to judge by. One in a frame for another
 * station is that station's.
 */
static __always_inline int path_by_destination(hook_ctx *ctx, const struct packet *packet, enum lb_reason reason)
{
	bool is_node;
	__u32 flags;

	if (!vip_read(&packet->tuple.destination, &flags)) {
		if (!is_service_address(&packet->tuple.destination))
			return OUTCOME_PASS;
		reason = LB_REASON_UNALLOCATED;
	} else if (!vip_is_ours_alone(flags, packet_dialler(packet))) {
		return OUTCOME_PASS;
	} else {
		node_address_flags(&packet->tuple.destination, &is_node);
		if (is_node)
			return OUTCOME_PASS;
	}
	if (packet->tuple.side == LB_SIDE_INGRESS && frame_destination(ctx, packet) == FRAME_FOR_OTHERS)
		return OUTCOME_PASS;
	return reason;
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
		/* Its first fragment may be on the way to tc, which sees both in order. */
		return path_by_destination(ctx, packet,
					   HOOK_CAN_HAND_DOWN ? LB_REASON_HANDED_DOWN : LB_REASON_FRAGMENT_UNKNOWN);
	case PACKET_ICMP_ERROR:
		outcome = icmp_translate(ctx, packet);
		if (outcome != OUTCOME_CONTINUE)
			return outcome;
		return path_by_destination(ctx, packet, LB_REASON_OTHER_PROTOCOL);
	case PACKET_OTHER:
		return path_by_destination(ctx, packet, LB_REASON_OTHER_PROTOCOL);
	case PACKET_BROKEN_TRANSPORT:
		return path_by_destination(ctx, packet, LB_REASON_MALFORMED);
	case PACKET_TINY_FRAGMENT:
		return path_by_destination(ctx, packet, LB_REASON_FRAGMENT_TINY);
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

/* A packet of a flow, or one that begins none. OUTCOME_RESTART: it may begin a flow. */
static __always_inline int path_of_flow(hook_ctx *ctx, struct packet *packet, enum packet_kind kind)
{
	struct lb_conntrack *flow;
	int outcome;

	outcome = path_classify(ctx, packet, kind);
	if (outcome != OUTCOME_CONTINUE)
		return outcome;
	flow = bpf_map_lookup_elem(&conntrack_v1, &packet->tuple);
	return flow ? flow_packet(ctx, packet, flow, false) : OUTCOME_RESTART;
}

static __always_inline int path_in(hook_ctx *ctx, struct packet *packet, enum packet_kind kind, enum begin_scope scope)
{
	struct lb_conntrack *flow;
	int outcome;

	outcome = path_of_flow(ctx, packet, kind);
	if (outcome != OUTCOME_RESTART)
		return outcome;
	outcome = begin_flow(ctx, packet, scope);
	if (outcome != OUTCOME_CONTINUE)
		return outcome;
	flow = port_search_forward();
	return flow ? flow_packet(ctx, packet, flow, true) : LB_REASON_FAILED;
}

#endif
