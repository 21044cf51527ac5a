// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0

/* What an application may do with a socket besides connect(), read() and write(), and must find: checks by name. */

#define _GNU_SOURCE
#include "probe.h"

#include <errno.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct context {
	const struct options *options;
	struct endpoint to;
	char to_text[ENDPOINT_TEXT];
	struct endpoint direct;
	char direct_text[ENDPOINT_TEXT];
	bool ok;       /* of all checks so far */
	char why[256]; /* of the present check; empty: nothing wrong */
};

static bool wrong(struct context *context, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(context->why, sizeof(context->why), format, arguments);
	va_end(arguments);
	return false;
}

static bool expect_text(struct context *context, const char *what, const char *expected, const char *found)
{
	return !strcmp(expected, found) || wrong(context, "%s is %s, not %s", what, found, expected);
}

static bool expect_peer(struct context *context, int fd, const char *expected)
{
	char text[ENDPOINT_TEXT];

	return expect_text(context, "getpeername", expected, endpoint_peer(fd, text));
}

static bool expect_greeting(struct context *context, int fd, struct answer *answer)
{
	int error = tcp_greeting(fd, answer, context->options->timeout_ms);

	return !error || wrong(context, "no greeting: %s", strerrorname_np(-error));
}

static int tcp_socket(const struct context *context)
{
	int fd = socket(context->to.address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		fail("socket: %s", strerror(errno));
	return fd;
}

static bool dial(struct context *context, int fd, const struct endpoint *to)
{
	int error = 0;

	if (connect(fd, (const struct sockaddr *)&to->address, to->length))
		error = errno == EINPROGRESS ? tcp_finish(fd, context->options->timeout_ms) : -errno;
	return !error || wrong(context, "connect: %s", strerrorname_np(-error));
}

/* A local port chosen before connect() stays, and the server sees the very end that getsockname() shows. */
static bool check_getsockname(struct context *context, int fd)
{
	struct endpoint any = {.address.ss_family = context->to.address.ss_family, .length = context->to.length};
	char before[ENDPOINT_TEXT], after[ENDPOINT_TEXT];
	struct answer answer;

	if (bind(fd, (struct sockaddr *)&any.address, any.length))
		return wrong(context, "bind: %s", strerrorname_np(errno));
	endpoint_local(fd, before);
	if (!dial(context, fd, &context->to) || !expect_greeting(context, fd, &answer))
		return false;
	endpoint_local(fd, after);
	return expect_text(context, "the local port", strrchr(before, ':'), strrchr(after, ':')) &&
	       expect_text(context, "the client at the server", after, answer.client);
}

static bool check_bind_to_device(struct context *context, int fd)
{
	const char *device = context->options->device;
	char bound[IFNAMSIZ] = "";
	socklen_t length = sizeof(bound);
	struct answer answer;

	if (setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device, strlen(device) + 1))
		return wrong(context, "SO_BINDTODEVICE %s: %s", device, strerrorname_np(errno));
	if (!dial(context, fd, &context->to) || !expect_greeting(context, fd, &answer))
		return false;
	getsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, bound, &length);
	return expect_text(context, "the device", device, bound) && expect_peer(context, fd, context->to_text);
}

static bool check_fastopen(struct context *context, int fd)
{
	static const char early[] = "early\n";
	uint64_t until = now_ns() + context->options->timeout_ms * 1000000ull;
	char line[sizeof(early)] = "";
	struct answer answer;
	ssize_t sent = sendto(fd, early, strlen(early), MSG_FASTOPEN | MSG_NOSIGNAL,
			      (struct sockaddr *)&context->to.address, context->to.length);
	int error;

	/* Without a cookie yet the kernel connects first and sends nothing. */
	if (sent < 0 && errno != EINPROGRESS)
		return wrong(context, "sendto: %s", strerrorname_np(errno));
	error = tcp_finish(fd, context->options->timeout_ms);
	if (error)
		return wrong(context, "connect: %s", strerrorname_np(-error));
	if (sent < 0 && send(fd, early, strlen(early), MSG_NOSIGNAL) < 0)
		return wrong(context, "send: %s", strerrorname_np(errno));
	if (!expect_greeting(context, fd, &answer) || !expect_peer(context, fd, context->to_text))
		return false;
	for (size_t used = 0; used < strlen(early);) {
		ssize_t got = recv(fd, line + used, strlen(early) - used, MSG_DONTWAIT);

		if (got > 0)
			used += got;
		else if (!got || errno != EAGAIN || now_ns() > until)
			return wrong(context, "the early data did not come back");
		else
			usleep(1000);
	}
	return expect_text(context, "the echo", early, line);
}

static bool undo_connect(struct context *context, int fd)
{
	struct sockaddr unspecified = {.sa_family = AF_UNSPEC};

	return !connect(fd, &unspecified, sizeof(unspecified)) ||
	       wrong(context, "connect(AF_UNSPEC): %s", strerrorname_np(errno));
}

/* The same socket, first through the frontend, then straight to a backend: then it must see the backend. */
static bool check_unspec_tcp(struct context *context, int fd)
{
	struct answer answer;

	return dial(context, fd, &context->to) && expect_greeting(context, fd, &answer) &&
	       expect_peer(context, fd, context->to_text) && undo_connect(context, fd) &&
	       dial(context, fd, &context->direct) && expect_greeting(context, fd, &answer) &&
	       expect_peer(context, fd, context->direct_text);
}

static bool udp_ask(struct context *context, int fd, const struct endpoint *to, const char *payload,
		    const char *expected_from)
{
	char text[ENDPOINT_TEXT];
	struct endpoint from;
	struct answer answer;
	int error = udp_exchange(fd, to, payload, &answer, &from, context->options->timeout_ms);

	if (error)
		return wrong(context, "no answer: %s", error == -ETIME ? "timeout" : strerrorname_np(-error));
	return expect_text(context, "recvfrom", expected_from, endpoint_text(&from, text));
}

static bool check_unspec_udp(struct context *context, int fd)
{
	return dial(context, fd, &context->to) && expect_peer(context, fd, context->to_text) &&
	       udp_ask(context, fd, NULL, "one", context->to_text) && undo_connect(context, fd) &&
	       dial(context, fd, &context->direct) && expect_peer(context, fd, context->direct_text) &&
	       udp_ask(context, fd, NULL, "two", context->direct_text);
}

/* A UDP socket may change its peer without undoing the first one, and back. */
static bool check_reconnect_udp(struct context *context, int fd)
{
	return dial(context, fd, &context->to) && udp_ask(context, fd, NULL, "one", context->to_text) &&
	       dial(context, fd, &context->direct) && expect_peer(context, fd, context->direct_text) &&
	       udp_ask(context, fd, NULL, "two", context->direct_text) && dial(context, fd, &context->to) &&
	       expect_peer(context, fd, context->to_text) && udp_ask(context, fd, NULL, "three", context->to_text);
}

/* A connected socket may name an address all the same. Its peer must stay what it was. */
static bool check_connected_sendto(struct context *context, int fd)
{
	return dial(context, fd, &context->to) && udp_ask(context, fd, &context->to, "one", context->to_text) &&
	       expect_peer(context, fd, context->to_text) && udp_ask(context, fd, NULL, "two", context->to_text);
}

static bool check_nonblocking(struct context *context, int fd)
{
	int error = -1;
	socklen_t length = sizeof(error);
	struct answer answer;

	if (!connect(fd, (struct sockaddr *)&context->to.address, context->to.length) || errno != EINPROGRESS)
		return wrong(context, "connect() did not say EINPROGRESS");
	if (tcp_finish(fd, context->options->timeout_ms) || getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) ||
	    error)
		return wrong(context, "SO_ERROR is %s", strerrorname_np(error));
	return expect_peer(context, fd, context->to_text) && expect_greeting(context, fd, &answer);
}

/* Refused at once, by connect() itself, and the socket can be used for another attempt. */
static bool check_nonblocking_refused(struct context *context, int fd)
{
	struct endpoint refused = context->to;
	struct answer answer;

	/* The port is at the same place in both families' structures. */
	((struct sockaddr_in *)&refused.address)->sin_port = htons(context->options->refused_port);
	if (!connect(fd, (struct sockaddr *)&refused.address, refused.length))
		return wrong(context, "connected to port %d", context->options->refused_port);
	if (errno != ECONNREFUSED)
		return wrong(context, "connect: %s, not ECONNREFUSED", strerrorname_np(errno));
	return dial(context, fd, &context->to) && expect_greeting(context, fd, &answer) &&
	       expect_peer(context, fd, context->to_text);
}

static void run_check(struct context *context, const char *name, int fd, bool (*check)(struct context *, int))
{
	bool ok;

	context->why[0] = 0;
	ok = check(context, fd);
	close(fd);
	context->ok &= ok;
	json_open(name);
	json_bool("ok", ok);
	if (!ok)
		json_text("why", context->why);
	json_close();
}

static int udp_socket(const struct context *context)
{
	int fd = udp_open(&context->to);

	if (fd < 0)
		fail("socket: %s", strerror(-fd));
	return fd;
}

static void run_tcp_checks(struct context *context)
{
	run_check(context, "getsockname", tcp_socket(context), check_getsockname);
	run_check(context, "nonblocking", tcp_socket(context), check_nonblocking);
	/* Twice: the first may only fetch the cookie, the second then carries data in its SYN. */
	run_check(context, "fastopen", tcp_socket(context), check_fastopen);
	run_check(context, "fastopen_again", tcp_socket(context), check_fastopen);
	if (context->options->device)
		run_check(context, "bind_to_device", tcp_socket(context), check_bind_to_device);
	if (context->options->direct)
		run_check(context, "unspec", tcp_socket(context), check_unspec_tcp);
	if (context->options->refused_port)
		run_check(context, "nonblocking_refused", tcp_socket(context), check_nonblocking_refused);
}

static void run_udp_checks(struct context *context)
{
	run_check(context, "connected_sendto", udp_socket(context), check_connected_sendto);
	if (context->options->direct) {
		run_check(context, "unspec", udp_socket(context), check_unspec_udp);
		run_check(context, "reconnect", udp_socket(context), check_reconnect_udp);
	}
}

int run_checks(const struct options *options)
{
	struct context context = {.options = options, .ok = true};
	bool tcp;

	if (options->argc != 3 || (strcmp(options->argv[0], "tcp") && strcmp(options->argv[0], "udp")))
		fail("expected tcp|udp ADDRESS PORT");
	tcp = !strcmp(options->argv[0], "tcp");
	context.to = endpoint_parse(options->argv[1], options->argv[2], options->family);
	endpoint_text(&context.to, context.to_text);
	if (options->direct) {
		char port[8];

		snprintf(port, sizeof(port), "%d", options->direct_port);
		context.direct = endpoint_parse(options->direct, port, options->family);
		endpoint_text(&context.direct, context.direct_text);
	}

	json_begin();
	if (tcp)
		run_tcp_checks(&context);
	else
		run_udp_checks(&context);
	json_bool("ok", context.ok);
	json_end();
	return context.ok ? 0 : 1;
}
