/*
 * units: units as Prometheus writes them ("seconds", "meters_per_second") and as OTLP does ("s",
 * "m/s"), and names without them. Any thread; no state.
 */
#pragma once

#include <stdbool.h>

#include <holdfast/slice.h>

#define HF_PROM_UNIT_MAX 128

/* The unit in UCUM; words that are not known stay. `room` holds it when it is put together. A unit
 * too long for it stays as it is. */
struct hf_slice hf_prom_unit_of_words(struct hf_slice words, char room[HF_PROM_UNIT_MAX]);

/* The name without "_total", when `is_sum`, and without its unit behind that. */
struct hf_slice hf_prom_trim_suffixes(struct hf_slice name, struct hf_slice unit, bool is_sum);
