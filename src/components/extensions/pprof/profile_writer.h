/*
 * profile_writer: a profile in the format of pprof: gzip around protobuf (profile.proto). Samples
 * are added one by one; functions are named by the symbols of the process's files. Owned by one
 * thread.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <holdfast/status.h>

#include "util/compress/compress.h"

struct hf_profile_writer;

#define HF_PROFILE_VALUES_MAX 4

struct hf_profile_about {
    struct {
        const char *type, *unit; /* "cpu", "nanoseconds"; a NULL type ends them */
    } values[HF_PROFILE_VALUES_MAX + 1];
    const char *period_type, *period_unit; /* NULL: none */
    uint64_t period;
    uint64_t time_unix_ns, duration_ns;
};

/* HF_NOMEM, HF_IO. `about` is borrowed until the end. */
HF_MUST_USE enum hf_status hf_profile_writer_new(const struct hf_profile_about *about,
                                                 struct hf_profile_writer **ret_writer);
void hf_profile_writer_free(struct hf_profile_writer *writer);

/* A stack of addresses, the innermost first, as a backtrace has them: the others are where calls
 * return to. `values`: as many as `about` says. `label` with the key "thread"; NULL: none. */
void hf_profile_add_stack(struct hf_profile_writer *writer, const uint64_t *addresses, size_t depth,
                          const int64_t *values, const char *label);
/* A stack of one made-up function, for what has no place in the code. */
void hf_profile_add_named(struct hf_profile_writer *writer, const char *name,
                          const int64_t *values);
void hf_profile_comment(struct hf_profile_writer *writer, const char *text);

/* Appends the whole to `out`. HF_NOMEM: also when it ran out before. */
HF_MUST_USE enum hf_status hf_profile_finish(struct hf_profile_writer *writer,
                                             struct hf_bytes *out);

/* The name of the function at an address, for pprof's symbol page; NULL: not known. */
const char *hf_profile_function(struct hf_profile_writer *writer, uint64_t address);
