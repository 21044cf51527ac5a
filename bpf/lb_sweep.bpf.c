// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0

/*
 * Run by the agent every few seconds over the whole of conntrack_v1: ends flows whose time is over, makes whole those
 * that lost a half, adds up what flows have counted, marks connections whose backend is gone. The walk lets packets in
 * between any two buckets.
 */

#include <linux/bpf.h>
#include <linux/in.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include "lib/conntrack.h"
#include "lib/dead.h"
#include "lib/settings.h"

char _license[] SEC("license") = "GPL";

struct sweep {
	struct lb_sweep report;
	struct lb_conntrack_key ended; /* with its other half, by the call before */
	__u32 now;
};

/* Not on the stack: what the verifier knows of a stack, it would compare for every call of the walk. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sweep);
} sweeps SEC(".maps");

static __always_inline struct sweep *sweep_in_progress(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&sweeps, &zero);
}

/* Without a branch for each word: the verifier would walk every one of them. */
static __always_inline bool key_equal(const struct lb_conntrack_key *one, const struct lb_conntrack_key *other)
{
	const __u32 *left = (const __u32 *)one, *right = (const __u32 *)other;
	__u32 different = 0;

#pragma unroll
	for (int i = 0; i < (int)(sizeof(*one) / sizeof(*left)); i++)
		different |= left[i] ^ right[i];
	return !different;
}

static __always_inline void sweep_fold(struct lb_conntrack *flow)
{
	__u32 backend_id = flow->backend_id;
	__u32 packets = flow->packets;
	__u64 bytes = flow->bytes;
	struct lb_counters *counters;

	if (packets == flow->folded_packets || (flow->flags & LB_CONNTRACK_LOST))
		return;
	/* The mark of a lost flow, but not the time beside it, may be overwritten by a packet on another processor. */
	counters = flow->folded_packets < packets ? bpf_map_lookup_elem(&counters_v1, &backend_id) : NULL;
	if (counters) {
		bool reply = flow->flags & LB_CONNTRACK_REPLY;

		__sync_fetch_and_add(reply ? &counters->packets_out : &counters->packets_in,
				     (__u32)(packets - flow->folded_packets));
		__sync_fetch_and_add(reply ? &counters->bytes_out : &counters->bytes_in, bytes - flow->folded_bytes);
	}
	flow->folded_packets = packets;
	flow->folded_bytes = bytes;
}

static __always_inline bool sweep_is_half_open(const struct lb_conntrack_key *key, const struct lb_conntrack *forward,
					       const struct lb_conntrack *reply)
{
	return key->protocol == IPPROTO_TCP && !conntrack_is_assured(forward, reply, true);
}

/* How long a flow may be silent, from what both of its directions have shown. */
static __always_inline __u32 sweep_timeout_s(const volatile struct lb_settings *settings, __u8 protocol,
					     const struct lb_conntrack *flow, const struct lb_conntrack *other,
					     bool half_open)
{
	if (protocol == IPPROTO_UDP)
		return settings->udp_s;
	if (conntrack_is_closed(flow, other))
		return settings->tcp_closed_s;
	if (protocol != IPPROTO_TCP)
		return settings->sctp_s;
	if (half_open)
		return settings->tcp_syn_s;
	if ((flow->flags | (other ? other->flags : 0)) & LB_CONNTRACK_FIN)
		return settings->tcp_fin_s;
	return settings->tcp_established_s;
}

/*
 * Nothing but an opening, or the answer to one, and not old enough to be over whatever the other half has seen. Looking
 * at the other half would mark it as used, and in a flood that is what all the table is: then the map could no longer
 * tell the flows that are.
 */
SUBPROGRAM int sweep_is_young_opening(__u8 protocol, __u16 flags, __u32 age)
{
	const __u16 more = LB_CONNTRACK_DATA | LB_CONNTRACK_FIN | LB_CONNTRACK_RST | LB_CONNTRACK_PICKED_UP;
	const volatile struct lb_settings *settings = settings_read();

	if (!settings || (flags & more) || protocol == IPPROTO_SCTP)
		return false;
	return age < clock_of_s(protocol == IPPROTO_TCP ? settings->tcp_syn_s : settings->udp_s);
}

static __always_inline bool sweep_has_backend(const struct lb_conntrack *flow)
{
	__u32 id = flow->backend_id;

	return bpf_map_lookup_elem(&backends_v1, &id);
}

/* A flow of datagrams ends with its backend, a connection when its client has been told, an association never. */
static __always_inline bool sweep_lost_backend(const struct lb_conntrack_key *key, const struct lb_conntrack *flow)
{
	return key->protocol == IPPROTO_UDP && !sweep_has_backend(flow);
}

static __always_inline void sweep_mark(struct lb_sweep *report, struct lb_conntrack *forward,
				       const struct lb_conntrack *reply, __u32 now)
{
	if (sweep_has_backend(forward)) {
		dead_forgive(forward);
		return;
	}
	report->lost++;
	if (!report->dead_backend_s) {
		dead_forgive(forward);
		return;
	}
	dead_mark(forward, reply, now, clock_of_s(report->dead_backend_s));
	report->dead += !!(forward->flags & LB_CONNTRACK_DEAD);
}

static long sweep_entry(void *map, struct lb_conntrack_key *key, struct lb_conntrack *flow, void *unused)
{
	const volatile struct lb_settings *settings = settings_read();
	struct sweep *sweep = sweep_in_progress();
	const struct lb_conntrack *forward, *reply;
	struct lb_conntrack *other;
	struct lb_conntrack_key other_key;
	bool half_open, other_is_young;
	__u32 age;

	(void)map;
	(void)unused;
	if (!settings || !sweep)
		return 1;
	/*
	 * The walk may have had its hand on what was ended a moment ago. A lookup would tell as well, but marks what it
	 * finds as used, and then the map no longer knows which flows are.
	 */
	if (key_equal(key, &sweep->ended))
		return 0;
	sweep->report.entries++;
	sweep_fold(flow);

	age = clock_age(sweep->now, flow->seen);
	if (sweep_is_young_opening(key->protocol, flow->flags, age) && !sweep_lost_backend(key, flow)) {
		/* Its reply half stands for it: that one comes first, and is there even when the opening was not
		 * answered. */
		if (flow->flags & LB_CONNTRACK_REPLY) {
			sweep->report.flows++;
			sweep->report.half_open += key->protocol == IPPROTO_TCP;
		}
		return 0;
	}
	other = conntrack_find_other(key, flow, &other_key);
	forward = flow->flags & LB_CONNTRACK_REPLY ? other : flow;
	reply = flow->flags & LB_CONNTRACK_REPLY ? flow : other;
	half_open = sweep_is_half_open(key, forward, reply);
	if (other && clock_age(sweep->now, other->seen) < age)
		age = clock_age(sweep->now, other->seen);

	if (age >= clock_of_s(sweep_timeout_s(settings, key->protocol, flow, other, half_open)) ||
	    sweep_lost_backend(key, flow)) {
		/* Both at once: the one that stayed would not know what this one has seen, and make it anew. */
		if (other) {
			sweep_fold(other);
			sweep->report.entries++;
			sweep->report.expired++;
			sweep->ended = other_key;
			bpf_map_delete_elem(&conntrack_v1, &other_key);
		}
		sweep->report.expired++;
		bpf_map_delete_elem(&conntrack_v1, key);
		return 0;
	}
	if (!other) {
		struct lb_conntrack_key own = *key; /* the map's own is for reading only */

		/* Unanswered, a reply half has had no other yet. */
		if (forward || (flow->flags & (LB_CONNTRACK_SYN | LB_CONNTRACK_DATA))) {
			sweep->report.orphans++;
			if (!conntrack_is_closed(flow, other))
				conntrack_check_other(&own, flow, sweep->now);
		}
	}
	if (flow == forward && key->protocol == IPPROTO_TCP && !half_open)
		sweep_mark(&sweep->report, flow, other, sweep->now);
	/* As long as either half is a young opening the reply half counts the flow, then the forward half. */
	other_is_young =
		other && sweep_is_young_opening(key->protocol, other->flags, clock_age(sweep->now, other->seen));
	if (flow != forward && forward && !other_is_young)
		return 0;
	if (flow == forward && other_is_young) {
		/* It did so as of one half open. */
		sweep->report.half_open -= key->protocol == IPPROTO_TCP && !half_open;
		return 0;
	}
	sweep->report.flows++;
	sweep->report.half_open += half_open;
	return 0;
}

SEC("syscall")
int ct_sweep(struct lb_sweep *report)
{
	struct sweep *sweep = sweep_in_progress();

	if (!sweep)
		return 0;
	/* Programs of this type are not offered the coarse clock, which never is ahead of this one. */
	*sweep = (struct sweep){
		.report.dead_backend_s = report->dead_backend_s,
		.now = bpf_ktime_get_ns() >> CLOCK_SHIFT,
	};
	bpf_for_each_map_elem(&conntrack_v1, sweep_entry, NULL, 0);
	if ((__s64)sweep->report.half_open < 0) /* packets went on while it was counted */
		sweep->report.half_open = 0;
	*report = sweep->report;
	return 0;
}
