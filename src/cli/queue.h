/*
 * queue_cli: `holdfast queue ...`: asks the process that has the data directory, or opens the
 * directory itself.
 */
#pragma once

#include "service/service.h"

/* `arguments[0]` is "queue". Prints to standard output; returns the exit code. */
enum hf_exit hf_queue_cli(int count, char **arguments);
