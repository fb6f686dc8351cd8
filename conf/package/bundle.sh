#!/usr/bin/env bash
# The program with its libraries beside it, for distributions with other ones: bundle.sh BINARY FOLDER. Makes in FOLDER
#   bin/holdfast        a script that starts the program by the loader beside it
#   libexec/holdfast    the program
#   lib/                its libraries, those of the C library too, and the tables of iconv
# tarball.sh and rpm.sh call it. The same inputs give the same bytes.
set -euo pipefail
umask 022
binary=$(readlink -f "$1")
mkdir -p "$2/bin" "$2/lib/gconv" "$2/libexec"
out=$(readlink -f "$2")

install -m 755 "$binary" "$out/libexec/holdfast"
strip --strip-unneeded --remove-section=.comment --remove-section=.note "$out/libexec/holdfast"

# What the program links, and what it loads when Kafka or snappy is used, with what that links.
loaded=$(for name in librdkafka libsnappy; do
    /sbin/ldconfig -p | sed -n "s|.*$name\.so\.1 .*=> ||p" | head -n 1
done)
for program in "$binary" $loaded; do
    ldd "$program" | sed -n 's|.*=> \(/[^ ]*\) .*|\1|p; s|^[[:space:]]*\(/[^ ]*ld-linux[^ ]*\) .*|\1|p'
done | cat - <(printf '%s\n' $loaded) | sort -u | while read -r library; do
    install -m 755 "$(readlink -f "$library")" "$out/lib/${library##*/}"
done
folder=$(dirname "$(/sbin/ldconfig -p | sed -n 's|.*libc\.so\.6 .*=> ||p' | head -n 1)")
cp -L "$folder"/gconv/*.so "$folder"/gconv/gconv-modules* "$out/lib/gconv/" 2>/dev/null || true
rm -f "$out"/lib/gconv/gconv-modules.cache
[ ! -d "$folder/gconv/gconv-modules.d" ] || cp -rL "$folder/gconv/gconv-modules.d" "$out/lib/gconv/"
loader=$(cd "$out/lib" && echo ld-linux*)

cat >"$out/bin/holdfast" <<END
#!/bin/sh
# Starts the program with the libraries beside it, whatever the distribution has.
here=\$(dirname "\$(readlink -f "\$0")")/..
if [ -d "\$here/lib/holdfast/libexec" ]; then here=\$here/lib/holdfast; fi
export GCONV_PATH="\$here/lib/gconv"
if [ -z "\$SSL_CERT_FILE" ]; then
    for file in /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/ca-bundle.pem; do
        if [ -r "\$file" ]; then export SSL_CERT_FILE="\$file"; break; fi
    done
fi
exec "\$here/lib/$loader" --library-path "\$here/lib" "\$here/libexec/holdfast" "\$@"
END
chmod 755 "$out/bin/holdfast"
