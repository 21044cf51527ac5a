/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
#ifndef EBPFLB_HOOK_XDP_H
#define EBPFLB_HOOK_XDP_H

/* XDP in the words of the shared core. hook_tc.h has the same words. */

#include <stdbool.h>
#include <stddef.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include "context.h"
#include "csum.h"

typedef struct xdp_md hook_ctx;

#define HOOK_PASS XDP_PASS
#define HOOK_DROP XDP_DROP

/* What comes in may have another fate with more knowledge: the same packet meets tc next. */
#define HOOK_CAN_HAND_DOWN true

static __always_inline void *hook_data(const hook_ctx *ctx)
{
	return (void *)CONTEXT_READ(ctx, data);
}

static __always_inline void *hook_data_end(const hook_ctx *ctx)
{
	return (void *)CONTEXT_READ(ctx, data_end);
}

/* Headers are in the first buffer, and that is all we read. */
static __always_inline bool hook_pull(hook_ctx *ctx)
{
	(void)ctx;
	return true;
}

static __always_inline __u32 hook_frame_length(hook_ctx *ctx)
{
	return bpf_xdp_get_buff_len(ctx);
}

/* A tag is in the frame here, and its EtherType is none that is parsed. */
static __always_inline bool hook_is_tagged(const hook_ctx *ctx)
{
	(void)ctx;
	return false;
}

static __always_inline __u32 hook_ifindex(const hook_ctx *ctx)
{
	return CONTEXT_READ(ctx, ingress_ifindex);
}

/* Frames are what the wire carries. */
static __always_inline __u32 hook_segment_size(const hook_ctx *ctx)
{
	(void)ctx;
	return 0;
}

/*
 * A sender with checksum offload on the same machine (veth, a virtual machine's neighbour) leaves the sum of the pseudo
 * header in the place of the checksum. XDP sees no mark of that, and the mark is lost when the frame goes on from here,
 * so such a frame is left to tc. One in 65,536 whole checksums looks the same and takes that way too, without harm.
 */
static __always_inline bool hook_checksum_is_partial(__u16 check, __u16 pseudo_sum)
{
	return check == pseudo_sum;
}

/*
 * The transport checksum at an offset for addresses and ports that are about to change. A checksum of 0 says that UDP
 * over IPv4 has none.
 */
static __always_inline bool hook_change_checksum(hook_ctx *ctx, __u32 offset, __u16 address_delta, __u32 other_delta,
						 bool zero_is_none, bool is_v4)
{
	__u16 *check;

	(void)is_v4;
	asm volatile("" : "+r"(offset)); /* the mask stays: packet_at() says why */
	check = hook_data(ctx) + (offset & 1023);
	if ((void *)(check + 1) > hook_data_end(ctx))
		return false;
	if (zero_is_none && !*check)
		return true;
	*check = csum_apply(*check, (__u32)address_delta + other_delta);
	if (zero_is_none && !*check)
		*check = 0xffff;
	return true;
}

/* Out through a device whose frame is complete. */
static __always_inline int hook_send(hook_ctx *ctx, __u32 ifindex)
{
	return ifindex == CONTEXT_READ(ctx, ingress_ifindex) ? XDP_TX : (int)bpf_redirect(ifindex, 0);
}

/* Nobody resolves neighbours here; what needs it is handed down before. */
static __always_inline int hook_send_resolving(__u32 ifindex)
{
	(void)ifindex;
	return XDP_PASS;
}

#endif
