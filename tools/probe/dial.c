// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0

/* Many short conversations with one address: who answered, who was seen as the peer, and what failed how. */

#define _GNU_SOURCE
#include "probe.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct summary {
	struct tally backends;
	struct tally failures;
	struct tally peernames;    /* getpeername() of the client's socket */
	struct tally from;         /* recvfrom() */
	struct tally sources;      /* the client, as the server sees it, without the port */
	struct tally destinations; /* the server's own end */
};

static void report_counts(const struct summary *summary)
{
	json_integer("succeeded", tally_total(&summary->backends));
	json_integer("failed", tally_total(&summary->failures));
	json_tally("backends", &summary->backends);
	json_tally("failures", &summary->failures);
}

static void strip_port(char *endpoint)
{
	char *colon = strrchr(endpoint, ':');

	if (colon)
		*colon = 0;
}

static void note_answer(struct summary *summary, struct answer *answer)
{
	tally_add(&summary->backends, answer->backend);
	strip_port(answer->client);
	tally_add(&summary->sources, answer->client);
	if (*answer->server)
		tally_add(&summary->destinations, answer->server);
}

static struct endpoint target_of(const struct options *options)
{
	if (options->argc != 2)
		fail("expected ADDRESS PORT");
	return endpoint_parse(options->argv[0], options->argv[1], options->family);
}

int run_tcp(const struct options *options)
{
	struct endpoint to = target_of(options);
	struct summary summary = {0};
	uint64_t start = now_ns();

	for (int i = 0; i < options->count; i++) {
		char text[ENDPOINT_TEXT];
		struct answer answer;
		int fd = tcp_dial_as(&to, options);
		int error;

		if (fd < 0) {
			tally_add_error(&summary.failures, fd);
			continue;
		}
		tally_add(&summary.peernames, endpoint_peer(fd, text));
		error = tcp_greeting(fd, &answer, options->timeout_ms);
		if (error)
			tally_add_error(&summary.failures, error);
		else
			note_answer(&summary, &answer);
		close(fd);
	}
	json_begin();
	report_counts(&summary);
	json_tally("peernames", &summary.peernames);
	json_tally("sources", &summary.sources);
	json_tally("destinations", &summary.destinations);
	json_number("elapsed_ms", (now_ns() - start) / 1e6);
	json_end();
	return 0;
}

static int udp_prepare(const struct options *options, const struct endpoint *to)
{
	int fd = udp_open(to);
	int error;

	if (fd < 0)
		return fd;
	error = socket_prepare(fd, to, options);
	if (!error && options->connected && connect(fd, (const struct sockaddr *)&to->address, to->length))
		error = -errno;
	if (!error)
		return fd;
	close(fd);
	return error;
}

int run_udp(const struct options *options)
{
	struct endpoint to = target_of(options);
	struct summary summary = {0};
	uint64_t start = now_ns();
	int fd = -1;

	for (int i = 0; i < options->count; i++) {
		char text[ENDPOINT_TEXT], payload[32];
		struct endpoint from;
		struct answer answer;
		int error;

		if (fd < 0)
			fd = udp_prepare(options, &to);
		if (fd < 0) {
			tally_add_error(&summary.failures, fd);
			continue;
		}
		if (options->connected)
			tally_add(&summary.peernames, endpoint_peer(fd, text));
		snprintf(payload, sizeof(payload), "q%d", i);
		error = udp_exchange(fd, options->connected ? NULL : &to, payload, &answer, &from, options->timeout_ms);
		if (error) {
			tally_add_error(&summary.failures, error);
		} else {
			note_answer(&summary, &answer);
			tally_add(&summary.from, endpoint_text(&from, text));
		}
		if (!options->same_socket) {
			close(fd);
			fd = -1;
		}
	}
	json_begin();
	report_counts(&summary);
	json_tally("from", &summary.from);
	json_tally("peernames", &summary.peernames);
	json_tally("sources", &summary.sources);
	json_number("elapsed_ms", (now_ns() - start) / 1e6);
	json_end();
	return 0;
}

#define MAX_TARGETS 32

/* Hears the answers to one round. A target that is not awaited any more has answered, or was never sent to. */
static void collect(int fd, struct summary *summaries, bool *awaited, int targets, int round, int timeout_ms)
{
	int pending = 0;

	for (int i = 0; i < targets; i++)
		pending += awaited[i];
	while (pending > 0) {
		char text[ENDPOINT_TEXT];
		struct endpoint from;
		struct answer answer;
		int target, of_round;

		if (udp_receive(fd, &answer, &from, timeout_ms))
			break;
		if (sscanf(answer.payload, "q%d.%d", &of_round, &target) != 2 || of_round != round || target < 0 ||
		    target >= targets || !awaited[target])
			continue;
		awaited[target] = false;
		pending--;
		note_answer(&summaries[target], &answer);
		tally_add(&summaries[target].from, endpoint_text(&from, text));
	}
	for (int i = 0; i < targets; i++) {
		if (awaited[i])
			tally_add(&summaries[i].failures, "timeout");
	}
}

/* One unconnected socket asks all targets at once, then hears the answers in whatever order they come. */
int run_many(const struct options *options)
{
	struct summary summaries[MAX_TARGETS] = {0};
	struct endpoint to[MAX_TARGETS];
	int targets = options->argc / 2;
	int fd;

	if (!targets || options->argc % 2 || targets > MAX_TARGETS)
		fail("udp-many takes ADDRESS PORT pairs, at most %d", MAX_TARGETS);
	for (int i = 0; i < targets; i++)
		to[i] = endpoint_parse(options->argv[2 * i], options->argv[2 * i + 1], options->family);
	fd = udp_open(&to[0]);
	if (fd < 0)
		fail("socket: %s", strerror(-fd));

	for (int round = 0; round < options->count; round++) {
		bool awaited[MAX_TARGETS];

		for (int i = 0; i < targets; i++) {
			char payload[32];
			int length = snprintf(payload, sizeof(payload), "q%d.%d", round, i);

			awaited[i] =
				sendto(fd, payload, length, 0, (struct sockaddr *)&to[i].address, to[i].length) >= 0;
			if (!awaited[i])
				tally_add_error(&summaries[i].failures, -errno);
		}
		collect(fd, summaries, awaited, targets, round, options->timeout_ms);
	}

	json_begin();
	json_open("targets");
	for (int i = 0; i < targets; i++) {
		char text[ENDPOINT_TEXT];

		json_open(endpoint_text(&to[i], text));
		report_counts(&summaries[i]);
		json_tally("from", &summaries[i].from);
		json_close();
	}
	json_close();
	json_end();
	return 0;
}
