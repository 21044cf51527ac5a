/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
#ifndef EBPFLB_SOCK_FLOWS_H
#define EBPFLB_SOCK_FLOWS_H

/*
 * The second and further frontends of one UDP socket, in both directions.
 *
 * Two frontends of a socket may lead to the same backend address and port. A reply from there cannot tell which of the
 * two was meant, so it is given to the one that was sent to last.
 *
 * An entry that is evicted to backend is chosen anew. One that is evicted from backend comes back with the next
 * datagram sent; a reply in between shows the backend's address.
 */

#include "address.h"
#include "backend.h"
#include "maps.h"

static __always_inline void sock_flow_key_fill(struct lb_sock_flow_key *key, __u64 cookie,
					       const struct lb_address *remote, __be16 port,
					       enum lb_sock_flow_direction direction)
{
	*key = (struct lb_sock_flow_key){
		.socket_cookie = cookie,
		.remote = *remote,
		.port = port,
		.direction = direction,
	};
}

static __always_inline bool sock_flow_read(__u64 cookie, const struct lb_address *frontend, __be16 port,
					   const struct service_view *service, struct backend_choice *choice)
{
	const struct lb_sock_flow *flow;
	struct lb_sock_flow_key key;

	sock_flow_key_fill(&key, cookie, frontend, port, LB_SOCK_TO_BACKEND);
	flow = bpf_map_lookup_elem(&sock_flows_v1, &key);
	return flow && flow->service_id == service->id && backend_read_member(flow->backend_id, service, choice) &&
	       backend_is_at(choice, &flow->remote, flow->port);
}

/* Replies of the backend belong to this frontend from now on. */
static __always_inline void sock_flow_put_reply(const struct lb_sock_flow_key *key, const struct lb_address *frontend,
						__be16 port, const struct backend_choice *choice)
{
	struct lb_sock_flow flow = {
		.remote = *frontend,
		.port = port,
		.backend_id = choice->id,
		.service_id = choice->backend.service_id,
	};

	bpf_map_update_elem(&sock_flows_v1, key, &flow, BPF_ANY);
}

static __always_inline bool sock_flow_leads_to(const struct lb_sock_flow *flow, const struct lb_address *remote,
					       __be16 port)
{
	return flow->port == port && address_equal(&flow->remote, remote);
}

/* For a frontend that lives in the flows. The lookup also keeps the entry from eviction while only sends happen. */
static __always_inline void sock_flow_claim(__u64 cookie, const struct lb_address *frontend, __be16 port,
					    const struct backend_choice *choice)
{
	const struct lb_sock_flow *flow;
	struct lb_sock_flow_key key;

	sock_flow_key_fill(&key, cookie, &choice->backend.address, choice->backend.port, LB_SOCK_FROM_BACKEND);
	flow = bpf_map_lookup_elem(&sock_flows_v1, &key);
	if (!flow || !sock_flow_leads_to(flow, frontend, port))
		sock_flow_put_reply(&key, frontend, port, choice);
}

/* For the frontend that lives in the storage: only an entry that says otherwise is in its way. */
static __always_inline void sock_flow_reclaim(__u64 cookie, const struct lb_address *frontend, __be16 port,
					      const struct backend_choice *choice)
{
	const struct lb_sock_flow *flow;
	struct lb_sock_flow_key key;

	sock_flow_key_fill(&key, cookie, &choice->backend.address, choice->backend.port, LB_SOCK_FROM_BACKEND);
	flow = bpf_map_lookup_elem(&sock_flows_v1, &key);
	if (flow && !sock_flow_leads_to(flow, frontend, port))
		sock_flow_put_reply(&key, frontend, port, choice);
}

static __always_inline void sock_flow_write(__u64 cookie, const struct lb_address *frontend, __be16 port,
					    const struct backend_choice *choice)
{
	struct lb_sock_flow_key key;
	struct lb_sock_flow flow = {
		.remote = choice->backend.address,
		.port = choice->backend.port,
		.backend_id = choice->id,
		.service_id = choice->backend.service_id,
	};

	sock_flow_key_fill(&key, cookie, frontend, port, LB_SOCK_TO_BACKEND);
	bpf_map_update_elem(&sock_flows_v1, &key, &flow, BPF_ANY);
	sock_flow_claim(cookie, frontend, port, choice);
}

static __always_inline bool sock_flow_restore(__u64 cookie, struct lb_address *remote, __be16 *port)
{
	const struct lb_sock_flow *flow;
	struct lb_sock_flow copy;
	struct lb_sock_flow_key key;

	sock_flow_key_fill(&key, cookie, remote, *port, LB_SOCK_FROM_BACKEND);
	flow = bpf_map_lookup_elem(&sock_flows_v1, &key);
	if (!flow)
		return false;
	copy = *flow;
	if (bpf_map_lookup_elem(&sock_flows_v1, &key) != flow)
		return false;
	*remote = copy.remote;
	*port = copy.port;
	return true;
}

#endif
