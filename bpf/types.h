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
	LB_FRONTEND_NODE_PORT = 1u << 1, /* its address is the wildcard of its family: any address of the node */
	LB_FRONTEND_LOAD_BALANCER = 1u << 2,
	LB_FRONTEND_EXTERNAL_IP = 1u << 3,
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
 * vips_v1: every address that has a frontend, but for the wildcards. A value changes only when the address gets its
 * first ClusterIP or loses its last: for a reader, an overwrite can look like a moment without the entry.
 */

enum lb_vip_flags {
	/*
	 * A service's alone: no host has it, so a port without a frontend is refused whoever dials it. An external
	 * address may be a host's as well, which its other ports are for: only what comes in for it from outside is
	 * refused.
	 */
	LB_VIP_CLUSTER_IP = 1u << 0,
};

struct lb_vip {
	__u32 flags; /* enum lb_vip_flags */
};

/*
 * node_addrs_v1: every address of this node. A frontend whose address is the wildcard (:: or ::ffff:0.0.0.0) is reached
 * through those that answer NodePorts.
 */

enum lb_node_address_flags {
	LB_NODE_ADDRESS_NODE_PORTS = 1u << 0, /* answers NodePorts */
	LB_NODE_ADDRESS_LOOPBACK = 1u << 1,   /* is dialled by the node's own processes only */
};

struct lb_node_address {
	__u32 flags; /* enum lb_node_address_flags */
};

/* svc_cidrs_v1: what ClusterIPs are taken from. An address in here without a frontend is dropped. */

struct lb_service_cidr_key {
	__u32 prefix_bits; /* of the address: 96 more than an IPv4 prefix has */
	struct lb_address address;
};

struct lb_service_cidr {
	__u32 pad; /* being there is all */
};

/*
 * src_ranges_v1: the sources that services with LB_SERVICE_SOURCE_RANGES admit through their load balancer addresses.
 */

struct lb_source_range_key {
	__u32 prefix_bits; /* of service id and address together: 128 more than an IPv4 prefix has, 32 more than an IPv6
			      one */
	__u32 service_id;
	struct lb_address address;
};

struct lb_source_range {
	__u32 pad; /* being there is all */
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
	LB_SERVICE_SOURCE_RANGES = 1u << 3,  /* load balancer addresses admit the sources in src_ranges_v1 only */
	LB_SERVICE_ADMITS_PODS = 1u << 4,    /* these ranges hold every pod address of this node */
	LB_SERVICE_ADMITS_NODE = 1u << 5,    /* these ranges hold an address of this node */
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

/*
 * What sock_dead lists: a connected UDP or TCP socket whose backend its service does not have any more. Ends and cookie
 * are those by which NETLINK_SOCK_DIAG finds the socket in its network namespace.
 */
struct lb_dead_socket {
	__u64 cookie;
	struct lb_address local;
	struct lb_address remote; /* the backend */
	__u32 netns;              /* inode number of its network namespace */
	__u32 service_id;         /* of the service it dialled */
	__u32 ifindex;            /* of the device it is bound to; 0: none */
	__be16 local_port;
	__be16 remote_port;
	__u32 heard;   /* of TCP: another number once the peer has been heard again */
	__u8 family;   /* AF_*, of the socket */
	__u8 protocol; /* IPPROTO_* */
	__u8 pad[2];
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

/*
 * conntrack_v1: translated flows. Two entries a flow, one for each direction; each holds the whole translation of its
 * direction. The key of the other half is the translation of this one, reversed, and the other way round, so either
 * half can rebuild the other. What a direction has shown of itself (flags, time, counters) is in its own entry only: a
 * packet of an established flow touches one entry and nothing else, and the sweep puts the two together.
 *
 * An element of the kernel's map is 48 bytes, the key and the value: 192 in all, three cache lines.
 */

enum lb_side {
	LB_SIDE_INGRESS = 0, /* the packet comes in from a wire, or from a pod's device */
	LB_SIDE_EGRESS = 1,  /* the packet leaves through a wire, or towards a pod: replies of backends on this node */
};

struct lb_conntrack_key {
	struct lb_address source;
	struct lb_address destination;
	__be16 source_port;
	__be16 destination_port;
	__u8 protocol; /* IPPROTO_* */
	__u8 side;     /* enum lb_side */
	__u16 pad;
};

enum lb_conntrack_flags {
	/* Given when the entry is made. */
	LB_CONNTRACK_REPLY = 1u << 0,     /* from the backend to the client; else from the client */
	LB_CONNTRACK_LOCAL = 1u << 1,     /* translated packets go on through the stack; else out through the route */
	LB_CONNTRACK_PICKED_UP = 1u << 2, /* began with a segment in the middle of a connection */
	LB_CONNTRACK_INTERNAL = 1u << 3,  /* the client is a pod of this node */
	LB_CONNTRACK_OTHER_EGRESS = 1u << 4, /* the key of the other half has LB_SIDE_EGRESS */
	LB_CONNTRACK_NO_XDP = 1u << 5,       /* the route's device takes no frames from XDP */
	/* Seen in this direction. */
	LB_CONNTRACK_SYN = 1u << 8,
	LB_CONNTRACK_DATA = 1u << 9, /* anything after the first packet that opens nothing and ends nothing */
	LB_CONNTRACK_FIN = 1u << 10,
	LB_CONNTRACK_RST = 1u << 11, /* and nothing since: a segment that follows withdraws it */
	/* Found by the sweep, of TCP, in the client's half. */
	LB_CONNTRACK_LOST = 1u << 12, /* the backend is in backends_v1 no more */
	LB_CONNTRACK_DEAD = 1u << 13, /* and has been neither there nor heard for the grace: the client is reset */
};

struct lb_conntrack {
	struct lb_address source; /* of the packet as it goes on */
	struct lb_address destination;
	__be16 source_port;
	__be16 destination_port;
	__u16 flags;             /* enum lb_conntrack_flags */
	__u16 mtu;               /* of the route */
	__u32 seen;              /* CLOCK_MONOTONIC >> 20: about milliseconds */
	__u32 checked;           /* the same: when the other half was last known to be there */
	__u64 bytes;             /* of this direction, from the network header on */
	__u32 packets;           /* wraps; only differences mean something */
	__u32 generation;        /* of the route: lb_settings.generation when it was looked up; 0: no route */
	__u32 ifindex;           /* of the route */
	__u8 destination_mac[6]; /* of the route; source_mac follows, as in a frame */
	__u8 source_mac[6];
	__u8 arrival_mac[6]; /* destination of the frames that this route was looked up for */
	__u16 address_delta; /* of the checksums over the addresses, ones' complement, as in the packet */
	__u32 backend_id;
	__u32 folded_packets; /* packets and bytes already in counters_v1. Of a lost flow, which has no counters any
				 more: when it was marked as lost, or dead, in the unit of seen */
	__u64 folded_bytes;
};

/* fragments_v1: the ports of a datagram that comes in fragments. */

struct lb_fragment_key {
	struct lb_address source;
	struct lb_address destination;
	__be32 id; /* of an IPv4 datagram: its 16 bits, the other half 0 */
	__u8 protocol;
	__u8 side; /* enum lb_side */
	__u16 pad;
};

struct lb_fragment {
	__be16 source_port;
	__be16 destination_port;
	__u32 seen; /* CLOCK_MONOTONIC >> 20 */
};

/* devices_v1: by ifindex, the devices this node has. */

enum lb_device_flags {
	LB_DEVICE_ATTACHED = 1u << 0,  /* our programs see what comes in here */
	LB_DEVICE_XDP_SENDS = 1u << 1, /* XDP may redirect frames to it */
	LB_DEVICE_XDP_TURNS = 1u << 2, /* XDP may send back what came in through it */
};

struct lb_device {
	struct lb_address source_v4; /* what flows out of it are masqueraded with; all zero: it has none */
	struct lb_address source_v6;
	__u8 mac[6];
	__u16 mtu;
	__u32 flags; /* enum lb_device_flags */
};

/* settings_v1: one element. */

enum lb_setting_flags {
	LB_SETTING_EXTERNAL_CLUSTER_IPS = 1u << 0, /* ClusterIPs are served to the outside */
};

struct lb_settings {
	__u64 node_netns;      /* cookie of the node's network namespace */
	__u32 generation;      /* never 0; raised when routes, neighbours, links or addresses change */
	__u32 flags;           /* enum lb_setting_flags */
	__u16 snat_port_first; /* host order */
	__u16 snat_port_last;
	__u16 node_port_first; /* host order; no wildcard frontend outside of first to last; first > last: there is none
				*/
	__u16 node_port_last;
	__u32 tcp_syn_s; /* not answered, or the answer not acknowledged */
	__u32 tcp_established_s;
	__u32 tcp_fin_s;    /* one side has ended */
	__u32 tcp_closed_s; /* both sides have, or one has reset */
	__u32 udp_s;
	__u32 sctp_s;
	__u32 pair_check_ms; /* how often a half looks whether the other is there */
	__u32 replies_per_s; /* resets and ICMP errors of our own, for each CPU */
};

/* reasons_v1: per CPU, index = hook * LB_REASONS + reason. */

enum lb_hook {
	LB_HOOK_XDP = 0,
	LB_HOOK_TC_INGRESS = 1,
	LB_HOOK_TC_EGRESS = 2,
	LB_HOOK_TC_POD = 3,
};

#define LB_HOOKS 4

/* Why a packet had another fate than to be translated, or was not translated by the flow it belongs to. */
enum lb_reason {
	LB_REASON_NEW_FLOW = 0,            /* a flow began */
	LB_REASON_PICKED_UP = 1,           /* a flow was found again in its middle */
	LB_REASON_REBUILT = 2,             /* one half of a flow made the other anew */
	LB_REASON_ICMP_TRANSLATED = 3,     /* an ICMP error of a translated flow */
	LB_REASON_HANDED_DOWN = 4,         /* XDP left it to tc */
	LB_REASON_REFUSED_NO_ENDPOINT = 5, /* answered: no endpoint anywhere */
	LB_REASON_REFUSED_NO_PORT = 6,     /* answered: no service has this port of this address */
	LB_REASON_TTL_EXCEEDED = 7,        /* answered */
	LB_REASON_TOO_BIG = 8,             /* answered, or dropped where no answer may be given */
	LB_REASON_REPLY_LIMIT = 9,         /* dropped instead of answered: too many answers */
	LB_REASON_NO_LOCAL_ENDPOINT = 10,  /* dropped: policy Local, endpoints elsewhere only */
	LB_REASON_SOURCE_RANGE = 11,       /* dropped: source not admitted */
	LB_REASON_CLUSTER_IP = 12,         /* dropped: a ClusterIP from outside */
	LB_REASON_UNALLOCATED = 13,        /* dropped: an address of a service CIDR that nobody has */
	LB_REASON_OTHER_PROTOCOL = 14,     /* dropped: neither TCP, UDP nor SCTP to a service address */
	LB_REASON_MALFORMED = 15,          /* dropped */
	LB_REASON_MARTIAN = 16,            /* dropped: a source that cannot be one */
	LB_REASON_LOOP = 17,               /* dropped: it would come back to where it is */
	LB_REASON_FRAGMENT_TINY =
		18, /* dropped: a first fragment without the whole header, or one that overwrites it */
	LB_REASON_FRAGMENT_UNKNOWN = 19, /* dropped: the first fragment was not seen */
	LB_REASON_NO_FLOW = 20,          /* dropped: the segment opens nothing and belongs to nothing */
	LB_REASON_NO_SNAT_PORT = 21,     /* answered: every port towards this backend is taken */
	LB_REASON_NO_ROUTE = 22,         /* dropped: no route to the backend, or forwarding is off */
	LB_REASON_NOT_FOR_US = 23,       /* dropped: broadcast or multicast frame with a service address inside */
	LB_REASON_MAP_FULL = 24,         /* dropped: no room for the flow */
	LB_REASON_TOO_MANY_HEADERS = 25, /* passed: more extension headers than are looked at */
	LB_REASON_FAILED = 26,           /* dropped: a helper of the kernel failed */
	LB_REASON_BACKEND_GONE = 27,     /* answered: the connection's backend is gone, and silent */
};

#define LB_REASONS 28

struct lb_count {
	__u64 packets;
	__u64 bytes;
};

/*
 * counters_v1: by backend id, made and removed by the agent with the backend. svc_counters_v1: by service id, what its
 * former backends had. Connections are counted when they begin, packets and bytes at the sweep after.
 */
struct lb_counters {
	__u64 connections;
	__u64 packets_in; /* from clients */
	__u64 bytes_in;
	__u64 packets_out;
	__u64 bytes_out;
};

/* The context of the sweep: what it is asked for, and what it says it did. */
struct lb_sweep {
	__u32 dead_backend_s; /* how long a backend is gone and silent before its connections are dead; 0: they never
				 are */
	__u32 pad;
	__u64 entries; /* both halves counted */
	__u64 expired;
	__u64 orphans; /* halves without the other: made whole where the flow is alive */
	__u64 flows;   /* that stay */
	__u64 half_open;
	__u64 lost; /* connections whose backend is gone */
	__u64 dead; /* of them: the client is reset when it speaks */
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

/* audit_v1: one element. Whoever wants an audit now counts `asked` up; the agent answers with what it saw of it. */
struct lb_audit {
	__u64 asked;
	__u64 answered; /* `asked`, as it was when the last audit began */
	__u64 ended_ns; /* of the last one; 0: none yet */
	__u64 runs;     /* of this agent, as the two below */
	__u64 repaired; /* entries */
	__u64 put_back; /* programs, links and pins */
	__u32 differed; /* entries of maps, at the last one */
	__u32 left;     /* those of them that could not be repaired */
};

#endif
