/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
#ifndef EBPFLB_FRAGMENT_H
#define EBPFLB_FRAGMENT_H

/* Later fragments follow their first one: it alone has the ports. */

#include "clock.h"
#include "maps.h"
#include "packet.h"

#define FRAGMENT_LIFE_S 30

static __always_inline void fragment_key_fill(const struct packet *packet, struct lb_fragment_key *key)
{
	*key = (struct lb_fragment_key){
		.source = packet->tuple.source,
		.destination = packet->tuple.destination,
		.id = packet->fragment_id,
		.protocol = packet->tuple.protocol,
		.side = packet->tuple.side,
	};
}

SUBPROGRAM int fragment_remember(const struct packet *packet)
{
	struct lb_fragment_key key;
	struct lb_fragment ports;

	if (!packet)
		return 0;
	ports = (struct lb_fragment){
		.source_port = packet->tuple.source_port,
		.destination_port = packet->tuple.destination_port,
		.seen = clock_now(),
	};
	fragment_key_fill(packet, &key);
	return bpf_map_update_elem(&fragments_v1, &key, &ports, BPF_ANY);
}

/* Gives the tuple its ports; 0 when the first fragment was not seen, or too long ago. */
SUBPROGRAM int fragment_recall(struct packet *packet)
{
	const struct lb_fragment *ports;
	struct lb_fragment_key key;

	if (!packet)
		return 0;
	fragment_key_fill(packet, &key);
	ports = bpf_map_lookup_elem(&fragments_v1, &key);
	if (!ports || clock_age(clock_now(), ports->seen) >= clock_of_s(FRAGMENT_LIFE_S))
		return 0;
	packet->tuple.source_port = ports->source_port;
	packet->tuple.destination_port = ports->destination_port;
	return 1;
}

#endif
