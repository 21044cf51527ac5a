/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
#ifndef EBPFLB_ACCOUNT_H
#define EBPFLB_ACCOUNT_H

/* Counters. Packets that their flow decides are counted in the flow; any other fate has a reason. */

#include "maps.h"
#include "packet.h"

static __always_inline void count_reason(const struct packet *packet, enum lb_reason reason)
{
	__u32 index = packet->hook * LB_REASONS + reason;
	struct lb_count *count = bpf_map_lookup_elem(&reasons_v1, &index);

	if (!count)
		return;
	/* Per CPU, but a packet that leaves may be interrupted by one that comes in. */
	__sync_fetch_and_add(&count->packets, 1);
	__sync_fetch_and_add(&count->bytes, packet->length);
}

/* The answer says that nobody is there. Without a port to masquerade with, too: better than to let the client wait. */
static __always_inline bool reason_refuses(enum lb_reason reason)
{
	return reason == LB_REASON_REFUSED_NO_ENDPOINT || reason == LB_REASON_REFUSED_NO_PORT ||
	       reason == LB_REASON_NO_SNAT_PORT || reason == LB_REASON_BACKEND_GONE;
}

/*
 * With the packet that opens it, before there is a half to count it in. The agent makes the element with the backend;
 * without it the connection goes uncounted.
 */
static __always_inline void count_connection(const struct packet *packet, __u32 backend_id)
{
	struct lb_counters *counters = bpf_map_lookup_elem(&counters_v1, &backend_id);

	if (!counters)
		return;
	__sync_fetch_and_add(&counters->connections, 1);
	__sync_fetch_and_add(&counters->packets_in, 1);
	__sync_fetch_and_add(&counters->bytes_in, packet->length);
}

#endif
