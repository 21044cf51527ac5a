// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0

/*
 * What comes back for a hop limit. Errors are read from the socket's error queue: the kernel puts one there only when
 * the packet it quotes is one that this socket sent.
 */

#define _GNU_SOURCE
#include "probe.h"

#include <errno.h>
#include <linux/errqueue.h>
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* "TYPE/CODE from ADDRESS", or null when there is none. */
static const char *queued_error(int fd, char text[96])
{
	char control[512], data[512];
	struct iovec in = {.iov_base = data, .iov_len = sizeof(data)};
	struct msghdr message = {
		.msg_iov = &in, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};

	if (recvmsg(fd, &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
		return NULL;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c)) {
		struct sock_extended_err *error = (void *)CMSG_DATA(c);
		struct endpoint offender = {0};
		char host[ENDPOINT_TEXT];

		if (!(c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR) &&
		    !(c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR))
			continue;
		if (error->ee_origin != SO_EE_ORIGIN_ICMP && error->ee_origin != SO_EE_ORIGIN_ICMP6)
			continue;
		memcpy(&offender.address, SO_EE_OFFENDER(error),
		       error->ee_origin == SO_EE_ORIGIN_ICMP ? sizeof(struct sockaddr_in)
							     : sizeof(struct sockaddr_in6));
		snprintf(text, 96, "%d/%d from %s", error->ee_type, error->ee_code, endpoint_host(&offender, host));
		return text;
	}
	return NULL;
}

static int trace_open(const struct endpoint *to, const struct options *options, bool tcp, int ttl)
{
	bool is_v4 = to->address.ss_family == AF_INET;
	struct options with_ttl = *options;
	int fd = socket(to->address.ss_family, (tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int on = 1;

	if (fd < 0)
		fail("socket: %s", strerror(errno));
	with_ttl.ttl = ttl;
	if (socket_prepare(fd, to, &with_ttl))
		fail("cannot bind: %s", strerror(errno));
	setsockopt(fd, is_v4 ? IPPROTO_IP : IPPROTO_IPV6, is_v4 ? IP_RECVERR : IPV6_RECVERR, &on, sizeof(on));
	return fd;
}

static const char *hop(const struct endpoint *to, const struct options *options, bool tcp, int ttl, char text[96])
{
	int fd = trace_open(to, options, tcp, ttl);
	const char *queued;
	struct answer answer = {0};
	struct endpoint from;
	int error;

	error = connect(fd, (const struct sockaddr *)&to->address, to->length);
	if (!tcp && !error && send(fd, "q", 1, 0) < 0)
		error = -1;
	if (tcp)
		error = error && errno == EINPROGRESS ? tcp_finish(fd, options->timeout_ms) : 0;
	else
		wait_for(fd, POLLIN, deadline(options->timeout_ms));
	queued = queued_error(fd, text);
	if (queued) {
		close(fd);
		return queued;
	}
	if (!error)
		error = tcp ? tcp_greeting(fd, &answer, options->timeout_ms)
			    : udp_receive(fd, &answer, &from, options->timeout_ms);
	close(fd);
	snprintf(text, 96, "%.60s", error ? (error == -ETIME ? "timeout" : strerrorname_np(-error)) : answer.backend);
	return text;
}

int run_trace(const struct options *options)
{
	struct endpoint to;
	bool tcp;

	if (options->argc != 3 || (strcmp(options->argv[0], "tcp") && strcmp(options->argv[0], "udp")))
		fail("expected tcp|udp ADDRESS PORT");
	tcp = !strcmp(options->argv[0], "tcp");
	to = endpoint_parse(options->argv[1], options->argv[2], options->family);
	json_begin();
	for (int ttl = 1; ttl <= options->count; ttl++) {
		char text[96], key[8];

		snprintf(key, sizeof(key), "%d", ttl);
		json_text(key, hop(&to, options, tcp, ttl, text));
	}
	json_end();
	return 0;
}

/* A raw socket sees every answer there is, also one that nobody waits for: the identifier tells ours. */
static void ping_once(int fd, const struct endpoint *to, bool is_v4, int number, int timeout_ms, struct tally *answers)
{
	struct icmphdr request = {.type = is_v4 ? ICMP_ECHO : ICMP6_ECHO_REQUEST};
	uint64_t until = deadline(timeout_ms);
	uint32_t sum = 0;

	request.un.echo.id = htons(getpid() & 0xffff);
	request.un.echo.sequence = htons(number);
	if (is_v4) {
		for (size_t i = 0; i < sizeof(request) / 2; i++)
			sum += ((uint16_t *)&request)[i];
		request.checksum = ~(sum + (sum >> 16));
	}
	if (sendto(fd, &request, sizeof(request), 0, (const struct sockaddr *)&to->address, to->length) < 0) {
		tally_add_error(answers, -errno);
		return;
	}
	while (!wait_for(fd, POLLIN, until)) {
		uint8_t data[1500];
		ssize_t got = recv(fd, data, sizeof(data), MSG_DONTWAIT);
		size_t header = is_v4 ? (data[0] & 15) * 4 : 0;
		struct icmphdr *answer = (void *)(data + header);
		char text[32];

		if (got < (ssize_t)(header + sizeof(*answer)) || answer->type == request.type)
			continue;
		if (answer->type == (is_v4 ? ICMP_ECHOREPLY : ICMP6_ECHO_REPLY) &&
		    answer->un.echo.id != request.un.echo.id)
			continue;
		snprintf(text, sizeof(text), "%d/%d", answer->type, answer->code);
		tally_add(answers, text);
		return;
	}
	tally_add(answers, "timeout");
}

int run_ping(const struct options *options)
{
	struct tally answers = {0};
	struct endpoint to;
	bool is_v4;
	int fd;

	if (options->argc != 1)
		fail("expected ADDRESS");
	to = endpoint_parse(options->argv[0], "0", options->family);
	is_v4 = to.address.ss_family == AF_INET;
	fd = socket(to.address.ss_family, SOCK_RAW, is_v4 ? IPPROTO_ICMP : IPPROTO_ICMPV6);
	if (fd < 0)
		fail("socket: %s", strerror(errno));
	if (!is_v4) {
		struct icmp6_filter filter;

		/* Of neighbours and routers there is always some talk. */
		ICMP6_FILTER_SETPASSALL(&filter);
		for (int type = ND_ROUTER_SOLICIT; type <= ND_REDIRECT; type++)
			ICMP6_FILTER_SETBLOCK(type, &filter);
		ICMP6_FILTER_SETBLOCK(143, &filter);
		setsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, &filter, sizeof(filter));
	}
	for (int i = 0; i < options->count; i++)
		ping_once(fd, &to, is_v4, i, options->timeout_ms, &answers);
	json_begin();
	json_tally("answers", &answers);
	json_end();
	return 0;
}
