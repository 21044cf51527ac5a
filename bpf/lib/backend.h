/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
#ifndef EBPFLB_BACKEND_H
#define EBPFLB_BACKEND_H

/* A copy of one backend, proved to belong to a service. */

#include "address.h"
#include "maps.h"
#include "service.h"

struct backend_choice {
	__u32 id;
	struct lb_backend backend;
};

static __always_inline bool backend_copy(__u32 id, struct backend_choice *choice)
{
	choice->id = id;
	for (int i = 0; i < MAP_READ_TRIES; i++) {
		const struct lb_backend *backend = bpf_map_lookup_elem(&backends_v1, &id);

		if (!backend)
			continue;
		choice->backend = *backend;
		if (bpf_map_lookup_elem(&backends_v1, &id) == backend)
			return true;
	}
	return false;
}

/*
 * An id may come from a slot range, an affinity entry or a socket, each possibly older than the id's present owner: the
 * range may have been given to another service since the service was read, and LRU elements are reused under the
 * program's hands. So whatever the way an id came, the backend says itself which service it serves, and that is looked
 * at in the copy that is used.
 */
/* The choice is undefined when it returns false. */
static __always_inline bool backend_read(__u32 id, __u32 service_id, struct backend_choice *choice)
{
	return backend_copy(id, choice) && choice->backend.service_id == service_id;
}

/*
 * Whether a backend is the one an address and port were remembered of. Ids come round after all others had their turn;
 * a socket may outlive even that.
 */
static __always_inline bool backend_is_at(const struct backend_choice *choice, const struct lb_address *address,
					  __be16 port)
{
	return choice->backend.port == port && address_equal(&choice->backend.address, address);
}

/* For a backend that was chosen earlier: it must still be in the list that new connections are given. */
static __always_inline bool backend_read_member(__u32 id, const struct service_view *service,
						struct backend_choice *choice)
{
	return backend_read(id, service->id, choice) && (choice->backend.flags & service->list);
}

#endif
