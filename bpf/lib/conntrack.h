/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
#ifndef EBPFLB_CONNTRACK_H
#define EBPFLB_CONNTRACK_H

/*
 * Flows in two halves, one a direction. The key of one half is the translation of the other, reversed.
 *
 * A lookup hands out the element itself, and the map may give an element that it evicts to another key at once. The
 * lookup marks the element as used, so it is not evicted while a program holds it unless the eviction was decided just
 * before. Then a packet gets another flow's addresses with this flow's checksum difference, or the other way round, and
 * its next hop or its receiver drops it for its checksum.
 */

#include "address.h"
#include "clock.h"
#include "csum.h"
#include "maps.h"
#include "subprogram.h"

/* How far back a half is said to have been checked, so that its first packet does. */
#define CONNTRACK_UNCHECKED 0x40000000

/* What both halves have in common. */
#define CONNTRACK_SHARED (LB_CONNTRACK_LOCAL | LB_CONNTRACK_PICKED_UP | LB_CONNTRACK_INTERNAL)

static __always_inline void conntrack_other_key(const struct lb_conntrack_key *key, const struct lb_conntrack *flow,
						struct lb_conntrack_key *other)
{
	*other = (struct lb_conntrack_key){
		.source = flow->destination,
		.destination = flow->source,
		.source_port = flow->destination_port,
		.destination_port = flow->source_port,
		.protocol = key->protocol,
		.side = flow->flags & LB_CONNTRACK_OTHER_EGRESS ? LB_SIDE_EGRESS : LB_SIDE_INGRESS,
	};
}

static __always_inline void conntrack_set_delta(const struct lb_conntrack_key *key, struct lb_conntrack *flow)
{
	flow->address_delta = csum_address_delta(&key->source, &key->destination, &flow->source, &flow->destination);
}

/* The half that belongs to the key other, as this half knows it: alive, without a route, nothing counted yet. */
static __always_inline void conntrack_mirror(const struct lb_conntrack_key *key, const struct lb_conntrack *flow,
					     const struct lb_conntrack_key *other, struct lb_conntrack *mirror)
{
	__u16 flags = flow->flags & CONNTRACK_SHARED;

	if (!(flow->flags & LB_CONNTRACK_REPLY))
		flags |= LB_CONNTRACK_REPLY;
	else if (key->side == LB_SIDE_EGRESS)
		flags |= LB_CONNTRACK_OTHER_EGRESS;
	*mirror = (struct lb_conntrack){
		.source = key->destination,
		.destination = key->source,
		.source_port = key->destination_port,
		.destination_port = key->source_port,
		.flags = flags,
		.seen = flow->seen,
		.checked = flow->seen,
		.backend_id = flow->backend_id,
	};
	conntrack_set_delta(other, mirror);
}

static __always_inline bool conntrack_leads_to(const struct lb_conntrack *flow, const struct lb_conntrack *same)
{
	return flow->source_port == same->source_port && flow->destination_port == same->destination_port &&
	       address_equal(&flow->source, &same->source) && address_equal(&flow->destination, &same->destination);
}

/*
 * The other half, when it is there. What lies under its key may be another flow's that was given the same port: a half
 * that leads back here is the one.
 */
static __always_inline struct lb_conntrack *conntrack_find_other(const struct lb_conntrack_key *key,
								 const struct lb_conntrack *flow,
								 struct lb_conntrack_key *other_key)
{
	struct lb_conntrack *other;

	conntrack_other_key(key, flow, other_key);
	other = bpf_map_lookup_elem(&conntrack_v1, other_key);
	if (!other || other->source_port != key->destination_port || other->destination_port != key->source_port ||
	    !address_equal(&other->source, &key->destination) || !address_equal(&other->destination, &key->source))
		return NULL;
	return other;
}

/*
 * The empty statement keeps the compiler from merging the null checks of two halves into one of either, which the
 * verifier cannot follow.
 */
static __always_inline __u16 conntrack_flags(const struct lb_conntrack *half, __u16 if_missing)
{
	__u16 flags = if_missing;

	if (half)
		flags = half->flags;
	asm volatile("" : "+r"(flags));
	return flags;
}

/* Nothing more is to come. A missing half says nothing against it. */
static __always_inline bool conntrack_is_closed(const struct lb_conntrack *flow, const struct lb_conntrack *other)
{
	__u16 flags = conntrack_flags(flow, 0);
	__u16 other_flags = conntrack_flags(other, LB_CONNTRACK_FIN);

	return ((flags | other_flags) & LB_CONNTRACK_RST) || (flags & other_flags & LB_CONNTRACK_FIN);
}

/* The client has shown that it is where it says: TCP acknowledged the answer; a datagram was answered. */
static __always_inline bool conntrack_is_assured(const struct lb_conntrack *forward, const struct lb_conntrack *reply,
						 bool is_tcp)
{
	/* Of a half that is missing the other one tells: a backend sends data after the handshake only. */
	__u16 forward_flags = conntrack_flags(forward, LB_CONNTRACK_DATA | LB_CONNTRACK_PICKED_UP);
	__u16 reply_flags = conntrack_flags(reply, 0);

	/* One that was picked up began with what anybody can send. */
	if (is_tcp && !(forward_flags & LB_CONNTRACK_PICKED_UP))
		return forward_flags & LB_CONNTRACK_DATA;
	return reply_flags & LB_CONNTRACK_DATA;
}

enum conntrack_other {
	CONNTRACK_OTHER_THERE,
	CONNTRACK_OTHER_MADE,
	CONNTRACK_OTHER_TAKEN, /* another flow has its place: this half leads nowhere any more */
};

/* Sees to the other half, and makes it when it is not there. */
SUBPROGRAM int conntrack_check_other(const struct lb_conntrack_key *key, struct lb_conntrack *flow, __u32 now)
{
	const struct lb_conntrack *there;
	struct lb_conntrack_key other;
	struct lb_conntrack mirror;

	if (!key || !flow)
		return CONNTRACK_OTHER_THERE;
	flow->checked = now;
	conntrack_other_key(key, flow, &other);
	conntrack_mirror(key, flow, &other, &mirror);
	there = bpf_map_lookup_elem(&conntrack_v1, &other);
	if (there)
		return conntrack_leads_to(there, &mirror) ? CONNTRACK_OTHER_THERE : CONNTRACK_OTHER_TAKEN;
	/* What can be said for the other direction: a connection that carries data was opened by both. */
	if (flow->flags & LB_CONNTRACK_DATA)
		mirror.flags |= LB_CONNTRACK_SYN | LB_CONNTRACK_DATA;
	else if (flow->flags & LB_CONNTRACK_REPLY)
		mirror.flags |= LB_CONNTRACK_SYN;
	return bpf_map_update_elem(&conntrack_v1, &other, &mirror, BPF_NOEXIST) ? CONNTRACK_OTHER_THERE
										: CONNTRACK_OTHER_MADE;
}

#endif
