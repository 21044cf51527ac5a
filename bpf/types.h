/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
#ifndef EBPFLB_TYPES_H
#define EBPFLB_TYPES_H

/*
 * The contract between the programs and the agent: every struct that crosses a map, and nothing else.
 * src/EbpfLb.Datapath/Contract mirrors each one; a test and the agent compare both with the BTF of the built objects.
 *
 * Addresses are 16 bytes in network order, IPv4 as ::ffff:a.b.c.d. Ports are in network order. Ids, counts and times
 * are in host order. Pads are fields and must be zero: hash maps hash them.
 */

#include <linux/types.h>

struct lb_address {
	__u8 bytes[16]; /* network order */
} __attribute__((aligned(4)));

/* frontends_v1: what a client dials. */

enum lb_frontend_flags {
	LB_FRONTEND_CLUSTER_IP = 1u << 0,
};

struct lb_frontend_key {
	struct lb_address address;
	__be16 port;
	__u8 protocol; /* IPPROTO_* */
	__u8 pad;
};

struct lb_frontend {
	__u32 service_id;
	__u32 flags; /* enum lb_frontend_flags */
};

/*
 * vips_v1: every address that has a frontend. A port of it that has none is refused. Entries come and go but never
 * change: for a reader, an overwrite can look like a moment without the entry.
 */

struct lb_vip {
	__u32 flags; /* none yet: 0 */
};

/* services_v1: one per service port and IP family, so its id is also the scope of session affinity. */

enum lb_algorithm {
	LB_ALGORITHM_RANDOM = 0,
	LB_ALGORITHM_MAGLEV = 1,
};

enum lb_service_flags {
	LB_SERVICE_INTERNAL_LOCAL = 1u << 0, /* internalTrafficPolicy: Local */
	LB_SERVICE_EXTERNAL_LOCAL = 1u << 1, /* externalTrafficPolicy: Local */
	LB_SERVICE_HAS_ENDPOINTS = 1u << 2,  /* a usable endpoint exists somewhere, perhaps in no list of this node */
};

/* A range of slots_v1. Eight aligned bytes, to be read with one load: base and count always belong together. */
struct lb_slot_range {
	__u32 base;
	__u32 count;
} __attribute__((aligned(8)));

struct lb_service {
	struct lb_slot_range cluster; /* for traffic under policy Cluster */
	struct lb_slot_range local;   /* for traffic under policy Local */
	__u32 affinity_timeout_s;     /* 0: no session affinity */
	__u8 algorithm;               /* enum lb_algorithm */
	__u8 flags;                   /* enum lb_service_flags */
	__u16 pad;
};

/* slots_v1: index -> backend id. */

/* backends_v1: a backend belongs to exactly one service id, and address and port of an id never change while it lives.
 */

enum lb_backend_flags {
	LB_BACKEND_IN_CLUSTER = 1u << 0,  /* member of the service's Cluster list */
	LB_BACKEND_IN_LOCAL = 1u << 1,    /* member of the service's Local list */
	LB_BACKEND_ON_NODE = 1u << 2,     /* runs on this node */
	LB_BACKEND_TERMINATING = 1u << 3, /* terminating, still serving, used because nothing better is left */
};

struct lb_backend {
	struct lb_address address;
	__be16 port;
	__u8 protocol;
	__u8 flags; /* enum lb_backend_flags */
	__u32 service_id;
};

/* affinity_v1: which backend a client was given. */

enum lb_client_kind {
	LB_CLIENT_ADDRESS = 0, /* client holds an address */
	LB_CLIENT_NETNS = 1,   /* client holds a network namespace cookie in its first 8 bytes, host order */
};

struct lb_affinity_key {
	__u8 client[16];
	__u32 service_id;
	__u8 client_kind; /* enum lb_client_kind */
	__u8 pad[3];
};

struct lb_affinity {
	__u64 last_used_ns; /* CLOCK_MONOTONIC */
	__u32 backend_id;
	__u32 pad;
};

/* sock_peers_v1: socket storage. The frontend a socket dialled and the backend it was given; freed with the socket. */

struct lb_sock_peer {
	struct lb_address frontend;
	struct lb_address backend;
	__be16 frontend_port;
	__be16 backend_port;
	__u32 backend_id;
	__u32 service_id;
	__u32 more_flows; /* not 0: an unconnected socket has further flows in sock_flows_v1 */
};

/* sock_flows_v1: the second and further frontends of one unconnected UDP socket, in both directions. */

enum lb_sock_flow_direction {
	LB_SOCK_TO_BACKEND = 0,   /* remote of the key is the frontend, of the value the backend */
	LB_SOCK_FROM_BACKEND = 1, /* remote of the key is the backend, of the value the frontend */
};

struct lb_sock_flow_key {
	__u64 socket_cookie;
	struct lb_address remote;
	__be16 port;
	__u8 direction; /* enum lb_sock_flow_direction */
	__u8 pad[5];
};

struct lb_sock_flow {
	struct lb_address remote;
	__be16 port;
	__u16 pad;
	__u32 backend_id;
	__u32 service_id;
};

/* The following maps are written by the agent for people, and for the commands that run while it is down. */

#define LB_NAME_LENGTH    192 /* namespace/name:port, 63 + 1 + 63 + 1 + 63 and a NUL */
#define LB_MESSAGE_LENGTH 320

/* svc_names_v1: service id -> its name. */
struct lb_service_name {
	char name[LB_NAME_LENGTH]; /* namespace/name:port-name, NUL-terminated; no colon when the port has no name */
	__u8 protocol;
	__u8 family; /* 4 or 6 */
	__u16 pad;
};

/* problems_v1: what is not programmed, and why. */
struct lb_problem {
	char object[LB_NAME_LENGTH];
	char message[LB_MESSAGE_LENGTH];
};

/* agent_v1: one element, the state of the agent that wrote last. Times are CLOCK_MONOTONIC. */
struct lb_agent {
	__u64 started_ns;
	__u64 synced_ns; /* end of the last reconciliation in which every write succeeded */
	__u64 syncs;
	__u32 pid;
	__u32 services;        /* desired service ids */
	__u32 failed;          /* service objects not programmed as desired */
	__u32 problems;        /* also those that did not fit in problems_v1 */
	__u32 last_service_id; /* the last one given: a restart goes on after it, so that no id comes back early */
	__u32 last_backend_id;
	char version[32];
	char node[64];
	char source[128];
};

#endif
