/*
 * dead_letters: requeueing and dropping dead letters.
 */
#pragma once

#include "selection.h"
#include "service/service.h"
#include "storage/storage.h"

/* Which of them, and whether it is told how far it is. NULL: all, untold. */
struct hf_letters_choice {
    struct hf_selection *selection;
    bool progress;
};

/* Deletes dead letters of that exporter; says how many to `out`. */
enum hf_exit hf_dead_letters_drop(struct hf_storage *store, const char *exporter,
                                  const struct hf_letters_choice *choice, FILE *out);

/*
 * Moves the dead letters that are there now to where that exporter alone sends them from; on disk
 * there before they leave here, so that a kill repeats some at worst.
 */
enum hf_exit hf_dead_letters_requeue(struct hf_storage *store, const char *exporter,
                                     const struct hf_letters_choice *choice, FILE *out);

/* Drops requeued dead letters that were not sent yet. Refused while the exporter runs and sends
 * them. */
enum hf_exit hf_dead_letters_drop_requeued(struct wal *wal, const char *exporter, FILE *out);
