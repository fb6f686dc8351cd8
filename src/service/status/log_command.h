/*
 * log_command: the command `log` of the control protocol: the last lines of the log as JSON.
 * docs/control.md describes it. Any thread.
 */
#pragma once

#include <stdio.h>

#include "service/service.h"
#include "util/log/log.h"

/* HF_EXIT_USAGE, with a sentence to `out`: wrong words. */
enum hf_exit hf_log_command(struct hf_log *log, int count, char *const *words, FILE *out);
