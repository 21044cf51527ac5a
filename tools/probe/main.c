// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0

/* lbprobe: traffic for tests, the demo and benchmarks, with one JSON object per line as its result. */

#define _GNU_SOURCE
#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char usage[] =
	"usage: lbprobe COMMAND [OPTIONS] ...\n"
	"\n"
	"  serve --name NAME [--tcp PORT]... [--udp PORT]... [--bind ADDRESS] [--fast] [--pidfile FILE]\n"
	"        [--tail N]\n"
	"  tcp ADDRESS PORT                  a new connection each time\n"
	"  udp ADDRESS PORT [--connected] [--same-socket]\n"
	"  udp-many ADDRESS PORT [ADDRESS PORT]...    one unconnected socket, --count rounds\n"
	"  checks tcp|udp ADDRESS PORT [--direct ADDRESS --direct-port PORT] [--device NAME] [--refused-port PORT]\n"
	"  stream tcp|udp ADDRESS PORT [--interval MS] [--duration MS] [--bucket MS] [--connected] [--same-socket]\n"
	"                                    [--progress]\n"
	"  bench ADDRESS PORT [--seconds S] [--direct ADDRESS --direct-port PORT]\n"
	"                                    new TCP connections per second, best against serve --fast\n"
	"  hold ADDRESS PORT [--connected]   --count TCP connections, or connected UDP sockets; lines of standard "
	"input:\n"
	"                                    check, half, reset, abandon; of UDP sockets check\n"
	"  transfer ADDRESS PORT --bytes N   there and back over one TCP connection\n"
	"  trace tcp|udp ADDRESS PORT        TTLs 1 to --count: who answered what\n"
	"  ping ADDRESS                      --count ICMP echo requests\n"
	"  segment ADDRESS PORT --flags FSRPA --sequence N    one TCP segment that belongs to no socket\n"
	"  flood ADDRESS PORT                --count TCP openings, each of another client, 20 every --interval MS,\n"
	"                                    the first client being number --sequence\n"
	"  pour ADDRESS PORT [--rate N]      --count numbered datagrams of 8 flows, N a second (1000)\n"
	"  count PORT                        which of them came, at SIGTERM\n"
	"  watch DEVICE [ADDRESS]...         counts the frames from or to these addresses until SIGTERM\n"
	"  offload DEVICE on|off             checksums left to the device when it sends\n"
	"\n"
	"  --cgroup DIR    enter this cgroup before anything else\n"
	"  --netns PATH    then this network namespace\n"
	"  --count N       (1)\n"
	"  --timeout MS    for each answer (1000)\n"
	"  --source ADDRESS, --source-port PORT, --ttl N, --keepalive S    of tcp, udp, hold, transfer\n"
	"  --family 4|6|mapped    mapped: an IPv4 address on an AF_INET6 socket\n"
	"\n"
	"Exit status: 0 the result is in the output, 1 a check failed, 2 wrong usage or surroundings.\n";

static const struct command {
	const char *name;
	int (*run)(const struct options *options);
} commands[] = {
	{"serve", run_serve},       {"tcp", run_tcp},       {"udp", run_udp},         {"udp-many", run_many},
	{"checks", run_checks},     {"stream", run_stream}, {"bench", run_bench},     {"hold", run_hold},
	{"transfer", run_transfer}, {"trace", run_trace},   {"ping", run_ping},       {"segment", run_segment},
	{"flood", run_flood},       {"watch", run_watch},   {"offload", run_offload}, {"pour", run_pour},
	{"count", run_count},
};

static void enter_cgroup(const char *directory)
{
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s/cgroup.procs", directory);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "0", 1) != 1) /* 0: the writer */
		fail("cannot enter the cgroup %s: %s", directory, strerror(errno));
	close(fd);
}

static void enter_netns(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || setns(fd, CLONE_NEWNET))
		fail("cannot enter the network namespace %s: %s", path, strerror(errno));
	close(fd);
}

static int number_parse(const char *option, const char *text)
{
	char *end;
	long number = strtol(text, &end, 10);

	if (!*text || *end || number < 1 || number > 1000000000)
		fail("--%s needs a number of 1 or more, not '%s'", option, text);
	return (int)number;
}

static void add_port(int *ports, int *count, const char *text)
{
	if (*count == MAX_PORTS)
		fail("at most %d ports", MAX_PORTS);
	ports[(*count)++] = port_parse(text);
}

enum option_code {
	OPTION_BIND = 1,
	OPTION_BUCKET,
	OPTION_CGROUP,
	OPTION_CONNECTED,
	OPTION_COUNT,
	OPTION_DEVICE,
	OPTION_DIRECT,
	OPTION_DIRECT_PORT,
	OPTION_DURATION,
	OPTION_FAMILY,
	OPTION_FAST,
	OPTION_INTERVAL,
	OPTION_NAME,
	OPTION_NETNS,
	OPTION_PIDFILE,
	OPTION_PROGRESS,
	OPTION_RATE,
	OPTION_REFUSED_PORT,
	OPTION_SAME_SOCKET,
	OPTION_SECONDS,
	OPTION_BYTES,
	OPTION_FLAGS,
	OPTION_KEEPALIVE,
	OPTION_SEQUENCE,
	OPTION_SOURCE,
	OPTION_SOURCE_PORT,
	OPTION_TAIL,
	OPTION_TTL,
	OPTION_TCP,
	OPTION_TIMEOUT,
	OPTION_UDP,
};

static const struct option long_options[] = {
	{"bind", required_argument, NULL, OPTION_BIND},
	{"bucket", required_argument, NULL, OPTION_BUCKET},
	{"cgroup", required_argument, NULL, OPTION_CGROUP},
	{"connected", no_argument, NULL, OPTION_CONNECTED},
	{"count", required_argument, NULL, OPTION_COUNT},
	{"device", required_argument, NULL, OPTION_DEVICE},
	{"direct", required_argument, NULL, OPTION_DIRECT},
	{"direct-port", required_argument, NULL, OPTION_DIRECT_PORT},
	{"duration", required_argument, NULL, OPTION_DURATION},
	{"family", required_argument, NULL, OPTION_FAMILY},
	{"fast", no_argument, NULL, OPTION_FAST},
	{"interval", required_argument, NULL, OPTION_INTERVAL},
	{"name", required_argument, NULL, OPTION_NAME},
	{"netns", required_argument, NULL, OPTION_NETNS},
	{"pidfile", required_argument, NULL, OPTION_PIDFILE},
	{"progress", no_argument, NULL, OPTION_PROGRESS},
	{"rate", required_argument, NULL, OPTION_RATE},
	{"refused-port", required_argument, NULL, OPTION_REFUSED_PORT},
	{"same-socket", no_argument, NULL, OPTION_SAME_SOCKET},
	{"seconds", required_argument, NULL, OPTION_SECONDS},
	{"bytes", required_argument, NULL, OPTION_BYTES},
	{"flags", required_argument, NULL, OPTION_FLAGS},
	{"keepalive", required_argument, NULL, OPTION_KEEPALIVE},
	{"sequence", required_argument, NULL, OPTION_SEQUENCE},
	{"source", required_argument, NULL, OPTION_SOURCE},
	{"source-port", required_argument, NULL, OPTION_SOURCE_PORT},
	{"tail", required_argument, NULL, OPTION_TAIL},
	{"ttl", required_argument, NULL, OPTION_TTL},
	{"tcp", required_argument, NULL, OPTION_TCP},
	{"timeout", required_argument, NULL, OPTION_TIMEOUT},
	{"udp", required_argument, NULL, OPTION_UDP},
	{0},
};

static void parse_options(struct options *options, int argc, char **argv)
{
	const char *cgroup = NULL, *netns = NULL;
	int code, index = 0;

	while ((code = getopt_long(argc, argv, "", long_options, &index)) != -1) {
		const char *option = long_options[index].name;

		switch ((enum option_code)code) {
		case OPTION_BIND:
			options->bind = optarg;
			break;
		case OPTION_BUCKET:
			options->bucket_ms = number_parse(option, optarg);
			break;
		case OPTION_CGROUP:
			cgroup = optarg;
			break;
		case OPTION_CONNECTED:
			options->connected = true;
			break;
		case OPTION_COUNT:
			options->count = number_parse(option, optarg);
			break;
		case OPTION_DEVICE:
			options->device = optarg;
			break;
		case OPTION_DIRECT:
			options->direct = optarg;
			break;
		case OPTION_DIRECT_PORT:
			options->direct_port = port_parse(optarg);
			break;
		case OPTION_DURATION:
			options->duration_ms = number_parse(option, optarg);
			break;
		case OPTION_FAMILY:
			options->family = optarg;
			break;
		case OPTION_FAST:
			options->fast = true;
			break;
		case OPTION_INTERVAL:
			options->interval_ms = number_parse(option, optarg);
			break;
		case OPTION_NAME:
			options->name = optarg;
			break;
		case OPTION_NETNS:
			netns = optarg;
			break;
		case OPTION_PIDFILE:
			options->pidfile = optarg;
			break;
		case OPTION_PROGRESS:
			options->progress = true;
			break;
		case OPTION_RATE:
			options->rate = number_parse(option, optarg);
			break;
		case OPTION_REFUSED_PORT:
			options->refused_port = port_parse(optarg);
			break;
		case OPTION_SAME_SOCKET:
			options->same_socket = true;
			break;
		case OPTION_SECONDS:
			options->seconds = number_parse(option, optarg);
			break;
		case OPTION_BYTES:
			options->bytes = number_parse(option, optarg);
			break;
		case OPTION_FLAGS:
			options->flags = optarg;
			break;
		case OPTION_KEEPALIVE:
			options->keepalive_s = number_parse(option, optarg);
			break;
		case OPTION_SEQUENCE:
			options->sequence = strtoul(optarg, NULL, 10);
			break;
		case OPTION_SOURCE:
			options->source = optarg;
			break;
		case OPTION_SOURCE_PORT:
			options->source_port = port_parse(optarg);
			break;
		case OPTION_TAIL:
			options->tail = number_parse(option, optarg);
			break;
		case OPTION_TTL:
			options->ttl = number_parse(option, optarg);
			break;
		case OPTION_TCP:
			add_port(options->tcp_ports, &options->tcp_count, optarg);
			break;
		case OPTION_TIMEOUT:
			options->timeout_ms = number_parse(option, optarg);
			break;
		case OPTION_UDP:
			add_port(options->udp_ports, &options->udp_count, optarg);
			break;
		default:
			exit(2);
		}
	}
	/* Both before the first socket: it belongs to the cgroup and namespace it is made in. */
	if (cgroup)
		enter_cgroup(cgroup);
	if (netns)
		enter_netns(netns);
	options->argc = argc - optind;
	options->argv = argv + optind;
}

int main(int argc, char **argv)
{
	struct options options = {
		.count = 1,
		.rate = 1000,
		.timeout_ms = 1000,
		.interval_ms = 10,
		.duration_ms = 1000,
		.bucket_ms = 100,
		.seconds = 1,
	};

	if (argc < 2 || !strcmp(argv[1], "--help") || !strcmp(argv[1], "help")) {
		fputs(usage, argc < 2 ? stderr : stdout);
		return argc < 2 ? 2 : 0;
	}
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
		if (!strcmp(argv[1], commands[i].name)) {
			parse_options(&options, argc - 1, argv + 1);
			return commands[i].run(&options);
		}
	}
	fail("unknown command '%s'; lbprobe --help lists them", argv[1]);
}
