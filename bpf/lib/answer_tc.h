/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
#ifndef EBPFLB_ANSWER_TC_H
#define EBPFLB_ANSWER_TC_H

/*
 * Answers of our own: a TCP reset, or an ICMP error that quotes the packet as it came. The packet is made into its
 * answer and sent back where it came from: out of the device it came in through, or in through the one it was leaving.
 *
 * A checksum that the sender's device was to complete is marked in the packet's metadata, which no helper clears. A
 * reset then gets the sum of its pseudo header, as the mark promises. An ICMP error gets its whole checksum: devices
 * that carry the mark to another machine's memory (veth, a virtual machine's) do not look at it again.
 */

#include <linux/tcp.h>
#include "account.h"
#include "budget.h"
#include "route.h"

#define FRAME_BROADCAST 1 /* PACKET_* of linux/if_packet.h */
#define FRAME_MULTICAST 2

#define ANSWER_TTL         64
#define ANSWER_QUOTE_WORDS 64 /* of 4 bytes: all headers that may be quoted, and the beginning of what follows */

#define ICMP4_TIME_EXCEEDED   11
#define ICMP4_UNREACHABLE     3
#define ICMP4_PORT            3
#define ICMP4_FRAGMENT_NEEDED 4
#define ICMP6_UNREACHABLE     1
#define ICMP6_PORT            4
#define ICMP6_TOO_BIG         2
#define ICMP6_TIME_EXCEEDED   3

struct icmp_answer {
	__u8 type;
	__u8 code;
	__be16 check;
	__be32 value; /* what the type makes of it: the MTU, or 0 */
};

static __always_inline void answer_turn_frame(struct ethhdr *ethernet)
{
	__u8 mac[ETH_ALEN];

	__builtin_memcpy(mac, ethernet->h_dest, ETH_ALEN);
	__builtin_memcpy(ethernet->h_dest, ethernet->h_source, ETH_ALEN);
	__builtin_memcpy(ethernet->h_source, mac, ETH_ALEN);
}

static __always_inline __u64 answer_pseudo_sum(const struct lb_address *source, const struct lb_address *destination,
					       __u8 protocol, __u32 length)
{
	return csum_address(source) + csum_address(destination) + bpf_htons(protocol) + bpf_htonl(length);
}

/* An IP header with nothing special in it, from the address that was dialled, or another, to the packet's source. */
static __always_inline bool answer_write_ip(hook_ctx *ctx, const struct packet *packet, const struct lb_address *source,
					    __u8 protocol, __u16 payload)
{
	if (packet->is_v4) {
		struct iphdr *ip = packet_at(ctx, ETH_HLEN, sizeof(*ip));

		if (!ip)
			return false;
		*ip = (struct iphdr){
			.version = 4,
			.ihl = 5,
			.tot_len = bpf_htons(sizeof(*ip) + payload),
			.frag_off = bpf_htons(0x4000),
			.ttl = ANSWER_TTL,
			.protocol = protocol,
			.saddr = address_v4(source),
			.daddr = address_v4(&packet->tuple.source),
		};
		ip->check = ~csum_fold64(bpf_csum_diff(NULL, 0, (__be32 *)ip, sizeof(*ip), 0));
	} else {
		struct ipv6hdr *ip = packet_at(ctx, ETH_HLEN, sizeof(*ip));

		if (!ip)
			return false;
		*ip = (struct ipv6hdr){
			.version = 6,
			.payload_len = bpf_htons(payload),
			.hop_limit = ANSWER_TTL,
			.nexthdr = protocol,
		};
		__builtin_memcpy(&ip->saddr, source, sizeof(ip->saddr));
		__builtin_memcpy(&ip->daddr, &packet->tuple.source, sizeof(ip->daddr));
	}
	return true;
}

static __always_inline __u32 answer_ip_header(const struct packet *packet)
{
	return packet->is_v4 ? sizeof(struct iphdr) : sizeof(struct ipv6hdr);
}

/* RFC 9293, 3.5.2: a reset that the sender of the segment accepts. */
static __noinline int answer_reset(hook_ctx *ctx, const struct packet *packet)
{
	__u32 payload = ETH_HLEN + packet->length - packet->transport - packet->transport_header;
	const struct tcphdr *old = packet_at(ctx, packet->transport, sizeof(*old));
	__u32 transport = ETH_HLEN + answer_ip_header(packet);
	struct ethhdr *ethernet;
	struct tcphdr reset = {};
	struct tcphdr *tcp;
	__u16 pseudo;
	bool partial;

	if (!old)
		return 0;
	pseudo = csum_fold64(answer_pseudo_sum(&packet->tuple.source, &packet->tuple.destination, IPPROTO_TCP,
					       ETH_HLEN + packet->length - packet->transport));
	partial = old->check == pseudo;
	reset.source = packet->tuple.destination_port;
	reset.dest = packet->tuple.source_port;
	reset.doff = sizeof(reset) / 4;
	reset.rst = 1;
	if (packet->tcp_flags & TCP_ACK) {
		reset.seq = old->ack_seq;
	} else {
		reset.ack = 1;
		reset.ack_seq = bpf_htonl(bpf_ntohl(old->seq) + payload + !!(packet->tcp_flags & TCP_SYN) +
					  !!(packet->tcp_flags & TCP_FIN));
	}
	pseudo = csum_fold64(
		answer_pseudo_sum(&packet->tuple.destination, &packet->tuple.source, IPPROTO_TCP, sizeof(reset)));
	if (partial)
		reset.check = pseudo;
	else
		reset.check = ~csum_fold64(bpf_csum_diff(NULL, 0, (__be32 *)&reset, sizeof(reset), pseudo));

	if (bpf_skb_change_tail(ctx, transport + sizeof(reset), 0) ||
	    !answer_write_ip(ctx, packet, &packet->tuple.destination, IPPROTO_TCP, sizeof(reset)))
		return 0;
	ethernet = packet_at(ctx, 0, sizeof(*ethernet));
	tcp = packet_at(ctx, transport, sizeof(*tcp));
	if (!ethernet || !tcp)
		return 0;
	answer_turn_frame(ethernet);
	*tcp = reset;
	return 1;
}

static __always_inline void answer_icmp_of(const struct packet *packet, enum lb_reason reason, struct icmp_answer *icmp)
{
	*icmp = (struct icmp_answer){};
	switch (reason) {
	case LB_REASON_TTL_EXCEEDED:
		icmp->type = packet->is_v4 ? ICMP4_TIME_EXCEEDED : ICMP6_TIME_EXCEEDED;
		break;
	case LB_REASON_TOO_BIG:
		icmp->type = packet->is_v4 ? ICMP4_UNREACHABLE : ICMP6_TOO_BIG;
		icmp->code = packet->is_v4 ? ICMP4_FRAGMENT_NEEDED : 0;
		icmp->value = bpf_htonl(packet->mtu); /* IPv4: the upper half is 0 as it must be */
		break;
	default:
		icmp->type = packet->is_v4 ? ICMP4_UNREACHABLE : ICMP6_UNREACHABLE;
		icmp->code = packet->is_v4 ? ICMP4_PORT : ICMP6_PORT;
		break;
	}
}

/* The host that was dialled refuses; on the way to it this node speaks for itself. */
static __always_inline void answer_source(hook_ctx *ctx, const struct packet *packet, enum lb_reason reason,
					  struct lb_address *source)
{
	__u32 ifindex = hook_ifindex(ctx);
	const struct lb_device *device;

	*source = packet->tuple.destination;
	if (reason != LB_REASON_TTL_EXCEEDED && reason != LB_REASON_TOO_BIG)
		return;
	device = bpf_map_lookup_elem(&devices_v1, &ifindex);
	if (!device)
		return;
	if (packet->is_v4 && !address_is_zero(&device->source_v4))
		*source = device->source_v4;
	if (!packet->is_v4 && !address_is_zero(&device->source_v6))
		*source = device->source_v6;
}

/* What was quoted lies behind the new headers, in words of 4 bytes. */
static __noinline int answer_sum_quote(hook_ctx *ctx, __u32 offset, __u32 words)
{
	__u64 sum = 0;

	for (__u32 i = 0; i < ANSWER_QUOTE_WORDS; i++) {
		const __u32 *word = packet_at(ctx, offset + 4 * i, 4);

		if (i >= words || !word)
			break;
		sum += *word;
	}
	return csum_fold64(sum);
}

static __noinline int answer_icmp(hook_ctx *ctx, const struct packet *packet, enum lb_reason reason)
{
	__u32 header = answer_ip_header(packet);
	__u32 growth = header + sizeof(struct icmp_answer);
	__u8 protocol = packet->is_v4 ? IPPROTO_ICMP : IPPROTO_ICMPV6;
	/* The IP header and 8 bytes are what matters; of TCP the whole header, whose checksum the metadata may name. */
	__u32 quote = packet->transport - ETH_HLEN + (packet_is_tcp(packet) ? 20 : 8);
	struct icmp_answer icmp, *place;
	struct lb_address source;
	struct ethhdr *ethernet;
	__u64 sum;

	answer_icmp_of(packet, reason, &icmp);
	answer_source(ctx, packet, reason, &source);
	if (quote > 4 * ANSWER_QUOTE_WORDS || bpf_skb_change_tail(ctx, ETH_HLEN + quote, 0) ||
	    bpf_skb_adjust_room(ctx, growth, BPF_ADJ_ROOM_MAC, 0) ||
	    bpf_skb_pull_data(ctx, ETH_HLEN + growth + quote) ||
	    !answer_write_ip(ctx, packet, &source, protocol, sizeof(icmp) + quote))
		return 0;

	sum = (__u32)(icmp.type | icmp.code << 8) + (__u64)icmp.value +
	      (__u32)answer_sum_quote(ctx, ETH_HLEN + growth, quote / 4);
	if (!packet->is_v4)
		sum += answer_pseudo_sum(&source, &packet->tuple.source, protocol, sizeof(icmp) + quote);
	icmp.check = ~csum_fold64(sum);
	ethernet = packet_at(ctx, 0, sizeof(*ethernet));
	place = packet_at(ctx, ETH_HLEN + header, sizeof(*place));
	if (!ethernet || !place)
		return 0;
	answer_turn_frame(ethernet);
	*place = icmp;
	return 1;
}

/*
 * Only a packet that has ports is answered, so never an ICMP error, nor a later fragment. Nobody is told to fragment
 * less who allows it: such a packet is lost here, because only the stack can cut it, and would not under our source
 * address.
 */
static __always_inline bool answer_is_due(hook_ctx *ctx, const struct packet *packet, enum lb_reason reason)
{
	__u32 kind = CONTEXT_READ(ctx, pkt_type);

	/* Whether the frame is for this station was asked before; a bridge's pod sends to the bridge. */
	if (!packet->has_ports || kind == FRAME_BROADCAST || kind == FRAME_MULTICAST)
		return false;
	if (reason == LB_REASON_TOO_BIG)
		return !packet->may_fragment;
	return !packet_is_tcp(packet) || !(packet->tcp_flags & TCP_RST);
}

SUBPROGRAM int answer(hook_ctx *ctx, const struct packet *packet, enum lb_reason reason)
{
	bool refuses = reason_refuses(reason);

	if (!packet)
		return HOOK_DROP;
	if (!answer_is_due(ctx, packet, reason)) {
		count_reason(packet, reason);
		return HOOK_DROP;
	}
	if (!budget_take()) {
		count_reason(packet, LB_REASON_REPLY_LIMIT);
		return HOOK_DROP;
	}
	count_reason(packet, reason);
	if (!(refuses && packet_is_tcp(packet) ? answer_reset(ctx, packet) : answer_icmp(ctx, packet, reason))) {
		count_reason(packet, LB_REASON_FAILED);
		return HOOK_DROP;
	}
	return bpf_redirect(hook_ifindex(ctx), packet->hook == LB_HOOK_TC_EGRESS ? BPF_F_INGRESS : 0);
}

#endif
