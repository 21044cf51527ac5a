// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0

/* Below sockets: segments that belong to none, frames as they pass a device, and who computes checksums. */

#define _GNU_SOURCE
#include "probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static uint32_t sum_of(const void *data, size_t length, uint32_t sum)
{
	const uint8_t *bytes = data;

	for (size_t i = 0; i + 1 < length; i += 2)
		sum += bytes[i] << 8 | bytes[i + 1];
	return sum;
}

/* Of IPv4; the kernel fills in that of IPv6. */
static uint16_t segment_checksum(const struct tcphdr *tcp, const struct sockaddr_in *from, const struct sockaddr_in *to)
{
	uint32_t sum = sum_of(tcp, sizeof(*tcp), IPPROTO_TCP + sizeof(*tcp));

	sum = sum_of(&from->sin_addr, 4, sum);
	sum = sum_of(&to->sin_addr, 4, sum);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons(~sum);
}

int run_segment(const struct options *options)
{
	struct tcphdr tcp = {.doff = sizeof(tcp) / 4, .window = htons(1000), .seq = htonl(options->sequence)};
	int checksum_at = offsetof(struct tcphdr, check), fd;
	struct endpoint to, from;
	bool is_v4;

	if (options->argc != 2 || !options->source || !options->source_port || !options->flags)
		fail("segment takes ADDRESS PORT --source ADDRESS --source-port PORT --flags FSRPA");
	to = endpoint_parse(options->argv[0], options->argv[1], NULL);
	from = source_of(&to, options);
	is_v4 = to.address.ss_family == AF_INET;
	tcp.source = htons(options->source_port);
	tcp.dest = ((struct sockaddr_in *)&to.address)->sin_port;
	tcp.fin = !!strchr(options->flags, 'F');
	tcp.syn = !!strchr(options->flags, 'S');
	tcp.rst = !!strchr(options->flags, 'R');
	tcp.psh = !!strchr(options->flags, 'P');
	tcp.ack = !!strchr(options->flags, 'A');

	fd = socket(to.address.ss_family, SOCK_RAW, IPPROTO_TCP);
	/* Raw sockets have no ports, but the addresses carry them here. */
	((struct sockaddr_in *)&from.address)->sin_port = ((struct sockaddr_in *)&to.address)->sin_port = 0;
	if (fd < 0 || bind(fd, (struct sockaddr *)&from.address, from.length))
		fail("raw socket: %s", strerror(errno));
	if (is_v4)
		tcp.check =
			segment_checksum(&tcp, (struct sockaddr_in *)&from.address, (struct sockaddr_in *)&to.address);
	else
		setsockopt(fd, IPPROTO_IPV6, IPV6_CHECKSUM, &checksum_at, sizeof(checksum_at));
	if (sendto(fd, &tcp, sizeof(tcp), 0, (struct sockaddr *)&to.address, to.length) < 0)
		fail("cannot send: %s", strerror(errno));
	json_begin();
	json_bool("sent", true);
	json_end();
	return 0;
}

#define FLOOD_BATCH 20

/* From 198.18.0.0/15, which is for such purposes. */
int run_flood(const struct options *options)
{
	struct {
		struct iphdr ip;
		struct tcphdr tcp;
	} packet = {0};
	struct endpoint to;
	int fd;

	if (options->argc != 2)
		fail("expected ADDRESS PORT");
	to = endpoint_parse(options->argv[0], options->argv[1], "4");
	fd = socket(AF_INET, SOCK_RAW, IPPROTO_RAW);
	if (fd < 0)
		fail("raw socket: %s", strerror(errno));
	packet.ip = (struct iphdr){.version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_TCP};
	packet.ip.daddr = ((struct sockaddr_in *)&to.address)->sin_addr.s_addr;
	packet.tcp = (struct tcphdr){.doff = 5, .syn = 1, .window = htons(1000)};
	packet.tcp.dest = ((struct sockaddr_in *)&to.address)->sin_port;
	for (uint32_t n = 0; n < (uint32_t)options->count; n++) {
		uint32_t i = options->sequence + n;
		struct sockaddr_in from = {.sin_addr.s_addr = htonl(0xc6120000 | (i & 0x1ffff))};

		if (n && n % FLOOD_BATCH == 0)
			usleep(options->interval_ms * 1000);

		packet.ip.saddr = from.sin_addr.s_addr;
		packet.tcp.source = htons(1024 + i % 60000);
		packet.tcp.seq = i;
		packet.tcp.check = 0;
		packet.tcp.check = segment_checksum(&packet.tcp, &from, (struct sockaddr_in *)&to.address);
		if (sendto(fd, &packet, sizeof(packet), 0, (struct sockaddr *)&to.address, to.length) < 0 &&
		    errno != ENOBUFS)
			fail("cannot send: %s", strerror(errno));
	}
	json_begin();
	json_integer("sent", options->count);
	json_end();
	return 0;
}

/* A packet, and where its parts are. Addresses are shown as sockets show them. */
struct view {
	struct endpoint from, to;
	int protocol, ttl;
	bool is_part; /* of a datagram, and not its first */
	const uint8_t *transport, *end;
};

static void view_address(struct endpoint *endpoint, int family, const void *address)
{
	*endpoint = (struct endpoint){.length = sizeof(struct sockaddr_in6)};
	endpoint->address.ss_family = family;
	if (family == AF_INET)
		memcpy(&((struct sockaddr_in *)&endpoint->address)->sin_addr, address, 4);
	else
		memcpy(&((struct sockaddr_in6 *)&endpoint->address)->sin6_addr, address, 16);
}

static bool view_packet(struct view *view, const uint8_t *data, const uint8_t *end)
{
	const struct iphdr *v4 = (const void *)data;
	const struct ip6_hdr *v6 = (const void *)data;

	*view = (struct view){.end = end};
	if (end - data >= (ssize_t)sizeof(*v4) && v4->version == 4) {
		view_address(&view->from, AF_INET, &v4->saddr);
		view_address(&view->to, AF_INET, &v4->daddr);
		view->protocol = v4->protocol;
		view->ttl = v4->ttl;
		view->is_part = v4->frag_off & htons(0x1fff);
		view->transport = data + v4->ihl * 4;
	} else if (end - data >= (ssize_t)sizeof(*v6) && data[0] >> 4 == 6) {
		view_address(&view->from, AF_INET6, &v6->ip6_src);
		view_address(&view->to, AF_INET6, &v6->ip6_dst);
		view->protocol = v6->ip6_nxt;
		view->ttl = v6->ip6_hlim;
		view->transport = data + sizeof(*v6);
	} else {
		return false;
	}
	if (end - view->transport < 8)
		view->is_part = true;
	if (!view->is_part && (view->protocol == IPPROTO_TCP || view->protocol == IPPROTO_UDP)) {
		memcpy(&((struct sockaddr_in *)&view->from.address)->sin_port, view->transport, 2);
		memcpy(&((struct sockaddr_in *)&view->to.address)->sin_port, view->transport + 2, 2);
	}
	return true;
}

static bool is_watched(const struct view *view, const struct options *options)
{
	char from[ENDPOINT_TEXT], to[ENDPOINT_TEXT];

	endpoint_host(&view->from, from);
	endpoint_host(&view->to, to);
	for (int i = 1; i < options->argc; i++) {
		if (!strcmp(options->argv[i], from) || !strcmp(options->argv[i], to))
			return true;
	}
	return options->argc == 1;
}

/* "in tcp 192.0.2.10:40000 > 10.10.0.1:30080 ttl 64 S"; an ICMP error ends with the packet that it quotes. */
static void note_frame(struct tally *frames, const struct options *options, bool outgoing, const uint8_t *data,
		       const uint8_t *end)
{
	char from[ENDPOINT_TEXT], to[ENDPOINT_TEXT], text[320];
	struct view view, quoted;
	int used;

	if (!view_packet(&view, data, end) || !is_watched(&view, options))
		return;
	/* Neighbours and routers always talk. */
	if (view.protocol == IPPROTO_ICMPV6 && view.transport[0] >= ND_ROUTER_SOLICIT &&
	    view.transport[0] <= ND_REDIRECT)
		return;
	used = snprintf(text, sizeof(text), "%s %s %s > %s ttl %d", outgoing ? "out" : "in",
			view.protocol == IPPROTO_TCP                                       ? "tcp"
			: view.protocol == IPPROTO_UDP                                     ? "udp"
			: view.protocol == IPPROTO_ICMP || view.protocol == IPPROTO_ICMPV6 ? "icmp"
											   : "other",
			endpoint_text(&view.from, from), endpoint_text(&view.to, to), view.ttl);
	if (view.protocol == IPPROTO_TCP && !view.is_part && end - view.transport >= (ssize_t)sizeof(struct tcphdr)) {
		const struct tcphdr *tcp = (const void *)view.transport;

		snprintf(text + used, sizeof(text) - used, " %s%s%s%s%s", tcp->syn ? "S" : "", tcp->fin ? "F" : "",
			 tcp->rst ? "R" : "", tcp->psh ? "P" : "", tcp->ack ? "A" : "");
	} else if (view.protocol == IPPROTO_ICMP || view.protocol == IPPROTO_ICMPV6) {
		int type = view.transport[0];
		bool is_error = view.protocol == IPPROTO_ICMP ? type == 3 || type == 11 : type < 128;

		used += snprintf(text + used, sizeof(text) - used, " %d/%d", type, view.transport[1]);
		if (is_error && view_packet(&quoted, view.transport + 8, end))
			snprintf(text + used, sizeof(text) - used, " quotes %s > %s ttl %d",
				 endpoint_text(&quoted.from, from), endpoint_text(&quoted.to, to), quoted.ttl);
	}
	tally_add(frames, text);
}

static volatile sig_atomic_t stopped;

static void stop(int signal_number)
{
	(void)signal_number;
	stopped = 1;
}

int run_watch(const struct options *options)
{
	struct sigaction action = {.sa_handler = stop};
	struct sockaddr_ll device = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
	struct tally frames = {0};
	int fd;

	if (options->argc < 1)
		fail("expected DEVICE [ADDRESS]...");
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	device.sll_ifindex = if_nametoindex(options->argv[0]);
	fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (!device.sll_ifindex || fd < 0 || bind(fd, (struct sockaddr *)&device, sizeof(device)))
		fail("cannot watch %s: %s", options->argv[0], strerror(errno));
	json_begin();
	json_bool("ready", true);
	json_end();
	while (!stopped || !wait_for(fd, POLLIN, 0)) {
		uint8_t data[65536];
		struct sockaddr_ll from;
		socklen_t length = sizeof(from);
		ssize_t got =
			recvfrom(fd, data, sizeof(data), stopped ? MSG_DONTWAIT : 0, (struct sockaddr *)&from, &length);

		if (got > 0)
			note_frame(&frames, options, from.sll_pkttype == PACKET_OUTGOING, data, data + got);
	}
	json_begin();
	json_tally("frames", &frames);
	json_end();
	return 0;
}

int run_offload(const struct options *options)
{
	struct ethtool_value value = {.cmd = ETHTOOL_STXCSUM};
	struct ifreq request = {.ifr_data = (char *)&value};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (options->argc != 2 || (strcmp(options->argv[1], "on") && strcmp(options->argv[1], "off")))
		fail("expected DEVICE on|off");
	value.data = !strcmp(options->argv[1], "on");
	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", options->argv[0]);
	if (ioctl(fd, SIOCETHTOOL, &request))
		fail("%s: %s", options->argv[0], strerror(errno));
	json_begin();
	json_bool("on", value.data);
	json_end();
	return 0;
}
