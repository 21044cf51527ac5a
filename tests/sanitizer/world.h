/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
#ifndef EBPFLB_WORLD_H
#define EBPFLB_WORLD_H

/* A node: what the agent could have written into the maps, small enough that everything meets everything. */

#include "frame.h"
#include "shim.h"

#define WORLD_DEVICES     4
#define WORLD_BACKEND_IDS 48

struct world {
	bool evicts;  /* conntrack is too small */
	bool mirrors; /* nothing happens that may part the halves of a flow */
	struct lb_settings settings;
};

void world_open(void); /* once: the maps */
void world_make(struct world *world);
void world_change(struct world *world); /* what an agent may do any moment */

/* What packets are made of. */
void world_dial(struct recipe *recipe); /* a client to something of ours, or nearly */
void world_any(struct recipe *recipe);  /* any address to any address */
void world_device_mac(__u32 ifindex, __u8 *mac);
extern struct shim_map *world_conntrack;
extern struct shim_map *world_reasons;

#endif
