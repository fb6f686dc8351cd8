/*
 * queue_cli: `holdfast queue ...`: asks the process that has the data directory, or opens the
 * directory itself.
 */
#pragma once

#include "service/service.h"

/* `components`: those that are built in. `arguments[0]` is "queue". Prints to standard output;
 * returns the exit code. */
enum hf_exit hf_queue_cli(const struct hf_component *const *components, int count,
                          char **arguments);
