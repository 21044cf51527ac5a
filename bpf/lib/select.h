/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
#ifndef EBPFLB_SELECT_H
#define EBPFLB_SELECT_H

/* The backend of a new connection: affinity first, else a slot of the service's list. */

#include "affinity.h"
#include "backend.h"
#include "hash.h"
#include "service.h"

/* How many slots are tried. More than one only when the agent replaced the list between two reads. */
#define SELECT_TRIES 3

/* Who asks. */
struct select_client {
	struct lb_affinity_key affinity; /* its service id is filled in here */
	__u64 hash;                      /* of the connection */
	bool by_hash;                    /* one connection, one place, under every algorithm */
};

/* A number of 32 bits that names the connection. */
static __always_inline __u32 select_number(const struct select_client *client, const struct service_view *service,
					   __u32 attempt)
{
	if (client->by_hash || service->algorithm == LB_ALGORITHM_MAGLEV)
		return mix64(client->hash + ((__u64)attempt << 48)) >> 32;
	return bpf_get_prandom_u32();
}

static __always_inline bool select_slot(const struct select_client *client, const struct service_view *service,
					__u32 attempt, struct backend_choice *choice)
{
	/* Scaled, not divided: no modulo, and no bias worth a name while count is far below 2^32. */
	__u32 offset = ((__u64)select_number(client, service, attempt) * service->slots.count) >> 32;
	__u32 index = service->slots.base + offset;
	const __u32 *id = bpf_map_lookup_elem(&slots_v1, &index);

	return id && backend_read(*id, service->id, choice);
}

/* Fills the choice and returns 0, or an error for the application. The view may be read anew. */
static __always_inline int select_backend(struct select_client *client, struct service_view *service,
					  struct backend_choice *choice)
{
	bool has_entry = false;
	__u32 attempt = 0;

	if (!service->slots.count)
		return service_unavailable(service);
	client->affinity.service_id = service->id;
	if (service->affinity_timeout_s && affinity_find(&client->affinity, service, choice, &has_entry))
		return 0;

	/*
	 * A slot that leads nowhere was read from a range the service has left: the agent publishes the new range first
	 * and reuses the old one after a grace time, so reading the service again finds slots that hold.
	 */
	while (!select_slot(client, service, attempt, choice)) {
		if (++attempt == SELECT_TRIES || !service_read_again(service))
			return -ECONNREFUSED;
		if (!service->slots.count)
			return service_unavailable(service);
	}

	if (service->affinity_timeout_s)
		affinity_keep(&client->affinity, service, choice, has_entry);
	return 0;
}

#endif
