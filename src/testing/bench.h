/*
 * bench: a graph under test: the real one of a configuration, with ends of the test, in a directory
 * of its own, and with a time that goes on when the test says so. One at a time. Main thread.
 */
#pragma once

#include "config/config.h"
#include "ends.h"
#include "test_file.h"

struct hf_test_bench;

/* `config` was loaded with hf_test_registry(). Failures with a sentence in `reterr`
 * (HF_ERROR_MAX). */
HF_MUST_USE enum hf_status hf_test_bench_open(const struct hf_config *config, const char *log_path,
                                              struct hf_test_bench **ret_bench, char *reterr);
/* Removes its directory, too. NULL is nothing. */
void hf_test_bench_close(struct hf_test_bench *bench);

/* Gives the input in, and waits for its answer. HF_INVALID and others with a sentence: it cannot be
 * read, there is no such place, or it was refused. `folder`: of files it names. */
HF_MUST_USE enum hf_status hf_test_bench_put(struct hf_test_bench *bench,
                                             const struct hf_test_input *input, const char *folder,
                                             char *reterr);
/* Time goes on by so much, in small steps; what is due is done. */
void hf_test_bench_advance(struct hf_test_bench *bench, uint64_t ns);
/* Waits until nothing more happens without more input or time. */
void hf_test_bench_settle(struct hf_test_bench *bench);

/* Does an exporter wait for more, as `batch` tells it to? */
bool hf_test_bench_has_batching(const struct hf_test_bench *bench);
const struct hf_test_ends *hf_test_bench_ends(const struct hf_test_bench *bench);
/* Where a test looks: an exporter, else a processor or connector, else the queue of a pipeline.
 * "exporters::a", "processors::a", ... say which. HF_NOT_FOUND with a sentence. */
HF_MUST_USE enum hf_status hf_test_bench_find(const struct hf_test_bench *bench, const char *at,
                                              const char *pipeline, struct hf_test_place *ret_place,
                                              char *reterr);
