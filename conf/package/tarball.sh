#!/usr/bin/env bash
# The tarball for distributions without a package: tarball.sh BINARY FOLDER. The same inputs give the same bytes.
set -euo pipefail
umask 022
here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
source=$(dirname "$(dirname "$here")")
binary=$(readlink -f "$1")
mkdir -p "$2"
out=$(readlink -f "$2")
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git -C "$source" log -1 --format=%ct)}
version=$("$binary" version | sed 's/.* //')
name=holdfast-$version-linux-$(dpkg --print-architecture)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/$name

"$here/bundle.sh" "$binary" "$root"
install -D -m 644 "$here/config.yaml" "$root/etc/config.yaml"
install -D -m 644 "$here/holdfast.conf" "$root/etc/holdfast.conf"
install -D -m 644 "$here/holdfast.service" "$root/etc/holdfast.service"
for name_of_file in README.md CHANGELOG.md LICENSE; do
    install -m 644 "$source/$name_of_file" "$root/$name_of_file"
done
cat >"$root/INSTALL" <<'END'
Run it where it is:      ./bin/holdfast --config etc/config.yaml --data-dir ./data
As a service, as root:   cp -r . /opt/holdfast && ln -s /opt/holdfast/bin/holdfast /usr/bin/holdfast
                         useradd --system --no-create-home --shell /usr/sbin/nologin holdfast
                         mkdir /etc/holdfast && cp etc/config.yaml etc/holdfast.conf /etc/holdfast/
                         cp etc/holdfast.service /etc/systemd/system/ && systemctl enable --now holdfast
Needs a kernel from 4.18 on and /bin/sh, no library of the distribution.
END
tar --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$SOURCE_DATE_EPOCH" -C "$work" -cf - "$name" |
    gzip -6 -n >"$out/$name.tar.gz"
