/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
#ifndef EBPFLB_BUDGET_H
#define EBPFLB_BUDGET_H

/*
 * How many answers of our own (resets and ICMP errors) go out: a bucket of tokens for each CPU. The map belongs to the
 * object, so XDP and tc have one each; XDP takes a token for what it hands down to be answered, and tc takes one for
 * the answer. What XDP has no token for ends there, which is the cheapest place.
 */

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "settings.h"

struct budget {
	__u64 refilled_ns; /* CLOCK_MONOTONIC */
	__u32 tokens;
	__u32 pad;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct budget);
} budget SEC(".maps");

static __always_inline bool budget_take(void)
{
	const volatile struct lb_settings *settings = settings_read();
	__u64 now = bpf_ktime_get_coarse_ns();
	struct budget *bucket;
	__u64 elapsed, fresh;
	__u32 zero = 0, rate;

	bucket = bpf_map_lookup_elem(&budget, &zero);
	if (!bucket || !settings)
		return false;
	rate = settings->replies_per_s;
	elapsed = now - bucket->refilled_ns;
	if (elapsed > 1000000000)
		elapsed = 1000000000;
	fresh = elapsed * rate / 1000000000;
	if (fresh) {
		bucket->tokens += fresh;
		bucket->refilled_ns = now;
	}
	if (bucket->tokens > rate)
		bucket->tokens = rate;
	if (!bucket->tokens)
		return false;
	bucket->tokens--;
	return true;
}

#endif
