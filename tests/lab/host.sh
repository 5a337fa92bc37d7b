#!/bin/sh
# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Becomes a managed host of the lab. Runs as process 1 of new network, mount, host name, IPC and PID namespaces, with
# private mount propagation; the lab's init starts it and writes a line when the network device is there.
#
#   host.sh SPEC    SPEC holds: hostname, net.ip (ip -batch), rules.nft, files/ (copied over the root), setup.sh
set -eu
spec=$1
read -r _

ip -batch "$spec/net.ip"
if [ -s "$spec/rules.nft" ]; then
    nft -f "$spec/rules.nft"
fi
hostname "$(cat "$spec/hostname")"

# The root: the machine's own, under an overlay in memory. What is written here never reaches the machine.
mount -t tmpfs -o mode=755 mtls-lab "$spec/mnt"
root=$spec/mnt/root
mkdir "$spec/mnt/upper" "$spec/mnt/work" "$root"
mount -t overlay -o "lowerdir=/,upperdir=$spec/mnt/upper,workdir=$spec/mnt/work" mtls-lab "$root"
mount -t proc proc "$root/proc"
mount -t tmpfs -o mode=1777 mtls-lab "$root/tmp"
mount -t tmpfs -o mode=755 mtls-lab "$root/run"
mount -t tmpfs -o mode=755 mtls-lab "$root/dev"
for node in null zero full random urandom tty; do
    : >"$root/dev/$node"
    mount --bind "/dev/$node" "$root/dev/$node"
done
mkdir "$root/dev/pts" "$root/dev/shm" "$root/run/sshd" "$root/run/spec"
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
mount --bind "$spec" "$root/run/spec"

cd "$root"
pivot_root . .
umount -l .
cd /

# From here on only the overlay is in sight. Destinations are unlinked first: resolv.conf is often a symbolic link.
cp -a --remove-destination /run/spec/files/. /
if [ -s /run/spec/setup.sh ]; then
    sh -eu /run/spec/setup.sh
fi
umount -l /run/spec

if [ -e /etc/mtls-lab/no-sshd ]; then
    exec sleep infinity
fi
exec /usr/sbin/sshd -D -e -f /etc/mtls-lab/sshd_config
