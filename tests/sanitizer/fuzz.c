// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0

/*
 * fuzz [count [seed [world]]]: packets through the programs. Everything follows from the seed and the number of the
 * world, so a world that failed can be run alone.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include "check.h"
#include "sockets.h"

#define RUNS_OF_A_WORLD 2000

int xdp_ingress(struct xdp_md *ctx);
int tc_ingress(struct __sk_buff *ctx);
int tc_egress(struct __sk_buff *ctx);
int tc_pod(struct __sk_buff *ctx);
int ct_sweep(struct lb_sweep *report);

static struct world world;
static struct run run;
static struct frame frame;
static __u32 arrival; /* the device that the frame is addressed to */
static __u64 seed = 1, world_number, sweeps;

static void print_bytes(const char *name, const __u8 *bytes, __u32 length)
{
	fprintf(stderr, "%s (%u bytes):", name, length);
	for (__u32 i = 0; i < length && i < 256; i++)
		fprintf(stderr, "%s%02x", i % 32 ? "" : "\n  ", bytes[i]);
	fputc('\n', stderr);
}

void shim_fail(const char *file, int line, const char *what)
{
	fprintf(stderr,
		"%s:%d: not true: %s\nhook %d, verdict %d, checksum %d, run %llu of world %llu"
		"\nagain: fuzz %d %llu %llu\n",
		file, line, what, run.hook, run.verdict, run.checksum, check_totals.runs, world_number, RUNS_OF_A_WORLD,
		seed, world_number);
	for (__u32 i = 0; i < LB_REASONS; i++)
		if (run.reasons[i])
			fprintf(stderr, "reason %u: %llu\n", i, run.reasons[i]);
	print_bytes("before", run.before, run.before_length);
	print_bytes("after", run.after, run.after_length);
	abort();
}

static __u32 pick(__u32 n)
{
	return shim_random() % n;
}

static __u32 some_ifindex(void)
{
	return shim_one_in(40) ? 1 + pick(WORLD_DEVICES + 1) : arrival;
}

static int run_tc(__u32 segment)
{
	struct __sk_buff *context = calloc(1, sizeof(*context));
	int verdict;

	context->ifindex = some_ifindex();
	context->ingress_ifindex = run.hook == LB_HOOK_TC_EGRESS && pick(2) ? 0 : context->ifindex;
	context->pkt_type = shim_one_in(30) ? pick(5) : 0;
	context->vlan_present = run.tagged;
	context->gso_size = segment;
	context->len = run.before_length;
	context->sk = shim_socket();
	shim_packet.context_length = &context->len;
	shim_packet.context_segment = &context->gso_size;
	verdict = run.hook == LB_HOOK_TC_INGRESS ? tc_ingress(context)
		  : run.hook == LB_HOOK_TC_POD   ? tc_pod(context)
						 : tc_egress(context);
	shim_packet.context_length = shim_packet.context_segment = NULL;
	free(context);
	return verdict;
}

static int run_xdp(void)
{
	struct xdp_md *context = calloc(1, sizeof(*context));
	int verdict;

	context->ingress_ifindex = some_ifindex();
	verdict = xdp_ingress(context);
	free(context);
	return verdict;
}

static void run_program(enum lb_hook hook, const __u8 *bytes, __u32 length, bool is_partial)
{
	__u32 linear = shim_one_in(6) ? pick(length + 1) : length;
	bool is_xdp = hook == LB_HOOK_XDP;
	__u32 segment = shim_one_in(12) ? 1 + pick(1600) : 0;

	run.hook = hook;
	run.verdict = 0x7fffffff;
	run.before_length = run.after_length = length;
	memcpy(run.before, bytes, length);
	run.is_long = !is_xdp && segment;
	run.tagged = !is_xdp && shim_one_in(60);
	check_begin(&run);
	run.checksum = SHIM_CHECKSUM_NONE;
	if (!is_xdp && run.was.makes_sense)
		run.checksum = is_partial && run.was.has_checksum && !run.was.is_fragment &&
					       (run.was.protocol == IPPROTO_TCP || run.was.protocol == IPPROTO_UDP)
				       ? SHIM_CHECKSUM_PARTIAL
			       : shim_one_in(3) ? SHIM_CHECKSUM_COMPLETE
						: SHIM_CHECKSUM_NONE;
	shim_packet_set(bytes, length, linear);
	shim_packet.checksum = run.checksum;
	shim_packet.sum = length > ETH_HLEN ? htons(frame_sum(bytes, ETH_HLEN, length)) : 0;
	run.verdict = is_xdp ? run_xdp() : run_tc(segment);
	run.after_length = shim_frame_length();
	SHIM_REQUIRE(run.after_length <= FRAME_ROOM);
	shim_packet_copy(run.after);
	check_end(&run, &world);
	shim_grace();
}

static void choose_ethernet(struct recipe *recipe)
{
	arrival = 1 + pick(WORLD_DEVICES);
	world_device_mac(arrival, recipe->destination_mac);
	if (shim_one_in(20))
		memset(recipe->destination_mac, shim_one_in(2) ? 0xff : 0x02, ETH_ALEN);
}

static void dress(struct recipe *recipe)
{
	static const __u8 flags[] = {0x02, 0x02, 0x12, 0x10, 0x18, 0x11, 0x04, 0x14};
	static const __u8 chunks[] = {1, 2, 0, 3, 6, 7, 8, 14};

	recipe->tcp_flags = recipe->protocol == SCTP ? chunks[pick(8)] : flags[pick(8)];
	if (shim_one_in(16))
		recipe->tcp_flags = shim_random();
	recipe->ttl = shim_one_in(16) ? pick(3) : 64;
	recipe->option_words = shim_one_in(10) ? pick(11) : 0;
	recipe->extensions = shim_one_in(10) ? pick(10) : 0;
	recipe->dont_fragment = pick(2);
	recipe->no_checksum = shim_one_in(6);
	recipe->is_partial = shim_one_in(10);
	recipe->part = shim_one_in(8) ? FRAME_FIRST + pick(2) : FRAME_WHOLE;
	recipe->id = pick(4) << 16 | pick(4);
	recipe->payload = shim_one_in(8) ? pick(1600) : pick(24);
	recipe->trailer = shim_one_in(10) ? pick(40) : 0;
	recipe->seed = shim_random();
	choose_ethernet(recipe);
}

/* The next packet of a flow that is there. */
static bool choose_flow(struct recipe *recipe, enum lb_hook *hook, bool reversed)
{
	const struct lb_conntrack_key *key = shim_any_key(world_conntrack, shim_random());

	if (!key)
		return false;
	recipe->source = reversed ? key->destination : key->source;
	recipe->destination = reversed ? key->source : key->destination;
	recipe->source_port = reversed ? key->destination_port : key->source_port;
	recipe->destination_port = reversed ? key->source_port : key->destination_port;
	recipe->protocol = key->protocol;
	if (key->side == LB_SIDE_EGRESS)
		*hook = LB_HOOK_TC_EGRESS;
	return true;
}

static void choose_error(struct recipe *recipe, enum lb_hook *hook)
{
	struct frame quoted;
	struct recipe outer;

	if (!choose_flow(recipe, hook, true))
		world_any(recipe);
	dress(recipe);
	frame_write(&quoted, recipe);
	outer = *recipe;
	dress(&outer);
	outer.part = FRAME_WHOLE;
	outer.source = recipe->destination;
	if (shim_one_in(2))
		outer.source.bytes[15] ^= 1 + pick(255); /* a router */
	outer.destination = recipe->source;
	if (shim_one_in(20))
		outer.destination.bytes[15] ^= 1;
	frame_write_error(&frame, &outer, &quoted, shim_one_in(2) ? pick(100) : pick(1200));
	recipe->is_partial = false;
}

static void choose_packet(struct recipe *recipe, enum lb_hook *hook)
{
	static const enum lb_hook hooks[] = {LB_HOOK_XDP, LB_HOOK_XDP,    LB_HOOK_XDP,    LB_HOOK_TC_INGRESS,
					     LB_HOOK_XDP, LB_HOOK_TC_POD, LB_HOOK_TC_POD, LB_HOOK_TC_INGRESS};
	__u32 kind = pick(20);

	memset(recipe, 0, sizeof(*recipe));
	*hook = hooks[pick(8)];
	if (kind < 3) {
		choose_error(recipe, hook);
		return;
	}
	if (kind < 11 && choose_flow(recipe, hook, false)) {
		dress(recipe);
	} else if (kind < 19) {
		world_dial(recipe);
		dress(recipe);
	} else {
		world_any(recipe);
		dress(recipe);
	}
	if (shim_one_in(12))
		*hook = pick(LB_HOOKS);
	frame_write(&frame, recipe);
}

/* Lies of every kind; most are in the headers. */
static void mutate(void)
{
	static const __u16 odd[] = {0, 1, 7, 8, 19, 20, 39, 40, 0x7fff, 0x8000, 0xfff0, 0xffff};
	__u32 reach = frame.length < 120 ? frame.length : 120, at;

	switch (pick(5)) {
	case 0:
		frame.length = pick(frame.length + 1);
		break;
	case 1:
		for (__u32 i = 0; i <= pick(4) && reach; i++)
			frame.bytes[pick(reach)] ^= 1 << pick(8);
		break;
	case 2:
		for (__u32 i = 0; i <= pick(8) && reach; i++)
			frame.bytes[pick(reach)] = shim_random();
		break;
	case 3:
		if (reach < 16)
			break;
		at = 12 + 2 * pick((reach - 12) / 2);
		frame.bytes[at] = odd[pick(12)] >> 8;
		frame.bytes[at + 1] = odd[pick(12)];
		break;
	default:
		for (__u32 i = shim_one_in(2) ? 14 : 0; i < frame.length; i++)
			frame.bytes[i] = shim_random();
		break;
	}
}

static void run_frame(enum lb_hook hook, bool is_partial)
{
	run_program(hook, frame.bytes, frame.length, is_partial);
	if (hook != LB_HOOK_XDP || run.verdict != XDP_PASS || shim_one_in(2))
		return;
	memcpy(frame.bytes, run.after, run.after_length);
	run_program(LB_HOOK_TC_INGRESS, frame.bytes, run.after_length, is_partial);
}

static void sweep(void)
{
	struct lb_sweep *report = calloc(1, sizeof(*report));

	if (shim_one_in(2))
		report->dead_backend_s = 1 + pick(20);
	SHIM_REQUIRE(!ct_sweep(report) && report->expired <= report->entries && report->half_open <= report->flows);
	sweeps++;
	free(report);
	shim_grace();
}

static void pass_time(void)
{
	shim_world.now += shim_one_in(3) ? pick(20000000) : 0;
	if (shim_one_in(100))
		shim_world.now += pick(3000) * 1000000ull;
	if (shim_one_in(1000))
		shim_world.now += pick(100) * 1000000000ull;
	if (shim_one_in(200))
		sweep();
	if (shim_one_in(100))
		world_change(&world);
}

/* Every length that packets of every kind can be cut to, at every hook. */
static void truncate_all(void)
{
	struct recipe recipe;
	struct frame whole;
	enum lb_hook hook;

	for (int i = 0; i < 24; i++) {
		choose_packet(&recipe, &hook);
		whole = frame;
		for (__u32 length = 0; length <= whole.length && length < 260; length++)
			for (hook = 0; hook < LB_HOOKS; hook++) {
				frame = whole;
				frame.length = length;
				run_frame(hook, recipe.is_partial);
			}
	}
}

static void run_world(void)
{
	__u64 end = check_totals.runs + RUNS_OF_A_WORLD;
	struct recipe recipe;
	enum lb_hook hook;

	shim_world = (struct shim_world){.random = seed * 1000003 + world_number, .now = 5000000000ull};
	world_make(&world);
	while (check_totals.runs < end) {
		pass_time();
		choose_packet(&recipe, &hook);
		if (shim_one_in(5))
			mutate();
		run_frame(hook, recipe.is_partial);
	}
	if (world_number % 50 == 0)
		truncate_all();
	if (world.mirrors)
		check_flows();
	sockets_run(&world);
}

static void print_totals(void)
{
	const struct {
		const char *name;
		__u64 value;
	} lines[] = {
		{"seed", seed},
		{"worlds", world_number},
		{"runs", check_totals.runs},
		{"passed", check_totals.passed},
		{"passed translated", check_totals.translated},
		{"sent", check_totals.sent},
		{"sent to a neighbour to be found", check_totals.resolving},
		{"answered", check_totals.answered},
		{"dropped", check_totals.dropped},
		{"sweeps", sweeps},
		{"evictions", shim_evictions()},
		{"calls of sockets", sockets_totals.calls},
		{"connected to a backend", sockets_totals.connected},
		{"sent to a backend", sockets_totals.sent},
		{"refused at the socket", sockets_totals.refused},
		{"shown the frontend", sockets_totals.restored},
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		printf("%s: %llu\n", lines[i].name, lines[i].value);
}

int main(int argc, char **argv)
{
	__u64 count = argc > 1 ? strtoull(argv[1], NULL, 10) : 10000000;

	seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
	world_number = argc > 3 ? strtoull(argv[3], NULL, 10) : 0;
	setvbuf(stdout, NULL, _IOLBF, 0);
	world_open();
	for (; check_totals.runs < count; world_number++)
		run_world();
	shim_packet_free();
	print_totals();
	return 0;
}
