"""Where the jobs and targets of the receiver prometheus come from: scrape_config_files, and DNS by a server of the
test."""

import os
import shutil
import subprocess

import pytest
import yaml
from dnslib import AAAA, MX, NS, SRV, A

from support.holdfast import Holdfast, otlphttp_exporter
from support.names import Zone, serving
from support.scraped import Target, rows
from support.waiting import until

# Each worker of pytest-xdist has an address of its own.
NAME_SERVER = f"127.0.0.{77 + int(os.environ.get('PYTEST_XDIST_WORKER', 'gw0')[2:])}"


def configuration(backend, **config):
    return {
        "receivers": {"prometheus": {"config": config}},
        "exporters": {"otlphttp": otlphttp_exporter(backend)},
        "service": {"pipelines": {"metrics": {"receivers": ["prometheus"], "exporters": ["otlphttp"]}}},
    }


def job(name, **keys):
    return {"job_name": name, "scrape_interval": "200ms", "scrape_timeout": "200ms", **keys}


def scraped(backend, condition, what):
    """Waits for the row of an `up` that is 1."""

    def found():
        every = [row for one in list(backend.requests) for row in rows(one.message)]
        return [row for row in every if row["name"] == "up" and row["value"] == 1 and condition(row)]

    return until(found, what)[0]


def instances(backend):
    every = [row for one in list(backend.requests) for row in rows(one.message)]
    return {row["resource"].get("service.instance.id") for row in every if row["name"] == "up"}


@pytest.fixture
def target(ending):
    return lambda *arguments: ending.enter_context(Target(*arguments))


class TestScrapeConfigFiles:
    def test_jobs_come_from_files_beside_the_own_ones(self, start, http_backend, target, tmp_path):
        one, other, own = target("a 1\n"), target("b 1\n"), target("c 1\n")
        for name, address in {"one": one.address, "other": other.address}.items():
            jobs = [job(name, static_configs=[{"targets": [address]}])]
            (tmp_path / f"{name}.jobs.yaml").write_text(yaml.safe_dump({"scrape_configs": jobs}))
        (tmp_path / "empty.jobs.yaml").write_text("")
        start(
            configuration(
                http_backend,
                scrape_config_files=[str(tmp_path / "*.jobs.yaml"), str(tmp_path / "none*.yaml")],
                scrape_configs=[job("own", static_configs=[{"targets": [own.address]}])],
            )
        )
        for name in ("one", "other", "own"):
            scraped(http_backend, lambda row, name=name: row["resource"]["service.name"] == name, f"no {name}")

    def test_a_reload_reads_them_again(self, start, http_backend, target, tmp_path):
        one, other = target("a 1\n"), target("b 1\n")
        path = tmp_path / "jobs.yaml"

        def write(name, address):
            path.write_text(yaml.safe_dump({"scrape_configs": [job(name, static_configs=[{"targets": [address]}])]}))

        write("first", one.address)
        instance = start(configuration(http_backend, scrape_config_files=[str(path)]))
        scraped(http_backend, lambda row: row["resource"]["service.name"] == "first", "no first")
        write("second", other.address)
        # A reload needs a change of the configuration itself.
        instance.write_config(configuration(http_backend, scrape_config_files=[str(path), str(tmp_path / "x*")]))
        instance.reload()
        scraped(http_backend, lambda row: row["resource"]["service.name"] == "second", "no second")

    @pytest.mark.parametrize(
        "text, sentence",
        {
            "key": ("scrape_configs: [{job_name: a, nothing: 1}]", "nothing"),
            "no name": ("scrape_configs: [{scrape_interval: 1s}]", "job_name"),
            "yaml": ("scrape_configs: [", "jobs.yaml"),
            "twice": ("scrape_configs: [{job_name: own}]", "there are two jobs of one name"),
            "times": ("scrape_configs: [{job_name: a, scrape_timeout: 1h}]", "scrape_timeout is longer"),
            "missing": (None, "there is no file"),
        }.values(),
    )
    def test_what_is_wrong_is_said_with_the_file(self, tmp_path, http_backend, text, sentence, ending):
        path = tmp_path / "jobs.yaml"
        if text is not None:
            path.write_text(text)
        made = configuration(http_backend, scrape_config_files=[str(path)], scrape_configs=[job("own")])
        instance = Holdfast(tmp_path / "holdfast", made)
        ending.callback(instance.close)
        assert instance.spawn().process.wait(20) != 0
        assert sentence in instance.log() and "jobs.yaml" in instance.log()


def can_mount():
    return (
        os.geteuid() == 0
        and shutil.which("unshare") is not None
        and subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False).returncode == 0
    )


@pytest.mark.skipif(not can_mount(), reason="needs root, to have an /etc/resolv.conf of its own")
class TestDns:
    @pytest.fixture
    def zone(self, ending):
        zone = Zone()
        try:
            ending.enter_context(serving(zone, NAME_SERVER))
        except OSError as error:
            pytest.skip(f"{NAME_SERVER}:53 cannot be had: {error}")
        return zone

    @pytest.fixture
    def run(self, tmp_path, http_backend, ending):
        def make(**discovery):
            resolv = tmp_path / "resolv.conf"
            resolv.write_text(f"nameserver {NAME_SERVER}\noptions timeout:1 attempts:1\n")
            made = configuration(
                http_backend,
                scrape_configs=[
                    job(
                        "dns",
                        dns_sd_configs=[{"refresh_interval": "200ms", **discovery}],
                        relabel_configs=[
                            {"source_labels": ["__meta_dns_name"], "target_label": "of"},
                            {"action": "labelmap", "regex": "__meta_dns_(srv|mx|ns)_record_target"},
                        ],
                    )
                ],
            )
            instance = Holdfast(tmp_path / "holdfast", made)
            script = 'mount --bind "$1" /etc/resolv.conf && shift && exec "$@"'
            instance.prefix = ["unshare", "-m", "sh", "-c", script, "sh", str(resolv)]
            ending.callback(instance.close)
            return instance.start()

        return make

    def test_srv_records_have_the_port(self, zone, run, http_backend, target):
        one = target("a 1\n")
        zone.records["_metrics._tcp.shop.test.", "SRV"] = [SRV(0, 0, one.port, "host.shop.test.")]
        zone.records["host.shop.test.", "A"] = [A("127.0.0.1")]
        run(names=["_metrics._tcp.shop.test"])
        scraped(
            http_backend,
            lambda row: row["attributes"].get("of") == "_metrics._tcp.shop.test"
            and row["attributes"].get("srv") == "host.shop.test.",
            "no target of SRV",
        )

    def test_targets_stay_while_the_name_cannot_be_looked_up(self, zone, run, http_backend, target):
        one = target("a 1\n")
        zone.records["a.shop.test.", "A"] = [A("127.0.0.1")]
        run(names=["a.shop.test"], type="A", port=one.port)
        scraped(http_backend, lambda row: row["attributes"].get("of") == "a.shop.test", "no target of A")
        zone.is_broken = True
        asked = len(one.requests)
        until(lambda: len(one.requests) > asked + 10, "the target does not stay")
        zone.records["a.shop.test.", "A"] = [A("127.0.0.2")]
        zone.is_broken = False
        until(lambda: f"127.0.0.2:{one.port}" in instances(http_backend), lambda: f"{instances(http_backend)}")

    @pytest.mark.parametrize("kind, data", {"MX": MX("localhost.", 5), "NS": NS("localhost.")}.items())
    def test_hosts_of_other_records(self, zone, run, http_backend, target, kind, data):
        one = target("a 1\n")
        zone.records["shop.test.", kind] = [data]
        zone.records["localhost.", "A"] = [A("127.0.0.1")]
        run(names=["shop.test"], type=kind, port=one.port)
        scraped(
            http_backend,
            lambda row: row["attributes"].get(kind.lower()) == "localhost."
            and row["resource"]["service.instance.id"] == f"localhost:{one.port}",
            f"no target of {kind}",
        )

    def test_addresses_of_version_6(self, zone, run, http_backend):
        zone.records["six.shop.test.", "AAAA"] = [AAAA("::1")]
        run(names=["six.shop.test"], type="AAAA", port=9)
        until(lambda: "[::1]:9" in instances(http_backend), lambda: f"{instances(http_backend)}")
