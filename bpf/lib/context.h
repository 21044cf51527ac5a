/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
#ifndef EBPFLB_CONTEXT_H
#define EBPFLB_CONTEXT_H

/*
 * A field of 32 bits of a hook's context. In assembler, because the verifier takes a load at a constant offset of the
 * context and refuses one through an address that was computed and kept, as compilers like to do.
 */
#define CONTEXT_READ(ctx, field)                                                                                       \
	({                                                                                                             \
		__u64 _value;                                                                                          \
		asm volatile("%[value] = *(u32 *)(%[context] + %[offset])"                                             \
			     : [value] "=r"(_value)                                                                    \
			     : [context] "r"(ctx), [offset] "i"(offsetof(hook_ctx, field)));                           \
		_value;                                                                                                \
	})

#endif
