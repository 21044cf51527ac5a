/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct pair {
	__u32 left;
	__u32 right;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u32);
	__type(value, struct pair);
} pairs_v1 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 8);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, __u32);
} numbers_v1 SEC(".maps");

SEC("cgroup/connect4")
int connect4(struct bpf_sock_addr *ctx)
{
	__u32 key = ctx->user_port;
	struct pair *pair = bpf_map_lookup_elem(&pairs_v1, &key);
	__u32 *number = bpf_map_lookup_elem(&numbers_v1, &key);

	if (pair && number)
		pair->left = *number;
	return 1;
}

SEC("cgroup/connect6")
int connect6(struct bpf_sock_addr *ctx)
{
	__u32 key = ctx->user_port;

	return bpf_map_lookup_elem(&pairs_v1, &key) ? 0 : 1;
}

char _license[] SEC("license") = "Dual MIT/GPL";
