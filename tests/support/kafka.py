"""Kafka brokers in memory and a client of brokers, by tests/support/kafka_tool.c, which the debug build makes."""

import collections
import subprocess

from .holdfast import ROOT

TOOL = ROOT / "build" / "debug" / "tests" / "support" / "kafka_tool"
Message = collections.namedtuple("Message", "partition key value headers")


class Kafka:
    """`mode` "mock" and a number of brokers, or "client" and the bootstrap servers."""

    def __init__(self, mode="mock", what=1):
        self.process = subprocess.Popen(
            [TOOL, mode, str(what)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.brokers = self.process.stdout.readline().strip().split(",")

    def run(self, *words):
        """One command; the lines before its end."""
        self.process.stdin.write(" ".join(map(str, words)) + "\n")
        self.process.stdin.flush()
        lines = []
        while True:
            line = self.process.stdout.readline()
            assert line, "kafka_tool has ended"
            line = line.rstrip("\n")
            if line == "ok":
                return lines
            assert not line.startswith("error "), f"{words[:2]}: {line}"
            lines.append(line)

    def produce(self, topic, value, key=None, **headers):
        extra = [f"{name}={text}" for name, text in headers.items()]
        self.run("produce", topic, key.hex() if key else "-", value.hex(), *extra)

    def messages(self, topic):
        """All messages of a topic, in the order of each partition."""
        found = []
        for line in self.run("dump", topic):
            _, partition, key, value, *headers = line.split(" ")
            pairs = [tuple(one.split("=", 1)) for one in headers]
            key = None if key == "-" else bytes.fromhex(key)
            found.append(Message(int(partition), key, bytes.fromhex(value), pairs))
        return found

    def committed(self, group, topic):
        """{partition: offset} of a group."""
        return {int(p): int(o) for _, p, o in (one.split(" ") for one in self.run("committed", group, topic))}

    def synced(self, topic):
        """The fewest replicas in sync that a partition of the topic has."""
        return int(self.run("synced", topic)[0].split(" ")[1])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.terminate()
        self.process.wait(10)
