// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0

/* The backend: one thread, one port, TCP and UDP. */

#define _GNU_SOURCE
#include "loadgen.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#define MAX_FDS    65536
#define MAX_EVENTS 256
#define CHUNK      (256 * 1024)

enum kind { KIND_NEW, KIND_ECHO, KIND_BULK };

static uint8_t kinds[MAX_FDS]; /* of connections, by descriptor */
static char buffer[CHUNK];

static int listen_on(const struct options *options, int type)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)options->port)};
	int fd = socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1, room = 4 << 20;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (type == SOCK_DGRAM)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) || (type == SOCK_STREAM && listen(fd, 4096)))
		fail("cannot listen on port %d: %s", options->port, strerror(errno));
	return fd;
}

static void greet_all(int epoll, int listener, char name)
{
	int fd;

	while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		if (fd >= MAX_FDS || send(fd, &name, 1, MSG_NOSIGNAL) != 1) {
			close(fd);
			continue;
		}
		kinds[fd] = KIND_NEW;
		watch(epoll, fd, (uint32_t)fd);
	}
}

static void answer_datagrams(int fd)
{
	struct sockaddr_in from;
	ssize_t size;

	for (;;) {
		socklen_t length = sizeof(from);

		size = recvfrom(fd, buffer, CHUNK, 0, (struct sockaddr *)&from, &length);
		if (size < 0)
			return;
		sendto(fd, buffer, (size_t)size, 0, (struct sockaddr *)&from, length);
	}
}

/* Messages are small and of one client each: one that does not fit the socket is a client that does not read. */
static void serve_connection(int fd)
{
	/* MSG_TRUNC: the bytes are thrown away without a copy. */
	ssize_t size = recv(fd, buffer, CHUNK, kinds[fd] == KIND_BULK ? MSG_TRUNC : 0);

	if (size > 0 && kinds[fd] == KIND_NEW)
		kinds[fd] = buffer[0] == BULK ? KIND_BULK : KIND_ECHO;
	if (size > 0 && kinds[fd] == KIND_ECHO)
		size = send(fd, buffer, (size_t)size, MSG_NOSIGNAL);
	if (!size || (size < 0 && errno != EAGAIN && errno != EINTR))
		close(fd);
}

int run_serve(const struct options *options)
{
	struct epoll_event events[MAX_EVENTS];
	int listener = listen_on(options, SOCK_STREAM), datagrams = listen_on(options, SOCK_DGRAM);
	int epoll = epoll_create1(EPOLL_CLOEXEC), count, i;

	watch(epoll, listener, (uint32_t)listener);
	watch(epoll, datagrams, (uint32_t)datagrams);
	printf("{\"ready\":true,\"pid\":%d}\n", getpid());
	for (;;) {
		count = epoll_wait(epoll, events, MAX_EVENTS, -1);
		for (i = 0; i < count; i++) {
			int fd = (int)events[i].data.u32;

			if (fd == listener)
				greet_all(epoll, listener, options->name);
			else if (fd == datagrams)
				answer_datagrams(datagrams);
			else
				serve_connection(fd);
		}
	}
}
