// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0

/*
 * One conversation per interval for as long as asked, or until SIGTERM: who answered when, and what failed when. The
 * conversation that a signal meets is ended and counted: what hangs must not go unseen.
 */

#define _GNU_SOURCE
#include "probe.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct bucket {
	struct tally backends;
	struct tally failures;
};

static volatile sig_atomic_t stopped;

static void stop(int signal_number)
{
	(void)signal_number;
	stopped = 1;
}

static struct bucket *bucket_at(struct bucket **buckets, size_t *used, size_t index)
{
	if (index >= *used) {
		*buckets = realloc(*buckets, (index + 1) * sizeof(**buckets));
		if (!*buckets)
			fail("out of memory");
		memset(*buckets + *used, 0, (index + 1 - *used) * sizeof(**buckets));
		*used = index + 1;
	}
	return *buckets + index;
}

static void report_progress(size_t bucket, const struct options *options)
{
	json_begin();
	json_text("event", "bucket");
	json_integer("at_ms", bucket * options->bucket_ms);
	json_end();
}

static int ask_tcp(const struct endpoint *to, const struct options *options, struct answer *answer)
{
	int fd = tcp_dial(to, options->timeout_ms);
	int error;

	if (fd < 0)
		return fd;
	error = tcp_greeting(fd, answer, options->timeout_ms);
	close_with_reset(fd);
	return error;
}

static int ask_udp(const struct endpoint *to, const struct options *options, uint64_t number, int *fd,
		   struct answer *answer)
{
	struct endpoint from;
	char payload[32];
	int error;

	if (*fd < 0)
		*fd = options->connected ? udp_dial(to) : udp_open(to);
	if (*fd < 0)
		return *fd;
	snprintf(payload, sizeof(payload), "q%llu", (unsigned long long)number);
	error = udp_exchange(*fd, options->connected ? NULL : to, payload, answer, &from, options->timeout_ms);
	/* A connected socket that says what is wrong is made anew; one that says nothing is trusted. */
	if (!options->same_socket || (options->connected && error && error != -ETIME)) {
		close(*fd);
		*fd = -1;
	}
	return error;
}

static void sleep_until(uint64_t time_ns)
{
	struct timespec time = {.tv_sec = time_ns / 1000000000, .tv_nsec = time_ns % 1000000000};

	while (!stopped && clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL) == EINTR)
		;
}

int run_stream(const struct options *options)
{
	struct bucket *buckets = NULL, total = {0};
	uint64_t start = now_ns(), end = start + options->duration_ms * 1000000ull, next = start;
	struct sigaction action = {.sa_handler = stop};
	struct endpoint to;
	size_t used = 0, reported = 0;
	bool tcp;
	int fd = -1;

	if (options->argc != 3 || (strcmp(options->argv[0], "tcp") && strcmp(options->argv[0], "udp")))
		fail("expected tcp|udp ADDRESS PORT");
	tcp = !strcmp(options->argv[0], "tcp");
	to = endpoint_parse(options->argv[1], options->argv[2], options->family);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);

	for (uint64_t number = 0; !stopped && next < end; number++) {
		struct answer answer;
		struct bucket *bucket;
		int error = tcp ? ask_tcp(&to, options, &answer) : ask_udp(&to, options, number, &fd, &answer);

		bucket = bucket_at(&buckets, &used, (next - start) / 1000000 / options->bucket_ms);
		if (error) {
			tally_add_error(&bucket->failures, error);
			tally_add_error(&total.failures, error);
		} else {
			tally_add(&bucket->backends, answer.backend);
			tally_add(&total.backends, answer.backend);
		}
		if (options->progress && used - 1 > reported) {
			reported = used - 1;
			report_progress(reported, options);
		}
		next += options->interval_ms * 1000000ull;
		if (next < now_ns())
			next = now_ns();
		sleep_until(next < end ? next : end);
	}

	json_begin();
	json_integer("succeeded", tally_total(&total.backends));
	json_integer("failed", tally_total(&total.failures));
	json_tally("backends", &total.backends);
	json_tally("failures", &total.failures);
	json_integer("bucket_ms", options->bucket_ms);
	json_open_list("buckets");
	for (size_t i = 0; i < used; i++) {
		json_open(NULL);
		json_integer("at_ms", i * options->bucket_ms);
		json_tally("backends", &buckets[i].backends);
		json_tally("failures", &buckets[i].failures);
		json_close();
		tally_free(&buckets[i].backends);
		tally_free(&buckets[i].failures);
	}
	json_close_list();
	json_end();
	free(buckets);
	return 0;
}
