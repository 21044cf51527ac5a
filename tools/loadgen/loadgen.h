/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
#ifndef LOADGEN_H
#define LOADGEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <netinet/in.h>

#define MAX_TARGETS 16
#define MAX_CLIENTS 1024
#define MESSAGE     64  /* bytes of a request, and of its answer */
#define BULK        'B' /* the first byte of a connection whose bytes are thrown away */
#define ECHO        'E' /* of one whose bytes come back */

struct options {
	struct sockaddr_in targets[MAX_TARGETS];
	int target_count;
	int clients;
	int port;
	char name;
	double seconds;
	double warm_up;
};

int run_serve(const struct options *options);
int run_connect(const struct options *options);
int run_request(const struct options *options);
int run_udp(const struct options *options);
int run_bulk(const struct options *options);
int run_await(const struct options *options);

/*
 * histogram.c: durations in nanoseconds, log-linear: 64 buckets for each power of two, so a value is known to 1.6 %.
 */
#define SUB_BITS 6
#define SUBS     (1 << SUB_BITS)
#define BUCKETS  ((40 - SUB_BITS) * SUBS) /* up to 2^39 ns, nine minutes */

struct histogram {
	uint64_t counts[BUCKETS];
	uint64_t total;
};

void histogram_add(struct histogram *histogram, uint64_t ns);

/* What is counted lies between the end of the warm-up and the end. */
struct window {
	uint64_t begins_ns;
	uint64_t ends_ns;
	uint64_t began_ns; /* when it was seen to have begun; 0: not yet */
	double busy_s;     /* of all processors since then; before, when it began */
	double own_s;      /* of this process, likewise */
	uint64_t operations;
	uint64_t failures;
	int last_error;
	struct histogram latency;
};

void window_init(struct window *window, const struct options *options);
/* False when the time is over. */
bool window_open(struct window *window, uint64_t now);
void window_count(struct window *window, uint64_t since, uint64_t now);
void window_fail(struct window *window, int error);
/* Nothing was heard: it failed, and its age is among the durations. */
void window_lose(struct window *window, uint64_t since, uint64_t now);
/* One line of JSON. */
void window_print(struct window *window);

/* main.c */
/* One of them by chance, as services choose: the same numbers in every process. */
const struct sockaddr_in *next_target(const struct options *options);
/* Its end sends a reset: nothing stays behind on either side, so ports do not run out. */
int tcp_socket(int flags);
void watch(int epoll, int fd, uint32_t index);
uint64_t now_ns(void);
_Noreturn void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
