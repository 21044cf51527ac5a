/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
#ifndef EBPFLB_PATH_OUT_H
#define EBPFLB_PATH_OUT_H

/* The way of a packet out of this node, to a wire or a pod. */

#include "path.h"

/*
 * The answer to a translated flow that this node has forgotten goes to the stack, which knows it no better and resets
 * the connection. The reset is what must not leave: when the client speaks again, the flow is found again.
 */
static __always_inline bool path_is_reset_of_forgotten(hook_ctx *ctx, const struct packet *packet)
{
	const volatile struct lb_settings *settings = settings_read();
	__u16 port = bpf_ntohs(packet->tuple.source_port);
	bool is_node;

	if (!packet_is_tcp(packet) || !(packet->tcp_flags & TCP_RST) || !settings || port < settings->snat_port_first ||
	    port > settings->snat_port_last || !hook_is_of_stack(ctx))
		return false;
	node_address_flags(&packet->tuple.source, &is_node);
	return is_node;
}

/* Answers of backends get their frontend back. Nothing else is changed; what dials a service address stays here. */
static __always_inline int path_out(hook_ctx *ctx, struct packet *packet, enum packet_kind kind)
{
	struct lb_frontend frontend = {};
	int outcome;

	outcome = path_of_flow(ctx, packet, kind);
	if (outcome != OUTCOME_RESTART)
		return outcome;
	if (path_is_reset_of_forgotten(ctx, packet))
		return LB_REASON_NO_FLOW;
	outcome = begin_dialled(packet, &frontend);
	if (outcome != OUTCOME_CONTINUE)
		return outcome;
	/* The socket hook did not see it. An external address may be served by somebody further on. */
	return frontend.flags & LB_FRONTEND_CLUSTER_IP ? (int)LB_REASON_CLUSTER_IP : OUTCOME_PASS;
}

#endif
