/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
#ifndef EBPFLB_SETTINGS_H
#define EBPFLB_SETTINGS_H

/* What the agent tells the programs. An array of one: the lookup is compiled into an addition. */

#include "maps.h"

/* Never null: the index is in range, which only the verifier does not know. */
static __always_inline const volatile struct lb_settings *settings_read(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&settings_v1, &zero);
}

#endif
