/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */

#include "lib/maps.h"

SEC("xdp.frags")
int xdp_ingress(struct xdp_md *context)
{
	__u32 index = LB_HOOK_XDP * LB_REASONS;
	struct lb_count *count = bpf_map_lookup_elem(&reasons_v1, &index);

	if (count)
		count->packets++;
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
