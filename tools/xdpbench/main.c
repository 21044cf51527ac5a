// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0

/* xdpbench: packets as fast as one CPU makes them, for the benchmark of the packet path. One JSON object per line. */

#define _GNU_SOURCE
#include "tool.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <net/if.h>

static const char usage[] =
	"usage: xdpbench COMMAND --netns PATH OPTIONS\n"
	"\n"
	"  attach  --device D --program PIN --hook xdp|tcx-ingress|tcx-egress --link PIN\n"
	"  send    --device D --pins DIR FLOWS --expect ADDRESS/BITS [--seconds S | --count N] [--verify]\n"
	"          sends live frames out of the device, and tells how many came to the programs 'count' of these pins\n"
	"  rerun   --device D --pins DIR --program PIN FLOWS --count N\n"
	"          what a program takes by itself: frames as from the device, nothing leaves\n"
	"  ask     --device D --program PIN FLOWS [--handshake]\n"
	"          what the program makes of the first frame of each flow; with --handshake the TCP flows are "
	"established\n"
	"  sink    --port P                           takes TCP connections and what they bring\n"
	"  bulk    --pair A:PORT --pair B:PORT [--streams N] [--seconds S]\n"
	"          TCP throughput to A and to B, in turn by fifths of a second\n"
	"  pulse   --destination ADDRESS --port P     a datagram each millisecond; when each answer came\n"
	"\n"
	"  FLOWS: --protocol udp|tcp --to MAC --from MAC --source ADDRESS --destination ADDRESS --port P --flows N\n"
	"         [--tcp-flags syn|ack]; 0 flows: every packet begins a new one. Flow n differs in source address and "
	"port.\n"
	"         [--every N --mixed-source ADDRESS --mixed-flows N --mixed-flags syn|ack]: of every N packets one of "
	"these\n"
	"  --cpu N    generator and receivers run there (0)\n";

static const struct command {
	const char *name;
	int (*run)(const struct options *options);
} commands[] = {
	{"attach", run_attach}, {"send", run_send}, {"rerun", run_rerun}, {"ask", run_ask},
	{"sink", run_sink},     {"bulk", run_bulk}, {"pulse", run_pulse},
};

void enter_netns(const char *path)
{
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;

	if (fd < 0 || setns(fd, CLONE_NEWNET))
		fail("cannot enter the network namespace %s: %s", path ? path : "(none given)", strerror(errno));
	close(fd);
}

unsigned int device_index(const char *name)
{
	unsigned int index = name ? if_nametoindex(name) : 0;

	if (!index)
		fail("no device %s", name ? name : "given");
	return index;
}

uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ull + now.tv_nsec;
}

void fail(const char *format, ...)
{
	va_list arguments;

	fflush(stdout);
	fputs("xdpbench: ", stderr);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	exit(2);
}

static int number(const char *option, const char *text)
{
	char *end;
	long value = strtol(text, &end, 10);

	if (!*text || *end || value < 0 || value > 1000000000)
		fail("--%s needs a number, not '%s'", option, text);
	return (int)value;
}

enum {
	NETNS = 256,
	DEVICE,
	PINS,
	PROGRAM,
	HOOK,
	LINK,
	PROTOCOL,
	SOURCE,
	DESTINATION,
	FROM,
	TO,
	TCP_FLAGS,
	MIXED_SOURCE,
	MIXED_FLAGS,
	EXPECT,
	PAIR,
	SECONDS,
	PORT,
	FLOWS,
	DESTINATIONS,
	MIXED_FLOWS,
	EVERY,
	COUNT,
	CPU,
	STREAMS,
	VERIFY,
	HANDSHAKE,
};

static const struct option names[] = {
	{"netns", required_argument, NULL, NETNS},
	{"device", required_argument, NULL, DEVICE},
	{"pins", required_argument, NULL, PINS},
	{"program", required_argument, NULL, PROGRAM},
	{"hook", required_argument, NULL, HOOK},
	{"link", required_argument, NULL, LINK},
	{"protocol", required_argument, NULL, PROTOCOL},
	{"source", required_argument, NULL, SOURCE},
	{"destination", required_argument, NULL, DESTINATION},
	{"from", required_argument, NULL, FROM},
	{"to", required_argument, NULL, TO},
	{"tcp-flags", required_argument, NULL, TCP_FLAGS},
	{"mixed-source", required_argument, NULL, MIXED_SOURCE},
	{"mixed-flags", required_argument, NULL, MIXED_FLAGS},
	{"expect", required_argument, NULL, EXPECT},
	{"pair", required_argument, NULL, PAIR},
	{"seconds", required_argument, NULL, SECONDS},
	{"port", required_argument, NULL, PORT},
	{"flows", required_argument, NULL, FLOWS},
	{"destinations", required_argument, NULL, DESTINATIONS},
	{"mixed-flows", required_argument, NULL, MIXED_FLOWS},
	{"every", required_argument, NULL, EVERY},
	{"count", required_argument, NULL, COUNT},
	{"cpu", required_argument, NULL, CPU},
	{"streams", required_argument, NULL, STREAMS},
	{"verify", no_argument, NULL, VERIFY},
	{"handshake", no_argument, NULL, HANDSHAKE},
	{NULL, 0, NULL, 0},
};

static void take(struct options *options, int option, const char *name)
{
	switch (option) {
	case NETNS:
		options->netns = optarg;
		break;
	case DEVICE:
		options->device = optarg;
		break;
	case PINS:
		options->pins = optarg;
		break;
	case PROGRAM:
		options->program = optarg;
		break;
	case HOOK:
		options->hook = optarg;
		break;
	case LINK:
		options->link = optarg;
		break;
	case PROTOCOL:
		options->protocol = optarg;
		break;
	case SOURCE:
		options->source = optarg;
		break;
	case DESTINATION:
		options->destination = optarg;
		break;
	case FROM:
		options->from_mac = optarg;
		break;
	case TO:
		options->to_mac = optarg;
		break;
	case TCP_FLAGS:
		options->tcp_flags = optarg;
		break;
	case MIXED_SOURCE:
		options->mixed_source = optarg;
		break;
	case MIXED_FLAGS:
		options->mixed_flags = optarg;
		break;
	case EXPECT:
		options->expect = optarg;
		break;
	case PAIR:
		options->pair[options->pair[0] != NULL] = optarg;
		break;
	case SECONDS:
		options->seconds = atof(optarg);
		break;
	case PORT:
		options->port = number(name, optarg);
		break;
	case FLOWS:
		options->flows = number(name, optarg);
		break;
	case DESTINATIONS:
		options->destinations = number(name, optarg);
		break;
	case MIXED_FLOWS:
		options->mixed_flows = number(name, optarg);
		break;
	case EVERY:
		options->every = number(name, optarg);
		break;
	case COUNT:
		options->count = number(name, optarg);
		break;
	case CPU:
		options->cpu = number(name, optarg);
		break;
	case STREAMS:
		options->streams = number(name, optarg);
		break;
	case VERIFY:
		options->verify = true;
		break;
	case HANDSHAKE:
		options->handshake = true;
		break;
	default:
		fputs(usage, stderr);
		exit(2);
	}
}

int main(int argc, char **argv)
{
	struct options options = {.protocol = "udp",
				  .tcp_flags = "syn",
				  .mixed_flags = "ack",
				  .destination = "",
				  .seconds = 1,
				  .streams = 1};
	int option, index = 0;

	if (argc < 2) {
		fputs(usage, stderr);
		return 2;
	}
	while ((option = getopt_long(argc - 1, argv + 1, "", names, &index)) != -1)
		take(&options, option, names[index].name);
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (!strcmp(commands[i].name, argv[1]))
			return commands[i].run(&options);
	}
	fputs(usage, stderr);
	return 2;
}
