// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0

/*
 * Packets as they come in through a device and as they leave it. tc_ingress is for devices that face other machines,
 * tc_pod for those that face the pods of this node, tc_egress for both.
 */

#include "lib/hook_tc.h"
#include "lib/answer_tc.h"
#include "lib/exit.h"
#include "lib/path.h"
#include "lib/path_out.h"

/* The half of the licence choice that lets a program call the kernel's GPL-only helpers. */
char _license[] SEC("license") = "GPL";

SEC("tc")
int tc_ingress(struct __sk_buff *ctx)
{
	struct packet packet;
	enum packet_kind kind;

	kind = packet_parse(ctx, &packet, LB_HOOK_TC_INGRESS, LB_SIDE_INGRESS);
	return exit_with(ctx, &packet, path_in(ctx, &packet, kind, BEGIN_FROM_WIRE));
}

SEC("tc")
int tc_pod(struct __sk_buff *ctx)
{
	struct packet packet;
	enum packet_kind kind;

	kind = packet_parse(ctx, &packet, LB_HOOK_TC_POD, LB_SIDE_INGRESS);
	return exit_with(ctx, &packet, path_in(ctx, &packet, kind, BEGIN_FROM_POD));
}

SEC("tc")
int tc_egress(struct __sk_buff *ctx)
{
	struct packet packet;
	enum packet_kind kind;

	kind = packet_parse(ctx, &packet, LB_HOOK_TC_EGRESS, LB_SIDE_EGRESS);
	return exit_with(ctx, &packet, path_out(ctx, &packet, kind));
}
