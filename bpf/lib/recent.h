/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
#ifndef EBPFLB_RECENT_H
#define EBPFLB_RECENT_H

/*
 * Which backend a client's addresses and ports were given of late, beside the flows: one word a slot, and the last one
 * stays. What a slot says is checked with the backend.
 *
 * Openings: one that is sent again, before its flow has both halves, goes to the same backend though the service's list
 * may have changed. Connections: one that lost both halves was this node's, and is found again; a flood of openings
 * does not write here.
 */

#include "backend.h"
#include "hash.h"
#include "maps.h"
#include "packet.h"

enum recent_kind {
	RECENT_OPENINGS = 0,
	RECENT_CONNECTIONS = RECENT_SLOTS,
};

/*
 * The same on every node for the same client: the address that was dialled, which NodePorts differ in, has no part. So
 * a flow that comes through another node meets the same backend, and one that was forgotten meets it again.
 */
static __always_inline __u64 recent_hash(const struct packet *packet)
{
	const struct lb_address *source = &packet->tuple.source;
	__u64 hash = (__u64)packet->tuple.source_port << 32 | (__u64)packet->tuple.destination_port << 8 |
		     packet->tuple.protocol;

	hash = mix64(hash ^ ((__u64)address_word(source, 0) << 32 | address_word(source, 1)));
	return mix64(hash ^ ((__u64)address_word(source, 2) << 32 | address_word(source, 3)));
}

static __always_inline __u32 recent_slot(enum recent_kind kind, __u64 hash)
{
	return kind + hash % RECENT_SLOTS;
}

/* The rest of the hash tells the clients of one slot apart. */
static __always_inline __u64 recent_word(__u64 hash, __u32 backend_id)
{
	return hash >> 32 << 32 | backend_id;
}

static __always_inline __u64 recent_read(enum recent_kind kind, __u64 hash)
{
	__u32 slot = recent_slot(kind, hash);
	const volatile __u64 *word = bpf_map_lookup_elem(&recent_v1, &slot);

	return word ? *word : 0;
}

static __always_inline bool recent_backend(enum recent_kind kind, __u64 hash, const struct service_view *service,
					   struct backend_choice *choice)
{
	__u64 word = recent_read(kind, hash);

	return word >> 32 == hash >> 32 && backend_read_member(word, service, choice);
}

static __always_inline bool recent_is(enum recent_kind kind, __u64 hash, __u32 backend_id)
{
	return recent_read(kind, hash) == recent_word(hash, backend_id);
}

static __always_inline void recent_keep(enum recent_kind kind, __u64 hash, __u32 backend_id)
{
	__u32 slot = recent_slot(kind, hash);
	volatile __u64 *word = bpf_map_lookup_elem(&recent_v1, &slot);

	if (word)
		*word = recent_word(hash, backend_id);
}

#endif
