/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
#ifndef EBPFLB_ROUTE_H
#define EBPFLB_ROUTE_H

/*
 * Where translated packets leave: looked up once, kept in the flow with the generation it was looked up under. The
 * agent raises the generation when routes, neighbours, links or addresses change.
 */

#include "maps.h"
#include "packet.h"
#include "settings.h"

#define AF_INET_NUMBER  2
#define AF_INET6_NUMBER 10

#define DEVICE_ETHERNET_MAX_MTU 65535

enum route_outcome {
	ROUTE_OK,
	ROUTE_NO_NEIGHBOUR, /* the device is known, the frame's destination is not yet */
	ROUTE_NONE,
};

static __always_inline void route_question(struct bpf_fib_lookup *question, const struct lb_address *source,
					   const struct lb_address *destination, bool is_v4)
{
	if (is_v4) {
		question->family = AF_INET_NUMBER;
		question->ipv4_src = address_v4(source);
		question->ipv4_dst = address_v4(destination);
		return;
	}
	question->family = AF_INET6_NUMBER;
	__builtin_memcpy(question->ipv6_src, source, sizeof(*source));
	__builtin_memcpy(question->ipv6_dst, destination, sizeof(*destination));
}

static __always_inline __u16 device_mtu(__u32 ifindex)
{
	const struct lb_device *device = bpf_map_lookup_elem(&devices_v1, &ifindex);

	return device && device->mtu ? device->mtu : DEVICE_ETHERNET_MAX_MTU;
}

/* The way to flow->destination. The flow gets a route, or its device, or loses what it had. */
SUBPROGRAM int route_find(hook_ctx *ctx, const struct packet *packet, struct lb_conntrack *flow)
{
	const volatile struct lb_settings *settings = settings_read();
	struct bpf_fib_lookup answer;
	__u32 generation;
	long found;

	if (!packet || !flow)
		return ROUTE_NONE;
	if (!settings)
		return ROUTE_NONE;
	answer = (struct bpf_fib_lookup){
		.l4_protocol = packet->tuple.protocol,
		.sport = flow->source_port,
		.dport = flow->destination_port,
		.ifindex = hook_ifindex(ctx),
		/* The length of a header: with none, tc judges the packet as it came, before it is translated. */
		.tot_len = sizeof(struct iphdr),
	};
	/* Before the look: a change while it goes on makes the result old. */
	generation = settings->generation;
	flow->generation = 0;
	route_question(&answer, &flow->source, &flow->destination, packet->is_v4);
	found = bpf_fib_lookup(ctx, &answer, sizeof(answer), 0);
	if (found != BPF_FIB_LKUP_RET_SUCCESS && found != BPF_FIB_LKUP_RET_NO_NEIGH)
		return ROUTE_NONE;
	flow->ifindex = answer.ifindex;
	if (found == BPF_FIB_LKUP_RET_NO_NEIGH) {
		/* The kernel stops before it tells the MTU. */
		flow->mtu = device_mtu(flow->ifindex);
		return ROUTE_NO_NEIGHBOUR;
	}
	flow->mtu = answer.mtu_result;
	__builtin_memcpy(flow->destination_mac, answer.dmac, ETH_ALEN);
	__builtin_memcpy(flow->source_mac, answer.smac, ETH_ALEN);
	flow->generation = generation;
	return ROUTE_OK;
}

static __always_inline bool mac_equal(const __u8 *a, const __u8 *b)
{
	__u32 a_low, b_low;
	__u16 a_high, b_high;

	__builtin_memcpy(&a_low, a, 4);
	__builtin_memcpy(&b_low, b, 4);
	__builtin_memcpy(&a_high, a + 4, 2);
	__builtin_memcpy(&b_high, b + 4, 2);
	return !((a_low ^ b_low) | (__u32)(a_high ^ b_high));
}

enum frame_destination {
	FRAME_FOR_US,
	FRAME_FOR_MANY,
	FRAME_FOR_OTHERS,
};

/*
 * Whom the frame is for, whatever the packet says. A device that devices_v1 does not have yet is believed. What a pod
 * sends is for the node: behind a bridge it names the bridge.
 */
static __always_inline enum frame_destination frame_destination(hook_ctx *ctx, const struct packet *packet)
{
	const struct ethhdr *ethernet = packet_at(ctx, 0, sizeof(*ethernet));
	__u32 ifindex = hook_ifindex(ctx);
	const struct lb_device *device;

	if (!ethernet)
		return FRAME_FOR_OTHERS;
	if (ethernet->h_dest[0] & 1)
		return FRAME_FOR_MANY;
	if (packet->hook == LB_HOOK_TC_POD)
		return FRAME_FOR_US;
	device = bpf_map_lookup_elem(&devices_v1, &ifindex);
	return !device || mac_equal(device->mac, ethernet->h_dest) ? FRAME_FOR_US : FRAME_FOR_OTHERS;
}

/* Whether XDP may send out of a device what came in through this one or another. */
static __always_inline bool device_takes_frames(hook_ctx *ctx, __u32 ifindex)
{
	const struct lb_device *device = bpf_map_lookup_elem(&devices_v1, &ifindex);

	return device && (device->flags & (ifindex == hook_ifindex(ctx) ? LB_DEVICE_XDP_TURNS : LB_DEVICE_XDP_SENDS));
}

#endif
