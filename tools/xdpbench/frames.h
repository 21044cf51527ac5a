/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
#ifndef FRAMES_H
#define FRAMES_H

/* What the generator's programs and the tool share. Words of frames are kept as they lie in memory: sums of the
 * Internet checksum do not depend on the byte order as long as nobody mixes two. */

#include <linux/types.h>

#define FRAME_V4  60 /* 64 on a wire, with the check sequence that a veth has not */
#define FRAME_V6  64
#define FRAME_MAX 64

/* Offsets in a frame. Of an address, the last four bytes tell flows apart. */
#define V4_SOURCE_LOW      26
#define V4_DESTINATION_LOW 30
#define V6_SOURCE_LOW      34
#define V6_DESTINATION_LOW 50
#define V4_L4              34
#define V6_L4              54

/* Flows that differ in source address, source port and perhaps destination address. */
struct flow_set {
	__u8 frame[FRAME_MAX]; /* with these fields and the checksums 0 */
	__u32 ip_sum;          /* of the words of the IPv4 header */
	__u32 l4_sum;          /* of pseudo header and segment */
	__u32 source_low;      /* of the first flow, host order */
	__u32 destination_low;
	__u32 destinations; /* addresses from there on, which flows are spread over */
	__u32 flows;        /* 0: every packet is the first of a new one */
};

#define FLOW_SETS 2

struct plan {
	struct flow_set sets[FLOW_SETS];
	__u32 every; /* this many packets there is one of the second set; 0: never */
};

/* Where the generator is. */
struct progress {
	__u32 sent;
	__u32 next[FLOW_SETS];
};

/* What a frame has to look like to count, and what came. */
struct expectation {
	__u64 destination; /* IPv4 address, or the first half of an IPv6 one, as in the frame */
	__u64 mask;
	__u32 verify; /* checksums too */
	__u32 pad;
};

struct arrivals {
	__u64 expected;
	__u64 others;     /* ARP, or a frame that was not translated */
	__u64 wrong_sums; /* only if verified; not among the others */
};

struct flow {
	__u32 source_low; /* all in host order */
	__u32 destination_low;
	__u16 port;
};

/*
 * New flows differ until the 32-bit number wraps: the multiplication permutes the numbers, the address has 24 bits of
 * the product and the port the other 8.
 */
static inline __attribute__((always_inline)) struct flow flow_of(const struct flow_set *set, __u32 number)
{
	__u32 mixed = number * 0x9e3779b1u;
	struct flow flow = {
		.source_low = set->source_low + (set->flows ? number & 127 : mixed & 0xffffff),
		.destination_low = set->destination_low + (__u32)((__u64)mixed * set->destinations >> 32),
		.port = 1024 + (set->flows ? number >> 7 : (mixed >> 24 << 7) + (number & 127)),
	};

	return flow;
}

static inline __attribute__((always_inline)) __u16 checksum_finish(__u32 sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

#endif
