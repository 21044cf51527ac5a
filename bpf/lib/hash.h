/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
#ifndef EBPFLB_HASH_H
#define EBPFLB_HASH_H

#include <linux/types.h>

/* Every bit of the result depends on every bit of the value (the finalizer of splitmix64). */
static __always_inline __u64 mix64(__u64 value)
{
	value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9ull;
	value = (value ^ (value >> 27)) * 0x94d049bb133111ebull;
	return value ^ (value >> 31);
}

#endif
