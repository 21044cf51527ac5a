// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0

/* Many bytes there and back over one connection, compared with what was sent. */

#define _GNU_SOURCE
#include "probe.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define IDLE_MS 10000

/* No period that a lost or repeated segment could hide behind. */
static uint8_t byte_at(uint64_t position)
{
	return (position * 2654435761u) >> 13;
}

static int send_some(int fd, uint64_t *sent, uint64_t total)
{
	uint8_t data[65536];
	uint64_t length = total - *sent < sizeof(data) ? total - *sent : sizeof(data);
	ssize_t done;

	for (uint64_t i = 0; i < length; i++)
		data[i] = byte_at(*sent + i);
	done = send(fd, data, length, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (done < 0)
		return errno == EAGAIN ? 0 : -errno;
	*sent += done;
	return 0;
}

static int receive_some(int fd, uint64_t *received)
{
	uint8_t data[65536];
	ssize_t got = recv(fd, data, sizeof(data), MSG_DONTWAIT);

	if (!got)
		return -EPIPE;
	if (got < 0)
		return errno == EAGAIN ? 0 : -errno;
	for (ssize_t i = 0; i < got; i++) {
		if (data[i] != byte_at(*received + i))
			return -EPROTO;
	}
	*received += got;
	return 0;
}

static int transfer(int fd, uint64_t total, uint64_t *received)
{
	uint64_t sent = 0;

	while (*received < total) {
		short events = sent < total ? POLLIN | POLLOUT : POLLIN;
		int error = wait_for(fd, events, deadline(IDLE_MS));

		if (!error && sent < total)
			error = send_some(fd, &sent, total);
		if (!error)
			error = receive_some(fd, received);
		if (error)
			return error;
	}
	return 0;
}

static int path_mtu(int fd, bool is_v4)
{
	int mtu = 0;
	socklen_t length = sizeof(mtu);

	getsockopt(fd, is_v4 ? IPPROTO_IP : IPPROTO_IPV6, is_v4 ? IP_MTU : IPV6_MTU, &mtu, &length);
	return mtu;
}

int run_transfer(const struct options *options)
{
	struct tally failures = {0}, backends = {0};
	struct tcp_info info = {0};
	socklen_t length = sizeof(info);
	uint64_t received = 0;
	struct answer answer;
	struct endpoint to;
	int fd, error, mtu = 0;

	if (options->argc != 2)
		fail("expected ADDRESS PORT");
	to = endpoint_parse(options->argv[0], options->argv[1], options->family);
	fd = tcp_dial_as(&to, options);
	error = fd < 0 ? fd : tcp_greeting(fd, &answer, options->timeout_ms);
	if (!error)
		error = transfer(fd, options->bytes, &received);
	if (fd >= 0) {
		mtu = path_mtu(fd, to.address.ss_family == AF_INET);
		getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length);
		close(fd);
	}
	if (error)
		tally_add_error(&failures, error);
	else
		tally_add(&backends, answer.backend);
	json_begin();
	json_integer("succeeded", !error);
	json_integer("failed", !!error);
	json_tally("backends", &backends);
	json_tally("failures", &failures);
	json_integer("bytes", received);
	json_integer("mtu", mtu);
	json_integer("retransmits", info.tcpi_total_retrans);
	json_end();
	return 0;
}
