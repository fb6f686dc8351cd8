/*
 * queue_letters: what an operator does with dead letters.
 */
#pragma once

#include "service.h"
#include "store.h"

/* Deletes the dead letters of that exporter; says how many to `out`. */
enum hf_exit hf_letters_drop(struct hf_store *store, const char *exporter, FILE *out);

/*
 * Appends each dead letter to the queue of the pipeline it came from, on disk before it leaves the
 * dead letters. Every exporter of that pipeline sees it again.
 */
enum hf_exit hf_letters_requeue(struct hf_store *store, const char *exporter, FILE *out);
