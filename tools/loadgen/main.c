// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0

/* loadgen: load for comparisons. Several clients at once, each with one operation under way; every duration is kept. */

#define _GNU_SOURCE
#include "loadgen.h"

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
#include <arpa/inet.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>

static const char usage[] =
	"usage: loadgen COMMAND [OPTIONS]\n"
	"\n"
	"  serve --port PORT --name LETTER    TCP and UDP: a connection is greeted with the letter, then echoed, or\n"
	"                                     thrown away if it begins with 'B'; datagrams come back\n"
	"  connect    new TCP connections: dialled, greeted, reset\n"
	"  request    requests and answers of 64 bytes on connections that stay\n"
	"  udp        datagrams of 64 bytes that come back\n"
	"  bulk       one TCP connection, as fast as it takes; an operation is a byte that was acknowledged\n"
	"  await --name LETTER                dials one after the other until this letter greets\n"
	"\n"
	"  --to ADDRESS:PORT    where; may be repeated, then by chance\n"
	"  --clients N          at once (16)\n"
	"  --seconds S          measured (1); of await: until it gives up\n"
	"  --warm-up S          before that (0.1)\n"
	"  --cgroup DIR         enter this cgroup before anything else\n"
	"  --netns PATH         then this network namespace\n"
	"\n"
	"Prints one line of JSON. Exit status: 0 measured, 1 not, 2 wrong usage or surroundings.\n";

static const struct command {
	const char *name;
	int (*run)(const struct options *options);
} commands[] = {
	{"serve", run_serve}, {"connect", run_connect}, {"request", run_request},
	{"udp", run_udp},     {"bulk", run_bulk},       {"await", run_await},
};

static const struct option long_options[] = {
	{"port", required_argument, NULL, 'p'},
	{"name", required_argument, NULL, 'n'},
	{"to", required_argument, NULL, 't'},
	{"clients", required_argument, NULL, 'c'},
	{"seconds", required_argument, NULL, 's'},
	{"warm-up", required_argument, NULL, 'w'},
	{"cgroup", required_argument, NULL, 'g'},
	{"netns", required_argument, NULL, 'e'},
	{0},
};

void fail(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	fputs("loadgen: ", stderr);
	vfprintf(stderr, format, arguments);
	fputc('\n', stderr);
	va_end(arguments);
	exit(2);
}

uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000ull + (uint64_t)now.tv_nsec;
}

const struct sockaddr_in *next_target(const struct options *options)
{
	static uint32_t state = 2463534242;

	state ^= state << 13;
	state ^= state >> 17;
	state ^= state << 5;
	return &options->targets[state % (uint32_t)options->target_count];
}

int tcp_socket(int flags)
{
	struct linger reset = {.l_onoff = 1, .l_linger = 0};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)))
		fail("no socket: %s", strerror(errno));
	return fd;
}

void watch(int epoll, int fd, uint32_t index)
{
	struct epoll_event event = {.events = EPOLLIN, .data.u32 = index};

	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event))
		fail("epoll: %s", strerror(errno));
}

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

static int number_of(const char *option, const char *text, int most)
{
	char *end;
	long number = strtol(text, &end, 10);

	if (!*text || *end || number < 1 || number > most)
		fail("%s needs a number from 1 to %d, not '%s'", option, most, text);
	return (int)number;
}

static double seconds_of(const char *option, const char *text)
{
	char *end;
	double seconds = strtod(text, &end);

	if (!*text || *end || !(seconds >= 0 && seconds <= 3600))
		fail("%s needs seconds, at most 3600, not '%s'", option, text);
	return seconds;
}

static void add_target(struct options *options, const char *text)
{
	struct sockaddr_in *target = &options->targets[options->target_count];
	const char *colon = strrchr(text, ':');
	char address[INET_ADDRSTRLEN] = "";

	if (options->target_count == MAX_TARGETS)
		fail("at most %d targets", MAX_TARGETS);
	if (colon && (size_t)(colon - text) < sizeof(address))
		memcpy(address, text, (size_t)(colon - text));
	target->sin_family = AF_INET;
	if (inet_pton(AF_INET, address, &target->sin_addr) != 1)
		fail("--to needs ADDRESS:PORT, not '%s'", text);
	target->sin_port = htons((uint16_t)number_of("--to", colon + 1, 65535));
	options->target_count++;
}

static void parse(struct options *options, int argc, char **argv)
{
	const char *cgroup = NULL, *netns = NULL;
	int code;

	while ((code = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		switch (code) {
		case 'p':
			options->port = number_of("--port", optarg, 65535);
			break;
		case 'n':
			options->name = optarg[0];
			break;
		case 't':
			add_target(options, optarg);
			break;
		case 'c':
			options->clients = number_of("--clients", optarg, MAX_CLIENTS);
			break;
		case 's':
			options->seconds = seconds_of("--seconds", optarg);
			break;
		case 'w':
			options->warm_up = seconds_of("--warm-up", optarg);
			break;
		case 'g':
			cgroup = optarg;
			break;
		case 'e':
			netns = optarg;
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
}

int main(int argc, char **argv)
{
	struct options options = {.clients = 16, .name = 'A', .seconds = 1, .warm_up = 0.1};
	struct rlimit files = {.rlim_cur = 65536, .rlim_max = 65536};
	size_t i;

	if (argc < 2 || !strcmp(argv[1], "--help")) {
		fputs(usage, argc < 2 ? stderr : stdout);
		return argc < 2 ? 2 : 0;
	}
	setrlimit(RLIMIT_NOFILE, &files);
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(argv[1], commands[i].name))
			continue;
		parse(&options, argc - 1, argv + 1);
		if (commands[i].run == run_serve ? !options.port : !options.target_count)
			fail("%s needs %s", argv[1], commands[i].run == run_serve ? "--port" : "--to");
		return commands[i].run(&options);
	}
	fail("there is no command '%s'; --help lists them", argv[1]);
}
