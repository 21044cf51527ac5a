/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
#ifndef EBPFLB_FRONTEND_H
#define EBPFLB_FRONTEND_H

/*
 * What was dialled: a frontend, another port of an address that has frontends, or nothing of ours. The address comes
 * first: most of what a node dials is not ours, and then that is the only lookup. The agent adds an address before its
 * first frontend and removes it after its last.
 */

#include <stddef.h>
#include "address.h"
#include "maps.h"

static __always_inline bool address_has_frontends(const struct lb_address *address)
{
	return bpf_map_lookup_elem(&vips_v1, address) != NULL;
}

/* Of an address that has frontends. */
static __always_inline bool frontend_read(const struct lb_frontend_key *key, struct lb_frontend *copy)
{
	for (int i = 0; i < MAP_READ_TRIES; i++) {
		const struct lb_frontend *frontend = bpf_map_lookup_elem(&frontends_v1, key);

		if (!frontend)
			continue;
		*copy = *frontend;
		if (bpf_map_lookup_elem(&frontends_v1, key) == frontend)
			return true;
	}
	return false;
}

#endif
