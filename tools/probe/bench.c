// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0

/*
 * New TCP connections one after the other, as fast as they come: dial, hear the first byte, reset.
 *
 * With --direct a connection to the backend itself follows each one to the frontend, so that both series meet the same
 * machine, however busy it is: the difference is the load balancer's.
 */

#define _GNU_SOURCE
#include "probe.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define MAX_SAMPLES 4000000

struct samples {
	uint32_t *ns;
	size_t used;
};

struct series {
	struct endpoint to;
	struct samples connects;
	struct samples wholes;
	struct tally failures;
	uint64_t count;
	uint64_t spent_ns;
};

static struct samples samples_new(void)
{
	struct samples samples = {.ns = malloc(MAX_SAMPLES * sizeof(uint32_t))};

	if (!samples.ns)
		fail("out of memory");
	return samples;
}

static void sample(struct samples *samples, uint64_t ns)
{
	if (samples->used < MAX_SAMPLES)
		samples->ns[samples->used++] = ns < UINT32_MAX ? ns : UINT32_MAX;
}

static int by_value(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* Of sorted samples. */
static double percentile_us(const struct samples *samples, double fraction)
{
	return samples->used ? samples->ns[(size_t)(fraction * (samples->used - 1))] / 1e3 : 0;
}

static void report_samples(const char *key, struct samples *samples)
{
	qsort(samples->ns, samples->used, sizeof(*samples->ns), by_value);
	json_open(key);
	json_number("p50", percentile_us(samples, 0.5));
	json_number("p90", percentile_us(samples, 0.9));
	json_number("p99", percentile_us(samples, 0.99));
	json_number("max", percentile_us(samples, 1));
	json_close();
}

static double rate(const struct series *series)
{
	return series->spent_ns ? series->count * 1e9 / series->spent_ns : 0;
}

static void report_series(struct series *series)
{
	json_integer("count", series->count);
	json_integer("failed", tally_total(&series->failures));
	json_tally("failures", &series->failures);
	json_number("per_second", rate(series));
	report_samples("connect_us", &series->connects);
	report_samples("whole_us", &series->wholes);
}

static void one_connection(struct series *series, int timeout_ms)
{
	struct timeval timeout = {.tv_sec = timeout_ms / 1000, .tv_usec = timeout_ms % 1000 * 1000};
	int fd = socket(series->to.address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	uint64_t before, connected = 0, done;
	int error = 0;
	char byte;

	if (fd < 0)
		fail("no socket");
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	before = now_ns();
	if (connect(fd, (struct sockaddr *)&series->to.address, series->to.length)) {
		error = errno == EINPROGRESS ? -ETIME : -errno;
	} else {
		ssize_t got;

		connected = now_ns();
		got = recv(fd, &byte, 1, 0);
		if (got != 1)
			error = !got ? -EPIPE : errno == EAGAIN ? -ETIME : -errno;
	}
	close_with_reset(fd);
	done = now_ns();
	series->spent_ns += done - before;
	if (error) {
		tally_add_error(&series->failures, error);
		return;
	}
	series->count++;
	sample(&series->connects, connected - before);
	sample(&series->wholes, done - before);
}

int run_bench(const struct options *options)
{
	struct series frontend = {.connects = samples_new(), .wholes = samples_new()};
	struct series direct = {.connects = samples_new(), .wholes = samples_new()};
	uint64_t end;

	if (options->argc != 2)
		fail("expected ADDRESS PORT");
	frontend.to = endpoint_parse(options->argv[0], options->argv[1], options->family);
	if (options->direct) {
		char port[8];

		snprintf(port, sizeof(port), "%d", options->direct_port);
		direct.to = endpoint_parse(options->direct, port, options->family);
	}

	end = now_ns() + options->seconds * 1000000000ull;
	while (now_ns() < end) {
		one_connection(&frontend, options->timeout_ms);
		if (options->direct)
			one_connection(&direct, options->timeout_ms);
	}

	json_begin();
	report_series(&frontend);
	if (options->direct) {
		json_open("direct");
		report_series(&direct);
		json_close();
		json_number("rate_ratio", rate(&direct) > 0 ? rate(&frontend) / rate(&direct) : 0);
		json_number("connect_p50_difference_us",
			    percentile_us(&frontend.connects, 0.5) - percentile_us(&direct.connects, 0.5));
	}
	json_end();
	return 0;
}
