/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
#ifndef EBPFLB_CHECK_H
#define EBPFLB_CHECK_H

/* One run of one program, and what must be true of it whatever the packet was. */

#include "frame.h"
#include "shim.h"
#include "world.h"

struct run {
	enum lb_hook hook;
	int verdict;
	enum shim_checksum checksum;
	bool tagged;
	bool is_long; /* made of segments */
	__u8 before[FRAME_ROOM];
	__u8 after[FRAME_ROOM];
	__u32 before_length;
	__u32 after_length;
	struct view was;           /* of the packet before */
	__u64 reasons[LB_REASONS]; /* how often each was counted in this run */
};

struct check_totals {
	__u64 runs, passed, translated, sent, resolving, answered, dropped;
};
extern struct check_totals check_totals;

void check_begin(struct run *run); /* before: the packet is in run->before */
void check_end(struct run *run, const struct world *world);
void check_flows(void); /* of a world whose halves nothing parts */

#endif
