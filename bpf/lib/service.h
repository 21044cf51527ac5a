/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
#ifndef EBPFLB_SERVICE_H
#define EBPFLB_SERVICE_H

/* A service as one kind of traffic sees it: the one list its policy selects. */

#include <stdbool.h>
#include <linux/errno.h>
#include "maps.h"

struct service_view {
	__u32 id;
	struct lb_slot_range slots;
	__u32 list; /* the LB_BACKEND_IN_* flag of that list's members */
	__u32 affinity_timeout_s;
	__u8 algorithm;
	__u8 flags;
	__u8 policy;   /* enum service_policy */
	bool is_local; /* the policy of this traffic is Local */
};

/* Whose traffic policy counts: the flag of the service that says Local. */
enum service_policy {
	SERVICE_POLICY_CLUSTER = 0, /* nobody's: the Cluster list */
	SERVICE_POLICY_INTERNAL = LB_SERVICE_INTERNAL_LOCAL,
	SERVICE_POLICY_EXTERNAL = LB_SERVICE_EXTERNAL_LOCAL,
};

/* One load: the agent flips base and count together, and they must arrive together. */
static __always_inline struct lb_slot_range slot_range_read(const struct lb_slot_range *range)
{
	union {
		__u64 word;
		struct lb_slot_range range;
	} whole = {.word = *(const volatile __u64 *)range};

	return whole.range;
}

static __always_inline bool service_read(__u32 id, enum service_policy policy, struct service_view *view)
{
	view->id = id;
	view->policy = policy;
	for (int i = 0; i < MAP_READ_TRIES; i++) {
		const struct lb_service *service = bpf_map_lookup_elem(&services_v1, &id);

		if (!service)
			continue;
		view->flags = service->flags;
		view->algorithm = service->algorithm;
		view->affinity_timeout_s = service->affinity_timeout_s;
		view->is_local = view->flags & policy;
		if (view->is_local) {
			view->slots = slot_range_read(&service->local);
			view->list = LB_BACKEND_IN_LOCAL;
		} else {
			view->slots = slot_range_read(&service->cluster);
			view->list = LB_BACKEND_IN_CLUSTER;
		}
		if (bpf_map_lookup_elem(&services_v1, &id) == service)
			return true;
	}
	return false;
}

/* The service may have changed: its list, or which list it is. */
static __always_inline bool service_read_again(struct service_view *view)
{
	return service_read(view->id, view->policy, view);
}

/*
 * What the application is told when the list is empty. A service that has endpoints, but none this node may use under
 * policy Local, must look as it does to a packet, which is dropped: a timeout. A hook cannot make the socket wait, so
 * the timeout is immediate.
 */
static __always_inline int service_unavailable(const struct service_view *service)
{
	if (service->is_local && (service->flags & LB_SERVICE_HAS_ENDPOINTS))
		return -ETIMEDOUT;
	return -ECONNREFUSED;
}

#endif
