/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
#ifndef EBPFLB_DEAD_H
#define EBPFLB_DEAD_H

/*
 * Connections whose backend is gone. The sweep finds them, so a packet of any other connection pays nothing: the mark
 * is one more bit of a word that is tested anyway. It is in the client's half only, as only the client is told.
 *
 * Lost: the backend is in backends_v1 no more. Dead: it has been neither there nor heard for the grace. One that left
 * its service and goes on answering keeps its connections, and so does one that comes back with its id.
 */

#include "clock.h"
#include "maps.h"

#define DEAD_MARKS (LB_CONNTRACK_LOST | LB_CONNTRACK_DEAD)

/* Whether the backend has spoken since the lost flow was last looked at. */
static __always_inline bool dead_is_heard(const struct lb_conntrack *forward, const struct lb_conntrack *reply)
{
	return (__s32)(reply->seen - forward->folded_packets) > 0;
}

/* Its counters begin anew with its backend. */
static __always_inline void dead_forgive(struct lb_conntrack *forward)
{
	if (!(forward->flags & DEAD_MARKS))
		return;
	forward->flags &= ~DEAD_MARKS;
	forward->folded_packets = forward->packets;
	forward->folded_bytes = forward->bytes;
}

/* A half that is missing may have been heard; it is made anew, as old as the other, and then is judged. */
static __always_inline void dead_mark(struct lb_conntrack *forward, const struct lb_conntrack *reply, __u32 now,
				      __u32 grace)
{
	if (!(forward->flags & LB_CONNTRACK_LOST)) {
		forward->folded_packets = now;
		forward->flags |= LB_CONNTRACK_LOST;
	} else if (reply && dead_is_heard(forward, reply)) {
		forward->folded_packets = reply->seen;
		forward->flags &= ~LB_CONNTRACK_DEAD;
	}
	if (reply && clock_age(now, forward->folded_packets) >= grace)
		forward->flags |= LB_CONNTRACK_DEAD;
}

#endif
