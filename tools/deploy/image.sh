#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
#
# Writes an OCI image of the agent without a container engine: the published executable, bpftool and the shared libraries of both, no
# shell. From the same files and the same SOURCE_DATE_EPOCH come the same bytes.

set -Eeuo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
agent=$root/artifacts/ebpflb
output=$root/artifacts/ebpflb-image.tar
version=

usage() {
    cat <<END_OF_USAGE
usage: image.sh [--agent FILE] [--version VERSION] [--output FILE]

  --agent FILE       what 'make publish' left; default: artifacts/ebpflb
  --version VERSION  tag of the image; default: what the agent says of itself, without the commit
  --output FILE      an archive of an OCI layout; default: artifacts/ebpflb-image.tar

The root file system stays beside the archive, in FILE without .tar, for those who build with the Dockerfile.
SOURCE_DATE_EPOCH is the time of every file; default: that of the commit.
END_OF_USAGE
}

refuse() {
    echo "image.sh: $1" >&2
    exit 2
}

while (($#)); do
    case $1 in
    --agent | --version | --output)
        (($# > 1)) || refuse "$1 needs a value"
        declare "${1#--}=$2"
        shift 2
        ;;
    --help)
        usage
        exit 0
        ;;
    *)
        usage >&2
        exit 2
        ;;
    esac
done

is_elf() { # FILE
    [[ -f $1 && $(head -c 4 "$1" | od -An -tx1) == ' 7f 45 4c 46' ]]
}

[[ $output == *.tar ]] || refuse "--output $output does not end in .tar"
is_elf "$agent" || refuse "$agent is no executable: run 'make publish', or name one with --agent"
epoch=${SOURCE_DATE_EPOCH:-$(git -C "$root" log -1 --format=%ct 2>/dev/null || true)}
[[ $epoch =~ ^[0-9]+$ ]] || refuse "the time of the commit is not known here (no git): set SOURCE_DATE_EPOCH to seconds since 1970"
created=$(date -u -d "@$epoch" +%Y-%m-%dT%H:%M:%SZ)
if [[ -z $version ]]; then
    version=$("$agent" version)
    version=${version#ebpflb }
fi
tag=${version%%+*}
[[ $tag =~ ^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$ ]] || refuse "'$tag' is no tag of an image: give one with --version"
case $(uname -m) in
x86_64) architecture=amd64 library_tag=x86-64 ;;
aarch64) architecture=arm64 library_tag=AArch64 ;;
*) refuse "there is no agent for $(uname -m)" ;;
esac

# Ubuntu's is a script that looks for the tools of the running kernel.
find_bpftool() {
    local candidate
    while read -r candidate; do
        if is_elf "$candidate"; then
            realpath "$candidate"
            return
        fi
    done < <(type -ap bpftool; find /usr/lib/linux-tools* -name bpftool -type f 2>/dev/null | sort -rV)
    return 1
}

# Loaded by name at run time, so that no list of dependencies has them.
find_library() { # NAME
    ldconfig -p | awk -v name="$1" -v tag="$library_tag" '$1 == name && index($0, tag) && !found { print $NF; found = 1 }'
}

# Every library that FILE needs, the loader included, by the path it is looked for at.
closure() { # FILE...
    local file
    for file in "$@"; do
        ldd "$file" | awk '/not found/ { print "missing: " $1; next } { for (i = 1; i <= NF; i++) if ($i ~ /^\//) print $i }'
    done | sort -u
}

bpftool=$(find_bpftool) || refuse "no bpftool is installed: run 'make deps'"
ssl=$(find_library libssl.so.3)
[[ -n $ssl ]] || refuse "libssl.so.3 is not installed, without which the agent has no TLS (Debian, Ubuntu: the package libssl3)"

stem=${output%.tar}
tree=$stem.new
rm -rf "$stem" "$tree"
trap 'rm -rf "$tree"' EXIT
mkdir -p "$tree/base" "$tree/agent" "$tree/oci/blobs/sha256"

put() { # MODE SOURCE DIRECTORY/NAME
    install -D -m "$1" "$2" "$3"
}

# --- The root file system, in two layers: what an upgrade of the agent leaves alone, and the agent ---

base=$tree/base
put 0755 "$bpftool" "$base/usr/sbin/bpftool"
# libcrypto comes with libssl.
while read -r library; do
    [[ $library == /* ]] || refuse "a library of the agent or of bpftool is not installed: ${library#missing: }"
    put 0755 "$library" "$base$library"
done < <({ closure "$agent" "$bpftool" "$ssl"; echo "$ssl"; } | sort -u)
# Where a read-only root file system has something mounted.
mkdir -p "$base"/{dev,proc,sys,tmp,etc/ebpflb,host/{bpf,cgroup,proc/sys/net}} \
    "$base"/var/{lib/kube-proxy,run/secrets/kubernetes.io/serviceaccount}
echo 'root:x:0:0:root:/:/usr/sbin/nologin' >"$base/etc/passwd"
echo 'root:x:0:' >"$base/etc/group"
echo 'hosts: files dns' >"$base/etc/nsswitch.conf"
put 0755 "$agent" "$tree/agent/usr/bin/ebpflb"

# --- The blobs, named by what is in them ---

digest_of() { # FILE
    sha256sum "$1" | cut -d ' ' -f 1
}

archive() { # DIRECTORY NAME...
    tar -C "$1" --create --format=gnu --sort=name --owner=0 --group=0 --numeric-owner --mode='u=rwX,go=rX' --mtime="@$epoch" "${@:2}"
}

# A descriptor of what FILE holds; the file becomes a blob.
store() { # FILE MEDIA_TYPE
    local digest size
    digest=$(digest_of "$1")
    size=$(stat -c %s "$1")
    mv "$1" "$tree/oci/blobs/sha256/$digest"
    printf '{"mediaType":"%s","digest":"sha256:%s","size":%d}' "$2" "$digest" "$size"
}

layers=()
diff_ids=()
for layer in base agent; do
    archive "$tree/$layer" . >"$tree/layer.tar"
    diff_ids+=("\"sha256:$(digest_of "$tree/layer.tar")\"")
    gzip -n -6 <"$tree/layer.tar" >"$tree/layer.tar.gz"
    rm "$tree/layer.tar"
    layers+=("$(store "$tree/layer.tar.gz" application/vnd.oci.image.layer.v1.tar+gzip)")
done

comma_separated() { # ITEM...
    local IFS=,
    echo "$*"
}

# .NET would otherwise open a socket in /tmp for debuggers.
cat >"$tree/config.json" <<END
{"created":"$created","architecture":"$architecture","os":"linux",
"config":{"User":"0:0","Env":["PATH=/usr/bin:/usr/sbin","DOTNET_EnableDiagnostics=0"],
"Entrypoint":["/usr/bin/ebpflb"],"Cmd":["agent"],"WorkingDir":"/",
"Labels":{"org.opencontainers.image.title":"ebpflb","org.opencontainers.image.version":"$version"}},
"rootfs":{"type":"layers","diff_ids":[$(comma_separated "${diff_ids[@]}")]},
"history":[{"created":"$created","created_by":"tools/deploy/image.sh: bpftool and libraries"},
{"created":"$created","created_by":"tools/deploy/image.sh: ebpflb"}]}
END
config=$(store "$tree/config.json" application/vnd.oci.image.config.v1+json)
cat >"$tree/manifest.json" <<END
{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":$config,"layers":[$(comma_separated "${layers[@]}")]}
END
manifest=$(store "$tree/manifest.json" application/vnd.oci.image.manifest.v1+json)
# The second annotation is the name that containerd gives the image when it imports the archive.
cat >"$tree/oci/index.json" <<END
{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[${manifest%\}},
"platform":{"architecture":"$architecture","os":"linux"},
"annotations":{"org.opencontainers.image.ref.name":"$tag","io.containerd.image.name":"localhost/ebpflb:$tag"}}]}
END
echo '{"imageLayoutVersion":"1.0.0"}' >"$tree/oci/oci-layout"
archive "$tree/oci" blobs index.json oci-layout >"$output"

cp -r "$tree/agent/." "$base"
mv "$base" "$stem"
[[ $manifest =~ sha256:[0-9a-f]+ ]]
echo "${output#"$root"/}: localhost/ebpflb:$tag, ${BASH_REMATCH[0]}"
