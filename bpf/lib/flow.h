/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
#ifndef EBPFLB_FLOW_H
#define EBPFLB_FLOW_H

/*
 * A packet of a flow: what the flow learns from it, and its translation.
 *
 * Flags and counters are changed without atomic instructions: the packets of one direction come through one processor,
 * as receive queues are steered. When they do not, a count or a flag may be lost, and the next packet brings it again.
 */

#include "account.h"
#include "conntrack.h"
#include "dead.h"
#include "fragment.h"
#include "nat.h"
#include "outcome.h"
#include "recent.h"
#include "route.h"

#define FLOW_TCP_MARKS (TCP_SYN | TCP_FIN | TCP_RST)

/* Gone, or left with the flows it has. */
static __always_inline bool flow_backend_takes_nobody(const struct lb_conntrack *flow)
{
	const struct lb_backend *backend;
	__u32 id = flow->backend_id;

	backend = bpf_map_lookup_elem(&backends_v1, &id);
	return !backend || !(backend->flags & (LB_BACKEND_IN_CLUSTER | LB_BACKEND_IN_LOCAL));
}

SUBPROGRAM int flow_delete_half(const struct lb_conntrack_key *key)
{
	struct lb_conntrack_key own;

	if (!key)
		return 0;
	own = *key;
	return bpf_map_delete_elem(&conntrack_v1, &own);
}

SUBPROGRAM int flow_delete(const struct lb_conntrack_key *key, const struct lb_conntrack *flow)
{
	struct lb_conntrack_key other;

	if (!key || !flow)
		return 0;
	if (conntrack_find_other(key, flow, &other))
		bpf_map_delete_elem(&conntrack_v1, &other);
	return flow_delete_half(key);
}

/*
 * The client opens a connection whose addresses and ports belong to a flow. When that one is over, or its backend has
 * never answered and gets nobody new any more, a new one takes its place. Else it is the same opening once more, or a
 * client that has forgotten the connection: the backend will know.
 */
SUBPROGRAM int flow_open_again(const struct packet *packet, const struct lb_conntrack *flow)
{
	const struct lb_conntrack *reply;
	struct lb_conntrack_key other;
	bool answered;

	if (!packet || !flow)
		return OUTCOME_CONTINUE;
	reply = conntrack_find_other(&packet->tuple, flow, &other);
	answered = reply && (reply->flags & (LB_CONNTRACK_SYN | LB_CONNTRACK_DATA));
	if (!conntrack_is_closed(flow, reply) && (answered || !flow_backend_takes_nobody(flow)))
		return OUTCOME_CONTINUE;
	flow_delete(&packet->tuple, flow);
	return OUTCOME_RESTART;
}

/*
 * A client may dial a backend of this node directly, from the port of a connection that is over and went there through
 * a frontend. The backend's answer then has the addresses and ports of the old flow's.
 */
static __noinline int flow_is_answer_to_another(const struct packet *packet, const struct lb_conntrack *flow)
{
	struct lb_conntrack_key other;

	return conntrack_is_closed(flow, conntrack_find_other(&packet->tuple, flow, &other));
}

/*
 * The client speaks on a connection whose backend is dead. It is reset, each time until the flow is forgotten as any
 * that was reset; what opens a connection begins a new one. A backend that was heard since the sweep is not dead.
 */
SUBPROGRAM int flow_of_dead(const struct packet *packet, struct lb_conntrack *flow)
{
	const struct lb_conntrack *reply;
	struct lb_conntrack_key other;

	if (!packet || !flow)
		return OUTCOME_CONTINUE;
	reply = conntrack_find_other(&packet->tuple, flow, &other);
	if (reply && dead_is_heard(flow, reply)) {
		flow->flags &= ~LB_CONNTRACK_DEAD;
		return OUTCOME_CONTINUE;
	}
	if (packet->tcp_flags & TCP_RST)
		return OUTCOME_CONTINUE;
	if ((packet->tcp_flags & (TCP_SYN | TCP_ACK)) == TCP_SYN) {
		flow_delete(&packet->tuple, flow);
		return OUTCOME_RESTART;
	}
	flow->flags |= LB_CONNTRACK_RST;
	flow->seen = clock_now();
	return LB_REASON_BACKEND_GONE;
}

static __always_inline int flow_note_marks(const struct packet *packet, struct lb_conntrack *flow)
{
	__u16 flags;
	int outcome;

	if (flow->flags & LB_CONNTRACK_DEAD) {
		outcome = flow_of_dead(packet, flow);
		if (outcome != OUTCOME_CONTINUE)
			return outcome;
	}
	flags = flow->flags;
	if ((packet->tcp_flags & (FLOW_TCP_MARKS | TCP_ACK)) == TCP_SYN && !(flags & LB_CONNTRACK_REPLY) &&
	    flow_open_again(packet, flow) == OUTCOME_RESTART)
		return OUTCOME_RESTART;
	if ((packet->tcp_flags & TCP_SYN) && packet->tuple.side == LB_SIDE_EGRESS &&
	    flow_is_answer_to_another(packet, flow)) {
		flow_delete(&packet->tuple, flow);
		return OUTCOME_PASS;
	}
	if (packet->tcp_flags & TCP_RST) {
		flags |= LB_CONNTRACK_RST;
	} else {
		flags &= ~LB_CONNTRACK_RST;
		if (packet->tcp_flags & TCP_FIN)
			flags |= LB_CONNTRACK_FIN;
		flags |= packet->tcp_flags & TCP_SYN ? LB_CONNTRACK_SYN : LB_CONNTRACK_DATA;
	}
	flow->flags = flags;
	return OUTCOME_CONTINUE;
}

/* A datagram of a flow that both sides have left alone for too long begins a new one, swept or not. */
static __noinline int flow_is_stale(const struct packet *packet, const struct lb_conntrack *flow, __u32 now,
				    __u32 timeout_s)
{
	const struct lb_conntrack *reply;
	struct lb_conntrack_key other;

	if (packet->tuple.protocol != IPPROTO_UDP || (flow->flags & LB_CONNTRACK_REPLY) ||
	    clock_age(now, flow->seen) < clock_of_s(timeout_s))
		return false;
	reply = conntrack_find_other(&packet->tuple, flow, &other);
	return !reply || clock_age(now, reply->seen) >= clock_of_s(timeout_s);
}

/* Once: the client has acknowledged the backend's answer. */
SUBPROGRAM int flow_remember(const struct packet *packet, const struct lb_conntrack *flow)
{
	if (!packet || !flow)
		return 0;
	recent_keep(RECENT_CONNECTIONS, recent_hash(packet), flow->backend_id);
	return 0;
}

/* Seldom: see to the other half. */
SUBPROGRAM int flow_check(const struct packet *packet, struct lb_conntrack *flow, __u32 now, __u32 udp_s)
{
	bool had_other;

	if (!packet || !flow)
		return OUTCOME_CONTINUE;
	had_other = clock_age(now, flow->checked) < CONNTRACK_UNCHECKED / 2;
	if (flow_is_stale(packet, flow, now, udp_s)) {
		flow_delete(&packet->tuple, flow);
		return OUTCOME_RESTART;
	}
	switch (conntrack_check_other(&packet->tuple, flow, now)) {
	case CONNTRACK_OTHER_MADE:
		if (had_other)
			count_reason(packet, LB_REASON_REBUILT);
		return OUTCOME_CONTINUE;
	case CONNTRACK_OTHER_TAKEN:
		flow_delete_half(&packet->tuple);
		return OUTCOME_RESTART;
	default:
		return OUTCOME_CONTINUE;
	}
}

static __always_inline void flow_count(const struct packet *packet, struct lb_conntrack *flow, __u32 now)
{
	flow->packets++;
	flow->bytes += packet->length;
	if (flow->seen != now)
		flow->seen = now;
}

/* How long the packet, or the longest of those it stands for, is on the wire behind the Ethernet header. */
static __always_inline __u32 flow_length_on_wire(hook_ctx *ctx, const struct packet *packet)
{
	__u32 segment = hook_segment_size(ctx);

	if (!segment)
		return packet->length;
	return segment + packet->transport - ETH_HLEN + (packet->transport_header ? packet->transport_header : 8);
}

static __always_inline void flow_note_arrival(hook_ctx *ctx, struct lb_conntrack *flow)
{
	const struct ethhdr *ethernet = packet_at(ctx, 0, sizeof(*ethernet));

	if (ethernet)
		__builtin_memcpy(flow->arrival_mac, ethernet->h_dest, ETH_ALEN);
}

static __always_inline bool flow_arrives_as_before(hook_ctx *ctx, const struct lb_conntrack *flow)
{
	const struct ethhdr *ethernet = packet_at(ctx, 0, sizeof(*ethernet));

	return ethernet && mac_equal(flow->arrival_mac, ethernet->h_dest);
}

/* Whether a frame that is addressed unlike the last one is for us. */
SUBPROGRAM int flow_arrival(hook_ctx *ctx, const struct packet *packet, struct lb_conntrack *flow)
{
	if (!packet || !flow)
		return OUTCOME_PASS;
	switch (frame_destination(ctx, packet)) {
	case FRAME_FOR_MANY:
		return LB_REASON_NOT_FOR_US;
	case FRAME_FOR_OTHERS:
		return OUTCOME_PASS;
	case FRAME_FOR_US:
		break;
	}
	flow_note_arrival(ctx, flow);
	flow->generation = 0; /* through another device, perhaps: what XDP may do there is another question */
	return OUTCOME_CONTINUE;
}

/* Finds the way anew, and whether the frame is for us at all: both can only have changed together with something else.
 */
SUBPROGRAM int flow_route(hook_ctx *ctx, const struct packet *packet, struct lb_conntrack *flow)
{
	int route;

	if (!packet || !flow)
		return OUTCOME_PASS;
	route = route_find(ctx, packet, flow);
	if (route == ROUTE_NONE)
		return LB_REASON_NO_ROUTE;
	if (device_takes_frames(ctx, flow->ifindex))
		flow->flags &= ~LB_CONNTRACK_NO_XDP;
	else
		flow->flags |= LB_CONNTRACK_NO_XDP;
	if (route == ROUTE_OK)
		return OUTCOME_CONTINUE;
	return HOOK_CAN_HAND_DOWN ? LB_REASON_HANDED_DOWN : OUTCOME_SEND_RESOLVING;
}

/* Whether, and how, the packet can leave along the flow's route: OUTCOME_SEND or OUTCOME_SEND_RESOLVING if so. */
static __always_inline int flow_resolve(hook_ctx *ctx, const struct packet *packet, struct lb_conntrack *flow,
					__u32 generation)
{
	int outcome = OUTCOME_SEND;

	if (packet->ttl <= 1)
		return LB_REASON_TTL_EXCEEDED;
	if (flow->generation != generation) {
		outcome = flow_route(ctx, packet, flow);
		if (outcome == OUTCOME_CONTINUE)
			outcome = OUTCOME_SEND;
		else if (outcome != OUTCOME_SEND_RESOLVING)
			return outcome;
	}
	if (HOOK_CAN_HAND_DOWN && (flow->flags & LB_CONNTRACK_NO_XDP))
		return LB_REASON_HANDED_DOWN;
	return outcome;
}

/* The packet is translated: its frame, and where to. */
static __always_inline int flow_leave(hook_ctx *ctx, struct packet *packet, const struct lb_conntrack *flow,
				      int outcome)
{
	struct ethhdr *ethernet = packet_at(ctx, 0, sizeof(*ethernet));

	if (!ethernet)
		return LB_REASON_FAILED;
	packet->ifindex = flow->ifindex;
	if (outcome == OUTCOME_SEND)
		__builtin_memcpy(ethernet, flow->destination_mac, 2 * ETH_ALEN);
	return outcome;
}

/* Out of this node again. */
static __always_inline int flow_forward(hook_ctx *ctx, struct packet *packet, struct lb_conntrack *flow,
					__u32 generation)
{
	int outcome = flow_resolve(ctx, packet, flow, generation);

	if (outcome != OUTCOME_SEND && outcome != OUTCOME_SEND_RESOLVING)
		return outcome;
	if (flow_length_on_wire(ctx, packet) > flow->mtu) {
		packet->mtu = flow->mtu;
		return LB_REASON_TOO_BIG;
	}
	if (!nat_apply(ctx, packet, flow, NAT_COUNTS_HOP))
		return LB_REASON_FAILED;
	return flow_leave(ctx, packet, flow, outcome);
}

/*
 * An answer to an opening that is sent again, since nobody acknowledged the first one: in a flood by clients that do
 * not exist most are. Every lookup marks what it finds as used; put in its own place again a half is not, and the map
 * goes on knowing it from those of connections. The half in hand is given up.
 */
static __noinline int flow_look_unused(const struct packet *packet, const struct lb_conntrack *flow)
{
	const struct lb_conntrack *other;
	struct lb_conntrack_key other_key;

	other = conntrack_find_other(&packet->tuple, flow, &other_key);
	if (other && (other->flags & LB_CONNTRACK_DATA))
		return 0;
	if (other)
		bpf_map_update_elem(&conntrack_v1, &other_key, other, BPF_EXIST);
	return bpf_map_update_elem(&conntrack_v1, &packet->tuple, flow, BPF_EXIST);
}

/* begins: the flow was made for this packet, and has learnt from it. */
static __always_inline int flow_packet(hook_ctx *ctx, struct packet *packet, struct lb_conntrack *flow, bool begins)
{
	const volatile struct lb_settings *settings = settings_read();
	__u32 now = clock_now();
	bool was_answered = flow->flags & LB_CONNTRACK_SYN;
	int outcome;

	if (!settings)
		return OUTCOME_PASS;
	if (nat_checksum_is_partial(ctx, packet))
		return LB_REASON_HANDED_DOWN;
	if (packet->tuple.side == LB_SIDE_INGRESS && !flow_arrives_as_before(ctx, flow)) {
		outcome = flow_arrival(ctx, packet, flow);
		if (outcome != OUTCOME_CONTINUE)
			return outcome;
	}
	if (!begins) {
		if ((packet->tcp_flags & FLOW_TCP_MARKS) || (flow->flags & (LB_CONNTRACK_RST | LB_CONNTRACK_DEAD))) {
			outcome = flow_note_marks(packet, flow);
			if (outcome != OUTCOME_CONTINUE)
				return outcome;
		} else if (!(flow->flags & LB_CONNTRACK_DATA)) {
			flow->flags |= LB_CONNTRACK_DATA;
			if (packet_is_tcp(packet) && !(flow->flags & LB_CONNTRACK_REPLY))
				flow_remember(packet, flow);
		}
		if (clock_age(now, flow->checked) >= clock_of_ms(settings->pair_check_ms) &&
		    flow_check(packet, flow, now, settings->udp_s) == OUTCOME_RESTART)
			return OUTCOME_RESTART;
	}
	if (packet->is_fragment && packet->has_ports)
		fragment_remember(packet);

	if (flow->flags & LB_CONNTRACK_LOCAL)
		outcome = nat_apply(ctx, packet, flow, NAT_KEEPS_TTL) ? OUTCOME_PASS : LB_REASON_FAILED;
	else
		outcome = flow_forward(ctx, packet, flow, settings->generation);
	if (outcome < 0)
		flow_count(packet, flow, now);
	if (was_answered && (packet->tcp_flags & TCP_SYN) && (flow->flags & LB_CONNTRACK_REPLY))
		flow_look_unused(packet, flow);
	return outcome;
}

#endif
