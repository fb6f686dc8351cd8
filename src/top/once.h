/*
 * once: what `holdfast top --once` prints: two answers, an interval apart, as tables or as JSON.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "source.h"

/* 0 printed, 1 the process does not answer: a sentence to stderr. */
int hf_top_once(const struct hf_top_source *source, bool json, size_t width, bool is_ascii,
                FILE *out);
/* The tables again and again, for a terminal that cannot move its cursor; ends when `out` does. */
int hf_top_repeat(const struct hf_top_source *source, size_t width, bool is_ascii, FILE *out);
