"""Servers that receivers ask for metrics: Redis, nginx, PostgreSQL, MariaDB and RabbitMQ as they are installed, each on the
loopback interface in a directory of its own. They are started without the rights of root, and ended by their process."""

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
from pathlib import Path

import pytest

from .ports import free_port
from .waiting import until


def program(name, *places):
    """The path of an installed program; the test is left out when there is none."""
    found = shutil.which(name, path=os.pathsep.join((*places, os.environ["PATH"], "/usr/sbin")))
    if not found:
        pytest.skip(f"{name} is not installed")
    return found


def accepts(port):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=5):
        return True
    return False


class Server:
    """One process. `user`: who runs it, when the test is root; None: as the test."""

    user = None
    end_signal = signal.SIGTERM

    def __init__(self, port=None):
        self.port = port or free_port()
        self.process = None
        self.place = Path(tempfile.mkdtemp(prefix="holdfast-server-"))
        if self.runs_as:
            entry = pwd.getpwnam(self.runs_as)
            os.chown(self.place, entry.pw_uid, entry.pw_gid)

    @property
    def runs_as(self):
        return self.user if os.geteuid() == 0 else None

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def environment(self):
        """More variables of the environment."""
        return {}

    def options(self):
        """What Popen needs to run as that user."""
        entry = pwd.getpwnam(self.runs_as) if self.runs_as else None
        identity = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []} if entry else {}
        return {"cwd": self.place, "stdin": subprocess.DEVNULL, "env": {**os.environ, **self.environment()}, **identity}

    def give(self, path):
        """A file that the server's user can read."""
        target = self.place / Path(path).name
        shutil.copy(path, target)
        if self.runs_as:
            entry = pwd.getpwnam(self.runs_as)
            os.chown(target, entry.pw_uid, entry.pw_gid)
        target.chmod(0o600)
        return target

    def spawn(self, *command, ready=None):
        log = open(self.place / "log", "ab")  # noqa: SIM115: the process has it
        with log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, **self.options())
        ready = ready or (lambda: accepts(self.port))
        until(lambda: self.process.poll() is not None or ready(), self.log)
        assert self.process.poll() is None, self.log()
        return self

    def log(self):
        return (self.place / "log").read_text(errors="replace")

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(self.end_signal)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process = None

    def __enter__(self):
        return self.begin()

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.place, ignore_errors=True)


class Redis(Server):
    """redis-server. `more` are lines of its configuration; tls: (certificate, key, authority), instead of clear."""

    def __init__(self, *more, port=None, tls=None, socket_path=None):
        super().__init__(port)
        self.more, self.tls, self.socket_path = more, tls, socket_path

    def begin(self):
        lines = [f"dir {self.place}", "bind 127.0.0.1", 'save ""', *self.more]
        if self.tls:
            certificate, key, authority = map(self.give, self.tls)
            lines += ["port 0", f"tls-port {self.port}", f"tls-cert-file {certificate}", f"tls-key-file {key}"]
            lines += [f"tls-ca-cert-file {authority}", "tls-auth-clients no"]
        else:
            lines.append(f"port {self.port}")
        if self.socket_path:
            lines.append(f"unixsocket {self.socket_path}")
        (self.place / "redis.conf").write_text("\n".join(lines) + "\n")
        return self.spawn(program("redis-server"), self.place / "redis.conf")

    def ask(self, *words, password=None):
        """The raw answer to a command."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as client:
            for command in ([("AUTH", password)] if password else []) + [words]:
                body = b"".join(b"$%d\r\n%s\r\n" % (len(word), word.encode()) for word in command)
                client.sendall(b"*%d\r\n%s" % (len(command), body))
                answer = client.recv(65536)
        return answer


class Nginx(Server):
    """nginx with its stub_status under /status; `location` are more lines for it, `more` for the server. clients: the
    authority whose certificates clients must have."""

    def __init__(self, location="", port=None, tls=None, more="", clients=None):
        super().__init__(port)
        self.location, self.tls, self.more, self.clients = location, tls, more, clients

    def begin(self):
        tls = ""
        if self.tls:
            certificate, key = map(self.give, self.tls)
            tls = f"ssl_certificate {certificate}; ssl_certificate_key {key};"
        if self.clients:
            tls += f" ssl_client_certificate {self.give(self.clients)}; ssl_verify_client on;"
        (self.place / "nginx.conf").write_text(
            f"""daemon off; pid {self.place}/pid; error_log stderr; worker_processes 1; {'user www-data;' if os.geteuid() == 0 else ''}
            events {{ worker_connections 64; }}
            http {{
                access_log off;
                client_body_temp_path {self.place}/a; proxy_temp_path {self.place}/b; fastcgi_temp_path {self.place}/c;
                uwsgi_temp_path {self.place}/d; scgi_temp_path {self.place}/e;
                server {{
                    listen 127.0.0.1:{self.port}{' ssl' if tls else ''}; {tls}
                    location = /status {{ stub_status; {self.location} }}
                    location = /other {{ return 200 "hello"; }}
                    {self.more}
                }}
            }}"""
        )
        return self.spawn(program("nginx"), "-c", self.place / "nginx.conf", "-p", self.place)


class Postgres(Server):
    """postgres, with the role `joe` and its password `secret`; `more` are lines of its configuration."""

    user = "postgres"
    end_signal = signal.SIGINT  # after SIGTERM it waits for its clients

    def __init__(self, *more, port=None, tls=None, of=None):
        super().__init__(port)
        self.more, self.tls, self.of = more, tls, of  # `of`: the server that it is a replica of
        self.data = self.place / "data"

    @staticmethod
    def tool(name):
        return program(name, *map(str, sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)))

    def run(self, *command, **options):
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, **self.options(), **options)

    def create(self):
        if self.of:
            self.run(self.tool("pg_basebackup"), "-h", "127.0.0.1", "-p", str(self.of.port), "-U", "admin", "-D", self.data, "-R", "-c", "fast")
            return
        self.run(self.tool("initdb"), "-D", self.data, "-U", "admin", "--auth=trust", "-N", "--locale=C", "-E", "UTF8")
        (self.data / "pg_hba.conf").write_text(
            "local all admin trust\nlocal all all scram-sha-256\n"
            "host all,replication admin 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n"
        )

    def begin(self):
        if not self.data.exists():
            self.create()
        lines = [f"port = {self.port}", "listen_addresses = '127.0.0.1'", f"unix_socket_directories = '{self.place}'"]
        lines += ["fsync = off", "max_connections = 40", "track_functions = all", "shared_preload_libraries = 'pg_stat_statements'"]
        if self.tls:
            certificate, key = map(self.give, self.tls)
            lines += ["ssl = on", f"ssl_cert_file = '{certificate}'", f"ssl_key_file = '{key}'"]
        (self.data / "postgresql.conf").write_text("\n".join([*lines, *self.more]) + "\n")
        self.spawn(self.tool("postgres"), "-D", self.data, ready=self.answers)
        if not self.of:
            self.sql("DO $$ BEGIN CREATE ROLE joe LOGIN PASSWORD 'secret'; GRANT pg_monitor TO joe; EXCEPTION WHEN duplicate_object THEN END $$")
        return self

    def answers(self):
        command = [self.tool("pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        return subprocess.run(command).returncode == 0

    def sql(self, *statements, database="postgres"):
        """Runs statements as the administrator; the last one's first value as text."""
        done = subprocess.run(
            [self.tool("psql"), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", str(self.port), "-U", "admin"]
            + ["-d", database]
            + [part for statement in statements for part in ("-c", statement)],
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


class MariaDB(Server):
    """mariadbd, with the account `joe` and its password `secret`, over the loopback interface and the socket `place/sock`;
    `more` are options of the server."""

    user = "nobody"

    def __init__(self, *more, port=None, tls=None):
        super().__init__(port)
        self.more, self.tls = more, tls
        self.socket = self.place / "sock"

    def begin(self):
        if not (self.place / "data").exists():
            command = [program("mariadb-install-db"), "--no-defaults", f"--datadir={self.place / 'data'}", "--skip-test-db", "--skip-name-resolve"]
            subprocess.run([*command, "--auth-root-authentication-method=normal"], check=True, stdout=subprocess.DEVNULL, **self.options())
        command = [program("mariadbd"), "--no-defaults", f"--datadir={self.place / 'data'}", f"--socket={self.socket}", f"--port={self.port}"]
        command += ["--bind-address=127.0.0.1,127.0.0.2", "--performance-schema=ON", "--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=8M"]
        if self.tls:
            certificate, key = map(self.give, self.tls)
            command += [f"--ssl-cert={certificate}", f"--ssl-key={key}"]
        self.spawn(*command, *self.more, ready=lambda: accepts(self.port) and self.socket.exists())
        self.sql("GRANT ALL ON *.* TO joe@'%' IDENTIFIED BY 'secret'")
        return self

    def sql(self, *statements, database=""):
        """Runs statements as the administrator; the rows of the last one as lists of texts."""
        command = [program("mariadb"), "--no-defaults", f"--socket={self.socket}", "--user=root", "--skip-ssl", "--batch", "--skip-column-names", "--execute"]
        done = subprocess.run([*command, ";".join(statements), database], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return [line.split("\t") for line in done.stdout.splitlines()]


class RabbitMQ(Server):
    """rabbitmq-server with its management plugin on `port`, and AMQP on `amqp_port`, for the account `joe` with its
    password `secret`."""

    user = "rabbitmq"

    def __init__(self, port=None):
        super().__init__(port)
        self.amqp_port, self.names_port, self.peers_port = free_port(), free_port(), free_port()
        self.name = f"holdfast-{self.port}@localhost"
        self.names = None

    def environment(self):
        # Erlang has a server of names; without one of its own the broker would leave the machine's behind.
        return {
            "HOME": str(self.place),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_EPMD_PORT": str(self.names_port),
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_CONFIG_FILE": str(self.place / "rabbitmq.conf"),
            "RABBITMQ_DIST_PORT": str(self.peers_port),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.place / "plugins"),
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_LOG_BASE": str(self.place / "logs"),
            "RABBITMQ_MNESIA_BASE": str(self.place / "data"),
            "RABBITMQ_NODENAME": self.name,
            "RABBITMQ_PID_FILE": str(self.place / "pid"),
            "RUNNING_UNDER_SYSTEMD": "1",  # the script becomes the broker, so that a signal reaches it
        }

    def begin(self):
        (self.place / "plugins").write_text("[rabbitmq_management].\n")
        lines = [f"listeners.tcp.1 = 127.0.0.1:{self.amqp_port}", "management.tcp.ip = 127.0.0.1", f"management.tcp.port = {self.port}"]
        lines += ["default_user = joe", "default_pass = secret", "collect_statistics_interval = 1000"]
        (self.place / "rabbitmq.conf").write_text("\n".join(lines) + "\n")
        # Not the script in PATH: it would change the user once more.
        broker = program("rabbitmq-server", "/usr/lib/rabbitmq/bin")
        self.names = subprocess.Popen([program("epmd"), "-port", str(self.names_port), "-address", "127.0.0.1"], **self.options())
        until(lambda: accepts(self.names_port), "epmd does not listen")
        return self.spawn(broker)

    def stop(self):
        super().stop()
        if self.names:
            self.names.kill()
            self.names.wait()
        self.names = None
