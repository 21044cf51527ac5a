/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
#ifndef EBPFLB_SUBPROGRAM_H
#define EBPFLB_SUBPROGRAM_H

/*
 * A function that is not static is verified on its own, once, for any arguments. A static one is verified anew for
 * every state in which it is reached, which for the packet path as a whole is more than the verifier allows. The price:
 * a pointer it is given might be null for all the verifier knows, so each begins with a check that never fails.
 *
 * Until Linux 6.2 what such a pointer leads to is neither key nor value of a map helper: copy it, or look the element
 * up again. Until then a frame counts in steps of 32 bytes too, and those of a chain of calls may have 512 together.
 */
#define SUBPROGRAM __attribute__((noinline))

#endif
