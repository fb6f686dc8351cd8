"""postgresql: the receiver against the real server, with databases, tables, replicas, TLS, sockets, and what goes wrong."""

import json
import os
import socket
import subprocess
from datetime import datetime

import pytest

from support.certificates import Authority
from support.otlp import attributes
from support.ports import free_port
from support.scraped import rows
from support.scraped_servers import SCOPE, complaints, scraping, shapes, switched, values
from support.servers import Postgres, Server
from support.waiting import until

GAUGE, SUM, COUNTER = "gauge", "sum", "counter"
DATABASE = {
    "postgresql.backends": ("1", SUM, "int", ()),
    "postgresql.commits": ("1", COUNTER, "int", ()),
    "postgresql.db_size": ("By", SUM, "int", ()),
    "postgresql.rollbacks": ("1", COUNTER, "int", ()),
    "postgresql.table.count": ("{table}", SUM, "int", ()),
}
UNUSED = {name: shape for name, shape in DATABASE.items() if name != "postgresql.backends"}
DATABASE_OPTIONAL = {
    "postgresql.blks_hit": ("{blks_hit}", COUNTER, "int", ()),
    "postgresql.blks_read": ("{blks_read}", COUNTER, "int", ()),
    "postgresql.database.locks": ("{lock}", GAUGE, "int", ("lock_type", "mode", "relation")),
    "postgresql.deadlocks": ("{deadlock}", COUNTER, "int", ()),
    "postgresql.function.calls": ("{call}", COUNTER, "int", ("function",)),
    "postgresql.query.conflicts": ("{query}", COUNTER, "int", ("postgresql.conflict.type",)),
    "postgresql.query.execution.time": ("s", COUNTER, "float", ()),
    "postgresql.temp.io": ("By", COUNTER, "int", ()),
    "postgresql.temp_files": ("{temp_file}", COUNTER, "int", ()),
    "postgresql.tup_deleted": ("{tup_deleted}", COUNTER, "int", ()),
    "postgresql.tup_fetched": ("{tup_fetched}", COUNTER, "int", ()),
    "postgresql.tup_inserted": ("{tup_inserted}", COUNTER, "int", ()),
    "postgresql.tup_returned": ("{tup_returned}", COUNTER, "int", ()),
    "postgresql.tup_updated": ("{tup_updated}", COUNTER, "int", ()),
}
TABLE = {
    "postgresql.blocks_read": ("1", COUNTER, "int", ("source",)),
    "postgresql.operations": ("1", COUNTER, "int", ("operation",)),
    "postgresql.rows": ("1", SUM, "int", ("state",)),
    "postgresql.table.size": ("By", SUM, "int", ()),
    "postgresql.table.vacuum.count": ("{vacuum}", COUNTER, "int", ()),
}
TABLE_OPTIONAL = {"postgresql.sequential_scans": ("{sequential_scan}", COUNTER, "int", ())}
INDEX = {
    "postgresql.index.scans": ("{scans}", COUNTER, "int", ()),
    "postgresql.index.size": ("By", GAUGE, "int", ()),
}
WHOLE = {
    "postgresql.bgwriter.buffers.allocated": ("{buffers}", COUNTER, "int", ()),
    "postgresql.bgwriter.buffers.writes": ("{buffers}", COUNTER, "int", ("source",)),
    "postgresql.bgwriter.checkpoint.count": ("{checkpoints}", COUNTER, "int", ("type",)),
    "postgresql.bgwriter.duration": ("ms", COUNTER, "float", ("type",)),
    "postgresql.bgwriter.maxwritten": ("1", COUNTER, "int", ()),
    "postgresql.connection.max": ("{connections}", GAUGE, "int", ()),
    "postgresql.database.count": ("{databases}", SUM, "int", ()),
}
REPLICA = {
    "postgresql.replication.data_delay": ("By", GAUGE, "int", ("replication_client",)),
    "postgresql.wal.delay": ("s", GAUGE, "float", ("operation", "replication_client")),
    "postgresql.wal.lag": ("s", GAUGE, "int", ("operation", "replication_client")),
}
SHOP = (
    "CREATE TABLE sold (id int PRIMARY KEY, name text)",
    "INSERT INTO sold SELECT i, 'x' FROM generate_series(1, 10) i",
    "DELETE FROM sold WHERE id > 7",
    "CREATE FUNCTION twice(n int) RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN 2 * n; END'",
    "SELECT twice(4)",
)
PLAIN = {"username": "joe", "password": "secret", "tls": {"insecure": True}}


@pytest.fixture
def postgres(ending):
    server = ending.enter_context(Postgres())
    server.sql("CREATE DATABASE shop")
    server.sql(*SHOP, database="shop")
    server.sql("CREATE EXTENSION pg_stat_statements")
    return server


def scrape(backend, holds=lambda found: True, what="no scrape came"):
    """A whole scrape: the requests up to one with the points of the server as a whole, which come last."""
    begin = len(backend.accepted())

    def look():
        found = []
        for request in backend.accepted()[begin:]:
            found += rows(request.message)
            if any(row["name"] == "postgresql.database.count" for row in found):
                if holds(found):
                    return found
                found = []
        return None

    return until(look, what)


def of(found, **names):
    """The rows of a resource: database, table, index."""
    wanted = {f"postgresql.{key}.name": value for key, value in names.items()}
    return [row for row in found if {key: value for key, value in row["resource"].items() if key != "service.instance.id"} == wanted]


def test_the_real_server(postgres, start, http_backend):
    instance = start(scraping(http_backend, "postgresql", endpoint=postgres.address, **PLAIN))
    # Statistics are told by the server's processes with a delay.
    found = scrape(
        http_backend,
        lambda found: values(of(found, database="shop", table="public.sold"), "postgresql.rows").get(("live",)) == 7,
        lambda: f"the table's rows are not told: {instance.log()}",
    )
    assert {row["scope"][0] for row in found} == {SCOPE + "postgresqlreceiver"}
    assert {row["resource"]["service.instance.id"] for row in found} == {f"{socket.gethostname()}:{postgres.port}"}
    assert shapes(of(found)) == WHOLE
    assert shapes(of(found, database="postgres")) == DATABASE
    assert shapes(of(found, database="shop")) == UNUSED  # no one is connected to it
    table = of(found, database="shop", table="public.sold")
    assert shapes(table) == TABLE
    assert values(table, "postgresql.operations") == {("ins",): 10, ("del",): 3, ("upd",): 0, ("hot_upd",): 0}
    assert values(table, "postgresql.rows")[("live",)] == 7
    assert {source for (source,) in values(table, "postgresql.blocks_read")} == {
        f"{where}_{what}" for where in ("heap", "idx", "toast", "tidx") for what in ("read", "hit")
    }
    index = of(found, database="shop", table="sold", index="sold_pkey")
    assert shapes(index) == INDEX and values(index, "postgresql.index.size")[()] >= 8192
    assert values(of(found), "postgresql.database.count") == {(): 2} and values(of(found), "postgresql.connection.max") == {(): 40}
    assert set(values(of(found), "postgresql.bgwriter.checkpoint.count")) == {("requested",), ("scheduled",)}
    assert set(values(of(found), "postgresql.bgwriter.buffers.writes")) >= {("checkpoints",), ("bgwriter",)}
    assert values(of(found, database="shop"), "postgresql.table.count") == {(): 1}
    assert values(of(found, database="postgres"), "postgresql.backends")[()] >= 1
    assert len(found) == len(of(found)) + len(table) + len(index) + len(DATABASE) + len(UNUSED)
    assert instance.metric("otelcol_scraper_errored_metric_points", receiver="postgresql", scraper="postgresql") == 0


def test_every_metric_and_resource_attribute_can_be_had(postgres, start, http_backend):
    wanted = switched([*DATABASE_OPTIONAL, *TABLE_OPTIONAL, *REPLICA]) | switched(["postgresql.backends"], False)
    resources = switched(["server.address", "server.port", "service.name", "service.namespace"]) | switched(
        ["service.instance.id", "postgresql.table.name"], False
    )
    start(
        scraping(
            http_backend,
            "postgresql",
            endpoint=postgres.address,
            metrics=wanted,
            resource_attributes=resources,
            databases=["shop"],
            **PLAIN,
        )
    )
    found = scrape(http_backend)
    named = {"server.address": "127.0.0.1", "server.port": str(postgres.port), "service.name": "unknown_service:postgresql"}
    assert all(row["resource"].items() >= named.items() and row["resource"]["service.namespace"] == "" for row in found)
    assert all("service.instance.id" not in row["resource"] and "postgresql.table.name" not in row["resource"] for row in found)
    database = [row for row in found if row["name"] in {**DATABASE, **DATABASE_OPTIONAL}]
    assert shapes(database) == {**UNUSED, **DATABASE_OPTIONAL}
    assert values(found, "postgresql.function.calls") == {("twice",): 1}
    assert values(found, "postgresql.query.conflicts") == {(reason,): 0 for reason in ("tablespace", "lock", "snapshot", "bufferpin", "deadlock")}
    assert values(found, "postgresql.query.execution.time")[()] > 0
    assert ("relation", "AccessShareLock", "pg_locks") in values(found, "postgresql.database.locks")
    assert values(found, "postgresql.database.count") == {(): 1}
    assert shapes(row for row in found if row["name"] in TABLE_OPTIONAL) == TABLE_OPTIONAL


def test_databases_can_be_left_out(postgres, start, http_backend):
    start(scraping(http_backend, "postgresql", endpoint=postgres.address, exclude_databases=["shop"], connect_database="shop", **PLAIN))
    found = scrape(http_backend)
    assert {row["resource"].get("postgresql.database.name") for row in found} == {None, "postgres"}


def test_a_replica(postgres, start, http_backend, ending):
    replica = ending.enter_context(Postgres(of=postgres))
    until(lambda: postgres.sql("SELECT count(*) FROM pg_stat_replication") == "1", replica.log)
    start(scraping(http_backend, "postgresql", endpoint=postgres.address, metrics=switched(REPLICA), **PLAIN))
    lags = {(step, "127.0.0.1") for step in ("write", "flush", "replay")}

    def is_told(found):
        # The lags are known for a while after something was written.
        postgres.sql("INSERT INTO sold VALUES (100, 'x') ON CONFLICT (id) DO UPDATE SET name = sold.name || 'x'", database="shop")
        return set(values(found, "postgresql.wal.delay")) == lags

    found = scrape(http_backend, is_told, "no lag is told")
    assert {name: shape for name, shape in shapes(found).items() if name in REPLICA} == REPLICA
    assert set(values(found, "postgresql.wal.lag")) == lags
    assert values(found, "postgresql.replication.data_delay")[("127.0.0.1",)] >= 0


def test_the_age_of_the_last_archived_file(start, http_backend, ending):
    postgres = ending.enter_context(Postgres("archive_mode = on", "archive_command = 'true'"))
    postgres.sql("SELECT pg_switch_wal()")
    until(lambda: postgres.sql("SELECT archived_count > 0 FROM pg_stat_archiver") == "t", postgres.log)
    start(scraping(http_backend, "postgresql", endpoint=postgres.address, **PLAIN))
    found = scrape(http_backend)
    assert shapes(found)["postgresql.wal.age"] == ("s", GAUGE, "int", ()) and 0 <= values(found, "postgresql.wal.age")[()] < 3600


def test_tls_and_sockets(start, http_backend, ending, tmp_path):
    (tmp_path / "other").mkdir()
    authority = Authority(tmp_path)
    postgres = ending.enter_context(Postgres(tls=authority.issue("localhost")))
    quick = {"collection_interval": "200ms", "initial_delay": "10ms", "username": "joe", "password": "secret"}
    resources = switched(["server.address", "server.port"])
    also = {
        "postgresql/checked": {
            **quick,
            "endpoint": f"localhost:{postgres.port}",
            "tls": {"ca_file": str(authority.certificate), "insecure_skip_verify": False},
            "resource_attributes": resources,
        },
        "postgresql/socket": {
            **quick,
            "endpoint": f"{postgres.place}:{postgres.port}",
            "transport": "unix",
            "resource_attributes": resources,
        },
        "postgresql/wrong": {
            **quick,
            "endpoint": f"localhost:{postgres.port}",
            "tls": {"ca_file": str(Authority(tmp_path / "other").certificate), "insecure_skip_verify": False},
        },
    }
    instance = start(
        scraping(http_backend, "postgresql", endpoint=postgres.address, username="joe", password="secret", resource_attributes=resources, also=also)
    )
    for host in ("127.0.0.1", "localhost", str(postgres.place)):
        scrape(http_backend, lambda found, host=host: any(row["resource"].get("server.address") == host for row in found), f"nothing of {host}")
    until(lambda: complaints(instance, "connecting to localhost.*certificate verify failed"), instance.log)


def test_what_goes_wrong_is_logged_once_and_counted(postgres, start, http_backend):
    gone = free_port()
    quick = {"collection_interval": "200ms", "initial_delay": "10ms", **PLAIN}
    also = {
        "postgresql/password": {**quick, "endpoint": postgres.address, "password": "mistaken"},
        "postgresql/gone": {**quick, "endpoint": f"127.0.0.1:{gone}"},
        "postgresql/clear": {**quick, "endpoint": postgres.address, "tls": {}},
        "postgresql/none": {**quick, "endpoint": postgres.address, "databases": ["none", "shop"]},
    }
    instance = start(scraping(http_backend, "postgresql", endpoint=postgres.address, also=also, **PLAIN))
    for receiver in also:
        instance.wait_metric("otelcol_scraper_errored_metric_points", 4, receiver=receiver, scraper="postgresql")
    scrape(http_backend)
    assert len(complaints(instance, "password authentication failed")) == 1
    assert len(complaints(instance, f"connecting to 127.0.0.1:{gone} failed: .*refused")) == 1
    assert len(complaints(instance, "server does not support SSL")) == 1
    assert len(complaints(instance, 'database \\\\"none\\\\" does not exist')) == 1
    assert instance.metric("otelcol_scraper_scraped_metric_points", receiver="postgresql/none", scraper="postgresql") > 0
    assert not complaints(instance, "mistaken|secret")


def test_a_role_without_rights_gives_what_it_may_see(postgres, start, http_backend):
    postgres.sql("CREATE ROLE poor LOGIN PASSWORD 'secret'", "REVOKE CONNECT ON DATABASE shop FROM PUBLIC")
    instance = start(scraping(http_backend, "postgresql", endpoint=postgres.address, **{**PLAIN, "username": "poor"}))
    found = scrape(http_backend)
    assert shapes(of(found, database="postgres")) == DATABASE
    assert len(complaints(instance, "connecting to the database shop .*permission denied")) == 1


def test_a_server_that_comes_back(postgres, start, http_backend):
    start(scraping(http_backend, "postgresql", endpoint=postgres.address, **PLAIN))
    scrape(http_backend)
    postgres.stop()
    postgres.begin()
    assert shapes(of(scrape(http_backend))) == WHOLE


def test_a_locked_table_holds_up_nothing(postgres, start, http_backend, ending):
    command = [Postgres.tool("psql"), "-X", "-q", "-h", "127.0.0.1", "-p", str(postgres.port), "-U", "admin", "-d", "shop"]
    locker = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    ending.callback(lambda: (locker.stdin.close(), locker.wait(30)))
    locker.stdin.write("BEGIN; LOCK TABLE sold IN ACCESS EXCLUSIVE MODE;\n")
    locker.stdin.flush()
    until(lambda: postgres.sql("SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND granted AND locktype = 'relation'") != "0", "no lock")
    start(scraping(http_backend, "postgresql", endpoint=postgres.address, **PLAIN))
    found = scrape(http_backend)
    assert not of(found, database="shop", table="public.sold") and UNUSED.keys() <= shapes(of(found, database="shop")).keys()


EVENTS = ["db.server.query_sample", "db.server.top_query"]


def records(backend, name):
    return [
        attributes(record) | {"resource": attributes(resource.resource)}
        for request in backend.accepted()
        for resource in request.message.resource_logs
        for scope in resource.scope_logs
        for record in scope.log_records
        if record.event_name == name
    ]


def test_a_pipeline_of_logs_without_events_is_told_so(postgres, start, http_backend):
    configuration = scraping(http_backend, "postgresql", endpoint=postgres.address, **PLAIN)
    configuration["service"]["pipelines"]["logs"] = configuration["service"]["pipelines"]["metrics"]
    instance = start(configuration)
    assert UNUSED.keys() <= shapes(of(scrape(http_backend), database="shop")).keys()
    assert "it is in a pipeline of logs and makes none: enable db.server.query_sample or db.server.top_query" in instance.log()
    assert not [request for request in http_backend.accepted() if not hasattr(request.message, "resource_metrics")]


def test_statements_are_log_records_without_values(postgres, start, http_backend, ending):
    configuration = scraping(http_backend, "postgresql", endpoint=postgres.address, **PLAIN)
    pipelines = configuration["service"]["pipelines"]
    pipelines["logs"] = pipelines.pop("metrics")
    configuration["receivers"]["postgresql"]["events"] = switched(EVENTS)
    instance = start(configuration)
    command = [Postgres.tool("psql"), "-X", "-q", "-h", "127.0.0.1", "-p", str(postgres.port), "-U", "admin", "-d", "shop"]
    asking = subprocess.Popen([*command, "-c", "SELECT pg_sleep(600) FROM sold WHERE name = 'hidden' /* hidden */ OR id = 1"])
    ending.callback(lambda: (asking.kill(), asking.wait()))

    def sample():
        return next((one for one in records(http_backend, "db.server.query_sample") if "pg_sleep" in one["db.query.text"]), None)

    found = until(sample, instance.log)
    assert found["db.query.text"] == "SELECT pg_sleep(?) FROM sold WHERE name = ? OR id = ?"
    assert found["db.namespace"] == "shop" and found["user.name"] == "admin" and found["db.system.name"] == "postgresql"
    assert found["postgresql.state"] == "active" and found["postgresql.application_name"] == "psql" and found["postgresql.pid"] > 0
    assert found["network.peer.address"] == "127.0.0.1" and found["network.peer.port"] > 0 and found["postgresql.total_exec_time"] >= 0
    assert found["postgresql.wait_event"] == "PgSleep" and found["resource"] == {"service.instance.id": f"{socket.gethostname()}:{postgres.port}"}

    def top():
        postgres.sql("SELECT count(*) FROM sold WHERE id <> 4711", database="shop")
        return [one for one in records(http_backend, "db.server.top_query") if "count(*)" in one["db.query.text"]][1:]

    found = until(top, instance.log)[0]
    assert found["db.query.text"] == "SELECT count(*) FROM sold WHERE id <> ?" and found["db.namespace"] == "shop"
    assert 1 <= found["postgresql.calls"] == found["postgresql.rows"] and found["postgresql.rolname"] == "admin"
    assert 0 < found["postgresql.total_exec_time"] < 60 and found["postgresql.shared_blks_hit"] >= 0
    assert instance.metric("otelcol_scraper_errored_log_records", receiver="postgresql", scraper="postgresql") == 0


def test_a_blocked_session_says_what_it_waits_for_and_whose_span_it_serves(postgres, start, http_backend, ending):
    trace, span = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
    configuration = scraping(http_backend, "postgresql", endpoint=postgres.address, connect_database="shop", **PLAIN)
    pipelines = configuration["service"]["pipelines"]
    pipelines["logs"] = pipelines.pop("metrics")
    configuration["receivers"]["postgresql"]["events"] = switched(EVENTS)
    command = [Postgres.tool("psql"), "-X", "-q", "-h", "127.0.0.1", "-p", str(postgres.port), "-U", "admin", "-d", "shop"]
    holder = subprocess.Popen([*command, "-c", "BEGIN; LOCK TABLE sold; SELECT pg_sleep(600)"])
    ending.callback(lambda: (holder.kill(), holder.wait()))
    until(lambda: postgres.sql("SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND granted", database="shop") == "1", "no lock")
    waiter = subprocess.Popen([*command, "-c", "SELECT name FROM sold"], env={**os.environ, "PGAPPNAME": f"00-{trace}-{span}-01"})
    ending.callback(lambda: (waiter.kill(), waiter.wait()))
    instance = start(configuration)

    def found():
        return next(
            (
                record
                for request in http_backend.accepted()
                for resource in request.message.resource_logs
                for record in resource.scope_logs[0].log_records
                if attributes(record).get("db.query.text") == "SELECT name FROM sold"
            ),
            None,
        )

    record = until(found, instance.log)
    assert (record.trace_id.hex(), record.span_id.hex()) == (trace, span)
    said = attributes(record)
    holder_pid = postgres.sql("SELECT pid FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND granted", database="shop")
    assert said["postgresql.blocking.pids"] == f"{{{holder_pid}}}" and said["postgresql.blocking.lock.relation"] == "sold"
    assert said["postgresql.blocking.lock.mode"] == "AccessShareLock" and said["postgresql.blocking.lock.type"] == "relation"
    assert said["postgresql.blocking.wait_duration"] >= 0
    for name in ("blocking.start_time", "blocking.transaction.start_time", "backend.connection.start"):
        datetime.strptime(said[f"postgresql.{name}"], "%Y-%m-%dT%H:%M:%SZ")
    (other,) = {one["postgresql.blocking.pids"] for one in records(http_backend, "db.server.query_sample") if "pg_sleep" in one["db.query.text"]}
    assert other == "{}"


def planned(backend, name, part):
    return [json.loads(one["postgresql.query_plan"]) for one in records(backend, name) if part in one.get("db.query.text", part) and one.get("postgresql.query_plan")]


def test_forms_of_statements_come_with_their_plans(postgres, start, http_backend):
    postgres.sql("GRANT SELECT ON sold TO joe", "CREATE TABLE IF NOT EXISTS hidden (secret text)", database="shop")
    postgres.sql("SELECT pg_stat_statements_reset()")  # of other statements there is no plan either, which is said once a minute
    configuration = scraping(http_backend, "postgresql", endpoint=postgres.address, **PLAIN)
    receiver = configuration["receivers"]["postgresql"]
    pipelines = configuration["service"]["pipelines"]
    pipelines["logs"] = pipelines.pop("metrics")
    configuration["receivers"]["postgresql"]["events"] = switched(EVENTS)
    instance = start(configuration)

    def top():
        postgres.sql("SELECT id FROM sold WHERE id = 4711 AND name <> 'hidden' -- a comment\n", database="shop")
        postgres.sql("SELECT secret FROM hidden WHERE secret = 'hidden'", database="shop")
        return planned(http_backend, "db.server.top_query", "FROM sold WHERE id = ? AND name <> ?")

    ((plan,),) = until(top, instance.log)[:1]
    assert plan["Plan"]["Node Type"] in ("Index Scan", "Seq Scan", "Bitmap Heap Scan") and plan["Plan"]["Relation Name"] == "sold"
    assert plan["Plan"]["Total Cost"] > 0 and plan["Plan"]["Plan Rows"] >= 0
    masked = [plan["Plan"][key] for key in ("Filter", "Index Cond", "Recheck Cond") if key in plan["Plan"]]
    assert masked and all("?" in text and "4711" not in text and "$" not in text for text in masked), plan
    # A role that may not read a table gets no plan of it, and nothing is left behind on the server.
    until(lambda: complaints(instance, "no plan of a statement of the database shop: .*permission denied for table hidden"), instance.log)
    assert not planned(http_backend, "db.server.top_query", "FROM hidden")
    assert instance.metric("otelcol_scraper_errored_log_records", receiver="postgresql", scraper="postgresql") == 0
    until(lambda: postgres.sql("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'holdfast' AND datname = 'shop'") == "0", "connected still")

    receiver["events"] = switched(["db.server.top_query", "db.server.query_plan"])
    instance.write_config(configuration)
    instance.reload()

    def apart():
        top()
        return next((one for one in records(http_backend, "db.server.query_plan") if '"Relation Name":"sold"' in one["postgresql.query_plan"]), None)

    found = until(apart, instance.log)
    assert found.keys() == {"db.system.name", "db.namespace", "postgresql.queryid", "postgresql.rolname", "postgresql.query_plan", "resource"}
    assert found["db.namespace"] == "shop"
    assert "postgresql.query_plan" not in records(http_backend, "db.server.top_query")[-1]


class Silent(Server):
    """Accepts connections and says nothing."""

    def begin(self):
        self.listener = socket.create_server(("127.0.0.1", self.port))
        return self

    def stop(self):
        self.listener.close()


def test_a_server_that_does_not_answer_holds_up_no_stop(postgres, start, http_backend, ending):
    silent = ending.enter_context(Silent())
    also = {"postgresql/good": {"collection_interval": "200ms", "endpoint": postgres.address, **PLAIN}}
    instance = start(scraping(http_backend, "postgresql", endpoint=silent.address, also=also, **PLAIN))
    scrape(http_backend)
    instance.reload()
    scrape(http_backend)
    instance.terminate(20)


def test_a_machine_without_the_library_is_told_what_to_install(start, http_backend, tmp_path):
    configuration = scraping(http_backend, "postgresql", endpoint="localhost:1", **PLAIN)
    instance = start(configuration, ready=False, environment={"LD_LIBRARY_PATH": str(tmp_path)})
    (tmp_path / "libpq.so.5").write_bytes(b"no library")
    instance.spawn()
    assert instance.process.wait(60) != 0
    assert complaints(instance, "PostgreSQL needs libpq .Debian: apt-get install libpq5."), instance.log()


@pytest.mark.parametrize(
    "keys, sentence",
    [
        ({"username": ""}, "username is missing"),
        ({"password": ""}, "password is missing"),
        ({"transport": "tcp6"}, "transport: expected tcp or unix"),
        ({"endpoint": "localhost"}, "endpoint: expected host:port"),
        ({"tls": {"cert_file": "/a"}}, "cert_file and key_file go together"),
        ({"tls": {"min_version": "1.4"}}, "min_version"),
        ({"metrics": switched(["postgresql.none"])}, "postgresql.none"),
        (
            {"events": {"db.server.query_plan": {"enabled": True}, "db.server.top_query": {"enabled": False}}},
            "db.server.query_plan needs db.server.top_query",
        ),
    ],
)
def test_what_is_wrong_with_a_configuration(start, http_backend, keys, sentence):
    instance = start(scraping(http_backend, "postgresql", **{**PLAIN, **keys}), ready=False)
    done = instance.command("validate", "--config", instance.base_path, "--config", instance.config_path)
    assert done.returncode != 0 and sentence in done.stdout + done.stderr, done
