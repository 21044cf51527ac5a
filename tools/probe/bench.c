// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0

/* New TCP connections one after the other, as fast as they come: dial, hear the first byte, reset. */

#define _GNU_SOURCE
#include "probe.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define MAX_SAMPLES 4000000

struct samples {
	uint32_t *ns;
	size_t used;
};

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

static double percentile_us(const struct samples *samples, double fraction)
{
	return samples->used ? samples->ns[(size_t)(fraction * (samples->used - 1))] / 1e3 : 0;
}

static void report(const char *key, struct samples *samples)
{
	qsort(samples->ns, samples->used, sizeof(*samples->ns), by_value);
	json_open(key);
	json_number("p50", percentile_us(samples, 0.5));
	json_number("p90", percentile_us(samples, 0.9));
	json_number("p99", percentile_us(samples, 0.99));
	json_number("max", percentile_us(samples, 1));
	json_close();
	free(samples->ns);
}

int run_bench(const struct options *options)
{
	struct samples connects = {.ns = malloc(MAX_SAMPLES * sizeof(uint32_t))};
	struct samples wholes = {.ns = malloc(MAX_SAMPLES * sizeof(uint32_t))};
	struct timeval timeout = {.tv_sec = options->timeout_ms / 1000, .tv_usec = options->timeout_ms % 1000 * 1000};
	struct tally failures = {0};
	struct endpoint to;
	uint64_t start, end, done, count = 0;

	if (options->argc != 2)
		fail("expected ADDRESS PORT");
	if (!connects.ns || !wholes.ns)
		fail("out of memory");
	to = endpoint_parse(options->argv[0], options->argv[1], options->family);
	start = now_ns();
	end = start + options->seconds * 1000000000ull;

	do {
		int fd = socket(to.address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
		uint64_t before, connected;
		char byte;

		if (fd < 0)
			fail("no socket");
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
		before = now_ns();
		if (connect(fd, (struct sockaddr *)&to.address, to.length)) {
			tally_add_error(&failures, errno == EINPROGRESS ? -ETIME : -errno);
			done = now_ns();
			close(fd);
			continue;
		}
		connected = now_ns();
		if (recv(fd, &byte, 1, 0) != 1)
			tally_add_error(&failures, errno == EAGAIN ? -ETIME : -errno);
		else
			count++;
		close_with_reset(fd);
		done = now_ns();
		sample(&connects, connected - before);
		sample(&wholes, done - before);
	} while (done < end);

	json_begin();
	json_integer("count", count);
	json_integer("failed", tally_total(&failures));
	json_tally("failures", &failures);
	json_number("seconds", (done - start) / 1e9);
	json_number("per_second", count * 1e9 / (done - start));
	report("connect_us", &connects);
	report("whole_us", &wholes);
	json_end();
	return 0;
}
