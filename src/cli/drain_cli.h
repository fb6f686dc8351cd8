/*
 * drain_cli: `holdfast drain`: tells the running process to refuse intake, and waits until it has
 * delivered what it holds.
 */
#pragma once

#include "service/service.h"

/* `components`: those that are built in. `arguments[0]` is "drain". Prints the progress to standard
 * output; returns the exit code. */
enum hf_exit hf_drain_cli(const struct hf_component *const *components, int count,
                          char **arguments);
