// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0

/*
 * Packets as a device receives them, before the kernel makes anything of them. What can be decided and sent here is;
 * the rest meets lb_tc.bpf.c with the same maps and the same rules.
 */

#include "lib/hook_xdp.h"
#include "lib/answer_xdp.h"
#include "lib/exit.h"
#include "lib/path.h"

/* The half of the licence choice that lets a program call the kernel's GPL-only helpers. */
char _license[] SEC("license") = "GPL";

SEC("xdp.frags")
int xdp_ingress(struct xdp_md *ctx)
{
	struct packet packet;
	enum packet_kind kind;

	kind = packet_parse(ctx, &packet, LB_HOOK_XDP, LB_SIDE_INGRESS);
	return exit_with(ctx, &packet, path_in(ctx, &packet, kind, BEGIN_FROM_WIRE));
}
