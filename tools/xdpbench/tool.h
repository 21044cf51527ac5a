/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
#ifndef TOOL_H
#define TOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <netinet/in.h>
#include <linux/bpf.h>
#include "frames.h"

struct options {
	const char *netns;
	const char *device;
	const char *pins; /* of xdpbench.bpf.o: programs/ and maps/ */
	const char *program;
	const char *hook;
	const char *link;
	const char *protocol;
	const char *source;
	const char *destination;
	const char *from_mac;
	const char *to_mac;
	const char *tcp_flags;
	const char *mixed_source;
	const char *mixed_flags;
	const char *expect;
	const char *pair[2];
	double seconds;
	int port;
	int flows;
	int destinations;
	int mixed_flows;
	int every;
	int count;
	int cpu;
	int streams;
	bool verify;
	bool handshake;
};

int run_attach(const struct options *options);
int run_send(const struct options *options);
int run_rerun(const struct options *options);
int run_ask(const struct options *options);
int run_sink(const struct options *options);
int run_bulk(const struct options *options);
int run_pulse(const struct options *options);

/* bpf.c: bpf(2). What fails ends the process. */
int bpf_open_pinned(const char *directory, const char *name);
void bpf_write(int map, uint32_t key, const void *value);
void bpf_read(int map, uint32_t key, void *value);
int bpf_cpus(void);
void bpf_attach(int program, unsigned int ifindex, const char *hook, const char *link);

struct test_run {
	uint8_t *frame; /* written over, unless it is live */
	uint32_t length;
	uint32_t ifindex;
	uint32_t repeat;
	bool live;
	uint32_t verdict;
	uint32_t duration_ns; /* of one */
};

void bpf_test_run(int program, struct test_run *run);

/* flows.c */
void plan_fill(struct plan *all, const struct options *options);
uint32_t frame_length(const struct options *options);
const char *writer_suffix(const struct options *options);
/* The frame of one flow, as the generator would write it. */
void frame_of(const struct flow_set *set, uint32_t number, const struct options *options, uint8_t *frame);
void expectation_fill(struct expectation *want, const struct options *options);
/* An answer to a frame: addresses and ports exchanged, these TCP flags. */
void frame_reverse(uint8_t *frame, uint8_t tcp_flags);
void frame_set_tcp_flags(uint8_t *frame, uint8_t tcp_flags);

/* main.c */
void enter_netns(const char *path);
unsigned int device_index(const char *name);
uint64_t now_ns(void);
_Noreturn void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
