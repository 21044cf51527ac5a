/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
#ifndef EBPFLB_HOOK_TC_H
#define EBPFLB_HOOK_TC_H

/* tc in the words of the shared core. hook_xdp.h has the same words. */

#include <stdbool.h>
#include <stddef.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include "context.h"
#include "csum.h"

typedef struct __sk_buff hook_ctx;

/* For tcx: TC_ACT_UNSPEC lets the next program of the device speak, TC_ACT_OK would silence it. */
#define HOOK_PASS TC_ACT_UNSPEC
#define HOOK_DROP TC_ACT_SHOT

#define HOOK_CAN_HAND_DOWN false

#define SOCKET_RAW 3 /* SOCK_RAW */

/* As far as headers are read: the outer ones, an ICMP header, and those it quotes. */
#define HOOK_PULL_BYTES 512u

static __always_inline void *hook_data(const hook_ctx *ctx)
{
	return (void *)CONTEXT_READ(ctx, data);
}

static __always_inline void *hook_data_end(const hook_ctx *ctx)
{
	return (void *)CONTEXT_READ(ctx, data_end);
}

static __always_inline __u32 hook_frame_length(const hook_ctx *ctx)
{
	return CONTEXT_READ(ctx, len);
}

/* Brings the headers into one piece, which most packets are already. Pointers into the packet end here. */
static __always_inline bool hook_pull(hook_ctx *ctx)
{
	__u32 linear = hook_data_end(ctx) - hook_data(ctx);
	__u32 length = hook_frame_length(ctx);

	if (linear == length || linear >= HOOK_PULL_BYTES)
		return true;
	return !bpf_skb_pull_data(ctx, length < HOOK_PULL_BYTES ? length : HOOK_PULL_BYTES);
}

/* The packet of a VLAN: it meets our programs on the VLAN's own device, if they are there. */
static __always_inline bool hook_is_tagged(const hook_ctx *ctx)
{
	return CONTEXT_READ(ctx, vlan_present);
}

static __always_inline __u32 hook_ifindex(const hook_ctx *ctx)
{
	return CONTEXT_READ(ctx, ifindex);
}

/* Payload of each segment that this packet stands for; 0 when it stands for itself. */
static __always_inline __u32 hook_segment_size(const hook_ctx *ctx)
{
	return CONTEXT_READ(ctx, gso_size);
}

/*
 * Sent by the stack for nobody: what is forwarded came in through a device, and what a connection sends carries its
 * socket. A reset for no connection has none (IPv6), or the raw socket that the stack keeps for it (IPv4).
 */
static __always_inline bool hook_is_of_stack(hook_ctx *ctx)
{
	struct bpf_sock *sock = ctx->sk;

	if (CONTEXT_READ(ctx, ingress_ifindex))
		return false;
	if (!sock)
		return true;
	sock = bpf_sk_fullsock(sock);
	return sock && sock->type == SOCKET_RAW;
}

/* The helpers know from the packet's metadata. */
static __always_inline bool hook_checksum_is_partial(__u16 check, __u16 pseudo_sum)
{
	(void)check;
	(void)pseudo_sum;
	return false;
}

/*
 * A checksum that the sender's device was to complete has the addresses in it and not the ports; one that the receiving
 * device has summed up moves with the addresses, under IPv4. The helper sorts that out, and knows since Linux 6.16 that
 * IPv6 has no header checksum to make up for it.
 */
static __always_inline bool hook_change_checksum(hook_ctx *ctx, __u32 offset, __u16 address_delta, __u32 other_delta,
						 bool zero_is_none, bool is_v4)
{
	__u64 zero = zero_is_none ? BPF_F_MARK_MANGLED_0 : 0;
	__u64 pseudo = zero | BPF_F_PSEUDO_HDR;

	if (address_delta && (is_v4 || bpf_l4_csum_replace(ctx, offset, 0, address_delta, pseudo | BPF_F_IPV6)) &&
	    bpf_l4_csum_replace(ctx, offset, 0, address_delta, pseudo))
		return false;
	return !other_delta || !bpf_l4_csum_replace(ctx, offset, 0, other_delta, zero);
}

static __always_inline int hook_send(hook_ctx *ctx, __u32 ifindex)
{
	(void)ctx;
	return bpf_redirect(ifindex, 0);
}

static __always_inline int hook_send_resolving(__u32 ifindex)
{
	return bpf_redirect_neigh(ifindex, NULL, 0, 0);
}

#endif
