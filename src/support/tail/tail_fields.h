/*
 * tail_fields: the keys of a tail, for the table of a receiver whose configuration begins with a
 * struct hf_tail_config. `max_log_size_behavior` is a row of its own, since receivers
 * differ in what becomes of the rest.
 */
#pragma once

#include <stddef.h>

#include <holdfast/field.h>

#include "tail.h"

extern const struct hf_field hf_tail_multiline_fields[], hf_tail_order_fields[];
extern const char *const hf_tail_starts[], *const hf_tail_long_lines[];
extern const char *const hf_tail_compressions[], *const hf_tail_truncations[];

#define HF_TAIL_AT(member) offsetof(struct hf_tail_config, member)

#define HF_TAIL_FIELDS                                                                             \
    {.key = "include",                                                                             \
     .type = HF_FIELD_STRING_LIST,                                                                 \
     .offset = HF_TAIL_AT(include),                                                                \
     .required = true,                                                                             \
     .help = "Patterns of whole paths: *, ?, [...], {a,b}, and ** for any folders."},              \
        {.key = "exclude",                                                                         \
         .type = HF_FIELD_STRING_LIST,                                                             \
         .offset = HF_TAIL_AT(exclude),                                                            \
         .help = "Patterns of paths that are not read."},                                          \
        {.key = "start_at",                                                                        \
         .type = HF_FIELD_ENUM,                                                                    \
         .offset = HF_TAIL_AT(start_at),                                                           \
         .default_text = "end",                                                                    \
         .choices = hf_tail_starts,                                                                \
         .help = "Where files that are there at the very first start are read from; later ones "   \
                 "from their beginning."},                                                         \
        {.key = "exclude_older_than",                                                              \
         .type = HF_FIELD_DURATION,                                                                \
         .offset = HF_TAIL_AT(exclude_older_than_ns),                                              \
         .default_text = "0",                                                                      \
         .min = 0,                                                                                 \
         .max = 1e18,                                                                              \
         .help = "Files that were written to last before that are not begun; 0: all are."},        \
        {.key = "poll_interval",                                                                   \
         .type = HF_FIELD_DURATION,                                                                \
         .offset = HF_TAIL_AT(poll_interval_ns),                                                   \
         .default_text = "200ms",                                                                  \
         .min = 1e6,                                                                               \
         .max = 3.6e12,                                                                            \
         .help = "How often files are looked at."},                                                \
        {.key = "fingerprint_size",                                                                \
         .type = HF_FIELD_BYTES,                                                                   \
         .offset = HF_TAIL_AT(fingerprint_bytes),                                                  \
         .default_text = "1000",                                                                   \
         .min = 16,                                                                                \
         .max = 1 << 20,                                                                           \
         .help = "First bytes by which a file is known again."},                                   \
        {.key = "initial_buffer_size",                                                             \
         .type = HF_FIELD_IGNORED,                                                                 \
         .help = "Buffers grow as needed."},                                                       \
        {.key = "max_log_size",                                                                    \
         .type = HF_FIELD_BYTES,                                                                   \
         .offset = HF_TAIL_AT(max_log_bytes),                                                      \
         .default_text = "1MiB",                                                                   \
         .min = 16,                                                                                \
         .max = 64 << 20,                                                                          \
         .help = "Longest entry."},                                                                \
        {.key = "max_concurrent_files",                                                            \
         .type = HF_FIELD_INT,                                                                     \
         .offset = HF_TAIL_AT(max_concurrent_files),                                               \
         .default_text = "1024",                                                                   \
         .min = 2,                                                                                 \
         .max = 1000000,                                                                           \
         .help = "Files that are open at the same time."},                                         \
        {.key = "max_batches",                                                                     \
         .type = HF_FIELD_INT,                                                                     \
         .offset = HF_TAIL_AT(max_batches),                                                        \
         .default_text = "0",                                                                      \
         .min = 0,                                                                                 \
         .max = 1000000,                                                                           \
         .help = "At most so many times half of max_concurrent_files are read; 0: all."},          \
        {.key = "encoding",                                                                        \
         .type = HF_FIELD_STRING,                                                                  \
         .offset = HF_TAIL_AT(encoding),                                                           \
         .default_text = "utf-8",                                                                  \
         .help = "utf-8, utf-16le, utf-16be, ascii, big5, gbk, ..., or nop for bytes that are no " \
                 "lines."},                                                                        \
        {.key = "multiline",                                                                       \
         .type = HF_FIELD_STRUCT,                                                                  \
         .inner = hf_tail_multiline_fields,                                                        \
         .help = "Entries of several lines."},                                                     \
        {.key = "preserve_leading_whitespaces",                                                    \
         .type = HF_FIELD_BOOL,                                                                    \
         .offset = HF_TAIL_AT(keep_leading),                                                       \
         .default_text = "false",                                                                  \
         .help = "Keep white space before the text."},                                             \
        {.key = "preserve_trailing_whitespaces",                                                   \
         .type = HF_FIELD_BOOL,                                                                    \
         .offset = HF_TAIL_AT(keep_trailing),                                                      \
         .default_text = "false",                                                                  \
         .help = "Keep white space behind the text."},                                             \
        {.key = "force_flush_period",                                                              \
         .type = HF_FIELD_DURATION,                                                                \
         .offset = HF_TAIL_AT(force_flush_ns),                                                     \
         .default_text = "500ms",                                                                  \
         .min = 0,                                                                                 \
         .max = 3.6e12,                                                                            \
         .help = "What has no end yet is an entry after that time; 0: never."},                    \
        {.key = "delete_after_read",                                                               \
         .type = HF_FIELD_BOOL,                                                                    \
         .offset = HF_TAIL_AT(delete_after_read),                                                  \
         .default_text = "false",                                                                  \
         .help = "Remove a file once its lines are committed."},                                   \
        {.key = "ordering_criteria",                                                               \
         .type = HF_FIELD_STRUCT,                                                                  \
         .inner = hf_tail_order_fields,                                                            \
         .help = "Which of the files are read."},                                                  \
        {.key = "compression",                                                                     \
         .type = HF_FIELD_ENUM,                                                                    \
         .offset = HF_TAIL_AT(compression),                                                        \
         .default_text = "",                                                                       \
         .choices = hf_tail_compressions,                                                          \
         .help = "Files that are compressed: gzip, or auto to tell by their first bytes."},        \
        {.key = "on_truncate",                                                                     \
         .type = HF_FIELD_ENUM,                                                                    \
         .offset = HF_TAIL_AT(on_truncate),                                                        \
         .default_text = "ignore",                                                                 \
         .choices = hf_tail_truncations,                                                           \
         .help = "A file that is shorter than what was read of it and begins as before."},         \
        {.key = "acquire_fs_lock",                                                                 \
         .type = HF_FIELD_IGNORED,                                                                 \
         .help = "Files are read without a lock."},                                                \
        {.key = "file_cache_advise", .type = HF_FIELD_IGNORED, .help = "The kernel decides."},     \
        {.key = "skip_unmodified_files", .type = HF_FIELD_IGNORED, .help = "They always are."},    \
    {                                                                                              \
        .key = "polls_to_archive", .type = HF_FIELD_IGNORED,                                       \
        .help = "Files are remembered for a day after they were seen last."                        \
    }
