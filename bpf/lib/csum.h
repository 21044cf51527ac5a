/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
#ifndef EBPFLB_CSUM_H
#define EBPFLB_CSUM_H

/*
 * Internet checksums (RFC 1071), only ever changed by a difference (RFC 1624): what was wrong stays wrong by the same
 * amount. Sums and differences are in the byte order of the packet, so no byte is swapped.
 */

#include "address.h"

static __always_inline __u16 csum_fold(__u32 sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

static __always_inline __u64 csum_address(const struct lb_address *address)
{
	return (__u64)address_word(address, 0) + address_word(address, 1) + address_word(address, 2) +
	       address_word(address, 3);
}

static __always_inline __u64 csum_address_inverse(const struct lb_address *address)
{
	return (__u64)(__u32)~address_word(address, 0) + (__u32)~address_word(address, 1) +
	       (__u32)~address_word(address, 2) + (__u32)~address_word(address, 3);
}

static __always_inline __u16 csum_fold64(__u64 sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffffffff) + (sum >> 32);
	return csum_fold(sum);
}

/* What two addresses of a packet add when others replace them. For mapped addresses: the same as for the IPv4 ones. */
static __noinline __u16 csum_address_delta(const struct lb_address *old_source,
					   const struct lb_address *old_destination,
					   const struct lb_address *new_source,
					   const struct lb_address *new_destination)
{
	return csum_fold64(csum_address_inverse(old_source) + csum_address_inverse(old_destination) +
			   csum_address(new_source) + csum_address(new_destination));
}

static __always_inline __u32 csum_word_delta(__be16 old_word, __be16 new_word)
{
	return (__u32)(__u16)~old_word + new_word;
}

static __always_inline __u16 csum_apply(__u16 check, __u32 delta)
{
	return ~csum_fold((__u32)(__u16)~check + csum_fold(delta));
}

#endif
