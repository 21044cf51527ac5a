// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0

/* For the other end of a veth: it takes frames that XDP sends only while it has an XDP program itself. */

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("xdp")
int pass(struct xdp_md *ctx)
{
	return XDP_PASS;
}

char _license[] SEC("license") = "GPL";
