// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0

/*
 * Sockets as the kernel has them around the hooks, and what must be true of each call. What a call should become is
 * looked up here in the maps, by no line of the code under test.
 */

#include <errno.h>
#include <stdlib.h>
#include <arpa/inet.h>
#include <linux/bpf.h>
#include "sockets.h"

#define SOCKETS          12
#define CALLS_OF_A_WORLD 400
#define NODE_NETNS       1
#define REMEMBERED       64 /* frontends of a socket; each is asked about as long as its last answer is known */

int sock_connect4(struct bpf_sock_addr *ctx);
int sock_connect6(struct bpf_sock_addr *ctx);
int sock_sendmsg4(struct bpf_sock_addr *ctx);
int sock_sendmsg6(struct bpf_sock_addr *ctx);
int sock_recvmsg4(struct bpf_sock_addr *ctx);
int sock_recvmsg6(struct bpf_sock_addr *ctx);
int sock_getpeer4(struct bpf_sock_addr *ctx);
int sock_getpeer6(struct bpf_sock_addr *ctx);

struct place {
	struct lb_address address;
	__be16 port;
};

/* A datagram that went out: to what the application named, and where. */
struct sent {
	struct place frontend;
	struct place backend;
};

struct socket {
	struct shim_sock shim;
	__u8 protocol;
	bool v4;
	bool lost_storage;    /* there was no memory for it: the application may see backends */
	struct place dialled; /* by the connect() that made the peer */
	struct place peer;
	struct sent sent[REMEMBERED];
	__u32 sent_count;
};

struct sockets_totals sockets_totals;

static struct socket sockets[SOCKETS];

static const void *find(const char *map, const void *key)
{
	struct shim_map *named = shim_map_named(map);

	return named ? shim_peek(named, key) : NULL;
}

static bool same(const struct place *a, const struct place *b)
{
	return a->port == b->port && !memcmp(&a->address, &b->address, sizeof(a->address));
}

static void socket_close(struct socket *socket)
{
	free(socket->shim.storage);
	memset(socket, 0, sizeof(*socket));
}

static void socket_open(struct socket *socket)
{
	static __u64 cookies;

	socket_close(socket);
	socket->shim.cookie = ++cookies;
	socket->shim.netns = 1 + shim_random() % 3;
	socket->protocol = shim_one_in(2) ? IPPROTO_TCP : IPPROTO_UDP;
	socket->v4 = shim_one_in(2);
}

/* What the application names, or, of IPv4, an AF_INET6 socket names mapped. */
static void context_fill(struct bpf_sock_addr *ctx, struct socket *socket, const struct place *place)
{
	memset(ctx, 0, sizeof(*ctx));
	ctx->protocol = socket->protocol;
	ctx->user_port = place->port;
	ctx->sk = &socket->shim.sock;
	if (socket->v4)
		memcpy(&ctx->user_ip4, place->address.bytes + 12, 4);
	else
		memcpy(ctx->user_ip6, place->address.bytes, 16);
}

static struct place context_place(const struct bpf_sock_addr *ctx, const struct socket *socket)
{
	struct place place = {.port = ctx->user_port};

	if (socket->v4) {
		place.address.bytes[10] = place.address.bytes[11] = 0xff;
		memcpy(place.address.bytes + 12, &ctx->user_ip4, 4);
	} else {
		memcpy(place.address.bytes, ctx->user_ip6, 16);
	}
	return place;
}

enum told {
	TOLD_NOTHING, /* none of ours */
	TOLD_NO_PORT,
	TOLD_FRONTEND,
};

static const void *frontend_at(const struct place *place, __u8 protocol)
{
	struct lb_frontend_key key = {.address = place->address, .port = place->port, .protocol = protocol};

	return find("frontends_v1", &key);
}

static enum told what_is(const struct socket *socket, const struct world *world, const struct place *place,
			 struct lb_frontend *frontend)
{
	const struct lb_vip *vip = find("vips_v1", &place->address);
	const struct lb_node_address *node = find("node_addrs_v1", &place->address);
	const struct lb_frontend *found = vip ? frontend_at(place, socket->protocol) : NULL;
	struct place every = {.port = place->port};
	__u16 port = ntohs(place->port);

	if (socket->v4)
		every.address.bytes[10] = every.address.bytes[11] = 0xff;
	if (!found && node && (node->flags & LB_NODE_ADDRESS_NODE_PORTS) &&
	    (!(node->flags & LB_NODE_ADDRESS_LOOPBACK) || socket->shim.netns == NODE_NETNS) &&
	    port >= world->settings.node_port_first && port <= world->settings.node_port_last)
		found = frontend_at(&every, socket->protocol);
	if (found) {
		*frontend = *found;
		return TOLD_FRONTEND;
	}
	return vip && (vip->flags & LB_VIP_CLUSTER_IP) && !node ? TOLD_NO_PORT : TOLD_NOTHING;
}

static bool is_backend(__u32 id, __u32 service_id, __u32 list, const struct place *place)
{
	const struct lb_backend *backend = find("backends_v1", &id);
	struct place there;

	if (!backend || backend->service_id != service_id || (list && !(backend->flags & list)))
		return false;
	there = (struct place){.address = backend->address, .port = backend->port};
	return same(&there, place);
}

/* Whether a new connection may go there: a slot says so, or, by affinity, an earlier choice that is still of the list.
 */
static bool may_go_to(const struct lb_service *service, __u32 service_id, bool local, const struct place *place)
{
	const struct lb_slot_range *range = local ? &service->local : &service->cluster;

	for (__u32 slot = range->base; slot < range->base + range->count; slot++) {
		const __u32 *id = find("slots_v1", &slot);

		if (is_backend(*id, service_id, 0, place))
			return true;
	}
	for (__u32 id = 1; id <= WORLD_BACKEND_IDS; id++)
		if (service->affinity_timeout_s &&
		    is_backend(id, service_id, local ? LB_BACKEND_IN_LOCAL : LB_BACKEND_IN_CLUSTER, place))
			return true;
	return false;
}

static bool list_leads_somewhere(const struct lb_service *service, __u32 service_id, bool local)
{
	const struct lb_slot_range *range = local ? &service->local : &service->cluster;

	for (__u32 slot = range->base; slot < range->base + range->count; slot++) {
		const __u32 *id = find("slots_v1", &slot);
		const struct lb_backend *backend = find("backends_v1", id);

		if (!backend || backend->service_id != service_id)
			return false; /* some of it: then chance decides */
	}
	return range->count;
}

/* A socket that was sent somewhere before goes there again, whatever the list says now: that is looked at elsewhere. */
static void check_dialled(const struct socket *socket, const struct world *world, const struct place *named,
			  const struct place *became, bool datagram, bool went_before)
{
	struct lb_frontend frontend = {};
	enum told told = what_is(socket, world, named, &frontend);
	const struct lb_service *service;
	bool of_node = socket->shim.netns == NODE_NETNS, local;
	int error = shim_world.retval;

	SHIM_REQUIRE(!error || error == -ECONNREFUSED || error == -ETIMEDOUT);
	SHIM_REQUIRE(!error || same(named, became));
	sockets_totals.refused += !!error;
	if (shim_world.interferes)
		return;
	if (told == TOLD_NOTHING || (told == TOLD_NO_PORT && socket->protocol == IPPROTO_UDP && !datagram)) {
		SHIM_REQUIRE(!error && same(named, became));
		return;
	}
	service = told == TOLD_FRONTEND ? find("services_v1", &frontend.service_id) : NULL;
	if (!service) {
		SHIM_REQUIRE(error == -ECONNREFUSED);
		return;
	}
	if ((frontend.flags & LB_FRONTEND_LOAD_BALANCER) && (service->flags & LB_SERVICE_SOURCE_RANGES) &&
	    !(service->flags & (of_node ? LB_SERVICE_ADMITS_NODE : LB_SERVICE_ADMITS_PODS))) {
		SHIM_REQUIRE(error == -ETIMEDOUT);
		return;
	}
	if (went_before)
		return;
	local = (frontend.flags & LB_FRONTEND_CLUSTER_IP) && (service->flags & LB_SERVICE_INTERNAL_LOCAL);
	if (!(local ? service->local : service->cluster).count)
		SHIM_REQUIRE(error ==
			     (local && (service->flags & LB_SERVICE_HAS_ENDPOINTS) ? -ETIMEDOUT : -ECONNREFUSED));
	else if (list_leads_somewhere(service, frontend.service_id, local))
		SHIM_REQUIRE(!error);
	if (!error)
		SHIM_REQUIRE(may_go_to(service, frontend.service_id, local, became));
}

static bool is_of_family(const struct socket *socket, const struct lb_address *address)
{
	return socket->v4 == (address->bytes[10] == 0xff);
}

/* A frontend more often than not; for a NodePort, which has no address, something near one. */
static struct place any_place(const struct socket *socket)
{
	struct recipe recipe = {};
	struct place place;

	for (int i = 0; i < 4; i++) {
		const struct lb_frontend_key *key = shim_any_key(shim_map_named("frontends_v1"), shim_random());

		if (key->address.bytes[15] && is_of_family(socket, &key->address) &&
		    key->protocol == socket->protocol) {
			place = (struct place){.address = key->address, .port = key->port};
			return place;
		}
	}
	do
		world_dial(&recipe);
	while (!is_of_family(socket, &recipe.destination));
	place = (struct place){.address = recipe.destination, .port = recipe.destination_port};
	return place;
}

static void call_connect(struct socket *socket, const struct world *world)
{
	struct place named = any_place(socket), became;
	__u64 failed = shim_world.failed;
	struct bpf_sock_addr ctx;
	int verdict;

	context_fill(&ctx, socket, &named);
	shim_world.retval = 0;
	verdict = socket->v4 ? sock_connect4(&ctx) : sock_connect6(&ctx);
	became = context_place(&ctx, socket);
	SHIM_REQUIRE(verdict == !shim_world.retval);
	check_dialled(socket, world, &named, &became, false, false);
	if (!verdict)
		return;
	socket->dialled = named;
	socket->peer = became;
	socket->lost_storage = shim_world.failed != failed;
	socket->sent_count = 0; /* only its peer is heard from here on */
	socket->shim.sock.state = BPF_TCP_ESTABLISHED;
	sockets_totals.connected += !same(&named, &became);
}

static void call_getpeername(struct socket *socket)
{
	struct bpf_sock_addr ctx;
	struct place shown;

	if (socket->shim.sock.state != BPF_TCP_ESTABLISHED)
		return;
	context_fill(&ctx, socket, &socket->peer);
	SHIM_REQUIRE((socket->v4 ? sock_getpeer4(&ctx) : sock_getpeer6(&ctx)) == 1);
	shown = context_place(&ctx, socket);
	if (socket->lost_storage)
		SHIM_REQUIRE(same(&shown, &socket->dialled) || same(&shown, &socket->peer));
	else
		SHIM_REQUIRE(same(&shown, &socket->dialled));
	sockets_totals.restored += !same(&shown, &socket->peer);
}

static bool was_sent_to(const struct socket *socket, const struct place *frontend)
{
	for (__u32 i = 0; i < socket->sent_count; i++)
		if (same(&socket->sent[i].frontend, frontend))
			return true;
	return false;
}

/* What a backend answers belongs to the frontend that was sent there through last: that one moves to the end. */
static void remember(struct socket *socket, const struct place *frontend, const struct place *backend)
{
	__u32 at = 0;

	while (at < socket->sent_count &&
	       !(same(&socket->sent[at].frontend, frontend) && same(&socket->sent[at].backend, backend)))
		at++;
	if (at == socket->sent_count && at == REMEMBERED)
		at = 0;
	if (at < socket->sent_count) {
		memmove(&socket->sent[at], &socket->sent[at + 1], (socket->sent_count - at - 1) * sizeof(struct sent));
		socket->sent_count--;
	}
	socket->sent[socket->sent_count++] = (struct sent){*frontend, *backend};
}

static void call_sendmsg(struct socket *socket, const struct world *world)
{
	struct place named = any_place(socket), became;
	bool connected = socket->shim.sock.state == BPF_TCP_ESTABLISHED;
	struct bpf_sock_addr ctx;
	bool before;
	int verdict;

	if (socket->sent_count && shim_one_in(2))
		named = socket->sent[shim_random() % socket->sent_count].frontend;
	else if (connected && shim_one_in(2))
		named = socket->dialled;
	before = was_sent_to(socket, &named);
	context_fill(&ctx, socket, &named);
	shim_world.retval = 0;
	verdict = socket->v4 ? sock_sendmsg4(&ctx) : sock_sendmsg6(&ctx);
	became = context_place(&ctx, socket);
	SHIM_REQUIRE(verdict == !shim_world.retval);
	if (socket->protocol != IPPROTO_UDP) {
		SHIM_REQUIRE(verdict && same(&named, &became));
		return;
	}
	check_dialled(socket, world, &named, &became, true, before || connected);
	if (!verdict || same(&named, &became))
		return;
	sockets_totals.sent++;
	if (!connected)
		remember(socket, &named, &became);
	else if (same(&named, &socket->dialled) && !same(&socket->peer, &named) && !socket->lost_storage)
		SHIM_REQUIRE(same(&became, &socket->peer));
}

/* Whether its frontend was not sent elsewhere since. */
static bool is_latest(const struct socket *socket, const struct sent *sent)
{
	for (const struct sent *later = sent + 1; later < socket->sent + socket->sent_count; later++)
		if (same(&later->frontend, &sent->frontend))
			return false;
	return true;
}

/* An answer of a backend that this socket sent to. One that comes when the frontend leads elsewhere may show itself. */
static void call_recvmsg(struct socket *socket, const struct world *world)
{
	struct bpf_sock_addr ctx;
	struct place from, shown;
	const struct sent *last = NULL;

	if (socket->protocol != IPPROTO_UDP || !socket->sent_count)
		return;
	from = socket->sent[shim_random() % socket->sent_count].backend;
	for (__u32 i = 0; i < socket->sent_count; i++)
		if (same(&socket->sent[i].backend, &from))
			last = &socket->sent[i];
	context_fill(&ctx, socket, &from);
	SHIM_REQUIRE((socket->v4 ? sock_recvmsg4(&ctx) : sock_recvmsg6(&ctx)) == 1);
	shown = context_place(&ctx, socket);
	sockets_totals.restored += !same(&shown, &from);
	if (world->mirrors && is_latest(socket, last))
		SHIM_REQUIRE(same(&shown, &last->frontend));
	else if (!shim_world.interferes)
		SHIM_REQUIRE(same(&shown, &from) || was_sent_to(socket, &shown));
}

static void call(struct socket *socket, const struct world *world)
{
	switch (shim_random() % 8) {
	case 0:
		call_connect(socket, world);
		break;
	case 1:
	case 2:
		call_getpeername(socket);
		break;
	case 3:
	case 4:
	case 5:
		call_sendmsg(socket, world);
		break;
	case 6:
		call_recvmsg(socket, world);
		break;
	default:
		if (shim_one_in(4))
			socket_open(socket);
		break;
	}
	sockets_totals.calls++;
	shim_grace();
}

void sockets_run(struct world *world)
{
	for (int i = 0; i < SOCKETS; i++)
		socket_open(&sockets[i]);
	for (int i = 0; i < CALLS_OF_A_WORLD; i++) {
		call(&sockets[shim_random() % SOCKETS], world);
		if (shim_one_in(20))
			shim_world.now += (shim_random() % 3000) * 1000000ull;
		if (shim_one_in(40))
			world_change(world);
	}
	for (int i = 0; i < SOCKETS; i++)
		socket_close(&sockets[i]);
}
