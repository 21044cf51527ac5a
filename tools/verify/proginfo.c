/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * proginfo PIN...: name, instructions and instructions the verifier walked of pinned programs. bpftool does not tell
 * the last, and its verifier log (-d) is too long for the kernel where a program is large.
 */

#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int bpf(enum bpf_cmd command, union bpf_attr *attr)
{
	return (int)syscall(SYS_bpf, command, attr, sizeof(*attr));
}

int main(int count, char **pins)
{
	for (int i = 1; i < count; i++) {
		union bpf_attr attr = {.pathname = (__u64)(unsigned long)pins[i]};
		struct bpf_prog_info info = {0};
		int program = bpf(BPF_OBJ_GET, &attr);

		memset(&attr, 0, sizeof(attr));
		attr.info.bpf_fd = (__u32)program;
		attr.info.info_len = sizeof(info);
		attr.info.info = (__u64)(unsigned long)&info;
		if (program < 0 || bpf(BPF_OBJ_GET_INFO_BY_FD, &attr) < 0) {
			fprintf(stderr, "proginfo: %s: %s\n", pins[i], strerror(errno));
			return 1;
		}
		printf("%-14s %12u %14u\n", info.name, info.xlated_prog_len / 8, info.verified_insns);
		close(program);
	}
	return 0;
}
