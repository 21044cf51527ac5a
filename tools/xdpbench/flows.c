// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0

/* Frames: Ethernet, IPv4 or IPv6, UDP or a TCP header. */

#include "tool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>
#include <linux/if_ether.h>

#define UDP_CHECK  6
#define TCP_CHECK  16
#define TCP_FLAGS  13
#define TCP_LENGTH 20
#define IP4_LENGTH 20
#define IP6_LENGTH 40

static bool is_v6(const struct options *options)
{
	return strchr(options->destination, ':') != NULL;
}

static bool is_tcp(const struct options *options)
{
	if (strcmp(options->protocol, "tcp") && strcmp(options->protocol, "udp"))
		fail("--protocol is tcp or udp, not %s", options->protocol);
	return !strcmp(options->protocol, "tcp");
}

uint32_t frame_length(const struct options *options)
{
	return is_v6(options) ? FRAME_V6 : FRAME_V4;
}

const char *writer_suffix(const struct options *options)
{
	if (is_tcp(options) && is_v6(options))
		fail("there is no generator for TCP over IPv6");
	return is_tcp(options) ? "tcp4" : is_v6(options) ? "udp6" : "udp4";
}

static void parse_mac(const char *text, uint8_t mac[ETH_ALEN])
{
	if (!text ||
	    sscanf(text, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", mac, mac + 1, mac + 2, mac + 3, mac + 4, mac + 5) != ETH_ALEN)
		fail("not a MAC address: %s", text ? text : "none given");
}

static void parse_address(const char *text, bool v6, void *address)
{
	if (!text || inet_pton(v6 ? AF_INET6 : AF_INET, text, address) != 1)
		fail("not an IPv%d address: %s", v6 ? 6 : 4, text ? text : "none given");
}

static uint8_t parse_tcp_flags(const char *text)
{
	if (!strcmp(text, "syn"))
		return 0x02;
	if (!strcmp(text, "ack"))
		return 0x10;
	fail("unknown TCP flags %s", text);
}

static void store16(uint8_t *at, uint16_t value)
{
	value = htons(value);
	memcpy(at, &value, sizeof(value));
}

/* Words as they lie in memory; the lengths here are even. */
static uint32_t sum_of(const uint8_t *data, size_t length)
{
	uint32_t sum = 0;

	for (size_t i = 0; i + 1 < length; i += 2) {
		uint16_t word;

		memcpy(&word, data + i, sizeof(word));
		sum += word;
	}
	return sum;
}

static uint32_t take_low(uint8_t *at)
{
	uint32_t low;

	memcpy(&low, at, sizeof(low));
	memset(at, 0, sizeof(low));
	return ntohl(low);
}

static void set_fill(struct flow_set *set, const struct options *options, const char *source, const char *tcp_flags,
		     uint32_t flows)
{
	bool v6 = is_v6(options), tcp = is_tcp(options);
	uint32_t l4 = v6 ? V6_L4 : V4_L4;
	uint32_t l4_length = tcp ? TCP_LENGTH : frame_length(options) - l4;
	uint8_t *frame = set->frame, *ip = frame + ETH_HLEN, *segment = frame + l4;

	memset(set, 0, sizeof(*set));
	parse_mac(options->to_mac, frame);
	parse_mac(options->from_mac, frame + ETH_ALEN);
	store16(frame + 2 * ETH_ALEN, v6 ? ETH_P_IPV6 : ETH_P_IP);
	if (v6) {
		ip[0] = 0x60;
		store16(ip + 4, l4_length);
		ip[6] = IPPROTO_UDP;
		ip[7] = 64;
		parse_address(source, v6, ip + 8);
		parse_address(options->destination, v6, ip + 24);
	} else {
		ip[0] = 0x45;
		store16(ip + 2, IP4_LENGTH + l4_length);
		ip[8] = 64;
		ip[9] = tcp ? IPPROTO_TCP : IPPROTO_UDP;
		parse_address(source, v6, ip + 12);
		parse_address(options->destination, v6, ip + 16);
	}
	set->source_low = take_low(frame + (v6 ? V6_SOURCE_LOW : V4_SOURCE_LOW));
	set->destination_low = take_low(frame + (v6 ? V6_DESTINATION_LOW : V4_DESTINATION_LOW));
	set->destinations = options->destinations;
	set->flows = flows;

	store16(segment + 2, options->port);
	if (tcp) {
		store16(segment + 6, 1); /* sequence number 1 */
		segment[12] = TCP_LENGTH / 4 << 4;
		segment[TCP_FLAGS] = parse_tcp_flags(tcp_flags);
		store16(segment + 14, 65535);
	} else {
		store16(segment + 4, l4_length);
	}
	set->ip_sum = v6 ? 0 : sum_of(ip, IP4_LENGTH);
	set->l4_sum = sum_of(ip + (v6 ? 8 : 12), v6 ? 32 : 8) + sum_of(segment, l4_length) +
		      htons(tcp ? IPPROTO_TCP : IPPROTO_UDP) + htons(l4_length);
}

void plan_fill(struct plan *all, const struct options *options)
{
	memset(all, 0, sizeof(*all));
	set_fill(&all->sets[0], options, options->source, options->tcp_flags, options->flows);
	if (options->mixed_source) {
		set_fill(&all->sets[1], options, options->mixed_source, options->mixed_flags, options->mixed_flows);
		all->every = options->every;
	}
}

void frame_of(const struct flow_set *set, uint32_t number, const struct options *options, uint8_t *frame)
{
	bool v6 = is_v6(options);
	uint32_t l4 = v6 ? V6_L4 : V4_L4;
	struct flow flow = flow_of(set, number);
	uint32_t source = htonl(flow.source_low), destination = htonl(flow.destination_low);
	uint32_t sum = (source & 0xffff) + (source >> 16) + (destination & 0xffff) + (destination >> 16);
	uint16_t port = htons(flow.port), check;

	memcpy(frame, set->frame, FRAME_MAX);
	memcpy(frame + (v6 ? V6_SOURCE_LOW : V4_SOURCE_LOW), &source, sizeof(source));
	memcpy(frame + (v6 ? V6_DESTINATION_LOW : V4_DESTINATION_LOW), &destination, sizeof(destination));
	memcpy(frame + l4, &port, sizeof(port));
	check = checksum_finish(set->l4_sum + sum + port);
	memcpy(frame + l4 + (is_tcp(options) ? TCP_CHECK : UDP_CHECK), &check, sizeof(check));
	if (!v6) {
		check = checksum_finish(set->ip_sum + sum);
		memcpy(frame + ETH_HLEN + 10, &check, sizeof(check));
	}
}

static void swap(uint8_t *a, uint8_t *b, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		uint8_t kept = a[i];

		a[i] = b[i];
		b[i] = kept;
	}
}

/* IPv4 only: what has a generator for TCP. */
void frame_set_tcp_flags(uint8_t *frame, uint8_t tcp_flags)
{
	uint8_t *segment = frame + V4_L4;
	uint16_t check = 0;
	uint32_t sum;

	segment[TCP_FLAGS] = tcp_flags;
	memcpy(segment + TCP_CHECK, &check, sizeof(check));
	sum = sum_of(frame + ETH_HLEN + 12, 8) + sum_of(segment, TCP_LENGTH) + htons(IPPROTO_TCP) + htons(TCP_LENGTH);
	check = checksum_finish(sum);
	memcpy(segment + TCP_CHECK, &check, sizeof(check));
}

void frame_reverse(uint8_t *frame, uint8_t tcp_flags)
{
	swap(frame, frame + ETH_ALEN, ETH_ALEN);
	swap(frame + ETH_HLEN + 12, frame + ETH_HLEN + 16, 4);
	swap(frame + V4_L4, frame + V4_L4 + 2, 2);
	frame_set_tcp_flags(frame, tcp_flags);
}

void expectation_fill(struct expectation *want, const struct options *options)
{
	bool v6 = is_v6(options);
	uint8_t address[16], mask[16] = {0};
	char text[64];
	char *slash;
	int bits;

	if (!options->expect || snprintf(text, sizeof(text), "%s", options->expect) >= (int)sizeof(text))
		fail("--expect ADDRESS/BITS is missing");
	slash = strchr(text, '/');
	bits = slash ? atoi(slash + 1) : 0;
	if (bits < 1 || bits > (v6 ? 64 : 32))
		fail("--expect needs a prefix of 1 to %d bits", v6 ? 64 : 32);
	*slash = 0;
	parse_address(text, v6, address);
	for (int i = 0; i < bits; i++)
		mask[i / 8] |= 0x80 >> i % 8;
	memset(want, 0, sizeof(*want));
	memcpy(&want->destination, address, v6 ? 8 : 4);
	memcpy(&want->mask, mask, v6 ? 8 : 4);
	want->destination &= want->mask;
	want->verify = options->verify;
}
