/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
#ifndef EBPFLB_ANSWER_XDP_H
#define EBPFLB_ANSWER_XDP_H

/* XDP writes no answers of its own: tc does, as far as the budget goes. */

#include "account.h"
#include "budget.h"

static __always_inline int answer(hook_ctx *ctx, struct packet *packet, enum lb_reason reason)
{
	(void)ctx;
	(void)reason;
	if (!budget_take()) {
		count_reason(packet, LB_REASON_REPLY_LIMIT);
		return HOOK_DROP;
	}
	count_reason(packet, LB_REASON_HANDED_DOWN);
	return HOOK_PASS;
}

#endif
