"""The states in which a power cut can leave a directory, made from the history of writes and syncs."""

from harness.crash import run_checker

PROMISE = "A1: a power cut at any moment loses nothing acknowledged"
FAULT = "any subset and order of what was not yet synced, torn pages, names and truncations lost"
HOLDS = "lost 0 in every state"


def run(lab):
    run_checker(lab, "power_cut", ["--states", str(lab.count(520, 12_000))])
