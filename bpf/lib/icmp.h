/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
#ifndef EBPFLB_ICMP_H
#define EBPFLB_ICMP_H

/*
 * ICMP errors about translated packets. Such an error quotes a packet as this node had sent it; the flow it is about is
 * the one whose next packet would come from where the quoted one went. The error goes where that packet would go, and
 * what it quotes becomes what its receiver had sent.
 *
 *                      outer                inner
 *   arrives     router -> node       node:port -> backend      key:  backend -> node:port   (the inner one, reversed)
 *   leaves      router -> client   client:port -> frontend     flow: frontend -> client:port
 */

#include "flow.h"
#include "port.h"

#define ICMP_HEADER 8

struct icmp_quote {
	struct lb_conntrack_key key; /* the quoted packet, reversed */
	__u16 header;                /* offset of the quoted IP header */
	__u16 transport;
	bool checksum_is_quoted;
};

static __always_inline bool quote_has_ports(__u8 protocol)
{
	return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP || protocol == TRANSPORT_SCTP;
}

static __always_inline bool quote_read_ipv4(hook_ctx *ctx, struct icmp_quote *quote)
{
	const struct iphdr *ip = packet_at(ctx, quote->header, sizeof(*ip));

	if (!ip || ip->version != 4 || ip->ihl < 5 || (ip->frag_off & bpf_htons(IPV4_FRAGMENT_OFFSET)))
		return false;
	address_set_v4(&quote->key.source, ip->daddr);
	address_set_v4(&quote->key.destination, ip->saddr);
	quote->key.protocol = ip->protocol;
	quote->transport = quote->header + ip->ihl * 4;
	return true;
}

/* Behind extension headers a quoted packet is not looked for: ours have none, but for the fragment header. */
static __always_inline bool quote_read_ipv6(hook_ctx *ctx, struct icmp_quote *quote)
{
	const struct ipv6hdr *ip = packet_at(ctx, quote->header, sizeof(*ip));
	const __u8 *fragment;

	if (!ip || ip->version != 6)
		return false;
	__builtin_memcpy(&quote->key.source, &ip->daddr, sizeof(ip->daddr));
	__builtin_memcpy(&quote->key.destination, &ip->saddr, sizeof(ip->saddr));
	quote->key.protocol = ip->nexthdr;
	quote->transport = quote->header + sizeof(*ip);
	if (ip->nexthdr != IPPROTO_FRAGMENT)
		return true;
	fragment = packet_at(ctx, quote->transport, 8);
	if (!fragment || fragment[2] || (fragment[3] & 0xf8))
		return false;
	quote->key.protocol = fragment[0];
	quote->transport += 8;
	return true;
}

static __noinline int quote_read(hook_ctx *ctx, const struct packet *packet, struct icmp_quote *quote)
{
	const __be16 *ports;

	__builtin_memset(quote, 0, sizeof(*quote));
	quote->key.side = packet->tuple.side;
	quote->header = packet->transport + ICMP_HEADER;
	if (!(packet->is_v4 ? quote_read_ipv4(ctx, quote) : quote_read_ipv6(ctx, quote)) ||
	    !quote_has_ports(quote->key.protocol) || quote->transport > PACKET_MAX_OFFSET - 64)
		return 0;
	ports = packet_at(ctx, quote->transport, 8);
	if (!ports || quote->transport + 8 > ETH_HLEN + packet->length)
		return 0;
	/* Whoever sent the quoted packet is who is told. */
	if (!address_equal(&quote->key.destination, &packet->tuple.destination))
		return 0;
	quote->key.source_port = ports[1];
	quote->key.destination_port = ports[0];
	quote->checksum_is_quoted =
		quote->key.protocol == IPPROTO_UDP ||
		(quote->key.protocol == IPPROTO_TCP && quote->transport + 18 <= ETH_HLEN + packet->length);
	return 1;
}

/* The quoted transport header becomes what its receiver had sent. Adds what that changes of the ICMP checksum. */
static __always_inline bool quote_write_transport(hook_ctx *ctx, const struct icmp_quote *quote,
						  const struct lb_conntrack *flow, __u16 address_delta, __u32 *delta)
{
	__be16 *transport = packet_at(ctx, quote->transport, 8);
	__u32 ports;

	if (!transport)
		return false;
	ports = csum_word_delta(transport[0], flow->destination_port) +
		csum_word_delta(transport[1], flow->source_port);
	*delta += csum_fold(ports);
	transport[0] = flow->destination_port;
	transport[1] = flow->source_port;
	if (quote->checksum_is_quoted) {
		bool is_udp = quote->key.protocol == IPPROTO_UDP;
		__u16 *check = packet_at(ctx, quote->transport + (is_udp ? 6 : 16), 2);
		__u16 old;

		if (!check)
			return true;
		old = *check;
		if (is_udp && !old)
			return true;
		*check = csum_apply(old, (__u32)csum_fold(ports) + address_delta);
		if (is_udp && !*check)
			*check = 0xffff;
		*delta += csum_word_delta(old, *check);
	}
	return true;
}

static __always_inline bool quote_write_header(hook_ctx *ctx, const struct packet *packet,
					       const struct icmp_quote *quote, const struct lb_conntrack *flow,
					       __u16 address_delta)
{
	if (packet->is_v4) {
		struct iphdr *ip = packet_at(ctx, quote->header, sizeof(*ip));

		if (!ip)
			return false;
		ip->saddr = address_v4(&flow->destination);
		ip->daddr = address_v4(&flow->source);
		ip->check = csum_apply(ip->check, address_delta);
	} else {
		struct ipv6hdr *ip = packet_at(ctx, quote->header, sizeof(*ip));

		if (!ip)
			return false;
		__builtin_memcpy(&ip->saddr, &flow->destination, sizeof(ip->saddr));
		__builtin_memcpy(&ip->daddr, &flow->source, sizeof(ip->daddr));
	}
	return true;
}

/*
 * The outer packet goes to the flow's destination. Its source stays when a router speaks, becomes the frontend when the
 * backend itself does, and is this node's on the way to a backend that would not know a client.
 */
static __always_inline void icmp_outer(const struct packet *packet, const struct icmp_quote *quote,
				       const struct lb_conntrack *flow, struct lb_conntrack *outer)
{
	bool is_peer = address_equal(&packet->tuple.source, &quote->key.source);
	bool is_masked = !(flow->flags & (LB_CONNTRACK_REPLY | LB_CONNTRACK_LOCAL));

	outer->source = is_peer || is_masked ? flow->source : packet->tuple.source;
	outer->destination = flow->destination;
	conntrack_set_delta(&packet->tuple, outer);
}

static __noinline int icmp_write(hook_ctx *ctx, const struct packet *packet, const struct icmp_quote *quote,
				 const struct lb_conntrack *flow, __u16 outer_delta)
{
	__u16 address_delta =
		csum_address_delta(&quote->key.destination, &quote->key.source, &flow->destination, &flow->source);
	__u32 delta = 0;

	if (!quote_write_transport(ctx, quote, flow, address_delta, &delta) ||
	    !quote_write_header(ctx, packet, quote, flow, address_delta))
		return 0;
	/* The IPv4 header that is quoted has a checksum of its own, which takes up what its addresses change. */
	if (!packet->is_v4)
		delta += address_delta;
	/* ICMPv6 has the outer addresses in its checksum, ICMPv4 has not. */
	return hook_change_checksum(ctx, packet->transport + 2, packet->is_v4 ? 0 : outer_delta, csum_fold(delta),
				    false, packet->is_v4);
}

static __noinline int icmp_forward(hook_ctx *ctx, struct packet *packet, const struct icmp_quote *quote,
				   struct lb_conntrack *flow)
{
	const volatile struct lb_settings *settings = settings_read();
	bool is_local = flow->flags & LB_CONNTRACK_LOCAL;
	struct lb_conntrack *outer = port_search_forward();
	int outcome = OUTCOME_PASS;

	if (!settings || !outer)
		return OUTCOME_PASS;
	if (!is_local) {
		outcome = flow_resolve(ctx, packet, flow, settings->generation);
		if (outcome != OUTCOME_SEND && outcome != OUTCOME_SEND_RESOLVING)
			return outcome;
	}
	icmp_outer(packet, quote, flow, outer);
	if (!icmp_write(ctx, packet, quote, flow, outer->address_delta) ||
	    !nat_apply(ctx, packet, outer, is_local ? NAT_KEEPS_TTL : NAT_COUNTS_HOP))
		return LB_REASON_FAILED;
	return is_local ? OUTCOME_PASS : flow_leave(ctx, packet, flow, outcome);
}

/* OUTCOME_CONTINUE: the error is about no flow of ours. */
SUBPROGRAM int icmp_translate(hook_ctx *ctx, struct packet *packet)
{
	struct lb_conntrack *flow;
	struct icmp_quote quote;
	int outcome;

	if (!packet)
		return OUTCOME_PASS;
	if (packet->tuple.side == LB_SIDE_INGRESS && frame_destination(ctx, packet) != FRAME_FOR_US)
		return OUTCOME_PASS;
	if (quote_read(ctx, packet, &quote)) {
		flow = bpf_map_lookup_elem(&conntrack_v1, &quote.key);
		if (flow) {
			outcome = icmp_forward(ctx, packet, &quote, flow);
			if (outcome < 0)
				count_reason(packet, LB_REASON_ICMP_TRANSLATED);
			return outcome;
		}
	}
	return OUTCOME_CONTINUE;
}

#endif
