/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
#ifndef EBPFLB_NAT_H
#define EBPFLB_NAT_H

/* Writes a translation into a packet: addresses, ports, checksums, and what goes with them. */

#include "crc32c.h"
#include "csum.h"
#include "maps.h"
#include "packet.h"

enum nat_ttl {
	NAT_KEEPS_TTL,  /* the packet goes on through the stack, which counts the hop */
	NAT_COUNTS_HOP, /* it leaves from here */
};

/* The change of the IPv4 header checksum when the byte of the TTL loses one. */
#define NAT_TTL_DELTA bpf_htons(0xfeff)

/*
 * Fragments of two clients may share an id. Behind one translated source they would be put together, so the id moves by
 * what differs between flows that share addresses: their ports.
 */
static __always_inline __u16 nat_fragment_shift(const struct lb_conntrack *flow)
{
	return bpf_ntohs(flow->source_port) + bpf_ntohs(flow->destination_port);
}

static __always_inline bool nat_write_ipv4(hook_ctx *ctx, const struct packet *packet, const struct lb_conntrack *flow,
					   enum nat_ttl ttl)
{
	struct iphdr *ip = packet_at(ctx, ETH_HLEN, sizeof(*ip));
	__u32 delta = flow->address_delta;

	if (!ip)
		return false;
	ip->saddr = address_v4(&flow->source);
	ip->daddr = address_v4(&flow->destination);
	if (ttl == NAT_COUNTS_HOP) {
		ip->ttl--;
		delta += NAT_TTL_DELTA;
	}
	if (packet->is_fragment) {
		__be16 id = bpf_htons(bpf_ntohs(ip->id) + nat_fragment_shift(flow));

		delta += csum_word_delta(ip->id, id);
		ip->id = id;
	}
	ip->check = csum_apply(ip->check, delta);
	return true;
}

static __always_inline bool nat_write_ipv6(hook_ctx *ctx, const struct packet *packet, const struct lb_conntrack *flow,
					   enum nat_ttl ttl)
{
	struct ipv6hdr *ip = packet_at(ctx, ETH_HLEN, sizeof(*ip));

	if (!ip)
		return false;
	__builtin_memcpy(&ip->saddr, &flow->source, sizeof(ip->saddr));
	__builtin_memcpy(&ip->daddr, &flow->destination, sizeof(ip->daddr));
	if (ttl == NAT_COUNTS_HOP)
		ip->hop_limit--;
	if (packet->fragment_header) {
		__u8 *header = packet_at(ctx, packet->fragment_header, 8);
		__be32 id;

		if (!header)
			return false;
		id = bpf_htonl(bpf_ntohl(packet->fragment_id) + nat_fragment_shift(flow));
		__builtin_memcpy(header + 4, &id, sizeof(id));
	}
	return true;
}

static __always_inline bool nat_write_sctp(hook_ctx *ctx, const struct packet *packet, const struct lb_conntrack *flow)
{
	__u32 *sctp = packet_at(ctx, packet->transport, 12);
	__u32 ports;

	if (!sctp)
		return false;
	ports = (__u32)flow->source_port | (__u32)flow->destination_port << 16; /* as they lie in memory */
	if (sctp[2]) /* 0: to be filled in by the device of its sender */
		sctp[2] ^= crc32c_delta(sctp[0], ports, ETH_HLEN + packet->length - packet->transport - 4);
	sctp[0] = ports;
	return true;
}

static __always_inline bool nat_write_ports(hook_ctx *ctx, const struct packet *packet, const struct lb_conntrack *flow)
{
	bool is_tcp = packet_is_tcp(packet);
	__u32 delta;
	__be16 *ports;

	if (packet->tuple.protocol == TRANSPORT_SCTP)
		return nat_write_sctp(ctx, packet, flow);

	delta = csum_word_delta(packet->tuple.source_port, flow->source_port) +
		csum_word_delta(packet->tuple.destination_port, flow->destination_port);
	if (!hook_change_checksum(ctx, packet->transport + (is_tcp ? 16 : 6), flow->address_delta, csum_fold(delta),
				  !is_tcp, packet->is_v4))
		return false;
	ports = packet_at(ctx, packet->transport, 8);
	if (!ports)
		return false;
	ports[0] = flow->source_port;
	ports[1] = flow->destination_port;
	return true;
}

/* False when the packet could not be written; then it may be half written and must not go anywhere. */
static __always_inline bool nat_apply(hook_ctx *ctx, const struct packet *packet, const struct lb_conntrack *flow,
				      enum nat_ttl ttl)
{
	if (packet->has_ports && !nat_write_ports(ctx, packet, flow))
		return false;
	return packet->is_v4 ? nat_write_ipv4(ctx, packet, flow, ttl) : nat_write_ipv6(ctx, packet, flow, ttl);
}

/* Whether the checksum is one that a device was to complete, as far as the hook cannot tell otherwise. */
static __always_inline bool nat_checksum_is_partial(hook_ctx *ctx, const struct packet *packet)
{
	bool is_tcp = packet_is_tcp(packet);
	const __u16 *check;
	__u64 sum;

	if (!HOOK_CAN_HAND_DOWN || !packet->has_ports || packet->tuple.protocol == TRANSPORT_SCTP)
		return false;
	check = packet_at(ctx, packet->transport + (is_tcp ? 16 : 6), sizeof(*check));
	if (!check)
		return false;
	sum = csum_address(&packet->tuple.source) + csum_address(&packet->tuple.destination) +
	      bpf_htons(packet->tuple.protocol) + bpf_htons(ETH_HLEN + packet->length - packet->transport);
	/* The mapping of two IPv4 addresses is twice ffff, which is nothing in this arithmetic. */
	return hook_checksum_is_partial(*check, csum_fold64(sum));
}

#endif
