/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
#ifndef EBPFLB_FRAME_H
#define EBPFLB_FRAME_H

/* Frames: how they are written from a recipe, and how they are read, by other code than that under test. */

#include <stdbool.h>
#include <linux/types.h>
#include "../../bpf/types.h"

#define FRAME_ROOM 4096
#define SCTP       132

struct frame {
	__u8 bytes[FRAME_ROOM];
	__u32 length;
};

enum frame_part {
	FRAME_WHOLE,
	FRAME_FIRST, /* fragment */
	FRAME_LATER,
};

struct recipe {
	struct lb_address source;
	struct lb_address destination;
	__be16 source_port;
	__be16 destination_port;
	__u8 protocol;
	__u8 ttl;
	__u8 tcp_flags;
	__u8 option_words; /* IPv4 */
	__u8 extensions;   /* IPv6: how many headers in front */
	bool dont_fragment;
	bool no_checksum; /* UDP */
	bool is_partial;
	enum frame_part part;
	__u32 id;
	__u16 payload;
	__u16 trailer; /* behind what the IP header counts */
	__u8 destination_mac[6];
	__u32 seed; /* of what lies in the payload */
};

/* Where things lie in a frame that makes sense; offsets from its beginning. */
struct view {
	bool makes_sense;
	bool is_long;
	bool is_v4;
	bool is_fragment;
	bool is_later;
	bool has_checksum; /* a transport checksum, at check */
	__u8 protocol;
	__u32 network;
	__u32 transport;
	__u32 end;
	__u32 fragment_header;
	__u32 check;
};

bool address_v4_mapped(const struct lb_address *address);
void frame_write(struct frame *frame, const struct recipe *recipe);
/* An ICMP error from recipe's source to its destination, about the first bytes of another frame's packet. */
void frame_write_error(struct frame *frame, const struct recipe *recipe, const struct frame *about, __u32 quoted);

/* is_long: what says to be of length 0 reaches to the end of the frame. */
void view_read(const __u8 *bytes, __u32 length, bool is_long, struct view *view);
/* The packet an ICMP error quotes, as far as it is there. */
void view_read_quote(const __u8 *bytes, const struct view *outer, struct view *quote);
bool view_is_icmp_error(const __u8 *bytes, const struct view *view);
/* Sums modulo 65535: 0 where the checksum is right, and the same before and after whatever keeps it as it was. */
__u16 view_network_residual(const __u8 *bytes, const struct view *view);
__u16 view_transport_residual(const __u8 *bytes, const struct view *view);
__u16 view_pseudo_sum(const __u8 *bytes, const struct view *view);
bool view_sctp_is_right(const __u8 *bytes, const struct view *view);
__u16 frame_sum(const __u8 *bytes, __u32 from, __u32 to);

#endif
