/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
#ifndef EBPFLB_SHIM_H
#define EBPFLB_SHIM_H

/* A kernel of plain C: maps, a clock, one packet, and the helpers that programs call. */

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <linux/bpf.h>
#include <linux/types.h>

/* maps.c */

struct shim_map;
typedef long shim_callback(void *map, void *key, void *value, void *data);

struct shim_map *shim_map_open(const char *unit, const char *name, __u32 type, __u32 max_entries, __u32 key_size,
			       __u32 value_size);
void *shim_lookup(struct shim_map *map, const void *key);
long shim_update(struct shim_map *map, const void *key, const void *value, __u64 flags);
long shim_delete(struct shim_map *map, const void *key);
long shim_for_each(struct shim_map *map, shim_callback *call, void *data);

/* For the driver. */
struct shim_map *shim_map_named(const char *name);
void *shim_peek(struct shim_map *map, const void *key); /* as a program's lookup, without what may interfere */
__u32 shim_count(const struct shim_map *map);
__u64 shim_evictions(void);
/* The element at or after a place of the map, or null where it is empty. */
const void *shim_any_key(struct shim_map *map, __u32 place);
void shim_limit(struct shim_map *map, __u32 entries);
void shim_maps_clear(void);
void shim_grace(void); /* what was deleted is freed: no program holds it any more */

/* helpers.c */

enum shim_checksum {
	SHIM_CHECKSUM_NONE,
	SHIM_CHECKSUM_PARTIAL,  /* the field has the sum of the pseudo header */
	SHIM_CHECKSUM_COMPLETE, /* the device has summed up the packet */
};

/* The packet: a part that can be read in place, in a block of exactly its size, and the rest. */
struct shim_packet {
	__u8 *block; /* the packet begins behind SHIM_HEADROOM, so that its IP header is aligned */
	__u8 *data;
	__u32 linear;
	__u8 *rest;
	__u32 rest_length;
	enum shim_checksum checksum;
	__u32 sum; /* of SHIM_CHECKSUM_COMPLETE: ones' complement, from the network header on */
	__u32 *context_length;
	__u32 *context_segment;
};

#define SHIM_HEADROOM 2
#define SHIM_CANARY   0xc5

struct shim_world {
	__u64 now;
	__u64 random;
	bool interferes;      /* other processors do what they may at the worst moments */
	__u32 failures;       /* one in that many calls of what may fail does; 0: none */
	__u32 route_salt;     /* what routes lead where depends on */
	__u32 redirected_to;  /* by the last run */
	bool neighbour_asked; /* by the last run */
	__u64 failed;         /* how many calls did */
	int retval;           /* bpf_set_retval() of the last call */
};

extern struct shim_packet shim_packet;
extern struct shim_world shim_world;

__u64 shim_now(void);
__u32 shim_random(void);
bool shim_one_in(__u32 n);
bool shim_fails(void);
int shim_redirect(bool is_xdp, __u32 ifindex, __u64 flags);
int shim_redirect_neighbour(__u32 ifindex);
struct bpf_fib_lookup;
long shim_fib_lookup(struct bpf_fib_lookup *question);
__u32 shim_frame_length(void);
long shim_pull(__u32 length);
long shim_change_tail(__u32 length);
long shim_adjust_room(__s32 growth);
long shim_l4_csum_replace(__u32 offset, __u64 from, __u64 to, __u64 flags);
__s64 shim_csum_diff(const __be32 *from, __u32 from_size, const __be32 *to, __u32 to_size, __u32 seed);
/* Whether there is one is a matter of chance, as is its type. */
void *shim_socket(void);
void *shim_full_socket(void *socket);

/* A socket: what programs see of it comes first. */
struct shim_sock {
	struct bpf_sock sock;
	__u64 cookie;
	__u64 netns;
	void *storage; /* sock_peers_v1 of this socket */
};

void *shim_storage_get(struct bpf_sock *sock, __u32 size, const void *initial, __u64 flags);
long shim_storage_delete(struct bpf_sock *sock);

static inline __u64 shim_context_read(const char *field, __u64 value)
{
	if (!strcmp(field, "data"))
		return (__u64)shim_packet.data;
	if (!strcmp(field, "data_end"))
		return (__u64)(shim_packet.data + shim_packet.linear);
	return value;
}

/* For the driver. */
void shim_packet_set(const __u8 *frame, __u32 length, __u32 linear);
void shim_packet_copy(__u8 *frame);
void shim_packet_free(void);
bool shim_packet_canary_lives(void);

/* Every report of something wrong, with what brings it about. Does not return. */
void shim_fail(const char *file, int line, const char *what) __attribute__((noreturn));
#define SHIM_REQUIRE(condition)                                                                                        \
	do {                                                                                                           \
		if (!(condition))                                                                                      \
			shim_fail(__FILE__, __LINE__, #condition);                                                     \
	} while (0)

#endif
