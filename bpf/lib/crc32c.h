/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
#ifndef EBPFLB_CRC32C_H
#define EBPFLB_CRC32C_H

/*
 * The checksum of SCTP when its first four bytes, the ports, change. CRC32c is linear over GF(2): the change of the
 * checksum is the CRC of the change, carried over the bytes behind it, which is a multiplication by a power of x. So
 * the payload is not read, and a wrong checksum stays wrong.
 *
 * Numbers are polynomials with the lowest coefficient in the highest bit, as the reflected CRC has them.
 */

#include <linux/types.h>

#define CRC32C_POLYNOMIAL 0x82f63b78u
#define CRC32C_MAX_POWERS 16

/* x^(8 * 2^i) modulo the polynomial. */
static const __u32 crc32c_powers[CRC32C_MAX_POWERS] = {
	0x00800000, 0x00008000, 0x82f63b78, 0x6ea2d55c, 0x18b8ea18, 0x510ac59a, 0xb82be955, 0xb8fdb1e7,
	0x88e56f72, 0x74c360a4, 0xe4172b16, 0x0d65762a, 0x35d73a62, 0x28461564, 0xbf455269, 0xe2ea32dc};

static __always_inline __u32 crc32c_multiply(__u32 a, __u32 b)
{
	__u32 product = 0;

	for (int i = 0; i < 32; i++) {
		product ^= b & -(a >> 31);
		a <<= 1;
		b = (b >> 1) ^ (CRC32C_POLYNOMIAL & -(b & 1));
	}
	return product;
}

/*
 * old_word and new_word as they lie in the packet, behind bytes after them. Not static: the verifier then looks at it
 * once, for any arguments, instead of once for each way that leads here.
 */
__noinline __u32 crc32c_delta(__u32 old_word, __u32 new_word, __u32 behind)
{
	__u32 delta = old_word ^ new_word;

	/* The four bytes themselves: the remainder of the message delta. */
	for (int i = 0; i < 32; i++)
		delta = (delta >> 1) ^ (CRC32C_POLYNOMIAL & -(delta & 1));
	for (int i = 0; i < CRC32C_MAX_POWERS; i++) {
		if (behind & (1u << i))
			delta = crc32c_multiply(delta, crc32c_powers[i]);
	}
	return delta;
}

#endif
