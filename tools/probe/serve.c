// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0

/*
 * A backend: TCP and UDP, both families on one socket, one thread. A TCP client is told "name server-end client-end"
 * and then hears its own words; a datagram is answered with "name client payload" from the address it was sent to.
 *
 * SIGUSR1: this side of every TCP connection ends. --tail N: a client that has ended its side hears "tail" N times
 * more.
 */

#define _GNU_SOURCE
#include "probe.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum source_kind { SOURCE_LISTENER, SOURCE_DATAGRAMS, SOURCE_CONNECTION, SOURCE_SIGNAL };

struct source {
	enum source_kind kind;
	int fd;
	struct source *next; /* of connections */
};

#define TAIL_INTERVAL_US 100000
#define ECHO_TIMEOUT_MS  20000

static struct source *connections;

static void forget(struct source *connection)
{
	struct source **at = &connections;

	while (*at != connection)
		at = &(*at)->next;
	*at = connection->next;
	close(connection->fd);
	free(connection);
}

static void watch(int epoll, enum source_kind kind, int fd)
{
	struct source *source = malloc(sizeof(*source));
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = source};

	if (!source)
		fail("out of memory");
	*source = (struct source){.kind = kind, .fd = fd};
	if (kind == SOURCE_CONNECTION) {
		source->next = connections;
		connections = source;
	}
	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event))
		fail("epoll_ctl: %s", strerror(errno));
}

static int listen_on(const char *address, int port, int type)
{
	char port_text[8];
	struct endpoint local;
	int fd, on = 1, off = 0;

	snprintf(port_text, sizeof(port_text), "%d", port);
	local = endpoint_parse(address, port_text, NULL);
	fd = socket(local.address.ss_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		fail("socket: %s", strerror(errno));
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (local.address.ss_family == AF_INET6) {
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
		setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on));
	} else {
		setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on));
	}
	if (bind(fd, (struct sockaddr *)&local.address, local.length))
		fail("cannot bind %s port %d: %s", address, port, strerror(errno));
	if (type == SOCK_STREAM && listen(fd, 4096))
		fail("cannot listen on %s port %d: %s", address, port, strerror(errno));
	if (type == SOCK_STREAM)
		setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN, &(int){256}, sizeof(int));
	return fd;
}

static void accept_all(int epoll, int listener, const struct options *options)
{
	for (;;) {
		char server[ENDPOINT_TEXT], client[ENDPOINT_TEXT], greeting[MAX_ANSWER];
		int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		int length;

		if (fd < 0)
			return;
		if (options->fast) {
			length = snprintf(greeting, sizeof(greeting), "%s\n", options->name);
			send(fd, greeting, length, MSG_NOSIGNAL);
			close(fd);
			continue;
		}
		length = snprintf(greeting, sizeof(greeting), "%s %s %s\n", options->name, endpoint_local(fd, server),
				  endpoint_peer(fd, client));
		send(fd, greeting, length, MSG_NOSIGNAL);
		watch(epoll, SOURCE_CONNECTION, fd);
	}
}

static bool echo(int fd)
{
	char data[65536];
	ssize_t got = recv(fd, data, sizeof(data), 0);

	if (got < 0)
		return errno == EAGAIN || errno == EINTR;
	for (ssize_t sent = 0; sent < got;) {
		ssize_t part = send(fd, data + sent, got - sent, MSG_NOSIGNAL);

		if (part < 0 && (errno != EAGAIN || wait_for(fd, POLLOUT, deadline(ECHO_TIMEOUT_MS))))
			return false;
		if (part > 0)
			sent += part;
	}
	return got;
}

/* In a process of its own: it takes its time. */
static void send_tail(int fd, int count)
{
	if (fork())
		return;
	for (int i = 0; i < count; i++) {
		if (send(fd, "tail\n", 5, MSG_NOSIGNAL) != 5)
			_exit(1);
		usleep(TAIL_INTERVAL_US);
	}
	_exit(0);
}

static void answer_all(int fd, const char *name)
{
	for (;;) {
		char data[512], answer[MAX_ANSWER], client[ENDPOINT_TEXT];
		char control[CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(sizeof(struct in_pktinfo))];
		struct endpoint from = {.length = sizeof(from.address)};
		struct iovec in = {.iov_base = data, .iov_len = sizeof(data) - 1};
		struct msghdr message = {
			.msg_name = &from.address,
			.msg_namelen = from.length,
			.msg_iov = &in,
			.msg_iovlen = 1,
			.msg_control = control,
			.msg_controllen = sizeof(control),
		};
		ssize_t got = recvmsg(fd, &message, 0);

		if (got < 0)
			return;
		data[got] = 0;
		from.length = message.msg_namelen;

		struct iovec out = {.iov_base = answer};

		out.iov_len = snprintf(answer, sizeof(answer), "%s %s %s", name, endpoint_text(&from, client), data);
		message.msg_iov = &out;
		/* The packet info goes back as it came: the answer leaves from the address that was asked. */
		for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c)) {
			if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO)
				((struct in6_pktinfo *)CMSG_DATA(c))->ipi6_ifindex = 0;
			if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO)
				((struct in_pktinfo *)CMSG_DATA(c))->ipi_ifindex = 0;
		}
		sendmsg(fd, &message, MSG_NOSIGNAL);
	}
}

static int watch_signals(void)
{
	sigset_t signals;
	int fd;

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGUSR1);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		fail("signalfd: %s", strerror(errno));
	return fd;
}

/* Whether it was the signal to end all of it. */
static bool take_signal(int fd)
{
	struct signalfd_siginfo signal_info;

	if (read(fd, &signal_info, sizeof(signal_info)) != sizeof(signal_info) || signal_info.ssi_signo != SIGUSR1)
		return true;
	for (struct source *connection = connections; connection; connection = connection->next)
		shutdown(connection->fd, SHUT_WR);
	json_begin();
	json_text("event", "ended");
	json_end();
	return false;
}

static void write_pidfile(const char *path)
{
	FILE *file = fopen(path, "w");

	if (!file || fprintf(file, "%d\n", getpid()) < 0 || fclose(file))
		fail("cannot write %s: %s", path, strerror(errno));
}

int run_serve(const struct options *options)
{
	const char *address = options->bind ? options->bind : "::";
	int epoll = epoll_create1(EPOLL_CLOEXEC);

	if (!options->name || !(options->tcp_count + options->udp_count))
		fail("serve needs --name, and --tcp or --udp");
	signal(SIGCHLD, SIG_IGN);
	watch(epoll, SOURCE_SIGNAL, watch_signals());
	for (int i = 0; i < options->tcp_count; i++)
		watch(epoll, SOURCE_LISTENER, listen_on(address, options->tcp_ports[i], SOCK_STREAM));
	for (int i = 0; i < options->udp_count; i++)
		watch(epoll, SOURCE_DATAGRAMS, listen_on(address, options->udp_ports[i], SOCK_DGRAM));
	if (options->pidfile)
		write_pidfile(options->pidfile);
	json_begin();
	json_bool("ready", true);
	json_text("name", options->name);
	json_integer("pid", getpid());
	json_end();

	for (;;) {
		struct epoll_event events[64];
		int ready = epoll_wait(epoll, events, 64, -1);

		for (int i = 0; i < ready; i++) {
			struct source *source = events[i].data.ptr;

			switch (source->kind) {
			case SOURCE_LISTENER:
				accept_all(epoll, source->fd, options);
				break;
			case SOURCE_DATAGRAMS:
				answer_all(source->fd, options->name);
				break;
			case SOURCE_CONNECTION:
				if (!echo(source->fd)) {
					if (options->tail)
						send_tail(source->fd, options->tail);
					forget(source);
				}
				break;
			case SOURCE_SIGNAL:
				if (take_signal(source->fd))
					return 0;
				break;
			}
		}
	}
}
