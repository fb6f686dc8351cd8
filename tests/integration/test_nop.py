"""The receiver and the exporter that do nothing: what is between them runs."""

from support.holdfast import config


def test_a_pipeline_of_nothing_starts_reloads_and_stops(start):
    configuration = config({"nop": None})
    configuration["receivers"] = {"nop": None, "nop/more": None}
    for pipeline in configuration["service"]["pipelines"].values():
        pipeline["receivers"] = ["nop", "nop/more"]
    holdfast = start(configuration)
    assert holdfast.health() == 200
    configuration["service"]["pipelines"]["traces"]["receivers"] = ["nop"]
    holdfast.write_config(configuration)
    holdfast.reload()
    holdfast.restart()
    assert holdfast.books("traces", "nop")["accepted"]["items"] == 0
    status, _ = holdfast.terminate()
    assert status == 0
