// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0

/*
 * A datagram each millisecond from one socket, whatever becomes of the ones before: a line for each answer, with the
 * times of CLOCK_MONOTONIC when it was asked for and when it came.
 */

#define _GNU_SOURCE
#include "tool.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <sys/socket.h>

#define INTERVAL_NS 1000000ull

static void ask(int fd)
{
	char text[24];

	/* What cannot be sent now is a datagram that was lost. */
	send(fd, text, snprintf(text, sizeof(text), "%" PRIu64, now_ns()), MSG_DONTWAIT);
}

/* The server puts its name and the client's before what was asked. */
static void take_answers(int fd)
{
	char text[256];
	ssize_t got;

	while ((got = recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT)) > 0) {
		const char *asked;

		text[got] = 0;
		asked = strrchr(text, ' ');
		if (asked)
			printf("%s %" PRIu64 "\n", asked + 1, now_ns());
	}
	fflush(stdout);
}

int run_pulse(const struct options *options)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(options->port)};
	uint64_t next = now_ns();
	int fd;

	enter_netns(options->netns);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (inet_pton(AF_INET, options->destination, &to.sin_addr) != 1)
		fail("--destination needs an IPv4 address, not '%s'", options->destination);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&to, sizeof(to)))
		fail("cannot send to %s: %s", options->destination, strerror(errno));
	for (;;) {
		struct pollfd answers = {.fd = fd, .events = POLLIN};
		uint64_t now = now_ns();
		struct timespec left = {0};

		if (now >= next) {
			ask(fd);
			/* Late by more than one: they are not made up for. */
			next = now >= next + INTERVAL_NS ? now + INTERVAL_NS : next + INTERVAL_NS;
			continue;
		}
		left.tv_nsec = next - now;
		if (ppoll(&answers, 1, &left, NULL) > 0)
			take_answers(fd);
	}
}
