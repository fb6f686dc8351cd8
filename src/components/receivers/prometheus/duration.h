/*
 * duration: durations as Prometheus writes them: "1h30m", "15s", "1d". Any thread; no state.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/status.h>

#define PROM_DURATION_SIZE 64u

HF_MUST_USE bool prom_duration(const char *text, uint64_t *ret_ns);
/* Of whole milliseconds. Returns the length of the text. */
size_t prom_duration_text(uint64_t ns, char text[PROM_DURATION_SIZE]);
