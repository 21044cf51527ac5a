// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0

/*
 * Connections that stay. A line on standard input is for all of them, and its end closes them:
 *   check    a sign of life, from all of them within --timeout
 *   half     this side ends; what the other one still says is counted
 *   reset    they end with a reset
 *   abandon  they are forgotten without a word to the other side, as when the machine goes
 * With --connected they are UDP sockets, for which check and the end are all there is.
 */

#define _GNU_SOURCE
#include "probe.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct held {
	int fd;    /* negative once it is dead */
	int error; /* of the words it was sent */
	char backend[64];
};

#define TAIL_TIMEOUT_MS 30000

static void report(const char *event, const struct tally *backends, const struct tally *failures, uint64_t bytes)
{
	json_begin();
	json_text("event", event);
	json_integer("alive", tally_total(backends));
	json_tally("backends", backends);
	json_tally("failures", failures);
	json_integer("bytes", bytes);
	json_end();
}

static int udp_sign_of_life(int fd, const struct options *options, struct answer *answer)
{
	static unsigned int number;
	struct endpoint from;
	char payload[32];

	snprintf(payload, sizeof(payload), "h%u", number++);
	return udp_exchange(fd, NULL, payload, answer, &from, options->timeout_ms);
}

/* A datagram that is answered, by the one that answered first; or what the kernel had to say before it was sent. */
static int udp_check(const struct held *held, const struct options *options)
{
	struct answer answer;
	int error = tcp_finish(held->fd, 0);

	if (!error)
		error = udp_sign_of_life(held->fd, options, &answer);
	return error ? error : strcmp(held->backend, answer.backend) ? -EPROTO : 0;
}

static int open_held(const struct endpoint *to, const struct options *options, struct held *held)
{
	struct answer answer;
	int error;

	held->fd = options->connected ? udp_dial(to) : tcp_dial_as(to, options);
	if (held->fd < 0)
		return held->fd;
	error = options->connected ? udp_sign_of_life(held->fd, options, &answer)
				   : tcp_greeting(held->fd, &answer, options->timeout_ms);
	if (error) {
		close(held->fd);
		held->fd = -1;
		return error;
	}
	snprintf(held->backend, sizeof(held->backend), "%s", answer.backend);
	return 0;
}

/* The number of bytes the other side says until it ends too, or an error. */
static int end_own_side(int fd, uint64_t *bytes)
{
	char data[4096];

	if (shutdown(fd, SHUT_WR))
		return -errno;
	for (;;) {
		ssize_t got = recv(fd, data, sizeof(data), MSG_DONTWAIT);

		if (!got)
			return 0;
		if (got > 0) {
			*bytes += got;
			continue;
		}
		if (errno != EAGAIN)
			return -errno;

		int error = wait_for(fd, POLLIN, deadline(TAIL_TIMEOUT_MS));

		if (error)
			return error;
	}
}

static void abandon(int fd)
{
	int on = 1;

	if (setsockopt(fd, IPPROTO_TCP, TCP_REPAIR, &on, sizeof(on)))
		fail("TCP_REPAIR: %s", strerror(errno));
	close(fd);
}

static int remaining(uint64_t until_ns)
{
	uint64_t now = now_ns();

	return now < until_ns ? (int)((until_ns - now + 999999) / 1000000) : 0;
}

int run_hold(const struct options *options)
{
	struct tally backends = {0}, failures = {0};
	struct held *held = calloc(options->count, sizeof(*held));
	struct endpoint to;
	char line[256];

	if (options->argc != 2)
		fail("expected ADDRESS PORT");
	if (!held)
		fail("out of memory");
	to = endpoint_parse(options->argv[0], options->argv[1], options->family);

	for (int i = 0; i < options->count; i++) {
		int error = open_held(&to, options, &held[i]);

		if (error)
			tally_add_error(&failures, error);
		else
			tally_add(&backends, held[i].backend);
	}
	report("open", &backends, &failures, 0);

	while (fgets(line, sizeof(line), stdin)) {
		bool half = !strcmp(line, "half\n"), reset = !strcmp(line, "reset\n"),
		     leave = !strcmp(line, "abandon\n");
		bool check = !half && !reset && !leave;
		uint64_t bytes = 0, until = deadline(options->timeout_ms);

		tally_free(&backends);
		for (int i = 0; i < options->count && check && !options->connected; i++)
			held[i].error = held[i].fd < 0 ? 0 : tcp_say(held[i].fd, "alive");
		for (int i = 0; i < options->count; i++) {
			int error = 0;

			if (held[i].fd < 0)
				continue;
			if (half)
				error = end_own_side(held[i].fd, &bytes);
			else if (check && options->connected)
				error = udp_check(&held[i], options);
			else if (check)
				error = held[i].error ? held[i].error : tcp_hear(held[i].fd, "alive", remaining(until));
			if (error)
				tally_add_error(&failures, error);
			else
				tally_add(&backends, held[i].backend);
			if (!error && check)
				continue;
			if (reset)
				close_with_reset(held[i].fd);
			else if (leave)
				abandon(held[i].fd);
			else
				close(held[i].fd);
			held[i].fd = -1;
		}
		line[strcspn(line, "\n")] = 0;
		report(line, &backends, &failures, bytes);
	}
	free(held);
	return 0;
}
