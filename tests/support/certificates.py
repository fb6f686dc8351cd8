"""Throw-away certificates, made by the openssl command."""

import subprocess

from support.waiting import until


def _openssl(*arguments, stdin=None):
    subprocess.run(
        ["openssl", *map(str, arguments)], input=stdin, check=True, capture_output=True, timeout=30
    )


class Authority:
    """A certificate authority in a directory: ca.crt, and a NAME.crt and NAME.key for each `issue(NAME)`."""

    def __init__(self, directory):
        self.directory = directory
        directory.mkdir(parents=True, exist_ok=True)
        self.certificate = directory / "ca.crt"
        self._key = directory / "ca.key"
        _openssl(
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-days",
            2,
            "-subj",
            "/CN=test authority",
            "-addext",
            "keyUsage=critical,keyCertSign,cRLSign",
            "-keyout",
            self._key,
            "-out",
            self.certificate,
        )

    def issue(self, name, common_name=None, names="DNS:localhost,IP:127.0.0.1", days=2):
        """Makes (or makes anew) a certificate for localhost, 127.0.0.1 and the name; returns (certificate, key)."""
        certificate, key = self.directory / f"{name}.crt", self.directory / f"{name}.key"
        request, extensions = self.directory / f"{name}.csr", self.directory / f"{name}.ext"
        extensions.write_text(f"subjectAltName={names},DNS:{name}\n")
        fresh_key = self.directory / f"{name}.key.new"
        _openssl(
            "req",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-subj",
            f"/CN={common_name or name}",
            "-keyout",
            fresh_key,
            "-out",
            request,
        )
        fresh = self.directory / f"{name}.crt.new"
        _openssl(
            "x509",
            "-req",
            "-in",
            request,
            "-CA",
            self.certificate,
            "-CAkey",
            self._key,
            "-CAcreateserial",
            "-days",
            days,
            "-extfile",
            extensions,
            "-out",
            fresh,
        )
        fresh_key.replace(key)
        fresh.replace(certificate)
        return certificate, key

    def issue_expired(self, name):
        """As issue(), of a certificate that has just ended: newer releases of openssl refuse an end before the start."""
        certificate, key = self.issue(name, days=0)
        is_valid = ["openssl", "x509", "-checkend", "0", "-noout", "-in", certificate]
        until(lambda: subprocess.run(is_valid, capture_output=True, check=False).returncode == 1, "it does not expire")
        return certificate, key
