"""Rules of every action, and the labels of the targets that they are applied to."""

LABELS = (
    {"team": "red", "zone": "a", "__meta_one": "1", "__meta_two_x": "2", "__meta_port": "8080"},
    {"team": "blue", "zone": "a", "__meta_one": "", "__meta_port": "80"},
    {"team": "Ünï", "zone": "b", "same": "b", "__tmp": "t", "__param_target": "p q"},
    {"zone": "c;d", "other": "c", "instance": "mine", "job": "own"},
)


def rule(action=None, source=None, **keys):
    action_key = {"action": action} if action else {}
    return {**action_key, **({"source_labels": source.split()} if source else {}), **keys}


PORT = rule(source="__address__ __meta_port", regex=r"([^:]+)(?::\d+)?;(\d+)", replacement="$1:$2", target_label="joined")
HASH = rule("hashmod", "zone team", modulus=7, target_label="shard")

RULES = {
    "replace": [PORT, rule("replace", "team", target_label="copy"), rule(target_label="fixed", replacement="x")],
    "replace names": [rule(source="zone", regex="(.)", target_label="zone_$1", replacement="${1}-${1}y$$")],
    "replace anchored": [rule(source="team", regex="e", target_label="no"), rule(source="team", regex="(?i)RED", target_label="yes", replacement="$0")],
    "replace removes": [rule(source="nothing", target_label="team", replacement=""), rule(source="zone", regex="(b)?.*", target_label="zone", replacement="$1")],
    "replace joined": [rule(source="team zone nothing", separator="|", target_label="all")],
    "replace groups": [rule(source="zone", regex="(?P<first>.).*", target_label="named", replacement="${first}$first$none$9")],
    "replace lines": [rule(target_label="lines", replacement="a\nb"), rule(source="lines", regex="a.b", target_label="dot", replacement="y")],
    "replace not a name": [rule(source="zone", regex="(.+)", target_label="a-${1}", replacement="v")],
    "keep": [rule("keep", "team", regex="red|blue")],
    "drop": [rule("drop", "zone", regex="[ab]")],
    "drop none": [rule("drop", "nothing", regex="x*")],
    "keepequal": [rule("keepequal", "same", target_label="zone")],
    "dropequal": [rule("dropequal", "same", target_label="zone")],
    "hashmod": [HASH],
    "hashmod of nothing": [rule("hashmod", modulus=1000, target_label="shard"), rule("hashmod", "nothing", modulus=2**52, target_label="big")],
    "shard": [HASH, rule("keep", "shard", regex="[0-3]")],
    "labelmap": [rule("labelmap", regex="__meta_(.+)")],
    "labelmap both": [rule("labelmap", regex="(?:__meta_)?(o.*|team)", replacement="m_${1}_x")],
    "labeldrop": [rule("labeldrop", regex="te.m|zone|instance")],
    "labelkeep": [rule("labelkeep", regex="__.*|zone|job|address")],
    "case": [rule("uppercase", "team zone", target_label="up"), rule("lowercase", "team", target_label="down"), rule("LowerCase", "up", target_label="up")],
    "instance": [rule(source="team", regex="(.+)", target_label="instance"), rule(source="zone", target_label="__metrics_path__")],
    "address": [rule(source="team", regex="blue", target_label="__address__", replacement="")],
    "job": [rule(target_label="job", replacement=""), rule(source="zone", regex="b", target_label="job", replacement="seen")],
    "temporary": [rule(source="zone", target_label="__tmp_z"), rule(source="__tmp_z", regex="(.).*", target_label="z")],
}
# For the series of one page.
PAGE = """\
# TYPE http_requests_total counter
http_requests_total{code="200",path="/a",team="x"} 17
http_requests_total{code="500",path="/b;c"} 3
# TYPE depth gauge
depth{queue="Big"} 1
depth{queue="small",le="x"} 2
plain 3
"""
METRIC_RULES = {
    "keep": [rule("keep", "__name__", regex="http_.*|plain")],
    "drop": [rule("drop", "__name__ code", regex="http_requests_total;5..")],
    "rename": [rule(source="__name__", regex="(de)(.*)", target_label="__name__", replacement="${2}_$1")],
    "labels": [rule("labeldrop", regex="code|le"), rule("uppercase", "queue", target_label="q")],
    "map": [rule("labelmap", regex="(co|qu).*", replacement="x_$1")],
    "equal": [rule(target_label="want", replacement="200"), rule("dropequal", "code", target_label="want")],
    "instance": [rule(source="path", regex="/(.+)", target_label="instance"), rule(target_label="job", replacement="new")],
    "kept": [rule("labelkeep", regex="__name__|job|instance|code|path|pool")],
    "hashed": [rule("hashmod", "path queue", modulus=100, target_label="hash")],
}
