#!/usr/bin/env bash
# The RPM package: rpm.sh BINARY FOLDER; Debian's package rpm makes it. It brings its libraries, because those of the
# distributions that use it have other names. The same inputs give the same bytes.
set -euo pipefail
umask 022
here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
source=$(dirname "$(dirname "$here")")
binary=$(readlink -f "$1")
mkdir -p "$2"
out=$(readlink -f "$2")
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git -C "$source" log -1 --format=%ct)}
version=$("$binary" version | sed 's/.* //')
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/root

"$here/bundle.sh" "$binary" "$root/usr/lib/holdfast"
mkdir -p "$root/usr/bin"
mv "$root/usr/lib/holdfast/bin/holdfast" "$root/usr/bin/holdfast"
rmdir "$root/usr/lib/holdfast/bin"
install -D -m 644 "$here/config.yaml" "$root/etc/holdfast/config.yaml"
install -D -m 644 "$here/holdfast.conf" "$root/etc/holdfast/holdfast.conf"
install -D -m 644 "$here/holdfast.service" "$root/usr/lib/systemd/system/holdfast.service"
install -D -m 644 "$here/otelcol-contrib.conf" "$root/usr/share/holdfast/otelcol-contrib.conf"
install -D -m 644 "$here/holdfast.8" "$root/usr/share/man/man8/holdfast.8"
gzip -9 -n "$root/usr/share/man/man8/holdfast.8"
for name in README.md CHANGELOG.md LICENSE; do
    install -D -m 644 "$source/$name" "$root/usr/share/doc/holdfast/$name"
done
find "$root" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
sed "s/@VERSION@/$version/" "$here/holdfast.spec" >"$work/holdfast.spec"
rpmbuild -bb --quiet --target "$(uname -m)-linux" \
    --define "_topdir $work/rpm" --define "_rpmdir $out" --define "_build_name_fmt %%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm" \
    --define "made $root" --define "_buildhost holdfast" --define "use_source_date_epoch_as_buildtime 1" \
    --define "clamp_mtime_to_source_date_epoch 1" --define "_dbpath $work/db" "$work/holdfast.spec"
