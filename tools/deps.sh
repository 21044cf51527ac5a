#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
#
# Installs what a fresh Debian or Ubuntu lacks to build and test. Does nothing, quickly, where nothing is missing.
set -euo pipefail

# command:package
needs=(
    clang:clang llvm-strip:llvm clang-format:clang-format make:make git:git ip:iproute2 tc:iproute2 nsenter:util-linux setpriv:util-linux
    unshare:util-linux ps:procps ethtool:ethtool iptables-restore:iptables nft:nftables
)
# header:package
headers=(/usr/include/bpf/bpf_helpers.h:libbpf-dev /usr/include/stdlib.h:libc6-dev /usr/include/linux/bpf.h:linux-libc-dev)

has_bpftool() {
    bpftool version >/dev/null 2>&1
}

# clang alone may come without the runtime of its sanitizers.
has_sanitizers() {
    echo 'int main(void) { return 0; }' | clang -fsanitize=address,undefined -x c - -o /dev/null 2>/dev/null
}

missing_packages() {
    local need
    has_sanitizers || echo libclang-rt-dev
    for need in "${needs[@]}"; do
        command -v "${need%%:*}" >/dev/null 2>&1 || echo "${need##*:}"
    done
    for need in "${headers[@]}"; do
        [[ -e ${need%%:*} ]] || echo "${need##*:}"
    done
}

# Debian has a package of that name. Ubuntu's bpftool is a wrapper that wants the tools of the running kernel; any of them will do.
install_bpftool() {
    if apt-get install -y --no-install-recommends bpftool && has_bpftool; then
        return
    fi
    apt-get install -y --no-install-recommends linux-tools-common linux-tools-generic
    if ! has_bpftool; then
        local tool
        tool=$(find /usr/lib/linux-tools* -name bpftool -type f 2>/dev/null | sort -V | tail -n 1)
        [[ -n $tool ]] && ln -sf "$tool" /usr/local/sbin/bpftool
    fi
    has_bpftool || {
        echo "error: no bpftool could be installed. Install one by hand and run 'make deps' again." >&2
        exit 1
    }
}

check_dotnet() {
    if command -v dotnet >/dev/null 2>&1 && dotnet --list-sdks | grep -q '^10\.'; then
        return
    fi
    cat >&2 <<'EOF'
error: the .NET 10 SDK is missing.
  Ubuntu 24.04:     apt-get install dotnet-sdk-10.0
  Debian 12 and 13: add Microsoft's package source, then the same; https://learn.microsoft.com/dotnet/core/install/linux-debian
  Anywhere:         the install script of https://dot.net/v1/dotnet-install.sh with --channel 10.0, and its directory in PATH
Then run 'make deps' again.
EOF
    exit 1
}

PATH=$PATH:/usr/sbin:/sbin
mapfile -t packages < <(missing_packages | sort -u)
if ((${#packages[@]})) || ! has_bpftool; then
    if ! command -v apt-get >/dev/null 2>&1; then
        echo "error: missing: ${packages[*]} $(has_bpftool || echo bpftool). Install them with this system's package manager." >&2
        exit 1
    fi
    if ((EUID != 0)); then
        echo "error: missing: ${packages[*]} $(has_bpftool || echo bpftool). Run 'make deps' as root, or install them by hand." >&2
        exit 1
    fi
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    if ((${#packages[@]})); then
        apt-get install -y --no-install-recommends "${packages[@]}"
    fi
    has_bpftool || install_bpftool
fi
check_dotnet
