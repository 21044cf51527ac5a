/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
#ifndef EBPFLB_SHIM_BPF_HELPERS_H
#define EBPFLB_SHIM_BPF_HELPERS_H

/*
 * Found before libbpf's file of this name: the programs' view of the kernel, made of plain C. Each object that is built
 * with it has SHIM_UNIT, the prefix of the maps that are its own, and SHIM_IS_XDP.
 */

#include <linux/bpf.h>
#include "../../shim.h"

#undef __always_inline
#define __always_inline inline __attribute__((always_inline))
#undef __noinline
#define __noinline __attribute__((noinline))

#define SEC(name)
#define __uint(name, value) int(*name)[value]
#define __type(name, type_) __typeof__(type_) *name

/* What a map says of itself is in the types of its members; what it is called, in the expression that names it. */
#define SHIM_MAP(map)                                                                                                  \
	({                                                                                                             \
		static struct shim_map *_shim_map;                                                                     \
		if (!_shim_map)                                                                                        \
			_shim_map = shim_map_open(SHIM_UNIT, #map, sizeof(*(map)->type) / sizeof(int),                 \
						  sizeof(*(map)->max_entries) / sizeof(int), sizeof(*(map)->key),      \
						  sizeof(*(map)->value));                                              \
		_shim_map;                                                                                             \
	})

#define bpf_map_lookup_elem(map, key)                   shim_lookup(SHIM_MAP(map), key)
#define bpf_map_update_elem(map, key, value_, flags)    shim_update(SHIM_MAP(map), key, value_, flags)
#define bpf_map_delete_elem(map, key)                   shim_delete(SHIM_MAP(map), key)
#define bpf_for_each_map_elem(map, call, data_, flags_) shim_for_each(SHIM_MAP(map), (shim_callback *)(call), data_)

#define bpf_ktime_get_ns()                                       shim_now()
#define bpf_ktime_get_coarse_ns()                                shim_now()
#define bpf_get_prandom_u32()                                    shim_random()
#define bpf_redirect(ifindex_, flags)                            shim_redirect(SHIM_IS_XDP, ifindex_, flags)
#define bpf_redirect_neigh(ifindex_, parameters, size, flags)    shim_redirect_neighbour(ifindex_)
#define bpf_fib_lookup(context, parameters, size, flags)         shim_fib_lookup(parameters)
#define bpf_xdp_get_buff_len(context)                            shim_frame_length()
#define bpf_skb_pull_data(context, length)                       shim_pull(length)
#define bpf_skb_change_tail(context, length, flags)              shim_change_tail(length)
#define bpf_skb_adjust_room(context, growth, mode, flags)        shim_adjust_room(growth)
#define bpf_l4_csum_replace(context, offset, from, to, flags)    shim_l4_csum_replace(offset, from, to, flags)
#define bpf_csum_diff(from, from_size, to, to_size, seed)        shim_csum_diff(from, from_size, to, to_size, seed)
#define bpf_skc_lookup_tcp(context, tuple, size, network, flags) ((void)(size), (struct bpf_sock *)shim_socket())
#define bpf_sk_lookup_udp(context, tuple, size, network, flags)  ((void)(size), (struct bpf_sock *)shim_socket())
#define bpf_sk_fullsock(socket)                                  ((struct bpf_sock *)shim_full_socket(socket))
#define bpf_sk_release(socket)                                   ((void)(socket))

#define bpf_sk_storage_get(map, sk, initial, flags) shim_storage_get(sk, sizeof(*(map)->value), initial, flags)
#define bpf_sk_storage_delete(map, sk)              shim_storage_delete(sk)
#define bpf_get_socket_cookie(ctx)                  (((struct shim_sock *)(ctx)->sk)->cookie)
#define bpf_get_netns_cookie(ctx)                   (((struct shim_sock *)(ctx)->sk)->netns)
#define bpf_set_retval(value_)                      ((void)(shim_world.retval = (value_)))

/*
 * Takes the place of bpf/lib/context.h, which reads in BPF assembler. A context's pointers have 32 bits there and mean
 * nothing here: the packet in question is known.
 */
#define EBPFLB_CONTEXT_H
#define CONTEXT_READ(ctx, field) shim_context_read(#field, (ctx)->field)

#endif
