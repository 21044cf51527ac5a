/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
#ifndef EBPFLB_PORT_H
#define EBPFLB_PORT_H

/*
 * The source port a backend sees. Inserting the reply half under a port is what takes the port: two packets cannot get
 * one. Ports are tried in an order that the client's addresses and ports decide, so a flow whose halves were lost is
 * given its port again.
 */

#include <linux/errno.h>
#include "conntrack.h"
#include "hash.h"
#include "settings.h"

/* Enough for every port of a small range; of a large one this many are tried. */
#define PORT_TRIES 64
/* From here on a handshake in progress loses its port to a newer one; its retry finds another. */
#define PORT_PATIENT_TRIES 4
#define PORT_PATIENCE_MS   1000

enum port_result {
	PORT_TAKEN = 0,
	PORT_OF_OPENING = 1, /* the flow's already, which waits for its other half */
	PORT_OF_FLOW = 2,    /* the flow's already, which has lost its other half */
};

struct port_search {
	struct lb_conntrack_key key; /* of the reply half; its destination port is what is searched */
	struct lb_conntrack reply;
	struct lb_conntrack forward; /* the packet's own half, all but its source port */
	__be16 wanted;               /* tried first, or 0 */
	__u16 first;
	__u16 count;
	__u32 hash;
	__u32 now;
	int result; /* of the last try: enum port_result, or an error */
};

/* Too large for the stack, beside those of its callers. Packets of one CPU follow one another. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct port_search);
} port_searches SEC(".maps");

static __always_inline struct port_search *port_search(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&port_searches, &zero);
}

/* The half of a packet that begins a flow: what is in the map, or will be, and is not looked up for it. */
static __always_inline struct lb_conntrack *port_search_forward(void)
{
	struct port_search *search = port_search();

	return search ? &search->forward : NULL;
}

/* Whether the flow that holds the port may lose it, and if so it does. */
static __noinline int port_take_over(struct port_search *search, const struct lb_conntrack *holder, bool patient)
{
	bool is_tcp = search->key.protocol == IPPROTO_TCP;
	const struct lb_conntrack *forward;
	struct lb_conntrack_key other;
	__u32 age = clock_age(search->now, holder->seen);

	forward = conntrack_find_other(&search->key, holder, &other);
	if (forward && clock_age(search->now, forward->seen) < age)
		age = clock_age(search->now, forward->seen);
	if (conntrack_is_assured(forward, holder, is_tcp) && !conntrack_is_closed(holder, forward))
		return -EEXIST;
	/* After a reset neither end has anything left to wait for. */
	if (patient && age < clock_of_ms(PORT_PATIENCE_MS) &&
	    !((conntrack_flags(forward, 0) | conntrack_flags(holder, 0)) & LB_CONNTRACK_RST))
		return -EEXIST;
	/* Free first: of two packets that find it idle at once one gets the port. */
	if (forward)
		bpf_map_delete_elem(&conntrack_v1, &other);
	bpf_map_delete_elem(&conntrack_v1, &search->key);
	return bpf_map_update_elem(&conntrack_v1, &search->key, &search->reply, BPF_NOEXIST);
}

static __always_inline void port_candidate(struct port_search *search, __u32 index)
{
	__u32 offset;

	if (index || !search->wanted) {
		/* Every port of a small range, and of a large one as many as are tried, all over it. */
		offset = (search->count <= PORT_TRIES ? search->hash + index : mix64(search->hash + index)) %
			 (search->count ? search->count : 1);
		search->key.destination_port = bpf_htons(search->first + offset);
	} else {
		search->key.destination_port = search->wanted;
	}
}

/*
 * Whether a process of the node has the port towards this backend. Those from before the agent reserved the range may,
 * and those that ask for one by number.
 */
static __noinline int port_is_of_node(hook_ctx *ctx, const struct lb_conntrack_key *reply)
{
	struct bpf_sock_tuple tuple = {};
	struct bpf_sock *sock;
	__u32 size;

	if (address_is_mapped(&reply->source)) {
		tuple.ipv4.saddr = address_v4(&reply->source);
		tuple.ipv4.daddr = address_v4(&reply->destination);
		tuple.ipv4.sport = reply->source_port;
		tuple.ipv4.dport = reply->destination_port;
		size = sizeof(tuple.ipv4);
	} else {
		__builtin_memcpy(tuple.ipv6.saddr, &reply->source, sizeof(tuple.ipv6.saddr));
		__builtin_memcpy(tuple.ipv6.daddr, &reply->destination, sizeof(tuple.ipv6.daddr));
		tuple.ipv6.sport = reply->source_port;
		tuple.ipv6.dport = reply->destination_port;
		size = sizeof(tuple.ipv6);
	}
	if (reply->protocol == IPPROTO_TCP)
		sock = bpf_skc_lookup_tcp(ctx, &tuple, size, BPF_F_CURRENT_NETNS, 0);
	else if (reply->protocol == IPPROTO_UDP)
		sock = bpf_sk_lookup_udp(ctx, &tuple, size, BPF_F_CURRENT_NETNS, 0);
	else
		return 0;
	if (!sock)
		return 0;
	bpf_sk_release(sock);
	return 1;
}

/* Whether one of the ports that come first is the flow's already. */
SUBPROGRAM int port_is_of_flow(void)
{
	struct port_search *search = port_search();
	const struct lb_conntrack *holder;

	if (!search)
		return 0;
	for (__u32 i = 0; i < PORT_PATIENT_TRIES; i++) {
		port_candidate(search, i);
		holder = bpf_map_lookup_elem(&conntrack_v1, &search->key);
		if (holder && conntrack_leads_to(holder, &search->reply))
			return 1;
	}
	return 0;
}

/* Whether the search is over, one way or the other. */
SUBPROGRAM int port_try(hook_ctx *ctx, __u32 index)
{
	struct port_search *search = port_search();
	const struct lb_conntrack *holder;

	if (!search)
		return 1;
	port_candidate(search, index);
	if (search->key.destination_port != search->wanted && port_is_of_node(ctx, &search->key)) {
		search->result = -EEXIST;
		return 0;
	}
	search->result = bpf_map_update_elem(&conntrack_v1, &search->key, &search->reply, BPF_NOEXIST);
	if (search->result != -EEXIST)
		return 1;

	holder = bpf_map_lookup_elem(&conntrack_v1, &search->key);
	if (!holder)
		return 0;
	if (conntrack_leads_to(holder, &search->reply)) {
		search->result = clock_age(search->now, holder->checked) < CONNTRACK_UNCHECKED / 2 ? PORT_OF_FLOW
												   : PORT_OF_OPENING;
		return 1;
	}
	search->result = port_take_over(search, holder, index < PORT_PATIENT_TRIES);
	return !search->result;
}

/* The reply half is in the map, unless -EEXIST says that no port is free, or another error what the map lacks. */
static __always_inline int port_find(hook_ctx *ctx, struct port_search *search)
{
	__u32 tries = search->count + !!search->wanted;

	search->result = -EEXIST;
	for (__u32 i = 0; i < PORT_TRIES; i++) {
		if (i >= tries || port_try(ctx, i))
			break;
	}
	return search->result;
}

#endif
