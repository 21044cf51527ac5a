#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
#
# Boots Debian's kernels under qemu, with this machine's root beneath them, and runs guest.sh in each. See README.md.
#
#   kernels.sh [KERNEL...]      5.10, 6.1 ...: the beginning of a version; 'newest'. Default: 5.10 6.1 6.12 newest

set -Eeuo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
PATH=$PATH:/usr/sbin:/sbin

# The oldest one that must take the datapath; those before it must be refused in words.
minimum=6.1
cache=$PWD/artifacts/kernels
suites=(bullseye bookworm trixie trixie-backports sid)
seconds=${EBPFLB_KERNELS_SECONDS:-900}
agent=${EBPFLB_KERNELS_AGENT:-$PWD/artifacts/ebpflb}

kernels=("$@")
((${#kernels[@]})) || kernels=(5.10 6.1 6.12 newest)

die() {
	echo "kernels.sh: $*" >&2
	exit 1
}

((EUID == 0)) || die "takes root: guests see this machine's files as they are"
[[ $(dpkg --print-architecture 2>/dev/null) == amd64 ]] || die "wants an amd64 machine with Debian's packages"

install_tools() {
	local need packages=()
	for need in qemu-system-x86_64:qemu-system-x86 busybox:busybox-static depmod:kmod xz:xz-utils cpio:cpio; do
		command -v "${need%%:*}" >/dev/null || packages+=("${need##*:}")
	done
	[[ -e /usr/share/keyrings/debian-archive-keyring.gpg ]] || packages+=(debian-archive-keyring)
	((${#packages[@]})) || return 0
	apt-get update -qq
	DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -y -qq --no-install-recommends "${packages[@]}" >"$cache/install.log" 2>&1 ||
		die "cannot install ${packages[*]}: see $cache/install.log"
}

# The mirror this machine is set up with has the other suites too. They get lists of their own, so nothing here sees those packages.
set_up_apt() {
	local mirror=${EBPFLB_KERNELS_MIRROR-} suite state=$cache/apt
	# shellcheck disable=SC2016 # apt expands
	[[ -n $mirror ]] || mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' 'Label: Debian' 'Component: main' |
		sort -u | head -n 1)
	[[ -n $mirror ]] || die "no mirror of Debian is set up (or 'apt-get update' never ran): EBPFLB_KERNELS_MIRROR=URL names one"
	mkdir -p "$state/lists/partial" "$state/archives/partial"
	for suite in "${suites[@]}"; do
		echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main"
	done >"$state/sources.list"
	cat >"$state/apt.conf" <<-END
		Dir::State::lists "$state/lists";
		Dir::Cache "$state";
		Dir::Cache::pkgcache "pkgcache.bin";
		Dir::Cache::srcpkgcache "srcpkgcache.bin";
		Dir::Etc::sourcelist "$state/sources.list";
		Dir::Etc::sourceparts "-";
		Acquire::Languages "none";
		Acquire::Check-Valid-Until "false";
		APT::Sandbox::User "root";
	END
	export APT_CONFIG=$state/apt.conf
	if [[ -z $(find "$state/lists" -maxdepth 1 -name '*_Packages*' -mmin -1440 -print -quit) ]]; then
		apt-get update -qq
	fi
}

# The name of the package that is this kernel: linux-image-6.1.0-50-amd64.
find_package() { # KERNEL
	local version
	version=$(apt-cache madison linux-image-amd64 | awk '{ print $3 }' | sort -V |
		if [[ $1 == newest ]]; then tail -n 1; else grep -E "^${1//./\\.}[.-]" | tail -n 1; fi) || true
	[[ -n $version ]] || die "no suite of ${suites[*]} has a kernel $1"
	apt-cache show "linux-image-amd64=$version" | sed -n 's/^Depends: //p' | tr ',' '\n' |
		sed -n 's/^ *\(linux-image-[0-9][^ ]*\).*/\1/p' | head -n 1
}

# Leaves boot/ and lib/modules of the kernel in a directory, which it prints.
fetch() { # PACKAGE
	local directory=$cache/$1 package parts
	if [[ ! -e $directory/complete ]]; then
		rm -rf "$directory" "$directory.tmp"
		mkdir -p "$directory.tmp/debs" "$directory.tmp/root"
		# Newer ones come in parts.
		parts=$(apt-cache show "$1" | sed -n 's/^Depends: //p' | head -n 1 | sed 's/[,|]/\n/g' | sed -n 's/^ *\(linux-\(base\|binary\|modules\)-[0-9][^ ]*\).*/\1/p')
		for package in "$1" $parts; do
			(cd "$directory.tmp/debs" && apt-get download -qq "$package")
		done
		for package in "$directory.tmp"/debs/*.deb; do
			dpkg-deb -x "$package" "$directory.tmp/root"
		done
		rm -r "$directory.tmp/debs"
		[[ -e $directory.tmp/root/lib ]] || ln -s usr/lib "$directory.tmp/root/lib"
		depmod -b "$directory.tmp/root" "$(ls "$directory.tmp/root/lib/modules")"
		touch "$directory.tmp/complete"
		mv "$directory.tmp" "$directory"
	fi
	echo "$directory/root"
}

# Just enough to get to this machine's files: what the kernel has as modules for that, in the order they need each other.
make_initramfs() { # ROOT RELEASE
	local work module file number=100
	work=$(mktemp -d)
	mkdir -p "$work"/{bin,proc,sys,dev,modules,host,over,new}
	cp "$(command -v busybox)" "$work/bin/busybox"
	for module in virtio_pci 9pnet_virtio 9p overlay; do
		modprobe -d "$1" -S "$2" --show-depends "$module" | awk '$1 == "insmod" { print $2 }'
	done | awk '!seen[$0]++' | while read -r file; do
		number=$((number + 1))
		module=$(basename "$file" .xz)
		if [[ $file == *.xz ]]; then
			xz -dc "$file" >"$work/modules/$number-$module"
		else
			cp "$file" "$work/modules/$number-$module"
		fi
	done
	cp tools/kernels/init "$work/init"
	chmod 0755 "$work/init"
	printf '%s=%q\n' REPOSITORY "$PWD" MODULES "$1/lib/modules" AGENT "$agent" >"$work/parameters"
	(cd "$work" && find . | cpio -o -H newc --quiet | gzip -1)
	rm -rf "$work"
}

boot() { # KERNEL ROOT
	local root=$2 release image accelerator=(-accel "tcg,thread=multi" -cpu max)
	release=$(ls "$root/lib/modules")
	image=$root/boot/vmlinuz-$release
	[[ -e $image ]] || image=$root/lib/modules/$release/vmlinuz
	# Without the processor's own virtualization /dev/kvm is for guests that were made for it.
	if [[ -w /dev/kvm ]] && grep -qE '^flags.* (vmx|svm)( |$)' /proc/cpuinfo; then
		accelerator=(-accel kvm -cpu host)
	fi
	make_initramfs "$root" "$release" >"$cache/$1.initramfs"
	: >"$cache/$1.results"
	timeout "$seconds" qemu-system-x86_64 "${accelerator[@]}" -m 2048 -smp 2 -display none -no-reboot -net none \
		-kernel "$image" -initrd "$cache/$1.initramfs" -append 'console=ttyS0 quiet panic=-1 no_timer_check' \
		-virtfs local,path=/,mount_tag=host,security_model=none,readonly=on,multidevs=remap \
		-serial "file:$cache/$1.console" -serial "file:$cache/$1.results" </dev/null || true
	rm -f "$cache/$1.initramfs"
}

result() { # KERNEL CHECK
	sed -n "s/\r//; s/^check $2 \([a-z]*\).*/\1/p" "$cache/$1.results" | tail -n 1
}

is_supported() { # KERNEL
	[[ $1 == newest || $(printf '%s\n' "$minimum" "$1" | sort -V | head -n 1) == "$minimum" ]]
}

# Lines of the guest: 'check NAME ok|failed|none DETAIL'.
judge() {
	local kernel check outcome wrong=0 row
	mapfile -t checks < <(for kernel in "${kernels[@]}"; do sed -n 's/^check \([a-z0-9-]*\) .*/\1/p' "$cache/$kernel.results"; done |
		awk '!seen[$0]++')
	printf '\n%-22s' check
	printf '%12s' "${kernels[@]}"
	echo
	for check in "${checks[@]}"; do
		row=$(printf '%-22s' "$check")
		for kernel in "${kernels[@]}"; do
			outcome=$(result "$kernel" "$check")
			row+=$(printf '%12s' "${outcome:--}")
		done
		echo "$row"
	done
	echo
	for kernel in "${kernels[@]}"; do
		[[ -n $(result "$kernel" end) ]] || {
			wrong=$((wrong + 1))
			echo "FAILED on $kernel: the guest did not end by itself; its console: $cache/$kernel.console"
		}
		for check in "${checks[@]}"; do
			outcome=$(result "$kernel" "$check")
			if is_supported "$kernel"; then
				[[ $check == refusal || $outcome == ok || $outcome == none ]] && continue
			else
				# Nothing but the refusal is promised.
				[[ $check != refusal || $outcome == ok ]] && continue
			fi
			wrong=$((wrong + 1))
			echo "FAILED on $kernel: $check${outcome:+ $outcome}: $(sed -n "s/\r//; s/^check $check [a-z]* \?//p" "$cache/$kernel.results" | tail -n 1)"
		done
	done
	((wrong == 0)) || die "$wrong checks failed; artifacts/kernels/*.results and *.console tell more"
	echo "All kernels do what is promised of them (the oldest that is supported: $minimum)."
}

mkdir -p "$cache"
install_tools
set_up_apt
for kernel in "${kernels[@]}"; do
	package=$(find_package "$kernel")
	root=$(fetch "$package")
	start=$SECONDS
	boot "$kernel" "$root"
	echo "$kernel is $package: $(grep -c '^check .* ok' "$cache/$kernel.results" || true) checks ok, $((SECONDS - start)) s"
done
judge
