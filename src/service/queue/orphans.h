/*
 * orphans: data directories that no process has, as a node or a claim that vanished leaves behind:
 * what they hold, and how a running process takes it over. Any thread.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "service/service.h"
#include "storage/storage.h"

/* Is there a queue, a lock or dead letters in that directory? One that cannot be read is left to
 * the opening, which says why. */
HF_MUST_USE bool hf_is_data_directory(const char *directory);

/*
 * Lists the data directories among `directories` and directly below them: one line or JSON object
 * each to `out`. `own` is left out; NULL: none. Takes the lock of each while it looks.
 */
enum hf_exit hf_orphans_list(const char *const *directories, size_t count, const char *own,
                             bool json, FILE *out);

/*
 * Moves the backlogs of `directory` into queues of `store`: that of each exporter to where the
 * running exporter of the same name alone sends it from, so that no other exporter gets it again;
 * that in front of a queued processor to the same place here; dead letters to the dead letters.
 * Returns after a moment: HF_EXIT_NOT_EMPTY asks to be called again, HF_EXIT_OK: nothing is left,
 * HF_EXIT_FAILED: what is left cannot be moved. What it says goes to `out`.
 */
enum hf_exit hf_orphans_adopt(struct hf_storage *store, const char *directory, FILE *out);
