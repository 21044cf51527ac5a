# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
#
# To be sourced: commands inside the pods of a playground whose variables (cluster.sh up) are set.

# In the pod's network namespace, and in the cgroup of its node, whose socket hooks serve it. Takes the place of the shell.
enter() { # POD COMMAND...
    local netns="/run/netns/$1-$RUN" cgroup=$CGROUP_N1
    [[ $1 != p2* ]] || cgroup=$CGROUP_N2
    echo "$BASHPID" >"$cgroup/cgroup.procs"
    exec nsenter --net="$netns" "${@:2}"
}

pod() { # POD COMMAND...
    (enter "$@")
}
