/*
 * tail_command: the command `tail` of the control protocol: a stream of what passes a point of the
 * pipelines. docs/control.md describes it.
 */
#pragma once

#include <stdio.h>

#include "node/node.h"
#include "service/service.h"

/*
 * Writes to `out` until it has no reader any more, or what was asked for is over (--limit, --for).
 * HF_EXIT_USAGE, with a sentence to `out`: wrong words. Any thread, which it takes for that long.
 */
enum hf_exit hf_tail_command(const struct hf_host *host, int count, char *const *words, FILE *out);
