/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
#ifndef PROBE_H
#define PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <netinet/in.h>
#include <sys/socket.h>

#define MAX_PORTS     16
#define ENDPOINT_TEXT 64 /* [v6]:port and a NUL */
#define MAX_ANSWER    1024

/* Options of every subcommand; each reads the ones it has a use for. */
struct options {
	const char *name;
	const char *bind;
	const char *pidfile;
	const char *device;
	const char *family; /* 4, 6, mapped, or by the look of the address */
	const char *direct; /* ADDR of a backend, for checks that leave the frontend */
	int tcp_ports[MAX_PORTS];
	int tcp_count;
	int udp_ports[MAX_PORTS];
	int udp_count;
	int direct_port;
	int refused_port;
	int count;
	int rate; /* datagrams a second */
	int timeout_ms;
	int interval_ms;
	int duration_ms;
	int bucket_ms;
	int seconds;
	int bytes;
	int tail;
	int keepalive_s;
	int ttl;
	int source_port;
	const char *source; /* of a client: bound to it */
	const char *flags;  /* of a segment: letters of FSRPA */
	uint32_t sequence;
	bool connected;
	bool same_socket;
	bool fast;
	bool progress;
	int argc;
	char **argv;
};

int run_serve(const struct options *options);
int run_tcp(const struct options *options);
int run_udp(const struct options *options);
int run_many(const struct options *options);
int run_checks(const struct options *options);
int run_stream(const struct options *options);
int run_bench(const struct options *options);
int run_hold(const struct options *options);
int run_transfer(const struct options *options);
int run_trace(const struct options *options);
int run_ping(const struct options *options);
int run_segment(const struct options *options);
int run_flood(const struct options *options);
int run_watch(const struct options *options);
int run_offload(const struct options *options);
int run_pour(const struct options *options);
int run_count(const struct options *options);

/* endpoint.c */

struct endpoint {
	struct sockaddr_storage address;
	socklen_t length;
};

/* Ends the process on text that is no address or port: those come from the command line only. */
struct endpoint endpoint_parse(const char *address, const char *port, const char *family);
int port_parse(const char *text);
/* Mapped addresses are written as the IPv4 they are. */
const char *endpoint_text(const struct endpoint *endpoint, char text[ENDPOINT_TEXT]);
/* The same without the port. */
const char *endpoint_host(const struct endpoint *endpoint, char text[ENDPOINT_TEXT]);
const char *endpoint_local(int fd, char text[ENDPOINT_TEXT]);
const char *endpoint_peer(int fd, char text[ENDPOINT_TEXT]);

/* exchange.c: each returns 0 or more, or a negative errno. What took too long is -ETIME: ETIMEDOUT is the kernel's. */

struct answer {
	char backend[64];
	char server[ENDPOINT_TEXT]; /* the server's own end; empty over UDP */
	char client[ENDPOINT_TEXT]; /* the client as the server sees it */
	char payload[MAX_ANSWER];   /* over UDP: what was sent */
};

int tcp_dial(const struct endpoint *to, int timeout_ms);
/* With --source, --source-port, --ttl and --keepalive. */
int tcp_dial_as(const struct endpoint *to, const struct options *options);
int socket_prepare(int fd, const struct endpoint *to, const struct options *options);
struct endpoint source_of(const struct endpoint *to, const struct options *options);
int wait_for(int fd, short events, uint64_t deadline_ns);
uint64_t deadline(int timeout_ms);
int tcp_finish(int fd, int timeout_ms);
int tcp_greeting(int fd, struct answer *answer, int timeout_ms);
int tcp_say(int fd, const char *line);
int tcp_hear(int fd, const char *line, int timeout_ms);
int tcp_echo(int fd, const char *line, int timeout_ms);
int udp_open(const struct endpoint *to);
int udp_dial(const struct endpoint *to);
int udp_receive(int fd, struct answer *answer, struct endpoint *from, int timeout_ms);
/* Sends the payload and waits for the answer to it. A null address sends to the connected peer. */
int udp_exchange(int fd, const struct endpoint *to, const char *payload, struct answer *answer, struct endpoint *from,
		 int timeout_ms);
void close_with_reset(int fd);
uint64_t now_ns(void);

/* report.c: JSON, one object per line. */

struct tally_entry {
	char key[320];
	uint64_t count;
};

struct tally {
	struct tally_entry *entries;
	size_t used;
};

void tally_add(struct tally *tally, const char *key);
void tally_add_error(struct tally *tally, int error);
uint64_t tally_total(const struct tally *tally);
void tally_free(struct tally *tally);

void json_begin(void);
void json_end(void);
void json_open(const char *key);
void json_close(void);
void json_open_list(const char *key);
void json_close_list(void);
void json_number(const char *key, double value);
void json_integer(const char *key, uint64_t value);
void json_bool(const char *key, bool value);
void json_text(const char *key, const char *value);
void json_tally(const char *key, const struct tally *tally);

_Noreturn void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
