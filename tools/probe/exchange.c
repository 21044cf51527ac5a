// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
#define _GNU_SOURCE
#include "probe.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ull + now.tv_nsec;
}

int wait_for(int fd, short events, uint64_t deadline_ns)
{
	for (;;) {
		uint64_t now = now_ns();
		struct pollfd poll_fd = {.fd = fd, .events = events};
		int ready = poll(&poll_fd, 1, now < deadline_ns ? (int)((deadline_ns - now + 999999) / 1000000) : 0);

		if (ready > 0)
			return 0;
		if (!ready)
			return -ETIME;
		if (errno != EINTR)
			return -errno;
	}
}

uint64_t deadline(int timeout_ms)
{
	return now_ns() + timeout_ms * 1000000ull;
}

int tcp_finish(int fd, int timeout_ms)
{
	int error = wait_for(fd, POLLOUT, deadline(timeout_ms));
	socklen_t length = sizeof(error);

	if (error)
		return error;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length))
		return -errno;
	return -error;
}

struct endpoint source_of(const struct endpoint *to, const struct options *options)
{
	bool is_v4 = to->address.ss_family == AF_INET;
	char port[8];

	snprintf(port, sizeof(port), "%d", options->source_port);
	return endpoint_parse(options->source ? options->source
			      : is_v4         ? "0.0.0.0"
					      : "::",
			      port, is_v4 || !options->source || strchr(options->source, ':') ? NULL : "mapped");
}

int socket_prepare(int fd, const struct endpoint *to, const struct options *options)
{
	bool is_v4 = to->address.ss_family == AF_INET;
	int on = 1;

	if (options->source || options->source_port) {
		struct endpoint source = source_of(to, options);

		/* One port to several frontends at once. */
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
		if (bind(fd, (struct sockaddr *)&source.address, source.length))
			return -errno;
	}
	if (options->ttl && setsockopt(fd, is_v4 ? IPPROTO_IP : IPPROTO_IPV6, is_v4 ? IP_TTL : IPV6_UNICAST_HOPS,
				       &options->ttl, sizeof(options->ttl)))
		return -errno;
	if (options->keepalive_s) {
		setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
		setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &options->keepalive_s, sizeof(options->keepalive_s));
		setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &options->keepalive_s, sizeof(options->keepalive_s));
	}
	return 0;
}

static int tcp_connect(int fd, const struct endpoint *to, int timeout_ms)
{
	if (!connect(fd, (const struct sockaddr *)&to->address, to->length))
		return 0;
	return errno == EINPROGRESS ? tcp_finish(fd, timeout_ms) : -errno;
}

int tcp_dial_as(const struct endpoint *to, const struct options *options)
{
	int fd = socket(to->address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int error;

	if (fd < 0)
		return -errno;
	error = socket_prepare(fd, to, options);
	if (!error)
		error = tcp_connect(fd, to, options->timeout_ms);
	if (!error)
		return fd;
	close(fd);
	return error;
}

int tcp_dial(const struct endpoint *to, int timeout_ms)
{
	int fd = socket(to->address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int error;

	if (fd < 0)
		return -errno;
	error = tcp_connect(fd, to, timeout_ms);
	if (!error)
		return fd;
	close(fd);
	return error;
}

/* Reads up to and without the line feed. */
static int read_line(int fd, char *line, size_t size, int timeout_ms)
{
	uint64_t until = deadline(timeout_ms);
	size_t used = 0;

	while (used + 1 < size) {
		ssize_t got = recv(fd, line + used, 1, MSG_DONTWAIT);

		if (got == 1 && line[used] == '\n') {
			line[used] = 0;
			return 0;
		}
		if (got == 1) {
			used++;
			continue;
		}
		if (!got)
			return -EPIPE;
		if (errno != EAGAIN && errno != EINTR)
			return -errno;

		int error = wait_for(fd, POLLIN, until);

		if (error)
			return error;
	}
	return -EMSGSIZE;
}

int tcp_greeting(int fd, struct answer *answer, int timeout_ms)
{
	char line[MAX_ANSWER];
	int error = read_line(fd, line, sizeof(line), timeout_ms);

	*answer = (struct answer){0};
	if (error)
		return error;
	return sscanf(line, "%63s %63s %63s", answer->backend, answer->server, answer->client) >= 1 ? 0 : -EPROTO;
}

int tcp_say(int fd, const char *line)
{
	char sent[MAX_ANSWER];
	int length = snprintf(sent, sizeof(sent), "%s\n", line);

	return send(fd, sent, length, MSG_NOSIGNAL) == length ? 0 : -errno;
}

int tcp_hear(int fd, const char *line, int timeout_ms)
{
	char got[MAX_ANSWER];
	int error = read_line(fd, got, sizeof(got), timeout_ms);

	if (error)
		return error;
	return strcmp(got, line) ? -EPROTO : 0;
}

int tcp_echo(int fd, const char *line, int timeout_ms)
{
	int error = tcp_say(fd, line);

	return error ? error : tcp_hear(fd, line, timeout_ms);
}

int udp_open(const struct endpoint *to)
{
	int fd = socket(to->address.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	return fd < 0 ? -errno : fd;
}

/* A connected socket. */
int udp_dial(const struct endpoint *to)
{
	int fd = udp_open(to);
	int error;

	if (fd < 0 || !connect(fd, (const struct sockaddr *)&to->address, to->length))
		return fd;
	error = -errno;
	close(fd);
	return error;
}

int udp_receive(int fd, struct answer *answer, struct endpoint *from, int timeout_ms)
{
	uint64_t until = deadline(timeout_ms);
	char line[MAX_ANSWER];

	for (;;) {
		ssize_t got;

		from->length = sizeof(from->address);
		got = recvfrom(fd, line, sizeof(line) - 1, 0, (struct sockaddr *)&from->address, &from->length);
		if (got >= 0) {
			line[got] = 0;
			break;
		}
		if (errno != EAGAIN && errno != EINTR)
			return -errno;

		int error = wait_for(fd, POLLIN, until);

		if (error)
			return error;
	}
	*answer = (struct answer){0};
	return sscanf(line, "%63s %63s %1023s", answer->backend, answer->client, answer->payload) == 3 ? 0 : -EPROTO;
}

int udp_exchange(int fd, const struct endpoint *to, const char *payload, struct answer *answer, struct endpoint *from,
		 int timeout_ms)
{
	uint64_t until = deadline(timeout_ms);

	if (sendto(fd, payload, strlen(payload), 0, to ? (const struct sockaddr *)&to->address : NULL,
		   to ? to->length : 0) < 0)
		return -errno;

	/* What comes late for an earlier datagram is skipped. */
	for (;;) {
		uint64_t now = now_ns();
		int error = udp_receive(fd, answer, from, now < until ? (int)((until - now + 999999) / 1000000) : 0);

		if (error || !strcmp(answer->payload, payload))
			return error;
	}
}

/* No TIME_WAIT is left behind, so ports do not run out. */
void close_with_reset(int fd)
{
	struct linger linger = {.l_onoff = 1};

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	close(fd);
}
