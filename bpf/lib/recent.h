/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
#ifndef EBPFLB_RECENT_H
#define EBPFLB_RECENT_H

/*
 * Which backend a client's addresses and ports were given of late: an opening that is sent again, before the flow has
 * both halves, goes to the same one though the service's list may have changed. One word a slot, the last one stays;
 * what a slot says is checked with the backend.
 */

#include "backend.h"
#include "maps.h"

static __always_inline __u32 recent_slot(__u64 hash)
{
	return hash % RECENT_SLOTS;
}

/* The rest of the hash tells the clients of one slot apart. */
static __always_inline __u32 recent_tag(__u64 hash)
{
	return hash >> 32;
}

static __always_inline bool recent_backend(__u64 hash, const struct service_view *service,
					   struct backend_choice *choice)
{
	__u32 slot = recent_slot(hash);
	const volatile __u64 *word = bpf_map_lookup_elem(&recent_v1, &slot);
	__u64 copy;

	if (!word)
		return false;
	copy = *word;
	return copy >> 32 == recent_tag(hash) && backend_read_member(copy, service, choice);
}

static __always_inline bool recent_is(__u64 hash, __u32 backend_id)
{
	__u32 slot = recent_slot(hash);
	const volatile __u64 *word = bpf_map_lookup_elem(&recent_v1, &slot);

	return word && *word == ((__u64)recent_tag(hash) << 32 | backend_id);
}

static __always_inline void recent_keep(__u64 hash, __u32 backend_id)
{
	__u32 slot = recent_slot(hash);
	volatile __u64 *word = bpf_map_lookup_elem(&recent_v1, &slot);

	if (word)
		*word = (__u64)recent_tag(hash) << 32 | backend_id;
}

#endif
