// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0

/*
 * A packet generator, the simplest contestants, and the end of the path.
 *
 * The generators run by BPF_PROG_TEST_RUN with BPF_F_TEST_XDP_LIVE_FRAMES: XDP_TX sends through the device the call
 * names. The kernel hands a frame out again as its last receiver left it, so each one is written whole.
 */

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include "frames.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct plan);
} plan SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct progress);
} progress SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct expectation);
} expectation SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct arrivals);
} arrivals SEC(".maps");

/* What the repeated programs go on to. */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} target SEC(".maps");

/* Where bare_redirect sends. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} outlet SEC(".maps");

#define V4_IP_CHECK  24
#define UDP_CHECK    6 /* from the L4 header */
#define TCP_CHECK    16
#define V4_PROTOCOL  23
#define V6_PROTOCOL  20
#define V4_TO        30
#define V6_TO        38
#define V4_L4_LENGTH (FRAME_V4 - V4_L4) /* what is behind the datagram is 0 and does not count */
#define V6_L4_LENGTH (FRAME_V6 - V6_L4)
#define IPV4_HEADER  14
#define IPV4_LENGTH  20
#define V6_ADDRESSES 22
#define V4_ADDRESSES 26

static const __u32 first;

static __always_inline int write_frame(struct xdp_md *ctx, int v4, __u32 l4_check)
{
	__u8 *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	__u32 length = v4 ? FRAME_V4 : FRAME_V6, l4 = v4 ? V4_L4 : V6_L4;
	struct plan *all = bpf_map_lookup_elem(&plan, &first);
	struct progress *at = bpf_map_lookup_elem(&progress, &first);
	__u32 number, source, destination, sum;
	struct flow_set *set;
	struct flow flow;
	__be16 port;
	int second;

	if (!all || !at || data + length > end)
		return -1;
	second = all->every && ++at->sent % all->every == 0;
	set = &all->sets[second];
	number = at->next[second]++;
	if (set->flows && number + 1 >= set->flows)
		at->next[second] = 0;

	flow = flow_of(set, number);
	source = bpf_htonl(flow.source_low);
	destination = bpf_htonl(flow.destination_low);
	port = bpf_htons(flow.port);
	sum = (source & 0xffff) + (source >> 16) + (destination & 0xffff) + (destination >> 16);
	__builtin_memcpy(data, set->frame, length);
	*(__u32 *)(data + (v4 ? V4_SOURCE_LOW : V6_SOURCE_LOW)) = source;
	*(__u32 *)(data + (v4 ? V4_DESTINATION_LOW : V6_DESTINATION_LOW)) = destination;
	*(__be16 *)(data + l4) = port;
	if (v4)
		*(__u16 *)(data + V4_IP_CHECK) = checksum_finish(set->ip_sum + sum);
	*(__u16 *)(data + l4 + l4_check) = checksum_finish(set->l4_sum + sum + port);
	return 0;
}

#define WRITERS(name, ...)                                                                                             \
	SEC("xdp")                                                                                                     \
	int send_##name(struct xdp_md *ctx)                                                                            \
	{                                                                                                              \
		return write_frame(ctx, __VA_ARGS__) ? XDP_ABORTED : XDP_TX;                                           \
	}                                                                                                              \
	/* As many a packet as the caller likes, and each goes through the target; nothing leaves. */                  \
	SEC("xdp.frags")                                                                                               \
	int rerun_##name(struct xdp_md *ctx)                                                                           \
	{                                                                                                              \
		if (write_frame(ctx, __VA_ARGS__))                                                                     \
			return XDP_ABORTED;                                                                            \
		bpf_tail_call(ctx, &target, 0);                                                                        \
		return XDP_ABORTED;                                                                                    \
	}

WRITERS(udp4, 1, UDP_CHECK)
WRITERS(tcp4, 1, TCP_CHECK)
WRITERS(udp6, 0, UDP_CHECK)

/* What rerun_* cost by themselves. */
SEC("xdp.frags")
int nothing(struct xdp_md *ctx)
{
	(void)ctx;
	return XDP_PASS;
}

SEC("xdp.frags")
int pass(struct xdp_md *ctx)
{
	(void)ctx;
	return XDP_PASS;
}

static __always_inline int swap_addresses(struct xdp_md *ctx)
{
	__u8 *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	__u8 mac[ETH_ALEN];

	if (data + ETH_HLEN > end)
		return -1;
	__builtin_memcpy(mac, data, ETH_ALEN);
	__builtin_memcpy(data, data + ETH_ALEN, ETH_ALEN);
	__builtin_memcpy(data + ETH_ALEN, mac, ETH_ALEN);
	return 0;
}

SEC("xdp.frags")
int bare_reflect(struct xdp_md *ctx)
{
	return swap_addresses(ctx) ? XDP_DROP : XDP_TX;
}

SEC("xdp.frags")
int bare_redirect(struct xdp_md *ctx)
{
	__u32 *to = bpf_map_lookup_elem(&outlet, &first);

	return !to || swap_addresses(ctx) ? XDP_DROP : bpf_redirect(*to, 0);
}

static __always_inline __u32 words(const __u8 *data, __u32 from, __u32 length)
{
	__u32 sum = 0;

#pragma unroll
	for (__u32 i = 0; i < length; i += 2)
		sum += *(const __u16 *)(data + from + i);
	return sum;
}

static __always_inline int sums_right(const __u8 *data, int v4)
{
	__u32 l4 = v4 ? V4_L4 : V6_L4, l4_length = v4 ? V4_L4_LENGTH : V6_L4_LENGTH;
	__u32 addresses = v4 ? V4_ADDRESSES : V6_ADDRESSES;
	__u8 protocol = data[v4 ? V4_PROTOCOL : V6_PROTOCOL];
	/* A frame of the generator: a UDP datagram fills it, a TCP segment is a bare header. */
	__u32 pseudo = bpf_htons(protocol) + bpf_htons(protocol == IPPROTO_TCP ? 20 : l4_length);

	if (v4 && checksum_finish(words(data, IPV4_HEADER, IPV4_LENGTH)))
		return 0;
	return !checksum_finish(pseudo + words(data, addresses, l4 - addresses) + words(data, l4, l4_length));
}

/* The far side: looks, counts, drops. */
SEC("xdp.frags")
int count(struct xdp_md *ctx)
{
	const __u8 *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct expectation *want = bpf_map_lookup_elem(&expectation, &first);
	struct arrivals *got = bpf_map_lookup_elem(&arrivals, &first);
	__be16 type;
	int v4;

	if (!want || !got || data + FRAME_V4 > end)
		return XDP_DROP;
	type = *(const __be16 *)(data + 12);
	v4 = type == bpf_htons(ETH_P_IP);
	if (v4 && (*(const __u32 *)(data + V4_TO) & want->mask) == want->destination)
		goto expected;
	if (type == bpf_htons(ETH_P_IPV6) && data + FRAME_V6 <= end &&
	    (*(const __u64 *)(data + V6_TO) & want->mask) == want->destination)
		goto expected;
	got->others++;
	/* The stack behind must be able to answer an ARP request; nothing else is of interest. */
	return type == bpf_htons(ETH_P_ARP) ? XDP_PASS : XDP_DROP;

expected:
	if (want->verify && (v4 ? !sums_right(data, 1) : data + FRAME_V6 > end || !sums_right(data, 0)))
		got->wrong_sums++;
	else
		got->expected++;
	return XDP_DROP;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
