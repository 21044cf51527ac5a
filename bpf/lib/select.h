/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
#ifndef EBPFLB_SELECT_H
#define EBPFLB_SELECT_H

/* The backend of a new connection: affinity first, else a slot of the service's list. */

#include "affinity.h"
#include "backend.h"
#include "service.h"

/* How many slots are tried. More than one only when the agent replaced the list between two reads. */
#define SELECT_TRIES 3

/* Every bit of the result depends on every bit of the value (the finalizer of splitmix64). */
static __always_inline __u64 mix64(__u64 value)
{
	value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9ull;
	value = (value ^ (value >> 27)) * 0x94d049bb133111ebull;
	return value ^ (value >> 31);
}

/*
 * A number of 32 bits that names the connection. At the socket a flow is its socket: under Maglev the same socket
 * always finds the same place of the table.
 */
static __always_inline __u32 select_number(struct bpf_sock_addr *ctx, const struct service_view *service, __u32 attempt)
{
	if (service->algorithm == LB_ALGORITHM_MAGLEV)
		return mix64(bpf_get_socket_cookie(ctx) + ((__u64)attempt << 48)) >> 32;
	return bpf_get_prandom_u32();
}

static __always_inline bool select_slot(struct bpf_sock_addr *ctx, const struct service_view *service, __u32 attempt,
					struct backend_choice *choice)
{
	/* Scaled, not divided: no modulo, and no bias worth a name while count is far below 2^32. */
	__u32 offset = ((__u64)select_number(ctx, service, attempt) * service->slots.count) >> 32;
	__u32 index = service->slots.base + offset;
	const __u32 *id = bpf_map_lookup_elem(&slots_v1, &index);

	return id && backend_read(*id, service->id, choice);
}

/* Fills the choice and returns 0, or an error for the application. The view may be read anew. */
static __always_inline int select_backend(struct bpf_sock_addr *ctx, struct service_view *service,
					  struct backend_choice *choice)
{
	struct lb_affinity_key client;
	bool has_entry = false;
	__u32 attempt = 0;

	if (!service->slots.count)
		return service_unavailable(service);
	if (service->affinity_timeout_s) {
		affinity_key_of(ctx, service, &client);
		if (affinity_find(&client, service, choice, &has_entry))
			return 0;
	}

	/*
	 * A slot that leads nowhere was read from a range the service has left: the agent publishes the new range first
	 * and reuses the old one after a grace time, so reading the service again finds slots that hold.
	 */
	while (!select_slot(ctx, service, attempt, choice)) {
		if (++attempt == SELECT_TRIES || !service_read(service->id, service))
			return -ECONNREFUSED;
		if (!service->slots.count)
			return service_unavailable(service);
	}

	if (service->affinity_timeout_s) {
		affinity_key_of(ctx, service, &client);
		affinity_keep(&client, service, choice, has_entry);
	}
	return 0;
}

#endif
