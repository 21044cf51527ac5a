/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */

#include "lib/maps.h"

static long each(void *map, const void *key, void *value, struct lb_sweep *sweep)
{
	sweep->entries++;
	return 0;
}

SEC("syscall")
int ct_sweep(struct lb_sweep *context)
{
	struct lb_sweep sweep = {};

	bpf_for_each_map_elem(&conntrack_v1, each, &sweep, 0);
	*context = sweep;
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
