// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0

/*
 * The helpers that programs call, as the kernel has them. Those that may move the packet do move it, each time: a
 * pointer that was kept across one of them points into freed memory.
 */

#include <errno.h>
#include <stdlib.h>
#include <arpa/inet.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include "shim.h"

struct shim_packet shim_packet;
struct shim_world shim_world;

__u64 shim_now(void)
{
	return shim_world.now;
}

/* splitmix64 */
__u32 shim_random(void)
{
	__u64 value = shim_world.random += 0x9e3779b97f4a7c15ull;

	value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9ull;
	value = (value ^ (value >> 27)) * 0x94d049bb133111ebull;
	return (value ^ (value >> 31)) >> 16;
}

bool shim_one_in(__u32 n)
{
	return shim_random() % n == 0;
}

bool shim_fails(void)
{
	bool fails = shim_world.failures && shim_one_in(shim_world.failures);

	shim_world.failed += fails;
	return fails;
}

int shim_redirect(bool is_xdp, __u32 ifindex, __u64 flags)
{
	SHIM_REQUIRE(!(flags & ~(__u64)BPF_F_INGRESS) && !(is_xdp && flags));
	shim_world.redirected_to = ifindex;
	return is_xdp ? XDP_REDIRECT : TC_ACT_REDIRECT;
}

int shim_redirect_neighbour(__u32 ifindex)
{
	shim_world.redirected_to = ifindex;
	shim_world.neighbour_asked = true;
	return TC_ACT_REDIRECT;
}

/* Where a route leads is a matter of its destination, until the world's salt changes. */
long shim_fib_lookup(struct bpf_fib_lookup *question)
{
	static const __u16 mtus[] = {1500, 1500, 1500, 9000, 1400, 1280, 576, 68};
	const __u8 *bytes = (const __u8 *)question->ipv6_dst;
	__u32 hash = shim_world.route_salt, size = question->family == 2 ? 4 : 16;

	SHIM_REQUIRE(question->family == 2 || question->family == 10);
	for (__u32 i = 0; i < size; i++)
		hash = (hash ^ bytes[i]) * 16777619u;
	hash ^= hash >> 13;
	if (shim_fails())
		return -EINVAL;
	switch (hash % 16) {
	case 0:
		return BPF_FIB_LKUP_RET_NOT_FWDED;
	case 1:
		return BPF_FIB_LKUP_RET_BLACKHOLE;
	case 2:
	case 3:
		question->ifindex = 1 + hash / 16 % 4;
		return BPF_FIB_LKUP_RET_NO_NEIGH;
	default:
		break;
	}
	question->ifindex = 1 + hash / 16 % 4;
	question->mtu_result = mtus[hash / 64 % 8];
	memset(question->dmac, 0x22, ETH_ALEN);
	memset(question->smac, 0x44, ETH_ALEN);
	return BPF_FIB_LKUP_RET_SUCCESS;
}

__u32 shim_frame_length(void)
{
	return shim_packet.linear + shim_packet.rest_length;
}

static __u8 *block_new(__u32 length)
{
	__u8 *block = malloc(SHIM_HEADROOM + length);

	memset(block, SHIM_CANARY, SHIM_HEADROOM);
	return block;
}

static __u8 *copy_of(const __u8 *bytes, __u32 length)
{
	__u8 *copy = malloc(length);

	memcpy(copy, bytes, length);
	return copy;
}

void shim_packet_set(const __u8 *frame, __u32 length, __u32 linear)
{
	shim_packet_free();
	if (linear > length)
		linear = length;
	shim_packet.block = block_new(linear);
	shim_packet.data = shim_packet.block + SHIM_HEADROOM;
	memcpy(shim_packet.data, frame, linear);
	shim_packet.linear = linear;
	shim_packet.rest_length = length - linear;
	shim_packet.rest = copy_of(frame + linear, length - linear);
	if (shim_packet.context_length)
		*shim_packet.context_length = length;
}

void shim_packet_copy(__u8 *frame)
{
	memcpy(frame, shim_packet.data, shim_packet.linear);
	memcpy(frame + shim_packet.linear, shim_packet.rest, shim_packet.rest_length);
}

void shim_packet_free(void)
{
	free(shim_packet.block);
	free(shim_packet.rest);
	shim_packet.block = shim_packet.data = shim_packet.rest = NULL;
}

bool shim_packet_canary_lives(void)
{
	for (int i = 0; i < SHIM_HEADROOM; i++)
		if (shim_packet.block[i] != SHIM_CANARY)
			return false;
	return true;
}

/* The same packet, or what the frame says, in other memory. */
static void packet_move(const __u8 *frame, __u32 length, __u32 linear)
{
	__u8 *copy = copy_of(frame, length);

	SHIM_REQUIRE(shim_packet_canary_lives());
	shim_packet_set(copy, length, linear);
	free(copy);
}

static void packet_reshape(__u32 length, __u32 linear)
{
	__u8 *frame = calloc(1, shim_frame_length() + length);

	shim_packet_copy(frame);
	packet_move(frame, length, linear);
	free(frame);
}

long shim_pull(__u32 length)
{
	if (length > shim_frame_length())
		return -EFAULT;
	if (shim_fails())
		return -ENOMEM;
	packet_reshape(shim_frame_length(), length > shim_packet.linear ? length : shim_packet.linear);
	return 0;
}

long shim_change_tail(__u32 length)
{
	/* The kernel's least length is where the transport header begins. */
	if (length < ETH_HLEN || shim_fails())
		return -EINVAL;
	packet_reshape(length, length < shim_packet.linear ? length : shim_packet.linear);
	if (shim_packet.context_segment)
		*shim_packet.context_segment = 0;
	return 0;
}

/* Room behind the Ethernet header. */
long shim_adjust_room(__s32 growth)
{
	__u32 length = shim_frame_length();
	__u8 *frame;

	SHIM_REQUIRE(growth > 0 && growth < 0xfff);
	if (length < ETH_HLEN || shim_fails())
		return -ENOMEM;
	frame = calloc(1, length + growth);
	shim_packet_copy(frame);
	memmove(frame + ETH_HLEN + growth, frame + ETH_HLEN, length - ETH_HLEN);
	memset(frame + ETH_HLEN, 0xa5, growth);
	packet_move(frame, length + growth, shim_packet.linear + growth);
	free(frame);
	return 0;
}

static __u16 fold(__u64 sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

/* inet_proto_csum_replace_by_diff() */
long shim_l4_csum_replace(__u32 offset, __u64 from, __u64 to, __u64 flags)
{
	bool pseudo = flags & BPF_F_PSEUDO_HDR, zero_is_none = flags & BPF_F_MARK_MANGLED_0;
	bool is_ipv6 = flags & (1 << 7);
	__u16 *check;

	SHIM_REQUIRE(!(flags & BPF_F_HDR_FIELD_MASK) && !from && !(offset & 1) && !(to >> 32));
	if (shim_fails())
		return -ENOMEM;
	if (offset + 2 > shim_frame_length())
		return -EFAULT;
	packet_reshape(shim_frame_length(), offset + 2 > shim_packet.linear ? offset + 2 : shim_packet.linear);
	check = (__u16 *)(shim_packet.data + offset);
	if (zero_is_none && !*check)
		return 0;
	if (shim_packet.checksum != SHIM_CHECKSUM_PARTIAL) {
		*check = ~fold((__u64)(__u16) ~*check + to);
		if (shim_packet.checksum == SHIM_CHECKSUM_COMPLETE && pseudo && !is_ipv6)
			shim_packet.sum = fold((__u64)shim_packet.sum + (__u16)~fold(to));
	} else if (pseudo) {
		*check = fold((__u64)*check + to);
	}
	if (zero_is_none && !*check)
		*check = 0xffff;
	return 0;
}

__s64 shim_csum_diff(const __be32 *from, __u32 from_size, const __be32 *to, __u32 to_size, __u32 seed)
{
	__u64 sum = seed;

	SHIM_REQUIRE(!(from_size % 4) && !(to_size % 4));
	for (__u32 i = 0; i < from_size / 4; i++)
		sum += (__u32)~from[i];
	for (__u32 i = 0; i < to_size / 4; i++)
		sum += to[i];
	sum = (sum & 0xffffffff) + (sum >> 32);
	return (__u32)((sum & 0xffffffff) + (sum >> 32));
}

void *shim_socket(void)
{
	static struct bpf_sock socket;

	socket.type = 1 + shim_random() % 3;
	return shim_one_in(2) ? &socket : NULL;
}

/* A socket in TIME_WAIT, or one that answers a SYN, is none. */
void *shim_full_socket(void *socket)
{
	return shim_one_in(3) ? NULL : socket;
}

/* A block of its own, like a map's value. */
void *shim_storage_get(struct bpf_sock *sock, __u32 size, const void *initial, __u64 flags)
{
	struct shim_sock *owner = (struct shim_sock *)sock;

	if (owner->storage || !(flags & BPF_SK_STORAGE_GET_F_CREATE))
		return owner->storage;
	if (shim_fails())
		return NULL;
	owner->storage = malloc(size);
	memcpy(owner->storage, initial, size);
	return owner->storage;
}

long shim_storage_delete(struct bpf_sock *sock)
{
	struct shim_sock *owner = (struct shim_sock *)sock;

	if (!owner->storage)
		return -ENOENT;
	free(owner->storage);
	owner->storage = NULL;
	return 0;
}
