#!/usr/bin/env bash
# The Debian package: deb.sh BINARY FOLDER. `./dev package` calls it. The same inputs give the same bytes.
set -euo pipefail
umask 022
here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
source=$(dirname "$(dirname "$here")")
binary=$(readlink -f "$1")
mkdir -p "$2"
out=$(readlink -f "$2")
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git -C "$source" log -1 --format=%ct)}
version=$("$binary" version | sed 's/.* //')
architecture=$(dpkg --print-architecture)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/root
doc=$root/usr/share/doc/holdfast

install -D -m 755 "$binary" "$root/usr/bin/holdfast"
strip --strip-unneeded --remove-section=.comment --remove-section=.note "$root/usr/bin/holdfast"
install -D -m 644 "$here/config.yaml" "$root/etc/holdfast/config.yaml"
install -D -m 644 "$here/holdfast.conf" "$root/etc/holdfast/holdfast.conf"
install -D -m 644 "$here/holdfast.service" "$root/usr/lib/systemd/system/holdfast.service"
install -D -m 644 "$here/otelcol-contrib.conf" "$root/usr/share/holdfast/otelcol-contrib.conf"
install -D -m 644 "$here/holdfast.8" "$root/usr/share/man/man8/holdfast.8"
install -D -m 644 "$source/README.md" "$doc/README.md"
install -D -m 644 "$source/CHANGELOG.md" "$doc/NEWS.md"
for name in guarantees components glossary architecture; do
    install -D -m 644 "$source/docs/$name.md" "$doc/docs/$name.md"
done
for name in "$source"/conf/*.yaml; do
    install -D -m 644 "$name" "$doc/examples/${name##*/}"
done
gzip -9 -n "$root/usr/share/man/man8/holdfast.8"
cat >"$doc/copyright" <<END
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: holdfast

Files: *
Copyright: 2026 the authors of Holdfast
License: Apache-2.0
 On Debian systems, the complete text of the Apache License, version 2.0, is in
 /usr/share/common-licenses/Apache-2.0.
END
gzip -9 -n >"$doc/changelog.gz" <<END
holdfast ($version) unstable; urgency=medium

  * See NEWS.md.

 -- Holdfast maintainers <maintainers@holdfast.dev>  $(date -u -R -d "@$SOURCE_DATE_EPOCH")
END

# What the binary links: dpkg-shlibdeps wants to be in a source package.
mkdir -p "$work/source/debian"
printf 'Source: holdfast\n\nPackage: holdfast\nArchitecture: any\n' >"$work/source/debian/control"
mkdir -p "$work/source/debian/holdfast/DEBIAN" "$work/source/debian/holdfast/usr/bin"
cp "$root/usr/bin/holdfast" "$work/source/debian/holdfast/usr/bin"
depends=$(cd "$work/source" && dpkg-shlibdeps -O debian/holdfast/usr/bin/holdfast | sed -n 's/^shlibs:Depends=//p')
[ -n "$depends" ] || { echo "deb.sh: dpkg-shlibdeps finds no library" >&2; exit 1; }
mkdir "$root/DEBIAN"
cat >"$root/DEBIAN/control" <<END
Package: holdfast
Version: $version
Architecture: $architecture
Maintainer: Holdfast maintainers <maintainers@holdfast.dev>
Installed-Size: $(du -sk --apparent-size "$root" | cut -f 1)
Depends: $depends, libsnappy1v5, adduser, init-system-helpers (>= 1.52)
Recommends: ca-certificates, tzdata, librdkafka1 (>= 2.0), libsystemd0
Suggests: libpq5, libmariadb3, libxml2
Provides: otelcol-contrib
Conflicts: otelcol-contrib
Section: admin
Priority: optional
Description: store-and-forward telemetry collector
 Holdfast receives telemetry over OTLP and other protocols, answers OK once it
 is in a queue on disk, and delivers it from there at least once. It reads the
 configuration of the OpenTelemetry Collector.
END
(cd "$root" && find etc -type f | sort | sed 's|^|/|') >"$root/DEBIAN/conffiles"
for name in postinst prerm postrm; do
    install -m 755 "$here/$name" "$root/DEBIAN/$name"
done
(cd "$root" && find usr -type f -print0 | sort -z | xargs -0 md5sum) >"$root/DEBIAN/md5sums"
find "$root" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
dpkg-deb --build --root-owner-group -Zxz "$root" "$out/holdfast_${version}_$architecture.deb"
