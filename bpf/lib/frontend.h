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
#include "settings.h"

/* Who asks: where a packet comes from, or a socket is. */
enum dialler {
	DIALLER_WIRE, /* outside */
	DIALLER_POD,  /* a pod of this node, or anybody whose packet is on its way out */
	DIALLER_NODE, /* a process of the node's own network namespace, the only one that its loopback addresses are for
		       */
};

/* Whether the address has frontends, and then its flags. */
static __always_inline bool vip_read(const struct lb_address *address, __u32 *flags)
{
	const struct lb_vip *vip = bpf_map_lookup_elem(&vips_v1, address);

	*flags = vip ? vip->flags : 0;
	return vip;
}

/* Whether what no frontend of the address claims ends here. */
static __always_inline bool vip_is_ours_alone(__u32 flags, enum dialler dialler)
{
	return dialler == DIALLER_WIRE || (flags & LB_VIP_CLUSTER_IP);
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

enum dialled {
	DIALLED_NOTHING,  /* none of ours */
	DIALLED_NO_PORT,  /* an address that has frontends, without this one, and nobody else has the address */
	DIALLED_FRONTEND, /* the frontend that was found */
};

static __always_inline __u32 node_address_flags(const struct lb_address *address, bool *is_ours)
{
	const struct lb_node_address *node = bpf_map_lookup_elem(&node_addrs_v1, address);

	*is_ours = node;
	return node ? node->flags : 0;
}

/* A NodePort is one frontend, whatever addresses the node has. */
static __always_inline bool node_port_read(const struct lb_frontend_key *key, enum dialler dialler,
					   struct lb_frontend *copy)
{
	const volatile struct lb_settings *settings = settings_read();
	__u16 port = bpf_ntohs(key->port);
	struct lb_frontend_key wildcard;
	bool is_ours;
	__u32 flags;

	if (!settings || port < settings->node_port_first || port > settings->node_port_last)
		return false;
	flags = node_address_flags(&key->address, &is_ours);
	if (!(flags & LB_NODE_ADDRESS_NODE_PORTS) || ((flags & LB_NODE_ADDRESS_LOOPBACK) && dialler != DIALLER_NODE))
		return false;
	wildcard = (struct lb_frontend_key){.port = key->port, .protocol = key->protocol};
	if (address_is_mapped(&key->address))
		address_set_v4(&wildcard.address, 0);
	return frontend_read(&wildcard, copy);
}

/* A frontend of an address comes before the NodePort of every address. */
static __always_inline enum dialled frontend_find(const struct lb_frontend_key *key, enum dialler dialler,
						  struct lb_frontend *copy)
{
	__u32 flags;
	bool has_frontends = vip_read(&key->address, &flags);
	bool is_node;

	if (has_frontends && frontend_read(key, copy))
		return DIALLED_FRONTEND;
	if (node_port_read(key, dialler, copy))
		return DIALLED_FRONTEND;
	if (!has_frontends || !vip_is_ours_alone(flags, dialler))
		return DIALLED_NOTHING;
	node_address_flags(&key->address, &is_node);
	return is_node ? DIALLED_NOTHING : DIALLED_NO_PORT;
}

#endif
