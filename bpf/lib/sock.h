/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
#ifndef EBPFLB_SOCK_H
#define EBPFLB_SOCK_H

/*
 * The calls of a socket, one core for every family and call. Wrappers bring the remote end as the application gave it
 * and write back what the core made of it.
 *
 * The kernel runs these programs with the socket locked, so what is kept per socket has one writer at a time.
 */

#include <linux/in.h>
#include "address.h"
#include "frontend.h"
#include "select.h"
#include "service.h"
#include "sock_flows.h"

struct sock_remote {
	struct lb_address address;
	__be16 port;
};

/* What a call becomes. A negative value is an error for the application. */
enum sock_outcome {
	SOCK_UNCHANGED = 0,
	SOCK_TRANSLATED = 1,
};

static __always_inline bool sock_is_of_node(struct bpf_sock_addr *ctx)
{
	const volatile struct lb_settings *settings = settings_read();

	return settings && settings->node_netns == bpf_get_netns_cookie(ctx);
}

/*
 * Load balancer source ranges. A socket has no source address yet, so the agent says beforehand whether the ranges hold
 * the node's addresses, and those of all its pods.
 */
static __always_inline bool sock_is_admitted(const struct service_view *service, bool of_node)
{
	return service->flags & (of_node ? LB_SERVICE_ADMITS_NODE : LB_SERVICE_ADMITS_PODS);
}

/*
 * An address that is not ours is SOCK_UNCHANGED, a frontend SOCK_TRANSLATED with its service, else an error: for a port
 * that no frontend has, the one the caller names.
 *
 * Addresses that face the outside are served from the Cluster list here: their policy Local is for traffic that comes
 * from outside.
 */
static __always_inline int sock_dialled(struct bpf_sock_addr *ctx, const struct sock_remote *remote,
					int without_frontend, struct service_view *service)
{
	bool of_node = sock_is_of_node(ctx);
	struct lb_frontend_key key = {
		.address = remote->address,
		.port = remote->port,
		.protocol = ctx->protocol,
	};
	struct lb_frontend frontend;

	switch (frontend_find(&key, of_node ? DIALLER_NODE : DIALLER_POD, &frontend)) {
	case DIALLED_NOTHING:
		return SOCK_UNCHANGED;
	case DIALLED_NO_PORT:
		return without_frontend;
	case DIALLED_FRONTEND:
		break;
	}
	/* The agent removes frontends before services, so a frontend without service is one about to go. */
	if (!service_read(frontend.service_id,
			  frontend.flags & LB_FRONTEND_CLUSTER_IP ? SERVICE_POLICY_INTERNAL : SERVICE_POLICY_CLUSTER,
			  service))
		return -ECONNREFUSED;
	/* A packet would be dropped. */
	if ((frontend.flags & LB_FRONTEND_LOAD_BALANCER) && (service->flags & LB_SERVICE_SOURCE_RANGES) &&
	    !sock_is_admitted(service, of_node))
		return -ETIMEDOUT;
	return SOCK_TRANSLATED;
}

/*
 * At the socket a connection is its socket: under Maglev the same socket always finds the same place of the table, and
 * its client is the network namespace.
 */
static __always_inline int sock_select(struct bpf_sock_addr *ctx, struct service_view *service,
				       struct backend_choice *choice)
{
	struct select_client client = {
		.affinity = {.client_kind = LB_CLIENT_NETNS},
		.hash = bpf_get_socket_cookie(ctx),
	};
	__u64 netns = bpf_get_netns_cookie(ctx);

	__builtin_memcpy(client.affinity.client, &netns, sizeof(netns));
	return select_backend(&client, service, choice);
}

static __always_inline void sock_peer_fill(struct lb_sock_peer *peer, const struct sock_remote *frontend,
					   const struct backend_choice *choice)
{
	*peer = (struct lb_sock_peer){
		.frontend = frontend->address,
		.backend = choice->backend.address,
		.frontend_port = frontend->port,
		.backend_port = choice->backend.port,
		.backend_id = choice->id,
		.service_id = choice->backend.service_id,
	};
}

static __always_inline void sock_translate(struct sock_remote *remote, const struct backend_choice *choice)
{
	remote->address = choice->backend.address;
	remote->port = choice->backend.port;
}

/*
 * connect(), and what connects by itself such as MSG_FASTOPEN.
 *
 * A UDP socket may connect to a port without frontend: nothing is sent, and resolvers do it to learn which source
 * address they would have. A datagram that names the port is refused.
 *
 * A connection that the kernel then fails to set up leaves a UDP socket with its earlier peer, but with the storage
 * that belongs to the new one, or none; until its next connect() it sees the earlier backend's address.
 */
static __always_inline int sock_connect(struct bpf_sock_addr *ctx, struct sock_remote *remote)
{
	struct lb_sock_peer peer, *kept;
	struct service_view service;
	struct backend_choice choice;
	int outcome;

	if (ctx->protocol != IPPROTO_TCP && ctx->protocol != IPPROTO_UDP)
		return SOCK_UNCHANGED;

	outcome = sock_dialled(ctx, remote, ctx->protocol == IPPROTO_TCP ? -ECONNREFUSED : SOCK_UNCHANGED, &service);
	if (outcome == SOCK_UNCHANGED) {
		/* connect(AF_UNSPEC) runs no program: what it should have ended ends here. */
		bpf_sk_storage_delete(&sock_peers_v1, ctx->sk);
		return outcome;
	}
	if (outcome < 0)
		return outcome; /* the storage stays: so does the peer the socket has */
	outcome = sock_select(ctx, &service, &choice);
	if (outcome < 0)
		return outcome;

	sock_peer_fill(&peer, remote, &choice);
	kept = bpf_sk_storage_get(&sock_peers_v1, ctx->sk, &peer, BPF_SK_STORAGE_GET_F_CREATE);
	if (kept)
		*kept = peer; /* it may have been there before */
	/* Without memory for the storage the connection still works; getpeername() and recvfrom() then name the
	 * backend. */
	sock_translate(remote, &choice);
	return SOCK_TRANSLATED;
}

static __always_inline bool sock_is_connected(const struct bpf_sock_addr *ctx)
{
	return ctx->sk->state == BPF_TCP_ESTABLISHED;
}

static __always_inline bool sock_peer_is_frontend(const struct lb_sock_peer *peer, const struct sock_remote *remote)
{
	return peer->frontend_port == remote->port && address_equal(&peer->frontend, &remote->address);
}

/* A datagram to a frontend this socket knows goes where the last one went, if that is still right. */
static __always_inline bool sock_flow_find(struct bpf_sock_addr *ctx, const struct lb_sock_peer *peer,
					   const struct sock_remote *remote, const struct service_view *service,
					   struct backend_choice *choice)
{
	__u64 cookie;

	if (!peer)
		return false;
	if (sock_is_connected(ctx) && sock_peer_is_frontend(peer, remote)) {
		/* It can only receive from its peer, so nobody else can serve it. */
		choice->backend.address = peer->backend;
		choice->backend.port = peer->backend_port;
		return true;
	}
	if (sock_peer_is_frontend(peer, remote) && peer->service_id == service->id &&
	    backend_read_member(peer->backend_id, service, choice) &&
	    backend_is_at(choice, &peer->backend, peer->backend_port)) {
		if (peer->more_flows)
			sock_flow_reclaim(bpf_get_socket_cookie(ctx), &remote->address, remote->port, choice);
		return true;
	}
	if (!peer->more_flows)
		return false;
	cookie = bpf_get_socket_cookie(ctx);
	if (!sock_flow_read(cookie, &remote->address, remote->port, service, choice))
		return false;
	sock_flow_claim(cookie, &remote->address, remote->port, choice);
	return true;
}

/* The storage when it is free or holds this frontend, else the flows. Nothing here fails the datagram. */
static __always_inline void sock_flow_keep(struct bpf_sock_addr *ctx, struct lb_sock_peer *peer,
					   const struct sock_remote *remote, const struct backend_choice *choice)
{
	struct lb_sock_peer fresh;

	/* A connected socket keeps the storage of its peer, for getpeername(), and gets no replies from anybody else.
	 */
	if (sock_is_connected(ctx))
		return;
	sock_peer_fill(&fresh, remote, choice);
	if (!peer) {
		bpf_sk_storage_get(&sock_peers_v1, ctx->sk, &fresh, BPF_SK_STORAGE_GET_F_CREATE);
	} else if (sock_peer_is_frontend(peer, remote)) {
		fresh.more_flows = peer->more_flows;
		*peer = fresh;
		if (fresh.more_flows)
			sock_flow_reclaim(bpf_get_socket_cookie(ctx), &remote->address, remote->port, choice);
	} else {
		sock_flow_write(bpf_get_socket_cookie(ctx), &remote->address, remote->port, choice);
		peer->more_flows = 1;
	}
}

/* sendto() and sendmsg() of UDP with an address. */
static __always_inline int sock_sendmsg(struct bpf_sock_addr *ctx, struct sock_remote *remote)
{
	struct lb_sock_peer *peer;
	struct service_view service;
	struct backend_choice choice;
	int outcome;

	if (ctx->protocol != IPPROTO_UDP)
		return SOCK_UNCHANGED;

	outcome = sock_dialled(ctx, remote, -ECONNREFUSED, &service);
	if (outcome != SOCK_TRANSLATED)
		return outcome;

	peer = bpf_sk_storage_get(&sock_peers_v1, ctx->sk, 0, 0);
	if (!sock_flow_find(ctx, peer, remote, &service, &choice)) {
		outcome = sock_select(ctx, &service, &choice);
		if (outcome < 0)
			return outcome;
		sock_flow_keep(ctx, peer, remote, &choice);
	}
	sock_translate(remote, &choice);
	return SOCK_TRANSLATED;
}

static __always_inline struct lb_sock_peer *sock_peer_of(struct bpf_sock_addr *ctx)
{
	return bpf_sk_storage_get(&sock_peers_v1, ctx->sk, 0, 0);
}

/* getpeername(): whether the remote end is the backend the socket was given; then it becomes the frontend. */
static __always_inline bool sock_restore_peer(const struct lb_sock_peer *peer, struct sock_remote *remote)
{
	if (peer->backend_port != remote->port || !address_equal(&peer->backend, &remote->address))
		return false;
	remote->address = peer->frontend;
	remote->port = peer->frontend_port;
	return true;
}

/* The source of recvfrom() and recvmsg(). The flows come first: they know which of two frontends was last sent to. */
static __always_inline bool sock_restore_source(struct bpf_sock_addr *ctx, const struct lb_sock_peer *peer,
						struct sock_remote *remote)
{
	if (peer->more_flows && sock_flow_restore(bpf_get_socket_cookie(ctx), &remote->address, &remote->port))
		return true;
	return sock_restore_peer(peer, remote);
}

#endif
