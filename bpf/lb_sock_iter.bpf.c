// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0

/*
 * Lists dead sockets: UDP and TCP sockets that are connected to a backend which their service does not have any more.
 * What they send meets no hook, so nobody else would notice. Read by the agent; the walk over sock_peers_v1 meets the
 * sockets of every network namespace.
 *
 * A connection goes by its backend alone, as in the packet path: a service that went and came back gives its backends
 * their ids again, but has another one itself.
 *
 * It only lists. A socket is locked neither here nor by the walk, so the kernel's bpf_sock_destroy() is not offered,
 * and all that is read may change meanwhile: a socket that connects elsewhere has what it was, or what it becomes, or
 * some of both in its storage.
 */

#include <linux/bpf.h>
#include <linux/in.h>
#include <bpf/bpf_helpers.h>
#include "lib/backend.h"

char _license[] SEC("license") = "GPL";

#define AF_INET  2
#define AF_INET6 10

/* What is read of the kernel's own structs, found by name in its BTF when the program is loaded. */
#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct ns_common {
	unsigned int inum;
};

struct net {
	struct ns_common ns;
};

typedef struct {
	struct net *net;
} possible_net_t;

struct in6_addr {
	union {
		__be32 u6_addr32[4];
	} in6_u;
};

struct sock_common {
	__be32 skc_daddr;
	__be32 skc_rcv_saddr;
	__be16 skc_dport;
	__u16 skc_num;
	unsigned short skc_family;
	volatile unsigned char skc_state;
	int skc_bound_dev_if;
	possible_net_t skc_net;
	struct in6_addr skc_v6_daddr;
	struct in6_addr skc_v6_rcv_saddr;
	struct {
		__s64 counter;
	} skc_cookie;
};

struct sock {
	struct sock_common __sk_common;
	__u16 sk_protocol;
};

struct inet_connection_sock {
	struct {
		__u32 lrcvtime;
	} icsk_ack;
};

struct tcp_sock {
	struct inet_connection_sock inet_conn;
	__u32 rcv_tstamp;
};

struct seq_file;

struct bpf_iter_meta {
	struct seq_file *seq;
};

#pragma clang attribute pop

/* The context of this iterator; its layout is fixed. The call after the last has neither socket nor storage. */
struct bpf_iter__bpf_sk_storage_map {
	struct bpf_iter_meta *meta;
	struct bpf_map *map;
	struct sock *sk;
	struct lb_sock_peer *value;
};

static __always_inline void sock_address_v6(struct lb_address *address, const struct in6_addr *from)
{
	address_set_word(address, 0, from->in6_u.u6_addr32[0]);
	address_set_word(address, 1, from->in6_u.u6_addr32[1]);
	address_set_word(address, 2, from->in6_u.u6_addr32[2]);
	address_set_word(address, 3, from->in6_u.u6_addr32[3]);
}

/* Also who has ended his own direction may wait for the other. A peer that has ended its direction holds nobody up. */
static __always_inline bool sock_waits_for_peer(const struct sock *sk)
{
	switch (sk->__sk_common.skc_state) {
	case BPF_TCP_ESTABLISHED:
		return true;
	case BPF_TCP_SYN_SENT:
	case BPF_TCP_FIN_WAIT1:
	case BPF_TCP_FIN_WAIT2:
		return sk->sk_protocol == IPPROTO_TCP;
	default:
		return false;
	}
}

/* When data last came, and when an acknowledgement did: neither goes back, so the sum tells that one has moved. */
static __always_inline __u32 sock_heard(struct sock *sk)
{
	const struct tcp_sock *tcp = bpf_skc_to_tcp_sock(sk);

	return tcp ? tcp->inet_conn.icsk_ack.lrcvtime + tcp->rcv_tstamp : 0;
}

SEC("iter/bpf_sk_storage_map")
int sock_dead(struct bpf_iter__bpf_sk_storage_map *ctx)
{
	const struct lb_sock_peer *value = ctx->value;
	struct sock *sk = ctx->sk;
	struct lb_dead_socket dead = {};
	struct backend_choice choice;
	struct lb_sock_peer peer;

	if (!sk || !value)
		return 0;
	if ((sk->sk_protocol != IPPROTO_UDP && sk->sk_protocol != IPPROTO_TCP) || !sock_waits_for_peer(sk))
		return 0;

	peer = *value;
	if (backend_copy(peer.backend_id, &choice) && backend_is_at(&choice, &peer.backend, peer.backend_port) &&
	    (choice.backend.service_id == peer.service_id || sk->sk_protocol == IPPROTO_TCP))
		return 0;

	if (sk->__sk_common.skc_family == AF_INET6) {
		sock_address_v6(&dead.local, &sk->__sk_common.skc_v6_rcv_saddr);
		sock_address_v6(&dead.remote, &sk->__sk_common.skc_v6_daddr);
	} else {
		address_set_v4(&dead.local, sk->__sk_common.skc_rcv_saddr);
		address_set_v4(&dead.remote, sk->__sk_common.skc_daddr);
	}
	dead.remote_port = sk->__sk_common.skc_dport;
	/* Connected to something else than the storage says: a connect() that failed, or one that is under way. */
	if (dead.remote_port != peer.backend_port || !address_equal(&dead.remote, &peer.backend))
		return 0;

	dead.cookie = sk->__sk_common.skc_cookie.counter;
	dead.netns = sk->__sk_common.skc_net.net->ns.inum;
	dead.service_id = peer.service_id;
	dead.ifindex = sk->__sk_common.skc_bound_dev_if;
	dead.local_port = bpf_htons(sk->__sk_common.skc_num);
	dead.family = sk->__sk_common.skc_family;
	dead.protocol = sk->sk_protocol;
	if (dead.protocol == IPPROTO_TCP)
		dead.heard = sock_heard(sk);
	/* Without room the kernel takes the whole record back and shows the socket again in the next read. */
	bpf_seq_write(ctx->meta->seq, &dead, sizeof(dead));
	return 0;
}
