// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
#define _GNU_SOURCE
#include "tool.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <linux/if_link.h>
#include <sys/syscall.h>

#define BATCH 64 /* frames the kernel hands to a driver at once */

/* Headers of Debian 12 are older than tcx. */
#define ATTACH_XDP         37
#define ATTACH_TCX_INGRESS 46
#define ATTACH_TCX_EGRESS  47

static int call(enum bpf_cmd command, union bpf_attr *attr)
{
	return (int)syscall(SYS_bpf, command, attr, sizeof(*attr));
}

static uint64_t pointer(const void *to)
{
	return (uint64_t)(uintptr_t)to;
}

int bpf_open_pinned(const char *directory, const char *name)
{
	char path[4096];
	union bpf_attr attr = {0};
	int fd;

	snprintf(path, sizeof(path), "%s%s%s", directory, *name ? "/" : "", name);
	attr.pathname = pointer(path);
	fd = call(BPF_OBJ_GET, &attr);
	if (fd < 0)
		fail("cannot open %s: %s", path, strerror(errno));
	return fd;
}

void bpf_write(int map, uint32_t key, const void *value)
{
	union bpf_attr attr = {.map_fd = map, .key = pointer(&key), .value = pointer(value)};

	if (call(BPF_MAP_UPDATE_ELEM, &attr))
		fail("cannot write a map: %s", strerror(errno));
}

void bpf_read(int map, uint32_t key, void *value)
{
	union bpf_attr attr = {.map_fd = map, .key = pointer(&key), .value = pointer(value)};

	if (call(BPF_MAP_LOOKUP_ELEM, &attr))
		fail("cannot read a map: %s", strerror(errno));
}

/* Possible ones: values of per-CPU maps have a copy for each. */
int bpf_cpus(void)
{
	FILE *file = fopen("/sys/devices/system/cpu/possible", "re");
	int last, from;

	if (!file)
		fail("cannot read which CPUs are possible: %s", strerror(errno));
	switch (fscanf(file, "%d-%d", &from, &last)) {
	case 1:
		last = from;
		break;
	case 2:
		break;
	default:
		fail("which CPUs are possible is told in an unknown way");
	}
	fclose(file);
	return last + 1;
}

void bpf_attach(int program, unsigned int ifindex, const char *hook, const char *link)
{
	union bpf_attr attr = {.link_create = {.prog_fd = program, .target_ifindex = ifindex}};
	int fd;

	if (!strcmp(hook, "xdp")) {
		attr.link_create.attach_type = ATTACH_XDP;
		attr.link_create.flags = XDP_FLAGS_DRV_MODE;
	} else if (!strcmp(hook, "tcx-ingress")) {
		attr.link_create.attach_type = ATTACH_TCX_INGRESS;
	} else if (!strcmp(hook, "tcx-egress")) {
		attr.link_create.attach_type = ATTACH_TCX_EGRESS;
	} else {
		fail("unknown hook %s", hook);
	}
	fd = call(BPF_LINK_CREATE, &attr);
	if (fd < 0)
		fail("cannot attach to %s of device %u: %s", hook, ifindex, strerror(errno));
	attr = (union bpf_attr){.pathname = pointer(link), .bpf_fd = fd};
	if (call(BPF_OBJ_PIN, &attr))
		fail("cannot pin the link at %s: %s", link, strerror(errno));
}

void bpf_test_run(int program, struct test_run *run)
{
	struct xdp_md context = {.data_end = run->length, .ingress_ifindex = run->ifindex};
	uint8_t out[FRAME_MAX];
	union bpf_attr attr = {.test = {
				       .prog_fd = program,
				       .data_in = pointer(run->frame),
				       .data_size_in = run->length,
				       .ctx_in = pointer(&context),
				       .ctx_size_in = sizeof(context),
				       .repeat = run->repeat,
			       }};

	if (run->live) {
		attr.test.flags = BPF_F_TEST_XDP_LIVE_FRAMES;
		attr.test.batch_size = BATCH;
	} else {
		attr.test.data_out = pointer(out);
		attr.test.data_size_out = sizeof(out);
	}
	if (call(BPF_PROG_TEST_RUN, &attr))
		fail("BPF_PROG_TEST_RUN failed: %s", strerror(errno));
	if (run->live)
		return;
	memcpy(run->frame, out, run->length);
	run->verdict = attr.test.retval;
	run->duration_ns = attr.test.duration;
}
