# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
#
# To be sourced: commands inside the pods, nodes and client of a playground whose variables (cluster.sh up) are set.

# In the network namespace of a pod, a node (n1) or the client (c), and in the cgroup of its node, whose socket hooks serve it. Takes the
# place of the shell.
enter() { # PLACE COMMAND...
    local netns="/run/netns/$1-$RUN" cgroup=$CGROUP_N1
    case $1 in
    n2 | p2*) cgroup=$CGROUP_N2 ;;
    # It is no part of the cluster: no hook may see it.
    c) cgroup=$CGROUP ;;
    esac
    echo "$BASHPID" >"$cgroup/cgroup.procs"
    exec nsenter --net="$netns" "${@:2}"
}

pod() { # POD COMMAND...
    (enter "$@")
}

node() { # NODE COMMAND...
    (enter "$@")
}

outside() { # COMMAND...
    (enter c "$@")
}
