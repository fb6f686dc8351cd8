/*
 * dead_letters: requeueing and dropping dead letters.
 */
#pragma once

#include "service/service.h"
#include "storage/storage.h"

/*
 * Deletes the dead letters of that exporter; says how many to `out`. `records` are the sequences of
 * those that are meant, with commas between them; one that is gone already is passed over. NULL:
 * all that are there now.
 */
enum hf_exit hf_dead_letters_drop(struct hf_storage *store, const char *exporter,
                                  const char *records, FILE *out);

/*
 * Moves the dead letters that are there now, or those of `records`, to where that exporter alone
 * sends them from; on disk there before they leave here, so that a kill repeats some at worst.
 */
enum hf_exit hf_dead_letters_requeue(struct hf_storage *store, const char *exporter,
                                     const char *records, FILE *out);

/* Drops requeued dead letters that were not sent yet. Refused while the exporter runs and sends
 * them. */
enum hf_exit hf_dead_letters_drop_requeued(struct wal *wal, const char *exporter, FILE *out);
