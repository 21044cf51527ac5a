// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0

/* The commands about packets. */

#define _GNU_SOURCE
#include "tool.h"

#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <arpa/inet.h>
#include <linux/if_ether.h>

#define FIRST_FRAMES 65536 /* to warm up, and to learn how many a second takes */

struct place {
	char programs[4096];
	char maps[4096];
};

static struct place place_of(const struct options *options)
{
	struct place place;

	if (!options->pins)
		fail("--pins is missing");
	snprintf(place.programs, sizeof(place.programs), "%s/programs", options->pins);
	snprintf(place.maps, sizeof(place.maps), "%s/maps", options->pins);
	return place;
}

/* Of ksoftirqd/CPU, where the receivers' poll goes on when it has much to do; 0 where it cannot be seen. */
static int find_softirq_thread(int cpu)
{
	char wanted[32], path[64], name[32];

	snprintf(wanted, sizeof(wanted), "ksoftirqd/%d\n", cpu);
	for (int pid = 2; pid < 4096; pid++) {
		FILE *file;
		bool found;

		snprintf(path, sizeof(path), "/proc/%d/comm", pid);
		file = fopen(path, "re");
		if (!file)
			continue;
		found = fgets(name, sizeof(name), file) && !strcmp(name, wanted);
		fclose(file);
		if (found)
			return pid;
	}
	return 0;
}

/*
 * CPU time of this thread, the softirqs in its context included, and of the softirq thread: what the path takes,
 * whatever else the machine does, and without what the system call waits for before and after it sends.
 */
static uint64_t busy_ns(int softirq_thread)
{
	struct timespec own;
	uint64_t softirq = 0;
	char path[64];
	FILE *file;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &own);
	if (softirq_thread) {
		snprintf(path, sizeof(path), "/proc/%d/schedstat", softirq_thread);
		file = fopen(path, "re");
		if (!file || fscanf(file, "%" SCNu64, &softirq) != 1)
			fail("cannot read %s", path);
		fclose(file);
	}
	return own.tv_sec * 1000000000ull + own.tv_nsec + softirq;
}

/* Everything happens on the CPU of the generator, the receivers' poll included. */
static void pin_to(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		fail("cannot run on CPU %d: %s", cpu, strerror(errno));
}

static struct arrivals read_arrivals(int map)
{
	int cpus = bpf_cpus();
	struct arrivals *each = calloc(cpus, sizeof(*each)), sum = {0};

	if (!each)
		fail("out of memory");
	bpf_read(map, 0, each);
	for (int i = 0; i < cpus; i++) {
		sum.expected += each[i].expected;
		sum.others += each[i].others;
		sum.wrong_sums += each[i].wrong_sums;
	}
	free(each);
	return sum;
}

static void write_plan(const struct place *place, const struct options *options, bool restart)
{
	struct plan all;
	struct expectation want;

	plan_fill(&all, options);
	bpf_write(bpf_open_pinned(place->maps, "plan"), 0, &all);
	if (options->expect) {
		expectation_fill(&want, options);
		bpf_write(bpf_open_pinned(place->maps, "expectation"), 0, &want);
	}
	if (restart) {
		void *zero = calloc(bpf_cpus(), sizeof(struct progress) + 8);

		bpf_write(bpf_open_pinned(place->maps, "progress"), 0, zero);
		free(zero);
	}
}

int run_attach(const struct options *options)
{
	int program = bpf_open_pinned(options->program, "");

	enter_netns(options->netns);
	bpf_attach(program, device_index(options->device), options->hook, options->link);
	return 0;
}

static int open_writer(const struct place *place, const char *kind, const struct options *options)
{
	char name[32];

	snprintf(name, sizeof(name), "%s_%s", kind, writer_suffix(options));
	return bpf_open_pinned(place->programs, name);
}

int run_send(const struct options *options)
{
	struct place place = place_of(options);
	uint8_t frame[FRAME_MAX] = {0};
	struct test_run run = {.frame = frame, .length = frame_length(options), .live = true};
	int writer = open_writer(&place, "send", options), counts = bpf_open_pinned(place.maps, "arrivals");
	int softirq_thread = find_softirq_thread(options->cpu);
	struct arrivals before, after;
	uint64_t begin, busy;

	enter_netns(options->netns);
	run.ifindex = device_index(options->device);
	pin_to(options->cpu);
	/* New flows are new only if the numbers go on. */
	write_plan(&place, options, options->flows != 0);
	if (options->count) {
		run.repeat = options->count;
	} else {
		run.repeat = FIRST_FRAMES;
		busy = busy_ns(softirq_thread);
		bpf_test_run(writer, &run);
		run.repeat = (uint32_t)(options->seconds * 1e9 * FIRST_FRAMES / (busy_ns(softirq_thread) - busy));
	}

	before = read_arrivals(counts);
	begin = now_ns();
	busy = busy_ns(softirq_thread);
	/* One call: some milliseconds of each are spent waiting. */
	bpf_test_run(writer, &run);
	busy = busy_ns(softirq_thread) - busy;
	begin = now_ns() - begin;
	after = read_arrivals(counts);

	printf("{\"sent\":%u,\"expected\":%" PRIu64 ",\"others\":%" PRIu64 ",\"wrong_sums\":%" PRIu64
	       ",\"seconds\":%.6f,\"busy_seconds\":%.6f}\n",
	       run.repeat, (uint64_t)(after.expected - before.expected), (uint64_t)(after.others - before.others),
	       (uint64_t)(after.wrong_sums - before.wrong_sums), begin / 1e9, busy / 1e9);
	return 0;
}

int run_rerun(const struct options *options)
{
	struct place place = place_of(options);
	uint8_t frame[FRAME_MAX] = {0};
	struct test_run run = {.frame = frame, .length = frame_length(options), .repeat = options->count};
	int writer = open_writer(&place, "rerun", options), target = bpf_open_pinned(place.maps, "target");
	int empty = bpf_open_pinned(place.programs, "nothing"), program = bpf_open_pinned(options->program, "");
	uint32_t empty_ns;

	enter_netns(options->netns);
	run.ifindex = device_index(options->device);
	pin_to(options->cpu);
	write_plan(&place, options, options->flows != 0);
	bpf_write(target, 0, &empty);
	bpf_test_run(writer, &run);
	empty_ns = run.duration_ns;
	bpf_write(target, 0, &program);
	bpf_test_run(writer, &run);
	printf("{\"ns\":%u,\"empty_ns\":%u,\"verdict\":%u}\n", run.duration_ns, empty_ns, run.verdict);
	return 0;
}

static void tell(uint32_t number, const uint8_t *frame, uint32_t verdict)
{
	bool v6 = frame[2 * ETH_ALEN] == 0x86;
	const uint8_t *addresses = frame + (v6 ? 22 : 26), *ports = frame + (v6 ? V6_L4 : V4_L4);
	char source[INET6_ADDRSTRLEN], destination[INET6_ADDRSTRLEN];

	inet_ntop(v6 ? AF_INET6 : AF_INET, addresses, source, sizeof(source));
	inet_ntop(v6 ? AF_INET6 : AF_INET, addresses + (v6 ? 16 : 4), destination, sizeof(destination));
	printf("{\"flow\":%u,\"verdict\":%u,\"source\":\"%s\",\"source_port\":%d,\"destination\":\"%s\","
	       "\"destination_port\":%d}\n",
	       number, verdict, source, ports[0] << 8 | ports[1], destination, ports[2] << 8 | ports[3]);
}

int run_ask(const struct options *options)
{
	struct plan all;
	uint8_t frame[FRAME_MAX], answer[FRAME_MAX];
	struct test_run run = {.length = frame_length(options), .repeat = 1};
	int program = bpf_open_pinned(options->program, "");

	enter_netns(options->netns);
	run.ifindex = device_index(options->device);
	plan_fill(&all, options);
	for (uint32_t number = 0; number < all.sets[0].flows; number++) {
		frame_of(&all.sets[0], number, options, frame);
		run.frame = frame;
		bpf_test_run(program, &run);
		tell(number, frame, run.verdict);
		if (!options->handshake)
			continue;

		/* The backend's SYN+ACK, then the client's ACK: the flow is established. */
		memcpy(answer, frame, sizeof(answer));
		frame_reverse(answer, 0x12);
		run.frame = answer;
		bpf_test_run(program, &run);
		frame_of(&all.sets[0], number, options, frame);
		frame_set_tcp_flags(frame, 0x10);
		run.frame = frame;
		bpf_test_run(program, &run);
	}
	return 0;
}
