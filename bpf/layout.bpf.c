// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0

/*
 * Never loaded. One variable per type of types.h, so that the BTF of this object has every one of them, used by a
 * program or not; the agent's mirrors are compared with it. The build fails when a type of types.h is missing here.
 */

#include "types.h"

#define LAYOUT_STRUCT(name) struct name layout_##name
#define LAYOUT_ENUM(name)   enum name layout_##name

LAYOUT_STRUCT(lb_address);

LAYOUT_ENUM(lb_frontend_flags);
LAYOUT_STRUCT(lb_frontend_key);
LAYOUT_STRUCT(lb_frontend);

LAYOUT_ENUM(lb_vip_flags);
LAYOUT_STRUCT(lb_vip);

LAYOUT_ENUM(lb_node_address_flags);
LAYOUT_STRUCT(lb_node_address);
LAYOUT_STRUCT(lb_service_cidr_key);
LAYOUT_STRUCT(lb_service_cidr);
LAYOUT_STRUCT(lb_source_range_key);
LAYOUT_STRUCT(lb_source_range);

LAYOUT_ENUM(lb_algorithm);
LAYOUT_ENUM(lb_service_flags);
LAYOUT_STRUCT(lb_slot_range);
LAYOUT_STRUCT(lb_service);

LAYOUT_ENUM(lb_backend_flags);
LAYOUT_STRUCT(lb_backend);

LAYOUT_ENUM(lb_client_kind);
LAYOUT_STRUCT(lb_affinity_key);
LAYOUT_STRUCT(lb_affinity);

LAYOUT_STRUCT(lb_sock_peer);
LAYOUT_STRUCT(lb_dead_socket);
LAYOUT_ENUM(lb_sock_flow_direction);
LAYOUT_STRUCT(lb_sock_flow_key);
LAYOUT_STRUCT(lb_sock_flow);

LAYOUT_ENUM(lb_side);
LAYOUT_STRUCT(lb_conntrack_key);
LAYOUT_ENUM(lb_conntrack_flags);
LAYOUT_STRUCT(lb_conntrack);
LAYOUT_STRUCT(lb_fragment_key);
LAYOUT_STRUCT(lb_fragment);
LAYOUT_ENUM(lb_device_flags);
LAYOUT_STRUCT(lb_device);
LAYOUT_ENUM(lb_setting_flags);
LAYOUT_STRUCT(lb_settings);
LAYOUT_ENUM(lb_hook);
LAYOUT_ENUM(lb_reason);
LAYOUT_STRUCT(lb_count);
LAYOUT_STRUCT(lb_counters);
LAYOUT_STRUCT(lb_sweep);

LAYOUT_STRUCT(lb_service_name);
LAYOUT_STRUCT(lb_problem);
LAYOUT_STRUCT(lb_agent);
LAYOUT_STRUCT(lb_audit);
