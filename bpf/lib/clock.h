/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
#ifndef EBPFLB_CLOCK_H
#define EBPFLB_CLOCK_H

/* Time in maps of the packet path: CLOCK_MONOTONIC >> 20, 1.05 ms a unit, wraps after 52 days. */

#include <linux/types.h>
#include <bpf/bpf_helpers.h>

#define CLOCK_SHIFT 20

/* The coarse clock costs a third of the fine one and moves with each tick. */
static __always_inline __u32 clock_now(void)
{
	return bpf_ktime_get_coarse_ns() >> CLOCK_SHIFT;
}

static __always_inline __u32 clock_of_ms(__u32 ms)
{
	return ((__u64)ms * 1000000) >> CLOCK_SHIFT;
}

static __always_inline __u32 clock_of_s(__u32 s)
{
	return ((__u64)s * 1000000000) >> CLOCK_SHIFT;
}

/* Another processor may have stored a later time than this one has read: that is an age of 0. */
static __always_inline __u32 clock_age(__u32 now, __u32 then)
{
	__s32 age = now - then;

	return age < 0 ? 0 : age;
}

#endif
