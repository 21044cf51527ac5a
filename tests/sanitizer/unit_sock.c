// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0

/* The object as it is; only its entry points are left visible. */
#include "../../bpf/lb_sock.bpf.c"
