/*
 * progress_view: shows how far a long command is, on standard error, when that is a terminal. Its
 * answer passes through without the lines of service/queue/progress.h.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

/* Is there a terminal to show it on? */
bool hf_progress_view_is_wanted(void);
/* Draws the bar of a command that began `spent_s` ago, over the one before; and takes it away. */
void hf_progress_bar(const char *verb, unsigned long long done, unsigned long long total,
                     double spent_s);
void hf_progress_bar_clear(void);
/* A stream that passes on to `out` (borrowed); fclose() it at the end. NULL: out of memory. */
FILE *hf_progress_view_open(const char *verb, FILE *out);
