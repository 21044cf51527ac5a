// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0

/*
 * The socket hooks: a process that dials a frontend is connected straight to a backend, and goes on seeing the
 * frontend. All that happens here is the way between the context of each hook and the shared core in lib/sock.h.
 *
 * The context may only be read and written word by word, at constant offsets.
 */

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "lib/sock.h"

/* The half of the licence choice that lets a program call the kernel's GPL-only helpers. */
char _license[] SEC("license") = "GPL";

#define VERDICT_FAIL 0
#define VERDICT_GO   1

static __always_inline void remote_read4(const struct bpf_sock_addr *ctx, struct sock_remote *remote)
{
	address_set_v4(&remote->address, ctx->user_ip4);
	remote->port = ctx->user_port;
}

static __always_inline void remote_write4(struct bpf_sock_addr *ctx, const struct sock_remote *remote)
{
	ctx->user_ip4 = address_v4(&remote->address);
	ctx->user_port = remote->port;
}

static __always_inline void remote_read6(const struct bpf_sock_addr *ctx, struct sock_remote *remote)
{
	address_set_word(&remote->address, 0, ctx->user_ip6[0]);
	address_set_word(&remote->address, 1, ctx->user_ip6[1]);
	address_set_word(&remote->address, 2, ctx->user_ip6[2]);
	address_set_word(&remote->address, 3, ctx->user_ip6[3]);
	remote->port = ctx->user_port;
}

static __always_inline void remote_write6(struct bpf_sock_addr *ctx, const struct sock_remote *remote)
{
	ctx->user_ip6[0] = address_word(&remote->address, 0);
	ctx->user_ip6[1] = address_word(&remote->address, 1);
	ctx->user_ip6[2] = address_word(&remote->address, 2);
	ctx->user_ip6[3] = address_word(&remote->address, 3);
	ctx->user_port = remote->port;
}

/* Without the return value set here the application would be told EPERM. */
static __always_inline int verdict(int outcome)
{
	if (outcome >= 0)
		return VERDICT_GO;
	bpf_set_retval(outcome);
	return VERDICT_FAIL;
}

SEC("cgroup/connect4")
int sock_connect4(struct bpf_sock_addr *ctx)
{
	struct sock_remote remote;
	int outcome;

	remote_read4(ctx, &remote);
	outcome = sock_connect(ctx, &remote);
	if (outcome == SOCK_TRANSLATED)
		remote_write4(ctx, &remote);
	return verdict(outcome);
}

SEC("cgroup/connect6")
int sock_connect6(struct bpf_sock_addr *ctx)
{
	struct sock_remote remote;
	int outcome;

	remote_read6(ctx, &remote);
	outcome = sock_connect(ctx, &remote);
	if (outcome == SOCK_TRANSLATED)
		remote_write6(ctx, &remote);
	return verdict(outcome);
}

/* Also reached by an AF_INET6 socket that sends to a mapped address: the kernel unmaps it first. */
SEC("cgroup/sendmsg4")
int sock_sendmsg4(struct bpf_sock_addr *ctx)
{
	struct sock_remote remote;
	int outcome;

	remote_read4(ctx, &remote);
	outcome = sock_sendmsg(ctx, &remote);
	if (outcome == SOCK_TRANSLATED)
		remote_write4(ctx, &remote);
	return verdict(outcome);
}

SEC("cgroup/sendmsg6")
int sock_sendmsg6(struct bpf_sock_addr *ctx)
{
	struct sock_remote remote;
	int outcome;

	remote_read6(ctx, &remote);
	outcome = sock_sendmsg(ctx, &remote);
	if (outcome == SOCK_TRANSLATED)
		remote_write6(ctx, &remote);
	return verdict(outcome);
}

/* The socket's storage is looked at before anything else: most sockets that receive have none. */

SEC("cgroup/recvmsg4")
int sock_recvmsg4(struct bpf_sock_addr *ctx)
{
	const struct lb_sock_peer *peer = sock_peer_of(ctx);
	struct sock_remote remote;

	if (!peer)
		return VERDICT_GO;
	remote_read4(ctx, &remote);
	if (sock_restore_source(ctx, peer, &remote))
		remote_write4(ctx, &remote);
	return VERDICT_GO;
}

/* Also for IPv4 datagrams of an AF_INET6 socket: their source is mapped here. */
SEC("cgroup/recvmsg6")
int sock_recvmsg6(struct bpf_sock_addr *ctx)
{
	const struct lb_sock_peer *peer = sock_peer_of(ctx);
	struct sock_remote remote;

	if (!peer)
		return VERDICT_GO;
	remote_read6(ctx, &remote);
	if (sock_restore_source(ctx, peer, &remote))
		remote_write6(ctx, &remote);
	return VERDICT_GO;
}

SEC("cgroup/getpeername4")
int sock_getpeer4(struct bpf_sock_addr *ctx)
{
	const struct lb_sock_peer *peer = sock_peer_of(ctx);
	struct sock_remote remote;

	if (!peer)
		return VERDICT_GO;
	remote_read4(ctx, &remote);
	if (sock_restore_peer(peer, &remote))
		remote_write4(ctx, &remote);
	return VERDICT_GO;
}

SEC("cgroup/getpeername6")
int sock_getpeer6(struct bpf_sock_addr *ctx)
{
	const struct lb_sock_peer *peer = sock_peer_of(ctx);
	struct sock_remote remote;

	if (!peer)
		return VERDICT_GO;
	remote_read6(ctx, &remote);
	if (sock_restore_peer(peer, &remote))
		remote_write6(ctx, &remote);
	return VERDICT_GO;
}
