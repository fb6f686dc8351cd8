/*
 * command: what `holdfast queue` does to a store: the same code for a directory that no
 * process has open (opened by the command line) and for a live one (run by the control thread of
 * the process that has it).
 */
#pragma once

#include <stdio.h>

#include "service/service.h"
#include "storage/storage.h"

/*
 * Runs one command: `words` are its name and arguments, without "queue". Results and error
 * sentences go to `out`. Dead letters are changed only from here: one thread a store. Returns the
 * exit code for the command line.
 */
enum hf_exit hf_queue_command(struct hf_storage *store, int count, char *const *words, FILE *out);
