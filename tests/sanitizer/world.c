// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
#include <string.h>
#include <arpa/inet.h>
#include <linux/bpf.h>
#include "world.h"
/* The contract's maps, with their real types and sizes. */
#define SHIM_UNIT   "world."
#define SHIM_IS_XDP false
#include "../../bpf/lib/maps.h"

#define CLIENTS  5
#define DIALLED  7 /* service addresses and what is nearly one */
#define NODES    3
#define BACKENDS 6
#define SERVICES 24

static const __u16 dialled_ports[] = {80, 443, 53, 30000, 30001, 30002, 81, 0};
static const __u16 client_ports[] = {1024, 1025, 40000, 50001, 50002, 65535, 80, 0};
static const __u8 protocols[] = {IPPROTO_TCP, IPPROTO_UDP, SCTP};

struct shim_map *world_conntrack, *world_reasons;

static struct lb_address address_make(bool v4, __u8 kind, __u8 number)
{
	struct lb_address address = {};

	if (v4) {
		address.bytes[10] = address.bytes[11] = 0xff;
		address.bytes[12] = 10;
		address.bytes[13] = kind;
	} else {
		address.bytes[0] = 0xfd;
		address.bytes[7] = kind;
	}
	address.bytes[15] = number;
	return address;
}

enum kind {
	KIND_CLIENT = 1,
	KIND_CLUSTER_IP = 2, /* in the service CIDR */
	KIND_EXTERNAL = 3,
	KIND_NODE = 4,
	KIND_POD = 5,
};

static struct lb_address dialled_address(bool v4, __u32 number)
{
	if (number < 3)
		return address_make(v4, KIND_CLUSTER_IP, number);
	if (number < 5)
		return address_make(v4, KIND_EXTERNAL, number);
	return address_make(v4, KIND_NODE, number - 5);
}

/* The last backend is a process of the node itself. */
static struct lb_address backend_address(bool v4, __u32 number)
{
	return number ? address_make(v4, KIND_POD, number) : address_make(v4, KIND_NODE, 0);
}

static struct lb_address client_address(bool v4, __u32 number)
{
	if (number == CLIENTS - 1)
		return backend_address(v4, 1 + shim_random() % (BACKENDS - 1));
	return address_make(v4, KIND_CLIENT, number);
}

void world_open(void)
{
	SHIM_MAP(&frontends_v1);
	SHIM_MAP(&slots_v1);
	world_conntrack = SHIM_MAP(&conntrack_v1);
	world_reasons = SHIM_MAP(&reasons_v1);
}

static void put(struct shim_map *map, const void *key, const void *value)
{
	SHIM_REQUIRE(!shim_update(map, key, value, BPF_ANY));
}

static void make_devices(void)
{
	for (__u32 i = 1; i <= WORLD_DEVICES; i++) {
		struct lb_device device = {
			.mtu = shim_one_in(3) ? 1400 : 1500,
			.flags = LB_DEVICE_ATTACHED | (shim_one_in(3) ? 0 : LB_DEVICE_XDP_SENDS) |
				 (shim_one_in(3) ? 0 : LB_DEVICE_XDP_TURNS),
		};

		if (!shim_one_in(6))
			device.source_v4 = address_make(true, KIND_NODE, i % NODES);
		if (!shim_one_in(6))
			device.source_v6 = address_make(false, KIND_NODE, i % NODES);
		world_device_mac(i, device.mac);
		if (!shim_one_in(12))
			put(SHIM_MAP(&devices_v1), &i, &device);
	}
}

void world_device_mac(__u32 ifindex, __u8 *mac)
{
	memset(mac, 0x10, 6);
	mac[5] = ifindex;
}

/* A service is of one family, and an id of one service. */
static bool service_is_v4(__u32 id)
{
	return id % 2;
}

static void make_service_at(__u32 id, __u32 first_slot)
{
	struct lb_service service = {
		.affinity_timeout_s = shim_one_in(3) ? 1 + shim_random() % 20 : 0,
		.algorithm = shim_random() % 2,
		.flags = shim_random() % 64,
	};
	__u32 count = shim_random() % 4;
	bool v4 = service_is_v4(id);

	for (__u32 i = 0; i < count; i++) {
		__u32 slot = first_slot + i, backend_id = 1 + (id * 2 + i) % WORLD_BACKEND_IDS;
		struct lb_backend backend = {
			.address = backend_address(v4, shim_random() % BACKENDS),
			.port = htons(shim_one_in(2) ? 8080 : 30001),
			.flags = shim_random() % 16,
			.service_id = id,
		};
		struct lb_counters counters = {};

		put(SHIM_MAP(&slots_v1), &slot, &backend_id);
		put(SHIM_MAP(&backends_v1), &backend_id, &backend);
		put(SHIM_MAP(&counters_v1), &backend_id, &counters);
	}
	service.cluster = (struct lb_slot_range){first_slot, count};
	service.local = (struct lb_slot_range){first_slot, count ? shim_random() % (count + 1) : 0};
	put(SHIM_MAP(&services_v1), &id, &service);
	for (int i = 0; i < 2 && (service.flags & LB_SERVICE_SOURCE_RANGES); i++) {
		struct lb_source_range_key key = {
			.prefix_bits = 32 + 100 + shim_random() % 29,
			.service_id = id,
			.address = client_address(v4, shim_random() % CLIENTS),
		};
		struct lb_source_range range = {};

		put(SHIM_MAP(&src_ranges_v1), &key, &range);
	}
}

/* One service port: its frontend, or the NodePort of every address. */
static void make_frontend(__u32 service_id)
{
	struct lb_frontend frontend = {.service_id = service_id};
	struct lb_frontend_key key = {.protocol = protocols[shim_random() % 3]};
	struct lb_vip vip = {};
	__u32 number = shim_random() % 8;
	bool v4 = service_is_v4(service_id);

	if (number < 5) {
		key.address = dialled_address(v4, number);
		key.port = htons(dialled_ports[shim_random() % 3]);
		frontend.flags = number < 3       ? LB_FRONTEND_CLUSTER_IP
				 : shim_one_in(3) ? LB_FRONTEND_EXTERNAL_IP
						  : LB_FRONTEND_LOAD_BALANCER;
		vip.flags = number < 3 ? LB_VIP_CLUSTER_IP : 0;
		put(SHIM_MAP(&vips_v1), &key.address, &vip);
	} else {
		if (v4)
			key.address.bytes[10] = key.address.bytes[11] = 0xff;
		key.port = htons(30000 + shim_random() % 3);
		frontend.flags = LB_FRONTEND_NODE_PORT;
	}
	put(SHIM_MAP(&frontends_v1), &key, &frontend);
}

static void make_addresses(bool v4)
{
	struct lb_service_cidr_key cidr = {.prefix_bits = v4 ? 112 : 64,
					   .address = address_make(v4, KIND_CLUSTER_IP, 0)};
	struct lb_service_cidr present = {};
	struct lb_vip vip = {};

	for (__u32 i = 0; i < NODES; i++) {
		struct lb_node_address node = {.flags = shim_random() % 4 ? LB_NODE_ADDRESS_NODE_PORTS
									  : shim_random() % 4};
		struct lb_address address = address_make(v4, KIND_NODE, i);

		put(SHIM_MAP(&node_addrs_v1), &address, &node);
		if (shim_one_in(4))
			put(SHIM_MAP(&vips_v1), &address, &vip);
	}
	put(SHIM_MAP(&svc_cidrs_v1), &cidr, &present);
}

static void make_settings(struct world *world)
{
	static const __u16 ranges[][2] = {
		{50000, 65535}, {50000, 50007}, {50000, 50063}, {50000, 50100}, {50000, 50000}};
	const __u16 *range = ranges[shim_random() % 5];
	__u32 zero = 0;

	world->settings = (struct lb_settings){
		.generation = 1,
		.node_netns = 1,
		.flags = shim_one_in(2) ? LB_SETTING_EXTERNAL_CLUSTER_IPS : 0,
		.snat_port_first = range[0],
		.snat_port_last = range[1],
		.node_port_first = 30000,
		.node_port_last = shim_one_in(8) ? 0 : 32767,
		.tcp_syn_s = 30,
		.tcp_established_s = 8000,
		.tcp_fin_s = 3600,
		.tcp_closed_s = 10,
		.udp_s = 60,
		.sctp_s = 300,
		.pair_check_ms = shim_one_in(4) ? 0 : 1000,
		.replies_per_s = shim_one_in(4) ? 10 : 100000,
	};
	put(SHIM_MAP(&settings_v1), &zero, &world->settings);
}

void world_make(struct world *world)
{
	__u32 services = 4 + shim_random() % (SERVICES - 4);

	shim_world.failures = 0;
	shim_world.interferes = false;
	shim_maps_clear();
	world->evicts = shim_one_in(3);
	shim_limit(world_conntrack, world->evicts ? 40 : 2000);
	shim_limit(SHIM_MAP(&affinity_v1), world->evicts ? 4 : 64);
	shim_limit(SHIM_MAP(&fragments_v1), world->evicts ? 4 : 64);
	make_settings(world);
	make_devices();
	make_addresses(true);
	make_addresses(false);
	for (__u32 id = 1; id <= services; id++) {
		make_service_at(id, id * 4);
		for (int i = 0; i < 3; i++)
			make_frontend(id);
	}
	shim_world.route_salt = shim_random();
	shim_world.interferes = shim_one_in(5);
	shim_world.failures = shim_one_in(4) ? 20 : 0;
	world->mirrors = !world->evicts && !shim_world.interferes && !shim_world.failures;
}

void world_change(struct world *world)
{
	__u32 zero = 0, id = 1 + shim_random() % WORLD_BACKEND_IDS;
	bool interferes = shim_world.interferes;
	__u32 failures = shim_world.failures;

	shim_world.interferes = false;
	shim_world.failures = 0;
	switch (shim_random() % 4) {
	case 0:
		shim_world.route_salt = shim_random();
		world->settings.generation++;
		put(SHIM_MAP(&settings_v1), &zero, &world->settings);
		break;
	case 1:
		shim_delete(SHIM_MAP(&backends_v1), &id);
		break;
	case 2:
		id = 1 + shim_random() % SERVICES;
		make_service_at(id, id * 4);
		break;
	default:
		make_frontend(1 + shim_random() % SERVICES);
		break;
	}
	shim_world.interferes = interferes;
	shim_world.failures = failures;
}

void world_dial(struct recipe *recipe)
{
	bool v4 = shim_random() % 2;

	recipe->source = client_address(v4, shim_random() % CLIENTS);
	recipe->destination = dialled_address(v4, shim_random() % DIALLED);
	recipe->source_port = htons(client_ports[shim_random() % (shim_one_in(20) ? 8 : 6)]);
	recipe->destination_port = htons(dialled_ports[shim_random() % (shim_one_in(20) ? 8 : 6)]);
	recipe->protocol = protocols[shim_random() % 3];
}

static struct lb_address address_any(bool v4)
{
	static const __u8 odd[] = {0, 127, 224, 255};
	struct lb_address address = address_make(v4, 1 + shim_random() % 6, shim_random() % 8);

	if (shim_one_in(8))
		address.bytes[v4 ? 12 : 0] = odd[shim_random() % 4];
	return address;
}

void world_any(struct recipe *recipe)
{
	bool v4 = shim_random() % 2;

	recipe->source = address_any(v4);
	recipe->destination = address_any(v4);
	recipe->source_port = shim_random();
	recipe->destination_port = htons(shim_one_in(2) ? 50000 + shim_random() % 8 : shim_random());
	recipe->protocol = shim_one_in(4) ? shim_random() : protocols[shim_random() % 3];
}
