/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
#ifndef EBPFLB_PACKET_H
#define EBPFLB_PACKET_H

/*
 * What a packet is: addresses, ports, where its headers lie. Each header has one function that checks its bounds and
 * moves the cursor. The hook (hook_xdp.h or hook_tc.h) is included before.
 *
 * Nothing is dropped here. What cannot be taken apart is named, and whether it is any of our business is decided by its
 * destination.
 */

#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include "address.h"
#include "subprogram.h"

#define PACKET_MAX_EXTENSIONS 8
#define PACKET_MAX_OFFSET     511 /* of the transport header */

#define IPV4_DONT_FRAGMENT   0x4000
#define IPV4_MORE_FRAGMENTS  0x2000
#define IPV4_FRAGMENT_OFFSET 0x1fff
#define IPV6_FRAGMENT_OFFSET 0xfff8
#define IPV6_MORE_FRAGMENTS  0x0001

#define TCP_FIN 0x01
#define TCP_SYN 0x02
#define TCP_RST 0x04
#define TCP_ACK 0x10

#define TRANSPORT_SCTP 132

#define ICMP6_NEIGHBOUR_FIRST 133
#define ICMP6_NEIGHBOUR_LAST  137

enum packet_kind {
	PACKET_FOREIGN,          /* not IP, or tagged: not even addresses are known */
	PACKET_BROKEN,           /* the IP header contradicts itself or the frame */
	PACKET_FLOW,             /* TCP, UDP or SCTP with ports */
	PACKET_FRAGMENT,         /* a later fragment: the ports are to be found */
	PACKET_ICMP_ERROR,       /* its inside tells what it is about */
	PACKET_NEIGHBOUR,        /* neighbour discovery, which even an address that is only announced takes part in */
	PACKET_OTHER,            /* a protocol without ports */
	PACKET_BROKEN_TRANSPORT, /* the transport header contradicts itself or the packet */
	PACKET_TINY_FRAGMENT, /* a first fragment without the whole transport header, or one that would overwrite it */
	PACKET_TOO_MANY_HEADERS, /* more IPv6 extension headers than are followed */
};

struct packet {
	struct lb_conntrack_key tuple; /* as it arrived */
	__u32 length;                  /* from the network header on, as that says */
	__u16 transport;               /* offset in the frame */
	__u16 fragment_header;         /* IPv6: its offset, or 0 */
	__u8 hook;                     /* enum lb_hook */
	__u8 ttl;
	__u8 tcp_flags; /* SCTP: in the same terms */
	bool is_v4;
	bool may_fragment;     /* IPv4 without the mark against it */
	bool is_fragment;      /* first or later */
	bool has_ports;        /* false for a later fragment */
	__u8 transport_header; /* length of the TCP header, else 0 */
	__be32 fragment_id;
	/* Where the packet goes, when that is decided. */
	__u32 ifindex;
	__u16 mtu;
};

/* A header at an offset, or null where the frame ends before it does. */
static __always_inline void *packet_at(hook_ctx *ctx, __u32 offset, __u32 size)
{
	void *header;

	/* The compiler may know that the mask changes nothing; the verifier does not, and wants to see it. */
	asm volatile("" : "+r"(offset));
	header = hook_data(ctx) + (offset & PACKET_MAX_OFFSET);
	if (header + size > hook_data_end(ctx))
		return NULL;
	return header;
}

/* At least of this length from the network header on, whether or not all of it can be read in place. */
static __always_inline bool packet_reaches(hook_ctx *ctx, __u32 length)
{
	__u32 linear = hook_data_end(ctx) - hook_data(ctx);

	return ETH_HLEN + length <= linear || ETH_HLEN + length <= hook_frame_length(ctx);
}

/* Of segments that the stack has put together into more than the header can say: it says 0 then. */
static __always_inline __u32 packet_length_beyond_field(hook_ctx *ctx)
{
	return hook_segment_size(ctx) ? hook_frame_length(ctx) - ETH_HLEN : 0;
}

/* The chunk that opens or ends an association, in the words of TCP. */
static __always_inline __u8 sctp_flags(__u8 chunk)
{
	switch (chunk) {
	case 1: /* INIT */
		return TCP_SYN;
	case 2: /* INIT ACK */
		return TCP_SYN | TCP_ACK;
	case 6: /* ABORT */
		return TCP_RST;
	case 7:  /* SHUTDOWN */
	case 8:  /* SHUTDOWN ACK */
	case 14: /* SHUTDOWN COMPLETE */
		return TCP_FIN | TCP_ACK;
	default:
		return TCP_ACK;
	}
}

static __always_inline enum packet_kind parse_ports(hook_ctx *ctx, struct packet *packet, __u32 size)
{
	const __be16 *ports;

	if (packet->transport + size > ETH_HLEN + packet->length)
		return packet->is_fragment ? PACKET_TINY_FRAGMENT : PACKET_BROKEN_TRANSPORT;
	ports = packet_at(ctx, packet->transport, 20 < size ? 20 : size);
	if (!ports)
		return PACKET_BROKEN_TRANSPORT;
	packet->tuple.source_port = ports[0];
	packet->tuple.destination_port = ports[1];
	packet->has_ports = true;
	return PACKET_FLOW;
}

static __always_inline enum packet_kind parse_tcp(hook_ctx *ctx, struct packet *packet)
{
	enum packet_kind kind = parse_ports(ctx, packet, 20);
	const __u8 *tcp;
	__u32 header;

	if (kind != PACKET_FLOW)
		return kind;
	tcp = packet_at(ctx, packet->transport, 20);
	if (!tcp)
		return PACKET_BROKEN_TRANSPORT;
	packet->tcp_flags = tcp[13];
	header = (tcp[12] >> 4) * 4;
	packet->transport_header = header;
	if (header < 20)
		return PACKET_BROKEN_TRANSPORT;
	if (packet->transport + header > ETH_HLEN + packet->length)
		return packet->is_fragment ? PACKET_TINY_FRAGMENT : PACKET_BROKEN_TRANSPORT;
	return PACKET_FLOW;
}

static __always_inline enum packet_kind parse_udp(hook_ctx *ctx, struct packet *packet)
{
	enum packet_kind kind = parse_ports(ctx, packet, 8);
	const __be16 *udp;

	if (kind != PACKET_FLOW)
		return kind;
	udp = packet_at(ctx, packet->transport, 8);
	/* Without a checksum IPv6 protects no address: only tunnels may do that. */
	if (!udp || (!packet->is_v4 && !udp[3]))
		return PACKET_BROKEN_TRANSPORT;
	if (bpf_ntohs(udp[2]) < 8 ||
	    (!packet->is_fragment && packet->transport + (__u32)bpf_ntohs(udp[2]) > ETH_HLEN + packet->length))
		return PACKET_BROKEN_TRANSPORT;
	return PACKET_FLOW;
}

static __always_inline enum packet_kind parse_sctp(hook_ctx *ctx, struct packet *packet)
{
	/* The common header and the head of the first chunk. */
	enum packet_kind kind = parse_ports(ctx, packet, 16);
	const __u8 *sctp;

	if (kind != PACKET_FLOW)
		return kind;
	sctp = packet_at(ctx, packet->transport, 16);
	if (!sctp)
		return PACKET_BROKEN_TRANSPORT;
	/* Its checksum covers what is in other packets. */
	if (packet->is_fragment)
		return PACKET_BROKEN_TRANSPORT;
	packet->tcp_flags = sctp_flags(sctp[12]);
	return PACKET_FLOW;
}

static __always_inline bool icmp_is_error(const struct packet *packet, __u8 type)
{
	if (packet->is_v4)
		return type == 3 || type == 11 || type == 12; /* unreachable, time exceeded, parameter problem */
	return type < 128;
}

static __always_inline enum packet_kind parse_icmp(hook_ctx *ctx, struct packet *packet)
{
	const __u8 *icmp = packet_at(ctx, packet->transport, 8);

	if (!icmp || packet->transport + 8 > ETH_HLEN + packet->length)
		return PACKET_BROKEN_TRANSPORT;
	if (!packet->is_v4 && icmp[0] >= ICMP6_NEIGHBOUR_FIRST && icmp[0] <= ICMP6_NEIGHBOUR_LAST)
		return PACKET_NEIGHBOUR;
	return icmp_is_error(packet, icmp[0]) && !packet->is_fragment ? PACKET_ICMP_ERROR : PACKET_OTHER;
}

static __always_inline enum packet_kind parse_transport(hook_ctx *ctx, struct packet *packet)
{
	switch (packet->tuple.protocol) {
	case IPPROTO_TCP:
		return parse_tcp(ctx, packet);
	case IPPROTO_UDP:
		return parse_udp(ctx, packet);
	case TRANSPORT_SCTP:
		return parse_sctp(ctx, packet);
	case IPPROTO_ICMP:
		return packet->is_v4 ? parse_icmp(ctx, packet) : PACKET_OTHER;
	case IPPROTO_ICMPV6:
		return packet->is_v4 ? PACKET_OTHER : parse_icmp(ctx, packet);
	default:
		return PACKET_OTHER;
	}
}

/* A fragment that begins within the transport header would overwrite what the first one was judged by (RFC 3128). */
static __always_inline enum packet_kind later_fragment(const struct packet *packet, __u32 offset)
{
	return packet->tuple.protocol == IPPROTO_TCP && offset < 20 ? PACKET_TINY_FRAGMENT : PACKET_FRAGMENT;
}

static __always_inline enum packet_kind parse_ipv4(hook_ctx *ctx, struct packet *packet)
{
	const struct iphdr *ip = packet_at(ctx, ETH_HLEN, sizeof(*ip));
	__u32 header, fragment;

	if (!ip)
		return PACKET_BROKEN;
	header = ip->ihl * 4;
	packet->length = bpf_ntohs(ip->tot_len);
	if (!packet->length)
		packet->length = packet_length_beyond_field(ctx);
	if (ip->version != 4 || header < sizeof(*ip) || packet->length < header || !packet_reaches(ctx, packet->length))
		return PACKET_BROKEN;

	packet->is_v4 = true;
	packet->ttl = ip->ttl;
	address_set_v4(&packet->tuple.source, ip->saddr);
	address_set_v4(&packet->tuple.destination, ip->daddr);
	packet->tuple.protocol = ip->protocol;
	packet->transport = ETH_HLEN + header;

	fragment = bpf_ntohs(ip->frag_off);
	packet->may_fragment = !(fragment & IPV4_DONT_FRAGMENT);
	if (fragment & (IPV4_MORE_FRAGMENTS | IPV4_FRAGMENT_OFFSET)) {
		packet->is_fragment = true;
		packet->fragment_id = ip->id;
		if (fragment & IPV4_FRAGMENT_OFFSET)
			return later_fragment(packet, (fragment & IPV4_FRAGMENT_OFFSET) * 8);
	}
	return parse_transport(ctx, packet);
}

static __always_inline bool is_extension(__u8 protocol)
{
	return protocol == IPPROTO_HOPOPTS || protocol == IPPROTO_ROUTING || protocol == IPPROTO_DSTOPTS ||
	       protocol == IPPROTO_AH || protocol == IPPROTO_FRAGMENT;
}

/* Follows the extension headers to the transport header, which it leaves in the tuple. */
SUBPROGRAM int parse_extensions(hook_ctx *ctx, struct packet *packet)
{
	if (!packet)
		return PACKET_BROKEN;
		/* Up to Linux 6.2 the verifier takes a loop only if a jump closes it, which is up to the compiler. */
#pragma clang loop unroll(full)
	for (int i = 0; i < PACKET_MAX_EXTENSIONS; i++) {
		const __u8 *header;
		__u32 size, offset;

		if (!is_extension(packet->tuple.protocol))
			return parse_transport(ctx, packet);
		if (packet->transport > PACKET_MAX_OFFSET - 64)
			return PACKET_TOO_MANY_HEADERS;
		header = packet_at(ctx, packet->transport, 8);
		if (!header)
			return PACKET_BROKEN_TRANSPORT;

		if (packet->transport + 8 > ETH_HLEN + packet->length)
			return PACKET_BROKEN_TRANSPORT;
		if (packet->tuple.protocol == IPPROTO_FRAGMENT) {
			offset = header[2] << 8 | header[3];
			packet->tuple.protocol = header[0];
			/* One that is first and last at once fragments nothing. */
			if (offset & (IPV6_FRAGMENT_OFFSET | IPV6_MORE_FRAGMENTS)) {
				packet->is_fragment = true;
				packet->fragment_header = packet->transport;
				__builtin_memcpy(&packet->fragment_id, header + 4, sizeof(packet->fragment_id));
			}
			packet->transport += 8;
			if (offset & IPV6_FRAGMENT_OFFSET)
				return later_fragment(packet, offset & IPV6_FRAGMENT_OFFSET);
			continue;
		}
		size = packet->tuple.protocol == IPPROTO_AH ? (header[1] + 2) * 4 : (header[1] + 1) * 8;
		packet->tuple.protocol = header[0];
		if (packet->transport + size > ETH_HLEN + packet->length)
			return PACKET_BROKEN_TRANSPORT;
		if (packet->transport + size > PACKET_MAX_OFFSET - 64)
			return PACKET_TOO_MANY_HEADERS;
		packet->transport += size;
	}
	return is_extension(packet->tuple.protocol) ? PACKET_TOO_MANY_HEADERS : parse_transport(ctx, packet);
}

static __always_inline enum packet_kind parse_ipv6(hook_ctx *ctx, struct packet *packet)
{
	const struct ipv6hdr *ip = packet_at(ctx, ETH_HLEN, sizeof(*ip));

	if (!ip)
		return PACKET_BROKEN;
	if (ip->version != 6)
		return PACKET_BROKEN;
	packet->length = sizeof(*ip) + bpf_ntohs(ip->payload_len);
	if (!ip->payload_len && hook_segment_size(ctx))
		packet->length = packet_length_beyond_field(ctx);
	if (!packet_reaches(ctx, packet->length))
		return PACKET_BROKEN;

	packet->ttl = ip->hop_limit;
	__builtin_memcpy(&packet->tuple.source, &ip->saddr, sizeof(ip->saddr));
	__builtin_memcpy(&packet->tuple.destination, &ip->daddr, sizeof(ip->daddr));
	packet->tuple.protocol = ip->nexthdr;
	packet->transport = ETH_HLEN + sizeof(*ip);
	/* Mapped addresses mean IPv4 in our maps and nothing on a wire. */
	if (address_is_mapped(&packet->tuple.source) || address_is_mapped(&packet->tuple.destination))
		return PACKET_BROKEN;

	switch (ip->nexthdr) {
	case IPPROTO_TCP:
	case IPPROTO_UDP:
		return parse_transport(ctx, packet);
	default:
		return parse_extensions(ctx, packet);
	}
}

static __always_inline enum packet_kind packet_parse(hook_ctx *ctx, struct packet *packet, enum lb_hook hook,
						     enum lb_side side)
{
	const struct ethhdr *ethernet;

	__builtin_memset(packet, 0, sizeof(*packet));
	packet->hook = hook;
	packet->tuple.side = side;
	if (hook_is_tagged(ctx) || !hook_pull(ctx))
		return PACKET_FOREIGN;
	ethernet = packet_at(ctx, 0, sizeof(*ethernet));
	if (!ethernet)
		return PACKET_FOREIGN;
	if (ethernet->h_proto == bpf_htons(ETH_P_IP))
		return parse_ipv4(ctx, packet);
	if (ethernet->h_proto == bpf_htons(ETH_P_IPV6))
		return parse_ipv6(ctx, packet);
	return PACKET_FOREIGN;
}

static __always_inline bool packet_is_tcp(const struct packet *packet)
{
	return packet->tuple.protocol == IPPROTO_TCP;
}

#endif
