"""mysql: the receiver against a real MariaDB server: what it counts, statements as log records, TLS, and what goes wrong."""

import json
import socket
import subprocess
import uuid

import pytest

from support.certificates import Authority
from support.otlp import attributes
from support.ports import free_port
from support.scraped_servers import SCOPE, complaints, scrape, scraping, shapes, switched, values
from support.servers import MariaDB, program
from support.waiting import until

GAUGE, SUM, COUNTER = "gauge", "sum", "counter"
WHOLE = {
    "mysql.buffer_pool.data_pages": ("1", SUM, "int", ("status",)),
    "mysql.buffer_pool.limit": ("By", SUM, "int", ()),
    "mysql.buffer_pool.operations": ("1", COUNTER, "int", ("operation",)),
    "mysql.buffer_pool.page_flushes": ("1", COUNTER, "int", ()),
    "mysql.buffer_pool.pages": ("1", SUM, "int", ("kind",)),
    "mysql.buffer_pool.usage": ("By", SUM, "int", ("status",)),
    "mysql.double_writes": ("1", COUNTER, "int", ("kind",)),
    "mysql.handlers": ("1", COUNTER, "int", ("kind",)),
    "mysql.index.io.wait.count": ("1", COUNTER, "int", ("index", "operation", "schema", "table")),
    "mysql.index.io.wait.time": ("ns", COUNTER, "int", ("index", "operation", "schema", "table")),
    "mysql.locks": ("1", COUNTER, "int", ("kind",)),
    "mysql.log_operations": ("1", COUNTER, "int", ("operation",)),
    "mysql.opened_resources": ("1", COUNTER, "int", ("kind",)),
    "mysql.operations": ("1", COUNTER, "int", ("operation",)),
    "mysql.page_operations": ("1", COUNTER, "int", ("operation",)),
    "mysql.prepared_statements": ("1", COUNTER, "int", ("command",)),
    "mysql.row_locks": ("1", COUNTER, "int", ("kind",)),
    "mysql.row_operations": ("1", COUNTER, "int", ("operation",)),
    "mysql.sorts": ("1", COUNTER, "int", ("kind",)),
    "mysql.table.io.wait.count": ("1", COUNTER, "int", ("operation", "schema", "table")),
    "mysql.table.io.wait.time": ("ns", COUNTER, "int", ("operation", "schema", "table")),
    "mysql.threads": ("1", SUM, "int", ("kind",)),
    "mysql.tmp_resources": ("1", COUNTER, "int", ("resource",)),
    "mysql.uptime": ("s", COUNTER, "int", ()),
}
OPTIONAL = {
    "mysql.client.network.io": ("By", COUNTER, "int", ("kind",)),
    "mysql.commands": ("1", COUNTER, "int", ("command",)),
    "mysql.connection.count": ("1", COUNTER, "int", ()),
    "mysql.connection.errors": ("1", COUNTER, "int", ("error",)),
    "mysql.file.open": ("1", GAUGE, "int", ()),
    "mysql.innodb.data_file.io": ("By", COUNTER, "int", ("disk.io.direction",)),
    "mysql.innodb.history_list.length": ("{transactions}", GAUGE, "int", ()),
    "mysql.innodb.operation.pending": ("1", SUM, "int", ("operation",)),
    "mysql.innodb.redo_log.checkpoint.age": ("By", GAUGE, "int", ()),
    "mysql.innodb.redo_log.lsn.checkpoint": ("By", GAUGE, "int", ()),
    "mysql.innodb.redo_log.lsn.current": ("By", GAUGE, "int", ()),
    "mysql.innodb.row_lock.wait.count": ("{wait}", GAUGE, "int", ()),
    "mysql.innodb.row_lock.wait.duration.avg": ("s", GAUGE, "float", ()),
    "mysql.innodb.row_lock.wait.duration.max": ("s", GAUGE, "float", ()),
    "mysql.innodb.transaction.active.count": ("{transaction}", GAUGE, "int", ()),
    "mysql.innodb.transaction.active.duration.max": ("s", GAUGE, "int", ()),
    "mysql.joins": ("1", COUNTER, "int", ("kind",)),
    "mysql.max_used_connections": ("1", SUM, "int", ()),
    "mysql.myisam.key_cache.block.unused": ("{block}", GAUGE, "int", ()),
    "mysql.myisam.key_cache.block.used.max": ("{block}", GAUGE, "int", ()),
    "mysql.myisam.key_cache.disk.operation": ("{operation}", COUNTER, "int", ("operation",)),
    "mysql.myisam.key_cache.request": ("{request}", COUNTER, "int", ("operation",)),
    "mysql.page_size": ("By", SUM, "int", ()),
    "mysql.query.client.count": ("1", COUNTER, "int", ()),
    "mysql.query.count": ("1", COUNTER, "int", ()),
    "mysql.query.execution.time": ("s", COUNTER, "float", ()),
    "mysql.query.slow.count": ("1", COUNTER, "int", ()),
    "mysql.replica.sql_delay": ("s", SUM, "int", ()),
    "mysql.replica.temp_table.open": ("{table}", GAUGE, "int", ()),
    "mysql.replica.thread.running": ("1", GAUGE, "int", ("mysql.replica.channel.name", "mysql.replica.thread.type")),
    "mysql.server.healthy": ("1", GAUGE, "int", ()),
    "mysql.session.active.count": ("{session}", GAUGE, "int", ()),
    "mysql.statement_event.count": ("1", SUM, "int", ("digest", "digest_text", "kind", "schema")),
    "mysql.statement_event.wait.time": ("ns", SUM, "int", ("digest", "digest_text", "schema")),
    "mysql.table.average_row_length": ("By", SUM, "int", ("schema", "table")),
    "mysql.table.lock_wait.read.count": ("1", SUM, "int", ("kind", "schema", "table")),
    "mysql.table.lock_wait.read.time": ("ns", SUM, "int", ("kind", "schema", "table")),
    "mysql.table.lock_wait.write.count": ("1", SUM, "int", ("kind", "schema", "table")),
    "mysql.table.lock_wait.write.time": ("ns", SUM, "int", ("kind", "schema", "table")),
    "mysql.table.open": ("1", GAUGE, "int", ()),
    "mysql.table.rows": ("1", SUM, "int", ("schema", "table")),
    "mysql.table.size": ("By", SUM, "int", ("kind", "schema", "table")),
    "mysql.table_open_cache": ("1", COUNTER, "int", ("status",)),
    "mysql.thread.slow_launch": ("1", COUNTER, "int", ()),
}
NEEDED = {"mysql.index.io.wait.count", "mysql.statement_event.count", "mysql.table.rows", "mysql.replica.sql_delay", "mysql.uptime"}
INSTANCES = uuid.UUID("4d63009a-8d0f-11ee-aad7-4c796ed8e320")
PLAIN = {"username": "joe", "password": "secret"}


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def mariadb(authority):
    with MariaDB(tls=authority.issue("localhost", names="DNS:localhost")) as server:
        server.sql("CREATE DATABASE shop", "USE shop", "CREATE TABLE sold (id int PRIMARY KEY, name text) ENGINE=InnoDB")
        server.sql("INSERT INTO sold SELECT seq, 'x' FROM seq_1_to_10", "DELETE FROM sold WHERE id > 7", database="shop")
        server.sql("CHANGE MASTER TO master_host='127.0.0.1', master_port=1, master_delay=7, master_user='joe'")
        yield server


def test_what_the_server_says_is_reported(mariadb, start, http_backend):
    instance = start(scraping(http_backend, "mysql", endpoint=mariadb.address, metrics=switched(OPTIONAL), **PLAIN))
    found = scrape(http_backend, lambda found: {row["name"] for row in found} >= NEEDED, instance.log)
    said = {name: int(text) for name, text in mariadb.sql("SHOW GLOBAL STATUS") if text.isdigit()}
    # Releases of MariaDB differ in a few variables.
    assert shapes(found).items() <= {**WHOLE, **OPTIONAL}.items() and len(shapes(found)) >= len({**WHOLE, **OPTIONAL}) - 3
    assert {row["scope"][0] for row in found} == {SCOPE + "mysqlreceiver"}
    machine = socket.gethostname()
    identity = uuid.uuid5(INSTANCES, f"{machine}:{mariadb.port}")
    place = {"server.address": machine, "server.port": mariadb.port, "service.instance.id": str(identity)}
    assert all(row["resource"] == {"mysql.instance.endpoint": mariadb.address, **place} for row in found)
    assert values(found, "mysql.buffer_pool.limit") == {(): 8 << 20} and values(found, "mysql.page_size") == {(): 16384}
    pages = values(found, "mysql.buffer_pool.pages")
    assert pages[("total",)] == said["Innodb_buffer_pool_pages_total"]
    assert sum(values(found, "mysql.buffer_pool.data_pages").values()) == pages[("data",)] > 0
    assert values(found, "mysql.buffer_pool.usage")[("clean",)] > 0
    # Counters go on between the scrape and the question.
    for name, labels, variable in (
        ("mysql.commands", ("insert",), "Com_insert_select"),
        ("mysql.handlers", ("write",), "Handler_write"),
        ("mysql.query.count", (), "Queries"),
        ("mysql.client.network.io", ("sent",), "Bytes_sent"),
        ("mysql.connection.errors", ("aborted",), "Aborted_connects"),
        ("mysql.uptime", (), "Uptime"),
    ):
        assert 0 <= values(found, name)[labels] <= said[variable], name
    assert values(found, "mysql.threads")[("connected",)] >= 1 and values(found, "mysql.replica.sql_delay") == {(): 7}
    assert values(found, "mysql.replica.thread.running") == {("", "io"): 0, ("", "sql"): 0}
    assert values(found, "mysql.server.healthy") == {(): 1}
    log = [values(found, f"mysql.innodb.redo_log.{name}")[()] for name in ("lsn.current", "lsn.checkpoint", "checkpoint.age")]
    assert log[0] - log[1] == log[2] >= 0 and log[1] > 0
    assert 7 <= values(found, "mysql.table.rows")[("shop", "sold")] <= 10  # an estimate
    # In the order of the attributes' names: index, operation, schema, table.
    waits = values(found, "mysql.index.io.wait.count")
    assert {key[1]: value for key, value in waits.items() if key[2:] == ("shop", "sold") and key[0] == "PRIMARY"}["delete"] == 3
    assert values(found, "mysql.table.io.wait.count")[("insert", "shop", "sold")] == 10
    statements = values(found, "mysql.statement_event.count")
    assert [value for key, value in statements.items() if key[1].startswith("DELETE FROM `sold`") and key[2] == "rows_affected"] == [3]
    assert instance.metric("otelcol_scraper_errored_metric_points", receiver="mysql", scraper="mysql") == 0


def log_records(backend, name):
    return [
        record
        for request in backend.accepted()
        for resource in request.message.resource_logs
        for scope in resource.scope_logs
        for record in scope.log_records
        if record.event_name == name
    ]


def records(backend, name):
    return [attributes(record) for record in log_records(backend, name)]


def test_statements_are_log_records_without_values(mariadb, start, http_backend, ending):
    configuration = scraping(
        http_backend,
        "mysql",
        endpoint=mariadb.address,
        events=switched(["db.server.query_sample", "db.server.top_query"]),
        top_query_collection={"collection_interval": "200ms"},
        **PLAIN,
    )
    pipelines = configuration["service"]["pipelines"]
    pipelines["logs"] = pipelines.pop("metrics")
    start(configuration)
    command = [program("mariadb"), "--no-defaults", "-h", "127.0.0.1", "-P", str(mariadb.port), "-u", "joe", "-psecret", "shop", "-e"]
    trace, span = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
    asking = subprocess.Popen([*command, f"SET @traceparent = '00-{trace}-{span}-01'; SELECT SLEEP(600) FROM sold WHERE name = 'hidden' OR id = 1 /* hidden */"])
    ending.callback(lambda: (asking.kill(), asking.wait()))
    until(lambda: mariadb.sql("SELECT count(*) FROM information_schema.processlist WHERE state = 'User sleep'") == [["1"]], "it does not sleep")

    def sample():
        return next((found for found in records(http_backend, "db.server.query_sample") if "SLEEP" in found["db.query.text"]), None)

    found = until(sample, "no sample came")
    assert found["db.query.text"] == "SELECT SLEEP(?) FROM sold WHERE name = ? OR id = ?"
    assert found["user.name"] == "joe" and found["db.namespace"] == "shop" and found["db.system.name"] == "mysql"
    assert found["mysql.threads.processlist_command"] == "Query" and found["mysql.threads.processlist_state"] == "User sleep"
    assert found["client.port"] == found["network.peer.port"] > 0
    ((session,),) = mariadb.sql("SELECT id FROM information_schema.processlist WHERE state = 'User sleep'")
    assert found["mysql.session.id"] == int(session) and found["mysql.session.status"] in ("waiting", "running", "other")
    assert found["mysql.events_statements_current.timer_wait"] >= 0
    (record,) = [one for one in log_records(http_backend, "db.server.query_sample") if "SLEEP" in attributes(one)["db.query.text"]][:1]
    assert (record.trace_id.hex(), record.span_id.hex()) == (trace, span)

    def top():
        mariadb.sql("SELECT count(*) FROM sold WHERE id <> 4711", database="shop")
        return next((one for one in records(http_backend, "db.server.top_query") if one["db.query.text"].endswith("!= ?")), None)

    found = until(top, "no form of statements came")
    assert found["mysql.events_statements_summary_by_digest.count_star"] >= 1
    assert 0 < found["mysql.events_statements_summary_by_digest.sum_timer_wait"] < 60 and found["mysql.query_plan"] == ""
    assert found["mysql.events_statements_summary_by_digest.examined_rows"] >= 1 and found["db.namespace"] == "shop"
    assert found["mysql.events_statements_summary_by_digest.returned_rows"] >= 1 and found["mysql.query_plan.hash"] == ""


def test_forms_of_statements_come_with_their_plans(mariadb, start, http_backend, ending):
    consumers = "UPDATE performance_schema.setup_consumers SET ENABLED = '{}' WHERE NAME IN ('events_statements_current', 'events_statements_history')"
    mariadb.sql(consumers.format("YES"))
    ending.callback(lambda: mariadb.sql(consumers.format("NO")))
    configuration = scraping(
        http_backend,
        "mysql",
        endpoint=mariadb.address,
        events=switched(["db.server.top_query"]),
        top_query_collection={"collection_interval": "200ms"},
        **PLAIN,
    )
    receiver = configuration["receivers"]["mysql"]
    pipelines = configuration["service"]["pipelines"]
    pipelines["logs"] = pipelines.pop("metrics")
    instance = start(configuration)
    command = [program("mariadb"), "--no-defaults", "-h", "127.0.0.1", "-P", str(mariadb.port), "-u", "joe", "-psecret", "shop"]
    # The server forgets the statements of a session that has ended.
    session = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    ending.callback(lambda: (session.stdin.close(), session.wait(30)))

    def top():
        session.stdin.write("SELECT name FROM sold WHERE id > 4711 AND name <> 'hidden';\n")
        session.stdin.flush()
        found = records(http_backend, "db.server.top_query")
        return next((one for one in found if "SELECT NAME FROM" in one["db.query.text"] and '"sold"' in one.get("mysql.query_plan", "")), None)

    found = until(top, instance.log)
    plan = found["mysql.query_plan"]
    assert '"table_name":"sold"' in plan and json.loads(plan)["query_block"]["select_id"] == 1
    assert "4711" not in plan and "hidden" not in plan and '_condition":"' in plan, plan
    assert found["mysql.query_plan.hash"] == found["mysql.events_statements_summary_by_digest.digest"] != ""

    receiver["events"] = switched(["db.server.top_query", "db.server.query_plan"])
    instance.write_config(configuration)
    instance.reload()

    def apart():
        top()
        return next((one for one in records(http_backend, "db.server.query_plan") if '"sold"' in one["mysql.query_plan"]), None)

    found = until(apart, instance.log)
    assert found.pop("mysql.query_plan") == plan
    digest = found.pop("mysql.query_plan.hash")
    assert found == {"db.system.name": "mysql", "db.namespace": "shop", "mysql.query_plan.source": "db.server.top_query"}
    last = [one for one in records(http_backend, "db.server.top_query") if one["mysql.query_plan.hash"] == digest][-1]
    assert "mysql.query_plan" not in last and last["db.query.text"].startswith("SELECT NAME FROM")


def test_tls_sockets_and_what_goes_wrong(mariadb, authority, start, http_backend, tmp_path):
    gone = free_port()
    quick = {"collection_interval": "200ms", "initial_delay": "10ms", **PLAIN}
    named = f"localhost:{mariadb.port}"
    also = {
        "mysql/checked": {**quick, "endpoint": named, "tls": {"ca_file": str(authority.certificate)}},
        "mysql/socket": {**quick, "endpoint": str(mariadb.socket), "transport": "unix"},
        "mysql/other": {**quick, "endpoint": named, "tls": {"ca_file": str(Authority(tmp_path).certificate)}},
        "mysql/name": {**quick, "endpoint": f"127.0.0.2:{mariadb.port}", "tls": {"ca_file": str(authority.certificate)}},
        "mysql/password": {**quick, "endpoint": mariadb.address, "password": "mistaken"},
        "mysql/native": {**quick, "endpoint": mariadb.address, "allow_native_passwords": False},
        "mysql/gone": {**quick, "endpoint": f"127.0.0.1:{gone}"},
    }
    configuration = scraping(http_backend, "mysql", endpoint=mariadb.address, tls={"insecure_skip_verify": True}, also=also, **PLAIN)
    instance = start(configuration)
    for endpoint in (mariadb.address, named, str(mariadb.socket)):
        scrape(http_backend, lambda found, endpoint=endpoint: found[0]["resource"]["mysql.instance.endpoint"] == endpoint, instance.log)
    for receiver in ("other", "name", "password", "native", "gone"):
        instance.wait_metric("otelcol_scraper_errored_metric_points", 2, receiver=f"mysql/{receiver}", scraper="mysql")
    assert len(complaints(instance, "Access denied for user .*joe")) == 1
    assert len(complaints(instance, f"connecting to 127.0.0.1:{gone} failed: Can.t connect .*111")) == 1
    assert len(complaints(instance, "(?i)tls/ssl error: .*issuer certificate")) == 1
    assert len(complaints(instance, "Validation of SSL server certificate failed|Hostname verification failed")) == 1
    assert len(complaints(instance, "(?i)mysql/native.*(plugin|method|auth)")) == 1
    assert not complaints(instance, "mistaken|secret")
    mariadb.sql("FLUSH STATUS")
    mariadb.stop()
    mariadb.begin()
    scrape(http_backend, lambda found: values(found, "mysql.uptime")[()] < 30, "the server that came back is not asked")
    instance.terminate(20)


def test_a_server_that_does_not_answer_holds_up_no_stop(start, http_backend, ending):
    listener = ending.enter_context(socket.create_server(("127.0.0.1", 0)))
    instance = start(scraping(http_backend, "mysql", endpoint=f"127.0.0.1:{listener.getsockname()[1]}", **PLAIN))
    connection, _ = listener.accept()
    ending.callback(connection.close)
    instance.terminate(20)


def test_a_machine_without_the_library_is_told_what_to_install(start, http_backend, tmp_path):
    configuration = scraping(http_backend, "mysql", endpoint="localhost:1", **PLAIN)
    instance = start(configuration, ready=False, environment={"LD_LIBRARY_PATH": str(tmp_path)})
    (tmp_path / "libmariadb.so.3").write_bytes(b"no library")
    instance.spawn()
    assert instance.process.wait(60) != 0
    sentence = "MySQL and MariaDB need libmariadb (Debian: apt-get install libmariadb3)"
    assert sentence in instance.log()
    done = instance.command("check", "--config", instance.base_path, "--config", instance.config_path)
    assert sentence in done.stdout, done
