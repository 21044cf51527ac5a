// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0

/* Connections that stay: each line on standard input asks all of them for a sign of life, its end closes them. */

#define _GNU_SOURCE
#include "probe.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct held {
	int fd; /* negative once it is dead */
	char backend[64];
};

static void report(const char *event, const struct tally *backends, const struct tally *failures)
{
	json_begin();
	json_text("event", event);
	json_integer("alive", tally_total(backends));
	json_tally("backends", backends);
	json_tally("failures", failures);
	json_end();
}

static int open_held(const struct endpoint *to, const struct options *options, struct held *held)
{
	struct answer answer;
	int error;

	held->fd = tcp_dial(to, options->timeout_ms);
	if (held->fd < 0)
		return held->fd;
	error = tcp_greeting(held->fd, &answer, options->timeout_ms);
	if (error) {
		close(held->fd);
		held->fd = -1;
		return error;
	}
	snprintf(held->backend, sizeof(held->backend), "%s", answer.backend);
	return 0;
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
	report("open", &backends, &failures);

	while (fgets(line, sizeof(line), stdin)) {
		tally_free(&backends);
		for (int i = 0; i < options->count; i++) {
			int error;

			if (held[i].fd < 0)
				continue;
			error = tcp_echo(held[i].fd, "alive", options->timeout_ms);
			if (!error) {
				tally_add(&backends, held[i].backend);
				continue;
			}
			tally_add_error(&failures, error);
			close(held[i].fd);
			held[i].fd = -1;
		}
		report("check", &backends, &failures);
	}
	free(held);
	return 0;
}
