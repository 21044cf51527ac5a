// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0

/*
 * Numbered datagrams at a rate, and who counts them: every single one that is lost shows, without an answer for each.
 * One that a full queue of the sender's own device refuses is sent again, and one that the counting socket had no room
 * for is counted as that.
 */

#define _GNU_SOURCE
#include "probe.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define FLOWS       8
#define MAGIC       0x6562706666736571ull
#define BURST_NS    200000 /* shorter than what queues of 256 hold at any rate meant here */
#define ROOM        (256 << 20)
#define QUIET_MS    500
#define MAX_NUMBERS (1u << 30)

struct numbered {
	uint64_t magic;
	uint64_t number;
};

static volatile sig_atomic_t stopped;

static void stop(int signal_number)
{
	(void)signal_number;
	stopped = 1;
}

static void stop_on_signals(void)
{
	struct sigaction action = {.sa_handler = stop};

	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
}

static void sleep_until(uint64_t time_ns)
{
	struct timespec time = {.tv_sec = time_ns / 1000000000, .tv_nsec = time_ns % 1000000000};

	while (!stopped && clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL) == EINTR)
		;
}

static int open_flow(const struct endpoint *to)
{
	int on = 1, fd = udp_dial(to);

	if (fd < 0)
		fail("cannot connect: %s", strerror(-fd));
	/* Else the kernel keeps to itself that its device had no room. */
	if (to->address.ss_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof(on));
	else
		setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof(on));
	return fd;
}

int run_pour(const struct options *options)
{
	struct endpoint to;
	int flows[FLOWS];
	uint64_t start, again = 0, sent = 0;

	if (options->argc != 2)
		fail("expected ADDRESS PORT");
	to = endpoint_parse(options->argv[0], options->argv[1], options->family);
	for (int i = 0; i < FLOWS; i++)
		flows[i] = open_flow(&to);
	stop_on_signals();

	start = now_ns();
	while (!stopped && sent < (uint64_t)options->count) {
		/* A sender that was held up does not make up for it in one burst. */
		uint64_t due = (now_ns() - start) * options->rate / 1000000000, burst = sent + 256;

		for (; sent < due && sent < burst && sent < (uint64_t)options->count; sent++) {
			struct numbered datagram = {MAGIC, sent};

			while (send(flows[sent % FLOWS], &datagram, sizeof(datagram), 0) < 0) {
				if (errno != ENOBUFS && errno != EAGAIN)
					fail("datagram %llu: %s", (unsigned long long)sent, strerror(errno));
				again++;
			}
		}
		sleep_until(now_ns() + BURST_NS);
	}

	json_begin();
	json_integer("sent", sent);
	json_integer("again", again);
	json_integer("ms", (now_ns() - start) / 1000000);
	json_end();
	return 0;
}

static int listen_on(const char *port)
{
	int on = 1, off = 0, room = ROOM, fd = socket(AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct endpoint local = endpoint_parse("::", port, NULL);

	if (fd < 0)
		fail("socket: %s", strerror(errno));
	setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	setsockopt(fd, SOL_SOCKET, SO_RXQ_OVFL, &on, sizeof(on));
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)))
		fail("SO_RCVBUFFORCE: %s", strerror(errno));
	if (bind(fd, (struct sockaddr *)&local.address, local.length))
		fail("cannot bind port %s: %s", port, strerror(errno));
	return fd;
}

struct count {
	uint64_t received; /* each number once */
	uint64_t twice;
	uint64_t end; /* the highest number and one */
	uint32_t overflows;
	uint8_t *seen; /* a bit for each number */
	size_t room;   /* in bytes */
};

static void note(struct count *count, uint64_t number)
{
	size_t at = number / 8;
	uint8_t bit = 1 << number % 8;

	if (number >= MAX_NUMBERS)
		fail("number %llu is none of ours", (unsigned long long)number);
	if (at >= count->room) {
		size_t room = (at + 1) * 2;

		count->seen = realloc(count->seen, room);
		if (!count->seen)
			fail("out of memory");
		memset(count->seen + count->room, 0, room - count->room);
		count->room = room;
	}
	if (count->seen[at] & bit)
		count->twice++;
	else
		count->received++;
	count->seen[at] |= bit;
	if (number >= count->end)
		count->end = number + 1;
}

/* Whether there was one. */
static bool take(int fd, struct count *count)
{
	char control[CMSG_SPACE(sizeof(uint32_t))];
	struct numbered datagram;
	struct iovec data = {.iov_base = &datagram, .iov_len = sizeof(datagram)};
	struct msghdr message = {
		.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	ssize_t got = recvmsg(fd, &message, 0);

	if (got < 0)
		return false;
	for (struct cmsghdr *part = CMSG_FIRSTHDR(&message); part; part = CMSG_NXTHDR(&message, part)) {
		if (part->cmsg_level == SOL_SOCKET && part->cmsg_type == SO_RXQ_OVFL)
			memcpy(&count->overflows, CMSG_DATA(part), sizeof(count->overflows));
	}
	if (got == sizeof(datagram) && datagram.magic == MAGIC)
		note(count, datagram.number);
	return true;
}

int run_count(const struct options *options)
{
	struct count count = {0};
	uint64_t quiet_since = 0;
	int fd;

	if (options->argc != 1)
		fail("expected PORT");
	fd = listen_on(options->argv[0]);
	stop_on_signals();
	json_begin();
	json_bool("ready", true);
	json_end();

	/* What is on its way when the signal comes is counted. */
	while (!stopped || now_ns() - quiet_since < QUIET_MS * 1000000ull) {
		struct pollfd pending = {.fd = fd, .events = POLLIN};
		bool any = false;

		while (take(fd, &count))
			any = true;
		if (any || !stopped)
			quiet_since = now_ns();
		poll(&pending, 1, QUIET_MS / 10);
	}

	json_begin();
	json_integer("received", count.received);
	json_integer("twice", count.twice);
	json_integer("end", count.end);
	json_integer("overflows", count.overflows);
	json_end();
	free(count.seen);
	close(fd);
	return 0;
}
