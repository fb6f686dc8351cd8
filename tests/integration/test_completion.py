"""The table of commands: what shells complete, what the manual page says, and what each command takes are one."""

import re
import subprocess

import pytest

from support.holdfast import BINARY, run

COMMANDS = ["validate", "graph", "schema", "diff", "components", "print-config", "version", "queue", "drain"]
SHELLS = ["bash", "zsh", "fish"]


def script(tmp_path, shell):
    done = run("completion", shell)
    assert done.returncode == 0, done.stderr
    path = tmp_path / f"_holdfast.{shell}"
    path.write_text(done.stdout)
    return path


def bash(tmp_path, *words):
    """What bash offers for the last of the words."""
    listed = " ".join(f"'{word}'" for word in ("holdfast", *words))
    text = f"source {script(tmp_path, 'bash')}; COMP_WORDS=({listed}); COMP_CWORD={len(words)}; _holdfast"
    done = subprocess.run(
        ["bash", "-c", text + '; printf "%s\\n" "${COMPREPLY[@]}"'],
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
        cwd=tmp_path,
    )
    assert done.stderr == ""
    return done.stdout.split()


def fish(tmp_path, *words):
    text = f"source {script(tmp_path, 'fish')}; complete -C 'holdfast {' '.join(words)}'"
    done = subprocess.run(
        ["fish", "--no-config", "-c", text],
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
        cwd=tmp_path,
        env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "TERM": "dumb"},
    )
    assert done.stderr == ""
    return [line.split("\t")[0] for line in done.stdout.splitlines()]


@pytest.mark.parametrize("complete", [bash, fish])
class TestWhatIsOffered:
    def test_commands_first(self, complete, tmp_path):
        assert set(COMMANDS) < set(complete(tmp_path, ""))
        assert set(complete(tmp_path, "comp")) == {"components", "completion"}

    def test_options_of_the_command(self, complete, tmp_path):
        assert set(complete(tmp_path, "graph", "--")) == {"--config", "--format", "--help", "--partial", "--set"}
        assert set(complete(tmp_path, "drain", "--c")) == {"--config", "--cancel"}
        assert "--watch" in complete(tmp_path, "--w")

    def test_values_of_an_option(self, complete, tmp_path):
        assert set(complete(tmp_path, "graph", "--format", "")) == {"mermaid", "dot"}
        assert set(complete(tmp_path, "print-config", "--format", "")) == {"yaml", "json"}

    def test_words_of_a_command(self, complete, tmp_path):
        assert set(complete(tmp_path, "queue", "re")) == {"requeue"}
        assert set(complete(tmp_path, "completion", "")) >= set(SHELLS)

    def test_names_of_files(self, complete, tmp_path):
        (tmp_path / "some file.yaml").touch()
        (tmp_path / "other.yaml").touch()
        assert complete(tmp_path, "validate", "--config", "oth") == ["other.yaml"]
        assert complete(tmp_path, "diff", "oth") == ["other.yaml"]


def test_zsh_reads_the_script(tmp_path):
    path = script(tmp_path, "zsh")
    text = f"""
        autoload -Uz compinit && compinit -u -d {tmp_path}/dump
        source {path}
        [[ $_comps[holdfast] == _holdfast ]] || exit 7
        _arguments() {{ print -rl -- "$@" }}
        _describe() {{ print -rl -- $commands }}
        words=(holdfast ''); CURRENT=2; _holdfast
        print -- '=='
        words=(holdfast graph ''); CURRENT=3; _holdfast
        print -- '=='
        words=(holdfast --config ''); CURRENT=3; _holdfast
    """
    done = subprocess.run(["zsh", "-f", "-c", text], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    commands, graph, service = done.stdout.split("==\n")
    assert set(COMMANDS) < {line.partition(":")[0] for line in commands.splitlines()}
    assert "(mermaid dot)" in graph
    assert "--watch" in service


def help_options(*command):
    """The long options that a command's --help lists."""
    return set(re.findall(r"^  --([\w-]+)", run(*command, "--help").stdout, re.M))


@pytest.mark.parametrize("command", ["", *COMMANDS[:7], "drain"])
def test_every_option_of_help_is_taken_and_no_other(command):
    words = [command] if command else []
    listed = help_options(*words)
    assert "help" in listed
    known = {"config", "set", "data-dir", "watch", "partial", "docs", "default", "mode", "format", "timeout", "cancel"}
    for option in known - listed:
        done = run(*words, f"--{option}", "--help")
        assert done.returncode == 2, option
    for option in listed & {"watch", "partial", "docs", "default", "cancel"}:
        assert run(*words, f"--{option}", "--help").returncode == 0, option


def test_what_the_table_says_of_queue_its_parser_takes(tmp_path):
    offered = set(bash(tmp_path, "queue", "--")) - {"--help", "--config", "--data-dir"}
    text = run("queue", "--help").stdout
    for option in offered:
        assert option in text
    for word in set(bash(tmp_path, "queue", "")) - offered:
        assert word.startswith("--") or re.search(rf"^  {word}\b", text, re.M), word
    assert set(re.findall(r"^  (\w+)", text, re.M)) == {
        word for word in bash(tmp_path, "queue", "") if not word.startswith("-")
    }


def test_the_manual_page_names_every_command_and_option():
    page = run("man").stdout
    shown = subprocess.run(
        ["groff", "-man", "-Tutf8", "-ww", "-P-cbou"], input=page, capture_output=True, text=True, check=True, timeout=30
    )
    assert shown.stderr == ""
    text = shown.stdout.replace("‐", "-").replace("−", "-")
    for command in ["", *COMMANDS]:
        assert f"holdfast {command}".strip() in text
        for option in help_options(*([command] if command else [])):
            assert f"--{option}" in text
    assert run("man").stdout.startswith(".TH HOLDFAST 1")


def test_no_such_shell_is_wrong_usage():
    for words in ([], ["tcsh"], ["bash", "zsh"]):
        done = run("completion", *words)
        assert done.returncode == 2
        assert "Usage: holdfast completion" in done.stderr
    assert BINARY.exists()
