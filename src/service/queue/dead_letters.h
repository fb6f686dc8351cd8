/*
 * dead_letters: requeueing and dropping dead letters.
 */
#pragma once

#include "service/service.h"
#include "storage/storage.h"

/* Deletes the dead letters of that exporter; says how many to `out`. */
enum hf_exit hf_dead_letters_drop(struct hf_storage *store, const char *exporter, FILE *out);

/*
 * Moves the dead letters that are there now to where that exporter alone sends them from; on disk
 * there before they leave here, so that a kill repeats some at worst.
 */
enum hf_exit hf_dead_letters_requeue(struct hf_storage *store, const char *exporter, FILE *out);

/* Drops requeued dead letters that were not sent yet. Refused while the exporter runs and sends
 * them. */
enum hf_exit hf_dead_letters_drop_requeued(struct wal *wal, const char *exporter, FILE *out);
