/*
 * library: libsystemd's functions for journals, loaded when the first journal is opened, so that a
 * machine without systemd runs everything else. See docs/decisions/libsystemd.md.
 *
 * The functions are members under their names without "sd_journal_". Immutable once loaded; any
 * thread.
 */
#pragma once

#include <systemd/sd-journal.h>

/* Every function that is used. */
#define HF_JOURNAL_FUNCTIONS(X)                                                                    \
    X(add_conjunction)                                                                             \
    X(add_disjunction)                                                                             \
    X(add_match)                                                                                   \
    X(close)                                                                                       \
    X(enumerate_available_data)                                                                    \
    X(get_cursor)                                                                                  \
    X(get_events)                                                                                  \
    X(get_fd)                                                                                      \
    X(get_monotonic_usec)                                                                          \
    X(get_realtime_usec)                                                                           \
    X(get_timeout)                                                                                 \
    X(next)                                                                                        \
    X(open)                                                                                        \
    X(open_directory)                                                                              \
    X(open_files)                                                                                  \
    X(open_namespace)                                                                              \
    X(previous)                                                                                    \
    X(process)                                                                                     \
    X(restart_data)                                                                                \
    X(seek_cursor)                                                                                 \
    X(seek_head)                                                                                   \
    X(seek_tail)                                                                                   \
    X(set_data_threshold)                                                                          \
    X(test_cursor)

struct hf_journal_library {
#define MEMBER(name) __typeof__(sd_journal_##name) *name;
    HF_JOURNAL_FUNCTIONS(MEMBER)
#undef MEMBER
    __typeof__(sd_id128_get_boot) *get_boot;
};

/* Loads it; NULL with a sentence in `reterr` (HF_ERROR_MAX). Main thread. */
const struct hf_journal_library *hf_journal_library(char *reterr);
