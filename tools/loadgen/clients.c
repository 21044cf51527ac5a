// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0

/*
 * Clients in a closed loop: each has one operation under way and begins the next when it is done. What is measured is
 * then how fast the way to the server and the server are; a client that waits asks for nothing.
 */

#define _GNU_SOURCE
#include "loadgen.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#define MAX_EVENTS 256
#define LOOK_MS    5 /* between two looks for operations that take too long, and for clients that could not begin */

struct client {
	int fd;
	bool is_greeted;
	uint64_t since_ns; /* of the operation under way */
};

/* How a kind of operation begins; what comes in afterwards; and whether the socket is good for another one. */
struct behaviour {
	int (*begin)(int epoll, struct client *client, uint32_t index, const struct options *options);
	bool keeps_socket;
	uint64_t patience_ms; /* what takes longer is lost */
};

static char message[MESSAGE] = {ECHO};

static int dial(int epoll, struct client *client, uint32_t index, const struct options *options)
{
	const struct sockaddr_in *to = next_target(options);

	client->fd = tcp_socket(SOCK_NONBLOCK);
	client->is_greeted = false;
	if (connect(client->fd, (const struct sockaddr *)to, sizeof(*to)) && errno != EINPROGRESS)
		return errno;
	watch(epoll, client->fd, index);
	return 0;
}

static int send_message(int epoll, struct client *client, uint32_t index, const struct options *options)
{
	if (client->fd < 0)
		return dial(epoll, client, index, options);
	return send(client->fd, message, sizeof(message), MSG_NOSIGNAL) == sizeof(message) ? 0 : errno;
}

static int send_datagram(int epoll, struct client *client, uint32_t index, const struct options *options)
{
	const struct sockaddr_in *to = next_target(options);

	if (client->fd < 0) {
		client->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		if (client->fd < 0 || connect(client->fd, (const struct sockaddr *)to, sizeof(*to)))
			return errno;
		client->is_greeted = true;
		watch(epoll, client->fd, index);
	}
	return send(client->fd, message, sizeof(message), 0) == sizeof(message) ? 0 : errno;
}

/* Long before TCP sends a segment again: a client whose packet was lost goes on, and the loss is counted. */
static const struct behaviour connecting = {.begin = dial, .patience_ms = 200};
static const struct behaviour requesting = {.begin = send_message, .keeps_socket = true, .patience_ms = 200};
static const struct behaviour datagrams = {.begin = send_datagram, .keeps_socket = true, .patience_ms = 100};

static void hang_up(struct client *client)
{
	if (client->fd >= 0)
		close(client->fd);
	client->fd = -1;
}

/* One that cannot even begin is left without a socket until the next look: no loop without a pause. */
static void begin(int epoll, struct client *client, uint32_t index, const struct options *options,
		  const struct behaviour *behaviour, struct window *window)
{
	int error;

	client->since_ns = now_ns();
	error = behaviour->begin(epoll, client, index, options);
	if (error) {
		window_fail(window, error);
		hang_up(client);
	}
}

static void hear(int epoll, struct client *client, uint32_t index, const struct options *options,
		 const struct behaviour *behaviour, struct window *window)
{
	char heard[2 * MESSAGE];
	ssize_t size = recv(client->fd, heard, sizeof(heard), 0);

	if (size < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (size <= 0) {
		window_fail(window, size ? errno : ECONNRESET);
		hang_up(client);
	} else if (!behaviour->keeps_socket || client->is_greeted) {
		window_count(window, client->since_ns, now_ns());
		if (!behaviour->keeps_socket)
			hang_up(client);
	} else {
		client->is_greeted = true; /* a connection that stays: the greeting is no answer */
	}
	begin(epoll, client, index, options, behaviour, window);
}

static bool is_older(const struct client *client, uint64_t ms, uint64_t now)
{
	return client->since_ns + ms * 1000000ull <= now; /* may have begun after now was read */
}

static void look(int epoll, struct client *clients, const struct options *options, const struct behaviour *behaviour,
		 struct window *window, uint64_t now)
{
	int i;

	for (i = 0; i < options->clients; i++) {
		if (clients[i].fd >= 0 && !is_older(&clients[i], behaviour->patience_ms, now))
			continue;
		if (clients[i].fd >= 0)
			window_lose(window, clients[i].since_ns, now);
		hang_up(&clients[i]);
		begin(epoll, &clients[i], (uint32_t)i, options, behaviour, window);
	}
}

/* What is under way when the time is over is lost if it is late already; of the rest nobody knows. */
static void give_up_late(const struct client *clients, const struct options *options,
			 const struct behaviour *behaviour, struct window *window)
{
	int i;

	for (i = 0; i < options->clients; i++) {
		if (clients[i].fd >= 0 && is_older(&clients[i], behaviour->patience_ms / 2, window->ends_ns))
			window_lose(window, clients[i].since_ns, window->ends_ns);
	}
}

static int run(const struct options *options, const struct behaviour *behaviour)
{
	static struct client clients[MAX_CLIENTS];
	static struct window window;
	struct epoll_event events[MAX_EVENTS];
	int epoll = epoll_create1(EPOLL_CLOEXEC), count, i;
	uint64_t now, looked = now_ns();

	window_init(&window, options);
	for (i = 0; i < options->clients; i++) {
		clients[i].fd = -1;
		begin(epoll, &clients[i], (uint32_t)i, options, behaviour, &window);
	}
	while (window_open(&window, now = now_ns())) {
		count = epoll_wait(epoll, events, MAX_EVENTS, LOOK_MS);
		for (i = 0; i < count; i++) {
			uint32_t index = events[i].data.u32;

			hear(epoll, &clients[index], index, options, behaviour, &window);
		}
		if (now - looked > LOOK_MS * 1000000ull) {
			looked = now;
			look(epoll, clients, options, behaviour, &window, now);
		}
	}
	give_up_late(clients, options, behaviour, &window);
	window_print(&window);
	return window.operations ? 0 : 1;
}

int run_connect(const struct options *options)
{
	return run(options, &connecting);
}

int run_request(const struct options *options)
{
	return run(options, &requesting);
}

int run_udp(const struct options *options)
{
	return run(options, &datagrams);
}
