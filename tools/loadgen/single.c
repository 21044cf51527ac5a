// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0

/* One client: a connection that only sends, and connections one after the other until another backend greets. */

#define _GNU_SOURCE
#include "loadgen.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#define CHUNK       (256 * 1024)
#define PATIENCE_MS 1000 /* of one connection */
#define PAUSE_US    200  /* of await, between two connections: the processor is left to what makes the change */

static char buffer[CHUNK];

static bool wait_for(int fd, short events, int timeout_ms)
{
	struct pollfd one = {.fd = fd, .events = events};

	return poll(&one, 1, timeout_ms) == 1;
}

/* A descriptor of a connection that was greeted, or -1. */
static int dial(const struct sockaddr_in *to, char *greeting)
{
	int fd = tcp_socket(SOCK_NONBLOCK);

	if ((!connect(fd, (const struct sockaddr *)to, sizeof(*to)) || errno == EINPROGRESS) &&
	    wait_for(fd, POLLIN, PATIENCE_MS) && recv(fd, greeting, 1, 0) == 1)
		return fd;
	close(fd);
	return -1;
}

int run_bulk(const struct options *options)
{
	static struct window window;
	uint64_t sent = 0, at_begin = 0;
	int fd, pending = 0;
	char greeting;

	fd = dial(next_target(options), &greeting);
	if (fd < 0)
		fail("no connection: %s", strerror(errno));
	memset(buffer, BULK, sizeof(buffer));
	window_init(&window, options);
	while (window_open(&window, now_ns())) {
		ssize_t size = send(fd, buffer, CHUNK, MSG_NOSIGNAL);

		if (size > 0)
			sent += (uint64_t)size;
		else if (errno != EAGAIN)
			fail("the connection broke: %s", strerror(errno));
		else
			wait_for(fd, POLLOUT, 10);
		ioctl(fd, SIOCOUTQ, &pending);
		if (!window.began_ns)
			at_begin = sent - (uint64_t)pending;
	}
	window.operations = sent - (uint64_t)pending - at_begin;
	window_print(&window);
	return window.operations ? 0 : 1;
}

int run_await(const struct options *options)
{
	uint64_t until = now_ns() + (uint64_t)(options->seconds * 1e9), dialled = 0, failed = 0;
	char greeting;
	int fd;

	while (now_ns() < until) {
		fd = dial(next_target(options), &greeting);
		if (fd >= 0 && greeting == options->name) {
			printf("{\"at_ns\":%" PRIu64 ",\"dialled\":%" PRIu64 ",\"failures\":%" PRIu64 "}\n", now_ns(),
			       dialled, failed);
			return 0;
		}
		if (!dialled++)
			printf("{\"ready\":true}\n");
		if (fd >= 0)
			close(fd);
		else
			failed++;
		usleep(PAUSE_US);
	}
	fprintf(stderr, "loadgen: no '%c' greeted within %g s; %" PRIu64 " connections, %" PRIu64 " failed\n",
		options->name, options->seconds, dialled, failed);
	return 1;
}
