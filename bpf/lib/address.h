/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
#ifndef EBPFLB_ADDRESS_H
#define EBPFLB_ADDRESS_H

/* Addresses of both families as 16 bytes, IPv4 as ::ffff:a.b.c.d. */

#include <stdbool.h>
#include <linux/types.h>
#include <bpf/bpf_endian.h>
#include "../types.h"

/* Copies, because bytes may not be read through a pointer to a wider type. Each becomes one load or store. */

static __always_inline __be32 address_word(const struct lb_address *address, unsigned int index)
{
	__be32 word;

	__builtin_memcpy(&word, &address->bytes[4 * index], sizeof(word));
	return word;
}

static __always_inline void address_set_word(struct lb_address *address, unsigned int index, __be32 word)
{
	__builtin_memcpy(&address->bytes[4 * index], &word, sizeof(word));
}

static __always_inline void address_set_v4(struct lb_address *address, __be32 v4)
{
	address_set_word(address, 0, 0);
	address_set_word(address, 1, 0);
	address_set_word(address, 2, bpf_htonl(0xffff));
	address_set_word(address, 3, v4);
}

static __always_inline __be32 address_v4(const struct lb_address *address)
{
	return address_word(address, 3);
}

static __always_inline bool address_is_mapped(const struct lb_address *address)
{
	return !address_word(address, 0) && !address_word(address, 1) && address_word(address, 2) == bpf_htonl(0xffff);
}

static __always_inline bool address_is_zero(const struct lb_address *address)
{
	return !(address_word(address, 0) | address_word(address, 1) | address_word(address, 2) |
		 address_word(address, 3));
}

static __always_inline bool address_equal(const struct lb_address *a, const struct lb_address *b)
{
	/* The last word first: it differs most often. */
	return address_word(a, 3) == address_word(b, 3) && address_word(a, 2) == address_word(b, 2) &&
	       address_word(a, 1) == address_word(b, 1) && address_word(a, 0) == address_word(b, 0);
}

#endif
