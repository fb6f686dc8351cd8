/*
 * host: the machine that is measured: where its /proc and /sys are, its boot time, and reading
 * their files.
 *
 * With a root_path that is not "/" everything is read below it, unless HOST_PROC or HOST_SYS of the
 * environment say otherwise, as with the Go collector. Owned by the scraper's thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "util/compress/compress.h"

#define HOST_PATH_MAX 512
#define HOST_FILE_MAX (4u << 20) /* bytes read of one file */

struct host {
    char root[HOST_PATH_MAX]; /* "": the machine's own */
    char proc[HOST_PATH_MAX], sys[HOST_PATH_MAX], dev[HOST_PATH_MAX];
    uint64_t boot_ns;     /* Unix time */
    double ticks;         /* a second */
    uint64_t page_size;   /* bytes */
    struct hf_bytes text; /* of the file that was read last */
};

/* `root_path` may be NULL. False: out of room for paths. */
HF_MUST_USE bool host_init(struct host *host, const char *root_path);
void host_release(struct host *host);

/* Reads the boot time; without it the machine cannot be measured. False: errno. */
HF_MUST_USE bool host_read_boot_time(struct host *host);

/*
 * Reads a whole file, path as of printf below /proc. The text is valid until the next read. False
 * with errno: it cannot be read (EFBIG, ENOMEM).
 */
HF_MUST_USE bool host_read_proc(struct host *host, struct hf_slice *ret_text, const char *format,
                                ...) __attribute__((format(printf, 3, 4)));
/* The same of an absolute path. */
HF_MUST_USE bool host_read(struct host *host, const char *path, struct hf_slice *ret_text);

/* ---- texts, taken apart from the front ---- */

/* The next line, without its end. False: there is none. */
HF_MUST_USE bool host_next_line(struct hf_slice *text, struct hf_slice *ret_line);
/* The next word between blanks and tabs. */
HF_MUST_USE bool host_next_word(struct hf_slice *line, struct hf_slice *ret_word);
/* Skips words; false: there are fewer. */
HF_MUST_USE bool host_skip_words(struct hf_slice *line, unsigned count);
/* The next word as a decimal number. */
HF_MUST_USE bool host_next_number(struct hf_slice *line, uint64_t *ret_number);
HF_MUST_USE bool host_number_of(struct hf_slice word, unsigned base, uint64_t *ret_number);
HF_MUST_USE bool host_starts_with(struct hf_slice text, const char *prefix);

/* How many processors /proc/cpuinfo lists, or else /proc/stat; at least 1. */
uint64_t host_logical_cpus(struct host *host);
