// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
#include <string.h>
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include "frame.h"

bool address_v4_mapped(const struct lb_address *address)
{
	static const __u8 prefix[12] = {[10] = 0xff, [11] = 0xff};

	return !memcmp(address, prefix, sizeof(prefix));
}

static void put16(__u8 *at, __u16 value)
{
	at[0] = value >> 8;
	at[1] = value;
}

static __u16 get16(const __u8 *at)
{
	return at[0] << 8 | at[1];
}

static __u64 add_bytes(__u64 sum, const __u8 *bytes, __u32 length)
{
	for (__u32 i = 0; i < length; i++)
		sum += i % 2 ? bytes[i] : bytes[i] << 8;
	return sum;
}

__u16 frame_sum(const __u8 *bytes, __u32 from, __u32 to)
{
	return add_bytes(0, bytes + from, to - from) % 0xffff;
}

static __u32 crc32c(const __u8 *bytes, __u32 length)
{
	static __u32 table[256];
	__u32 crc = ~0u;

	if (!table[1])
		for (__u32 i = 0; i < 256; i++) {
			__u32 value = i;

			for (int bit = 0; bit < 8; bit++)
				value = value >> 1 ^ (value & 1 ? 0x82f63b78u : 0);
			table[i] = value;
		}
	for (__u32 i = 0; i < length; i++)
		crc = crc >> 8 ^ table[(crc ^ bytes[i]) & 0xff];
	return ~crc;
}

static __u32 sctp_checksum(const __u8 *bytes, __u32 length)
{
	__u8 copy[FRAME_ROOM];

	memcpy(copy, bytes, length);
	memset(copy + 8, 0, 4);
	return crc32c(copy, length);
}

static __u64 pseudo_sum(const __u8 *bytes, const struct view *view)
{
	__u32 addresses = view->network + (view->is_v4 ? 12 : 8);
	__u64 sum = add_bytes(0, bytes + addresses, view->is_v4 ? 8 : 32);

	return sum + view->protocol + (view->end - view->transport);
}

/* As a sender leaves it for its device: not modulo, because 0 and ffff are not the same there. */
__u16 view_pseudo_sum(const __u8 *bytes, const struct view *view)
{
	__u64 sum = pseudo_sum(bytes, view);

	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

__u16 view_network_residual(const __u8 *bytes, const struct view *view)
{
	return frame_sum(bytes, view->network, view->network + (bytes[view->network] & 15) * 4);
}

__u16 view_transport_residual(const __u8 *bytes, const struct view *view)
{
	__u64 sum = add_bytes(0, bytes + view->transport, view->end - view->transport);

	/* ICMP for IPv4 has no pseudo header. */
	return (view->protocol == IPPROTO_ICMP ? sum : sum + pseudo_sum(bytes, view)) % 0xffff;
}

bool view_sctp_is_right(const __u8 *bytes, const struct view *view)
{
	__u32 length = view->end - view->transport, check;

	memcpy(&check, bytes + view->transport + 8, 4);
	return check == sctp_checksum(bytes + view->transport, length);
}

static void find_checksum(const __u8 *bytes, struct view *view)
{
	__u32 length = view->end - view->transport;

	view->has_checksum = true;
	switch (view->protocol) {
	case IPPROTO_TCP:
		view->check = view->transport + 16;
		break;
	case IPPROTO_UDP:
		view->check = view->transport + 6;
		break;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		view->check = view->transport + 2;
		break;
	default:
		view->has_checksum = false;
		return;
	}
	if (view->check + 2 > view->transport + length)
		view->has_checksum = false;
	else if (view->protocol == IPPROTO_UDP && !get16(bytes + view->check))
		view->has_checksum = false;
}

static void read_v4(const __u8 *bytes, __u32 length, struct view *view)
{
	const __u8 *ip = bytes + view->network;
	__u32 header, fragment;

	if (view->network + 20 > length)
		return;
	header = (ip[0] & 15) * 4;
	view->is_v4 = true;
	view->transport = view->network + header;
	if (!view->end)
		view->end = !get16(ip + 2) && view->is_long ? length : view->network + get16(ip + 2);
	view->protocol = ip[9];
	fragment = get16(ip + 6);
	view->is_fragment = fragment & 0x3fff;
	view->is_later = fragment & 0x1fff;
	view->makes_sense =
		ip[0] >> 4 == 4 && header >= 20 && view->transport <= view->end && view->transport <= length;
}

static void read_v6(const __u8 *bytes, __u32 length, struct view *view)
{
	const __u8 *ip = bytes + view->network;

	if (view->network + 40 > length || ip[0] >> 4 != 6)
		return;
	view->transport = view->network + 40;
	if (!view->end)
		view->end = !get16(ip + 4) && view->is_long ? length : view->transport + get16(ip + 4);
	view->protocol = ip[6];
	for (int i = 0; i < 9; i++) {
		const __u8 *header = bytes + view->transport;
		__u8 protocol = view->protocol;

		if (protocol != 0 && protocol != 43 && protocol != 44 && protocol != 51 && protocol != 60) {
			view->makes_sense = view->transport <= view->end && view->transport <= length;
			return;
		}
		if (view->transport + 8 > length)
			return;
		view->protocol = header[0];
		if (protocol == 44) {
			if (get16(header + 2) & 0xfff9) {
				view->is_fragment = true;
				view->fragment_header = view->transport;
			}
			view->transport += 8;
			if (get16(header + 2) & 0xfff8) {
				view->is_later = true;
				view->makes_sense = view->transport <= view->end && view->transport <= length;
				return;
			}
			continue;
		}
		view->transport += protocol == 51 ? (header[1] + 2) * 4 : (header[1] + 1) * 8;
	}
}

void view_read(const __u8 *bytes, __u32 length, bool is_long, struct view *view)
{
	memset(view, 0, sizeof(*view));
	view->is_long = is_long;
	view->network = ETH_HLEN;
	if (length < ETH_HLEN)
		return;
	if (get16(bytes + 12) == ETH_P_IP)
		read_v4(bytes, length, view);
	else if (get16(bytes + 12) == ETH_P_IPV6)
		read_v6(bytes, length, view);
	if (view->end > length)
		view->makes_sense = false;
	if (view->makes_sense && !view->is_later)
		find_checksum(bytes, view);
}

bool view_is_icmp_error(const __u8 *bytes, const struct view *view)
{
	__u8 type;

	if (!view->makes_sense || view->is_fragment || view->transport + 8 > view->end)
		return false;
	type = bytes[view->transport];
	return view->is_v4 ? view->protocol == IPPROTO_ICMP && (type == 3 || type == 11 || type == 12)
			   : view->protocol == IPPROTO_ICMPV6 && type < 128;
}

void view_read_quote(const __u8 *bytes, const struct view *outer, struct view *quote)
{
	memset(quote, 0, sizeof(*quote));
	quote->network = outer->transport + 8;
	/* What the quoted header says of a length is about a packet that is not here. */
	quote->end = outer->end;
	if (outer->is_v4)
		read_v4(bytes, outer->end, quote);
	else
		read_v6(bytes, outer->end, quote);
	if (!quote->makes_sense)
		return;
	quote->makes_sense = quote->transport + 8 <= quote->end;
	if (quote->makes_sense && !quote->is_later)
		find_checksum(bytes, quote);
}

static __u32 next_byte(__u32 *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 24;
}

static __u32 write_network(struct frame *frame, const struct recipe *recipe, bool v4, __u32 *length_at)
{
	__u8 *ip = frame->bytes + ETH_HLEN, *next;
	__u32 at;

	if (v4) {
		ip[0] = 0x45 + recipe->option_words;
		put16(ip + 4, recipe->id);
		put16(ip + 6, recipe->part == FRAME_FIRST   ? 0x2000
			      : recipe->part == FRAME_LATER ? 185
							    : recipe->dont_fragment << 14);
		ip[8] = recipe->ttl;
		ip[9] = recipe->protocol;
		memcpy(ip + 12, recipe->source.bytes + 12, 4);
		memcpy(ip + 16, recipe->destination.bytes + 12, 4);
		memset(ip + 20, 1, recipe->option_words * 4); /* no operation */
		*length_at = ETH_HLEN + 2;
		return ETH_HLEN + 20 + recipe->option_words * 4;
	}
	ip[0] = 0x60;
	ip[7] = recipe->ttl;
	memcpy(ip + 8, &recipe->source, 16);
	memcpy(ip + 24, &recipe->destination, 16);
	*length_at = ETH_HLEN + 4;
	at = ETH_HLEN + 40;
	next = ip + 6;
	for (int i = 0; i < recipe->extensions; i++) {
		*next = i ? 60 : 0;
		next = frame->bytes + at;
		memcpy(next, "\0\0\1\4\0\0\0\0", 8); /* padding */
		at += 8;
	}
	if (recipe->part != FRAME_WHOLE) {
		*next = 44;
		next = frame->bytes + at;
		memset(next, 0, 8);
		put16(next + 2, recipe->part == FRAME_FIRST ? 1 : 1480);
		memcpy(next + 4, &recipe->id, 4);
		at += 8;
	}
	*next = recipe->protocol;
	return at;
}

static void seal_network(struct frame *frame, bool v4)
{
	__u8 *ip = frame->bytes + ETH_HLEN;

	if (!v4)
		return;
	put16(ip + 10, 0);
	put16(ip + 10, 0xffff - frame_sum(ip, 0, (ip[0] & 15) * 4));
}

static void seal_transport(struct frame *frame, const struct recipe *recipe)
{
	__u32 end = frame->length - recipe->trailer, crc;
	struct view view;

	view_read(frame->bytes, end, false, &view);
	if (!view.makes_sense || view.is_later)
		return;
	if (view.protocol == SCTP) {
		crc = sctp_checksum(frame->bytes + view.transport, end - view.transport);
		memcpy(frame->bytes + view.transport + 8, &crc, 4);
	} else if (view.protocol != IPPROTO_UDP || !recipe->no_checksum) {
		view.check = view.transport + (view.protocol == IPPROTO_TCP   ? 16
					       : view.protocol == IPPROTO_UDP ? 6
									      : 2);
		put16(frame->bytes + view.check, 0);
		put16(frame->bytes + view.check, recipe->is_partial
							 ? view_pseudo_sum(frame->bytes, &view)
							 : 0xffff - view_transport_residual(frame->bytes, &view));
	}
}

static void write_ethernet(struct frame *frame, const struct recipe *recipe, bool v4)
{
	memcpy(frame->bytes, recipe->destination_mac, ETH_ALEN);
	memset(frame->bytes + ETH_ALEN, 0x66, ETH_ALEN);
	put16(frame->bytes + 12, v4 ? ETH_P_IP : ETH_P_IPV6);
}

static void finish(struct frame *frame, const struct recipe *recipe, bool v4, __u32 length_at, __u32 end)
{
	put16(frame->bytes + length_at, end - ETH_HLEN - (v4 ? 0 : 40));
	frame->length = end + recipe->trailer;
	seal_network(frame, v4);
	seal_transport(frame, recipe);
}

void frame_write(struct frame *frame, const struct recipe *recipe)
{
	bool v4 = address_v4_mapped(&recipe->source);
	__u32 at, length_at, header = 0, seed = recipe->seed;
	__u8 *transport;

	memset(frame->bytes, 0, 256);
	write_ethernet(frame, recipe, v4);
	at = write_network(frame, recipe, v4, &length_at);
	transport = frame->bytes + at;
	if (recipe->part != FRAME_LATER) {
		memcpy(transport, &recipe->source_port, 2);
		memcpy(transport + 2, &recipe->destination_port, 2);
		if (recipe->protocol == IPPROTO_TCP) {
			header = 20 + (recipe->seed % 3) * 4;
			for (int i = 4; i < 12; i++)
				transport[i] = next_byte(&seed);
			transport[12] = header / 4 << 4;
			transport[13] = recipe->tcp_flags;
			memset(transport + 20, 1, header - 20);
		} else if (recipe->protocol == SCTP) {
			header = 16;
			transport[12] = recipe->tcp_flags % 16;
			put16(transport + 14, 4 + recipe->payload);
		} else {
			header = 8;
			put16(transport + 4, header + recipe->payload);
		}
	}
	for (__u32 i = 0; i < (__u32)recipe->payload + recipe->trailer; i++)
		transport[header + i] = next_byte(&seed);
	finish(frame, recipe, v4, length_at, at + header + recipe->payload);
}

void frame_write_error(struct frame *frame, const struct recipe *recipe, const struct frame *about, __u32 quoted)
{
	static const __u8 types[2][4] = {{1, 2, 3, 4}, {3, 11, 12, 3}};
	bool v4 = address_v4_mapped(&recipe->source);
	struct recipe outer = *recipe;
	__u32 at, length_at;

	if (quoted > about->length - ETH_HLEN)
		quoted = about->length - ETH_HLEN;
	outer.protocol = v4 ? IPPROTO_ICMP : IPPROTO_ICMPV6;
	outer.is_partial = false;
	memset(frame->bytes, 0, 256);
	write_ethernet(frame, &outer, v4);
	at = write_network(frame, &outer, v4, &length_at);
	frame->bytes[at] = types[v4][recipe->seed % 4];
	frame->bytes[at + 1] = recipe->seed / 4 % 5;
	memcpy(frame->bytes + at + 8, about->bytes + ETH_HLEN, quoted);
	memset(frame->bytes + at + 8 + quoted, 0, recipe->trailer);
	finish(frame, &outer, v4, length_at, at + 8 + quoted);
}
