/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
#ifndef EBPFLB_SOCKETS_TC_H
#define EBPFLB_SOCKETS_TC_H

/* Whether a socket of this node waits for a packet. */

#include "packet.h"

SUBPROGRAM int hook_has_socket(hook_ctx *ctx, const struct packet *packet)
{
	struct bpf_sock_tuple tuple = {};
	struct bpf_sock *sock;

	if (!packet)
		return 1;
	if (packet->is_v4) {
		tuple.ipv4.saddr = address_v4(&packet->tuple.source);
		tuple.ipv4.daddr = address_v4(&packet->tuple.destination);
		tuple.ipv4.sport = packet->tuple.source_port;
		tuple.ipv4.dport = packet->tuple.destination_port;
	} else {
		__builtin_memcpy(tuple.ipv6.saddr, &packet->tuple.source, sizeof(tuple.ipv6.saddr));
		__builtin_memcpy(tuple.ipv6.daddr, &packet->tuple.destination, sizeof(tuple.ipv6.daddr));
		tuple.ipv6.sport = packet->tuple.source_port;
		tuple.ipv6.dport = packet->tuple.destination_port;
	}
	if (packet_is_tcp(packet))
		sock = packet->is_v4 ? bpf_skc_lookup_tcp(ctx, &tuple, sizeof(tuple.ipv4), BPF_F_CURRENT_NETNS, 0)
				     : bpf_skc_lookup_tcp(ctx, &tuple, sizeof(tuple.ipv6), BPF_F_CURRENT_NETNS, 0);
	else
		sock = packet->is_v4 ? bpf_sk_lookup_udp(ctx, &tuple, sizeof(tuple.ipv4), BPF_F_CURRENT_NETNS, 0)
				     : bpf_sk_lookup_udp(ctx, &tuple, sizeof(tuple.ipv6), BPF_F_CURRENT_NETNS, 0);
	if (!sock)
		return 0;
	bpf_sk_release(sock);
	return 1;
}

#endif
