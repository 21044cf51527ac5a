/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
#ifndef EBPFLB_AFFINITY_H
#define EBPFLB_AFFINITY_H

/*
 * Session affinity. The client of a socket is its network namespace: one pod, or the host; of a packet its address. An
 * entry lives from connection to connection: each one restarts its time.
 */

#include "backend.h"
#include "service.h"

#define NS_PER_S 1000000000ull

/*
 * Looks for the client's entry (*exists tells whether there is one, valid or not) and for the backend it names.
 *
 * The element may be reused for another client between the lookup and the store to it. Then that entry's time restarts
 * once too often, which is harmless.
 */
static __always_inline bool affinity_find(const struct lb_affinity_key *key, const struct service_view *service,
					  struct backend_choice *choice, bool *exists)
{
	struct lb_affinity *entry = bpf_map_lookup_elem(&affinity_v1, key);
	__u64 now = bpf_ktime_get_ns();
	__s64 age;

	*exists = entry;
	if (!entry)
		return false;
	age = now - entry->last_used_ns; /* negative when another processor has just used it */
	if (age >= (__s64)(service->affinity_timeout_s * NS_PER_S))
		return false;
	if (!backend_read_member(entry->backend_id, service, choice))
		return false;
	entry->last_used_ns = now;
	return true;
}

/*
 * Remembers the choice. First connections of one client may run in parallel: only one of them inserts, the others
 * follow it. (Those that find an entry whose time is over replace it, and the last wins.) An entry that cannot be
 * written costs the client its affinity, never its connection.
 */
static __always_inline void affinity_keep(const struct lb_affinity_key *key, const struct service_view *service,
					  struct backend_choice *choice, bool exists)
{
	struct lb_affinity entry = {.last_used_ns = bpf_ktime_get_ns(), .backend_id = choice->id};
	struct backend_choice first;
	bool mine;

	if (!exists) {
		if (bpf_map_update_elem(&affinity_v1, key, &entry, BPF_NOEXIST) != -EEXIST)
			return;
		if (affinity_find(key, service, &first, &mine)) {
			*choice = first;
			return;
		}
	}
	bpf_map_update_elem(&affinity_v1, key, &entry, BPF_ANY);
}

#endif
