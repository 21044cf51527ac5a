/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
#ifndef EBPFLB_EXIT_H
#define EBPFLB_EXIT_H

/* The one place where an outcome becomes a verdict, and a reason is counted. */

#include "account.h"
#include "outcome.h"

static __always_inline bool reason_is_answered(enum lb_reason reason)
{
	return reason_refuses(reason) || reason == LB_REASON_TTL_EXCEEDED || reason == LB_REASON_TOO_BIG;
}

static __always_inline int exit_with(hook_ctx *ctx, struct packet *packet, int outcome)
{
	switch (outcome) {
	case OUTCOME_SEND:
		return hook_send(ctx, packet->ifindex);
	case OUTCOME_SEND_RESOLVING:
		return hook_send_resolving(packet->ifindex);
	case LB_REASON_HANDED_DOWN:
		count_reason(packet, LB_REASON_HANDED_DOWN);
		return HOOK_PASS;
	default:
		break;
	}
	if (outcome < 0)
		return HOOK_PASS;
	if (reason_is_answered(outcome))
		return answer(ctx, packet, outcome);
	count_reason(packet, outcome);
	return HOOK_DROP;
}

#endif
