// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0

/*
 * TCP throughput. One side takes whatever comes; the other sends to two addresses in turn, so that both meet the same
 * machine. What counts is what the receiver has acknowledged.
 */

#define _GNU_SOURCE
#include "tool.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <linux/tcp.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#define CHUNK       (256 * 1024)
#define MAX_STREAMS 64
#define SLICE_NS    200000000ull
#define MAX_EVENTS  64

static char buffer[CHUNK];

static void watch(int epoll, int fd)
{
	struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event))
		fail("epoll: %s", strerror(errno));
}

/* MSG_TRUNC: the bytes are thrown away without a copy. */
static void take(int fd)
{
	ssize_t got = recv(fd, NULL, CHUNK, MSG_TRUNC | MSG_DONTWAIT);

	if (!got || (got < 0 && errno != EAGAIN && errno != EINTR))
		close(fd);
}

int run_sink(const struct options *options)
{
	struct sockaddr_in6 at = {.sin6_family = AF_INET6, .sin6_port = htons(options->port)};
	struct epoll_event events[MAX_EVENTS];
	int listener, epoll = epoll_create1(EPOLL_CLOEXEC), on = 1;

	enter_netns(options->netns);
	listener = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (listener < 0 || bind(listener, (struct sockaddr *)&at, sizeof(at)) || listen(listener, 4096))
		fail("cannot listen on port %d: %s", options->port, strerror(errno));
	watch(epoll, listener);
	printf("{\"event\":\"ready\"}\n");
	fflush(stdout);
	for (;;) {
		int ready = epoll_wait(epoll, events, MAX_EVENTS, -1);

		for (int i = 0; i < ready; i++) {
			if (events[i].data.fd == listener) {
				int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

				if (fd >= 0)
					watch(epoll, fd);
			} else {
				take(events[i].data.fd);
			}
		}
	}
}

struct side {
	int streams[MAX_STREAMS];
	uint64_t bytes;
	uint64_t ns;
};

static int dial(const char *where)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
	const char *colon = where ? strrchr(where, ':') : NULL;
	char host[INET6_ADDRSTRLEN];
	struct sockaddr *to;
	socklen_t length;
	int fd;

	if (!colon || colon - where >= (int)sizeof(host))
		fail("--pair needs ADDRESS:PORT");
	snprintf(host, sizeof(host), "%.*s", (int)(colon - where), where);
	if (inet_pton(AF_INET, host, &v4.sin_addr) == 1) {
		v4.sin_port = htons(atoi(colon + 1));
		to = (struct sockaddr *)&v4;
		length = sizeof(v4);
	} else if (inet_pton(AF_INET6, host, &v6.sin6_addr) == 1) {
		v6.sin6_port = htons(atoi(colon + 1));
		to = (struct sockaddr *)&v6;
		length = sizeof(v6);
	} else {
		fail("not an address: %s", host);
	}
	fd = socket(to->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, to, length))
		fail("cannot connect to %s: %s", where, strerror(errno));
	return fd;
}

static uint64_t acknowledged(int fd)
{
	struct tcp_info info = {0};
	socklen_t length = sizeof(info);

	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length))
		fail("TCP_INFO: %s", strerror(errno));
	return info.tcpi_bytes_acked;
}

static uint64_t all_acknowledged(const struct side *side, int streams)
{
	uint64_t sum = 0;

	for (int i = 0; i < streams; i++)
		sum += acknowledged(side->streams[i]);
	return sum;
}

/* Until what is on its way has arrived: it shall not meet the other side's slice. */
static void drain(const struct side *side, int streams)
{
	for (int i = 0; i < streams; i++) {
		int left = 1;

		while (!ioctl(side->streams[i], TIOCOUTQ, &left) && left > 0)
			usleep(50);
	}
}

static void send_for(struct side *side, int streams, uint64_t ns)
{
	struct pollfd wait[MAX_STREAMS];
	uint64_t begin = now_ns(), bytes = all_acknowledged(side, streams);

	for (int i = 0; i < streams; i++)
		wait[i] = (struct pollfd){.fd = side->streams[i], .events = POLLOUT};
	while (now_ns() < begin + ns) {
		if (poll(wait, streams, 1000) <= 0)
			fail("nothing can be sent for a second");
		for (int i = 0; i < streams; i++) {
			if (wait[i].revents && send(wait[i].fd, buffer, CHUNK, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 &&
			    errno != EAGAIN)
				fail("a stream broke: %s", strerror(errno));
		}
	}
	drain(side, streams);
	side->ns += now_ns() - begin;
	side->bytes += all_acknowledged(side, streams) - bytes;
}

int run_bulk(const struct options *options)
{
	struct side sides[2] = {0};
	uint64_t end;

	if (options->streams < 1 || options->streams > MAX_STREAMS)
		fail("1 to %d streams", MAX_STREAMS);
	enter_netns(options->netns);
	for (int side = 0; side < 2; side++) {
		for (int i = 0; i < options->streams; i++)
			sides[side].streams[i] = dial(options->pair[side]);
		send_for(&sides[side], options->streams, SLICE_NS);
		sides[side].bytes = sides[side].ns = 0;
	}
	end = now_ns() + (uint64_t)(options->seconds * 1e9);
	do {
		send_for(&sides[0], options->streams, SLICE_NS);
		send_for(&sides[1], options->streams, SLICE_NS);
	} while (now_ns() < end);
	printf("{\"mbits\":[%.1f,%.1f],\"bytes\":[%" PRIu64 ",%" PRIu64 "]}\n", sides[0].bytes * 8e3 / sides[0].ns,
	       sides[1].bytes * 8e3 / sides[1].ns, sides[0].bytes, sides[1].bytes);
	return 0;
}
