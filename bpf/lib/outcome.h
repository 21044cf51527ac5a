/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
#ifndef EBPFLB_OUTCOME_H
#define EBPFLB_OUTCOME_H

/*
 * What becomes of a packet. Functions of the packet path return one of these, or a reason (enum lb_reason, not
 * negative): the one exit in exit.h makes it a verdict.
 */

enum outcome {
	OUTCOME_PASS = -1,           /* as it is: unchanged, or translated and for the stack */
	OUTCOME_SEND = -2,           /* complete, out through packet->ifindex */
	OUTCOME_SEND_RESOLVING = -3, /* the same, but the frame's addresses are not known */
	OUTCOME_CONTINUE = -4,
	OUTCOME_RESTART = -5, /* of no flow, or of one that is over: the packet may begin another */
};

#endif
