/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
#ifndef EBPFLB_SOCKETS_H
#define EBPFLB_SOCKETS_H

/* Processes of the node and of its pods, which connect, send and ask who their peer is. */

#include "world.h"

struct sockets_totals {
	__u64 calls, connected, sent, refused, restored;
};
extern struct sockets_totals sockets_totals;

void sockets_run(struct world *world);

#endif
