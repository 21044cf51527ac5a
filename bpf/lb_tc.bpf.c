/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */

#include "lib/maps.h"
#include <linux/pkt_cls.h>

static int count(__u32 hook)
{
	__u32 index = hook * LB_REASONS;
	struct lb_count *value = bpf_map_lookup_elem(&reasons_v1, &index);

	if (value)
		value->packets++;
	return TC_ACT_UNSPEC;
}

SEC("tc")
int tc_ingress(struct __sk_buff *packet)
{
	return count(LB_HOOK_TC_INGRESS);
}

SEC("tc")
int tc_egress(struct __sk_buff *packet)
{
	return count(LB_HOOK_TC_EGRESS);
}

SEC("tc")
int tc_pod(struct __sk_buff *packet)
{
	return count(LB_HOOK_TC_POD);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
