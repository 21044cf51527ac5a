// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0

/* The window of a measurement, the durations in it, and what the machine spent meanwhile. */

#include "loadgen.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/resource.h>

static int bucket_of(uint64_t ns)
{
	int shift, bucket;

	if (ns < SUBS)
		return (int)ns;
	shift = 63 - __builtin_clzll(ns) - SUB_BITS;
	bucket = (shift << SUB_BITS) + (int)(ns >> shift);
	return bucket < BUCKETS ? bucket : BUCKETS - 1;
}

static uint64_t upper_ns(int bucket)
{
	int shift;

	if (bucket < 2 * SUBS)
		return (uint64_t)bucket;
	shift = (bucket >> SUB_BITS) - 1;
	return (((uint64_t)(SUBS + (bucket & (SUBS - 1))) + 1) << shift) - 1;
}

void histogram_add(struct histogram *histogram, uint64_t ns)
{
	histogram->counts[bucket_of(ns)]++;
	histogram->total++;
}

/* All processors, interrupts and softirqs included; what a hypervisor took is not ours. */
static double busy_seconds(void)
{
	unsigned long long user, nice, system, idle, iowait, irq, softirq;
	FILE *stat = fopen("/proc/stat", "r");

	if (!stat || fscanf(stat, "cpu %llu %llu %llu %llu %llu %llu %llu", &user, &nice, &system, &idle, &iowait, &irq,
			    &softirq) != 7)
		fail("/proc/stat cannot be read");
	fclose(stat);
	return (double)(user + nice + system + irq + softirq) / (double)sysconf(_SC_CLK_TCK);
}

/* What the kernel does for its packets while it sends them included: through the node, and to the server's socket. */
static double own_seconds(void)
{
	struct rusage used;

	getrusage(RUSAGE_SELF, &used);
	return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
	       (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

void window_init(struct window *window, const struct options *options)
{
	uint64_t now = now_ns();

	memset(window, 0, sizeof(*window));
	window->begins_ns = now + (uint64_t)(options->warm_up * 1e9);
	window->ends_ns = window->begins_ns + (uint64_t)(options->seconds * 1e9);
}

bool window_open(struct window *window, uint64_t now)
{
	if (!window->began_ns && now >= window->begins_ns) {
		window->busy_s = busy_seconds();
		window->own_s = own_seconds();
		window->began_ns = now_ns();
	}
	if (now < window->ends_ns)
		return true;
	window->busy_s = busy_seconds() - window->busy_s;
	window->own_s = own_seconds() - window->own_s;
	window->ends_ns = now;
	return false;
}

void window_count(struct window *window, uint64_t since, uint64_t now)
{
	if (!window->began_ns)
		return;
	window->operations++;
	histogram_add(&window->latency, now - since);
}

/* Those of the warm-up too: what fails there must not be forgotten. */
void window_fail(struct window *window, int error)
{
	window->failures++;
	window->last_error = error;
}

void window_lose(struct window *window, uint64_t since, uint64_t now)
{
	window_fail(window, ETIMEDOUT);
	if (window->began_ns)
		histogram_add(&window->latency, now - since);
}

void window_print(struct window *window)
{
	const char *separator = "";
	int bucket;

	printf("{\"operations\":%" PRIu64 ",\"failures\":%" PRIu64 ",\"last_error\":\"%s\",\"seconds\":%.6f,"
	       "\"busy_seconds\":%.2f,\"own_seconds\":%.3f,\"buckets_us\":[",
	       window->operations, window->failures, window->failures ? strerror(window->last_error) : "",
	       (double)(window->ends_ns - window->began_ns) / 1e9, window->busy_s, window->own_s);
	for (bucket = 0; bucket < BUCKETS; bucket++) {
		if (!window->latency.counts[bucket])
			continue;
		printf("%s[%.3f,%" PRIu64 "]", separator, (double)upper_ns(bucket) / 1e3,
		       window->latency.counts[bucket]);
		separator = ",";
	}
	printf("]}\n");
}
