// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
#include <string.h>
#include <arpa/inet.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include "check.h"

struct check_totals check_totals;

static __u64 *reason_of(enum lb_hook hook, __u32 reason)
{
	__u32 index = hook * LB_REASONS + reason;

	return &((struct lb_count *)shim_peek(world_reasons, &index))->packets;
}

void check_begin(struct run *run)
{
	for (__u32 i = 0; i < LB_REASONS; i++)
		run->reasons[i] = *reason_of(run->hook, i);
	view_read(run->before, run->before_length, run->is_long, &run->was);
	shim_world.neighbour_asked = false;
}

static __u64 counted(const struct run *run, __u32 first, __u32 last)
{
	__u64 sum = 0;

	for (__u32 i = first; i <= last; i++)
		sum += run->reasons[i];
	return sum;
}

static bool is_same(const struct run *run)
{
	return run->after_length == run->before_length && !memcmp(run->before, run->after, run->before_length);
}

static void allow(__u8 *mask, __u32 offset, __u32 length)
{
	memset(mask + offset, 1, length);
}

/* The bytes a translation may change. */
static void allow_packet(const struct view *view, __u8 *mask)
{
	if (view->is_v4) {
		allow(mask, view->network + 12, 8);
		allow(mask, view->network + 10, 2);
	} else {
		allow(mask, view->network + 8, 32);
	}
	if (view->is_later)
		return;
	if (view->protocol == IPPROTO_TCP || view->protocol == IPPROTO_UDP || view->protocol == SCTP)
		allow(mask, view->transport, 4);
	if (view->protocol == SCTP && view->transport + 12 <= view->end)
		allow(mask, view->transport + 8, 4);
	if (view->has_checksum)
		allow(mask, view->check, 2);
}

static void check_only_translated(const struct run *run, bool sent)
{
	__u8 mask[FRAME_ROOM] = {};
	const struct view *was = &run->was;
	struct view quote;

	SHIM_REQUIRE(was->makes_sense && !run->tagged && run->after_length == run->before_length);
	allow_packet(was, mask);
	if (was->is_fragment && was->is_v4)
		allow(mask, was->network + 4, 2);
	if (was->fragment_header)
		allow(mask, was->fragment_header + 4, 4);
	if (sent) {
		allow(mask, 0, 2 * ETH_ALEN);
		allow(mask, was->network + (was->is_v4 ? 8 : 7), 1);
	}
	if (view_is_icmp_error(run->before, was)) {
		view_read_quote(run->before, was, &quote);
		SHIM_REQUIRE(quote.makes_sense);
		allow_packet(&quote, mask);
	}
	for (__u32 i = 0; i < run->before_length; i++)
		SHIM_REQUIRE(mask[i] || run->before[i] == run->after[i]);
}

static __u16 check_at(const __u8 *bytes, const struct view *view)
{
	return bytes[view->check] << 8 | bytes[view->check + 1];
}

static void check_partial(const struct run *run, const struct view *now)
{
	__u32 old_error = check_at(run->before, &run->was) + 0xffff - view_pseudo_sum(run->before, &run->was);
	__u32 new_error = check_at(run->after, now) + 0xffff - view_pseudo_sum(run->after, now);

	SHIM_REQUIRE(old_error % 0xffff == new_error % 0xffff);
}

static void check_complete(const struct run *run, const struct view *now)
{
	/* A helper that fails looks like one of a kernel that does not know the flag for IPv6. */
	if (shim_world.failures && !now->is_v4)
		return;
	if (now->protocol == SCTP || (!now->has_checksum && !now->is_later) || (now->is_fragment && !now->is_v4))
		return;
	SHIM_REQUIRE(ntohs(shim_packet.sum) % 0xffff == frame_sum(run->after, ETH_HLEN, run->after_length));
}

/* What was right is right, and what was wrong is wrong by the same. */
static void check_checksums(const struct run *run)
{
	const struct view *was = &run->was;
	struct view now, old_quote, new_quote;

	view_read(run->after, run->after_length, run->is_long, &now);
	SHIM_REQUIRE(now.makes_sense && now.transport == was->transport && now.end == was->end);
	SHIM_REQUIRE(now.has_checksum == was->has_checksum);
	if (was->is_v4)
		SHIM_REQUIRE(view_network_residual(run->before, was) == view_network_residual(run->after, &now));
	if (was->protocol == SCTP && !was->is_fragment)
		SHIM_REQUIRE(!view_sctp_is_right(run->before, was) || view_sctp_is_right(run->after, &now));
	if (!was->has_checksum)
		return;
	if (run->checksum == SHIM_CHECKSUM_PARTIAL) {
		check_partial(run, &now);
		return;
	}
	SHIM_REQUIRE(view_transport_residual(run->before, was) == view_transport_residual(run->after, &now));
	if (run->checksum == SHIM_CHECKSUM_COMPLETE && run->verdict == TC_ACT_UNSPEC)
		check_complete(run, &now);
	if (!view_is_icmp_error(run->before, was))
		return;
	view_read_quote(run->before, was, &old_quote);
	view_read_quote(run->after, &now, &new_quote);
	SHIM_REQUIRE(new_quote.makes_sense && new_quote.has_checksum == old_quote.has_checksum);
	if (was->is_v4)
		SHIM_REQUIRE(view_network_residual(run->before, &old_quote) ==
			     view_network_residual(run->after, &new_quote));
	/* XDP reads one buffer. */
	if (run->hook == LB_HOOK_XDP && old_quote.check + 2 > shim_packet.linear)
		return;
	if (old_quote.has_checksum)
		SHIM_REQUIRE(view_transport_residual(run->before, &old_quote) ==
			     view_transport_residual(run->after, &new_quote));
}

static void address_of(const __u8 *bytes, const struct view *view, bool destination, struct lb_address *address)
{
	memset(address, 0, sizeof(*address));
	if (view->is_v4) {
		address->bytes[10] = address->bytes[11] = 0xff;
		memcpy(address->bytes + 12, bytes + view->network + 12 + 4 * destination, 4);
	} else {
		memcpy(address, bytes + view->network + 8 + 16 * destination, 16);
	}
}

/* The packet as it goes on, reversed, is the key of the other half. */
static void check_has_flow(const struct run *run)
{
	struct lb_conntrack_key key = {};
	struct view view;

	view_read(run->after, run->after_length, run->is_long, &view);
	if (view.is_later)
		return;
	if (view_is_icmp_error(run->after, &view)) {
		/* The half whose next packet would come from where the quoted one went. */
		view_read_quote(run->before, &run->was, &view);
		address_of(run->before, &view, true, &key.source);
		address_of(run->before, &view, false, &key.destination);
		memcpy(&key.source_port, run->before + view.transport + 2, 2);
		memcpy(&key.destination_port, run->before + view.transport, 2);
	} else {
		address_of(run->after, &view, true, &key.source);
		address_of(run->after, &view, false, &key.destination);
		memcpy(&key.source_port, run->after + view.transport + 2, 2);
		memcpy(&key.destination_port, run->after + view.transport, 2);
	}
	key.protocol = view.protocol;
	if (shim_peek(world_conntrack, &key))
		return;
	key.side = LB_SIDE_EGRESS;
	SHIM_REQUIRE(shim_peek(world_conntrack, &key));
}

static void check_sent(const struct run *run, const struct world *world)
{
	__u32 ttl = run->was.network + (run->was.is_v4 ? 8 : 7);

	check_only_translated(run, true);
	SHIM_REQUIRE(run->before[ttl] > 1 && run->after[ttl] == run->before[ttl] - 1);
	if (shim_world.interferes)
		return;
	SHIM_REQUIRE(run->hook != LB_HOOK_TC_EGRESS);
	check_checksums(run);
	if (world->mirrors)
		check_has_flow(run);
	if (shim_world.neighbour_asked)
		SHIM_REQUIRE(!memcmp(run->before, run->after, 2 * ETH_ALEN));
	else
		SHIM_REQUIRE(run->after[0] == 0x22 && run->after[ETH_ALEN] == 0x44);
}

static void check_passed(const struct run *run, const struct world *world)
{
	if (is_same(run))
		return;
	check_totals.translated++;
	SHIM_REQUIRE(!run->reasons[LB_REASON_HANDED_DOWN]);
	check_only_translated(run, false);
	if (shim_world.interferes)
		return;
	check_checksums(run);
	if (world->mirrors)
		check_has_flow(run);
}

/* A reset, or an ICMP error that quotes the packet as it came. */
static void check_answer(const struct run *run)
{
	const struct view *was = &run->was;
	struct lb_address source, destination, client;
	struct view now;

	view_read(run->after, run->after_length, false, &now);
	SHIM_REQUIRE(was->makes_sense && now.makes_sense && now.end == run->after_length && !was->is_later);
	SHIM_REQUIRE(!view_is_icmp_error(run->before, was));
	address_of(run->before, was, false, &client);
	address_of(run->after, &now, true, &destination);
	address_of(run->after, &now, false, &source);
	SHIM_REQUIRE(!memcmp(&client, &destination, sizeof(client)));
	SHIM_REQUIRE(!memcmp(run->before, run->after + ETH_ALEN, ETH_ALEN));
	SHIM_REQUIRE(!memcmp(run->before + ETH_ALEN, run->after, ETH_ALEN));
	SHIM_REQUIRE(!now.is_v4 || !view_network_residual(run->after, &now));
	if (now.protocol == IPPROTO_TCP) {
		SHIM_REQUIRE(was->protocol == IPPROTO_TCP && !(run->before[was->transport + 13] & 4));
		SHIM_REQUIRE(run->after[now.transport + 13] & 4);
		SHIM_REQUIRE(!memcmp(run->after + now.transport, run->before + was->transport + 2, 2));
		SHIM_REQUIRE(!memcmp(run->after + now.transport + 2, run->before + was->transport, 2));
		if (run->checksum == SHIM_CHECKSUM_PARTIAL)
			return;
	} else {
		__u32 quoted = now.end - now.transport - 8;

		SHIM_REQUIRE(now.protocol == (now.is_v4 ? IPPROTO_ICMP : IPPROTO_ICMPV6));
		SHIM_REQUIRE(quoted <= run->before_length - ETH_HLEN && run->after_length <= ETH_HLEN + 576);
		SHIM_REQUIRE(!memcmp(run->after + now.transport + 8, run->before + ETH_HLEN, quoted));
		SHIM_REQUIRE(!memcmp(&client, &destination, sizeof(client)));
	}
	/* A packet whose whole checksum looks like the sum of its pseudo header is answered as if it were that. */
	if (now.protocol != IPPROTO_TCP || check_at(run->before, was) != view_pseudo_sum(run->before, was))
		SHIM_REQUIRE(!view_transport_residual(run->after, &now));
}

static bool is_verdict(const struct run *run)
{
	if (run->hook == LB_HOOK_XDP)
		return run->verdict == XDP_PASS || run->verdict == XDP_DROP || run->verdict == XDP_TX ||
		       run->verdict == XDP_REDIRECT;
	return run->verdict == TC_ACT_UNSPEC || run->verdict == TC_ACT_SHOT || run->verdict == TC_ACT_REDIRECT;
}

void check_end(struct run *run, const struct world *world)
{
	bool is_xdp = run->hook == LB_HOOK_XDP;
	__u64 answers, drops;

	for (__u32 i = 0; i < LB_REASONS; i++)
		run->reasons[i] = *reason_of(run->hook, i) - run->reasons[i];
	answers = counted(run, LB_REASON_REFUSED_NO_ENDPOINT, LB_REASON_TOO_BIG) + run->reasons[LB_REASON_NO_SNAT_PORT];
	drops = counted(run, LB_REASON_REPLY_LIMIT, LB_REASON_MAP_FULL) - run->reasons[LB_REASON_NO_SNAT_PORT] +
		run->reasons[LB_REASON_FAILED];
	check_totals.runs++;

	SHIM_REQUIRE(is_verdict(run));
	SHIM_REQUIRE(shim_packet_canary_lives());
	if (run->verdict == (is_xdp ? (int)XDP_PASS : TC_ACT_UNSPEC)) {
		SHIM_REQUIRE(!answers && !drops);
		check_passed(run, world);
		check_totals.passed++;
	} else if (run->verdict == (is_xdp ? (int)XDP_DROP : TC_ACT_SHOT)) {
		SHIM_REQUIRE(answers + drops >= 1 && answers <= 1 && drops <= 1);
		check_totals.dropped++;
	} else if (answers) {
		SHIM_REQUIRE(!is_xdp && answers == 1 && !drops);
		check_answer(run);
		check_totals.answered++;
	} else {
		SHIM_REQUIRE(!drops);
		check_sent(run, world);
		check_totals.sent++;
		check_totals.resolving += shim_world.neighbour_asked;
	}
}

/* Where both halves of a flow are there and in use, each leads to the other. */
void check_flows(void)
{
	for (__u32 place = 0; place < 1024; place++) {
		const struct lb_conntrack_key *key = shim_any_key(world_conntrack, place);
		const struct lb_conntrack *flow, *other;
		struct lb_conntrack_key other_key;

		if (!key)
			continue;
		flow = shim_peek(world_conntrack, key);
		other_key = (struct lb_conntrack_key){
			.source = flow->destination,
			.destination = flow->source,
			.source_port = flow->destination_port,
			.destination_port = flow->source_port,
			.protocol = key->protocol,
			.side = flow->flags & LB_CONNTRACK_OTHER_EGRESS ? LB_SIDE_EGRESS : LB_SIDE_INGRESS,
		};
		other = shim_peek(world_conntrack, &other_key);
		/* An opening that nobody answered may have been sent again, and led elsewhere. */
		if (!other || !(flow->flags & (LB_CONNTRACK_SYN | LB_CONNTRACK_DATA)))
			continue;
		SHIM_REQUIRE(!memcmp(&other->source, &key->destination, 16));
		SHIM_REQUIRE(!memcmp(&other->destination, &key->source, 16));
		SHIM_REQUIRE(other->source_port == key->destination_port);
		SHIM_REQUIRE(other->destination_port == key->source_port);
		SHIM_REQUIRE((flow->flags ^ other->flags) & LB_CONNTRACK_REPLY);
		SHIM_REQUIRE(flow->backend_id == other->backend_id);
	}
}
