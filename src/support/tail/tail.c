#include "tail.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "paths.h"
#include "tail_internal.h"
#include "util/regex/regex.h"
#include "util/time/clock.h"

/* While the kernel tells what changes, all files are looked at as seldom as this. */
#define SCAN_NS (UINT64_C(30) * HF_NS_PER_S)

static bool are_patterns(const struct hf_string_list *patterns)
{
    for (size_t i = 0; i < patterns->count; i++) {
        if (hf_paths_check(patterns->items[i]) != NULL) {
            return false;
        }
    }
    return true;
}

static enum hf_status open_pattern(const char *key, const char *pattern, bool is_line,
                                   struct hf_regex **ret_regex, char *reterr)
{
    char why[HF_REGEX_ERROR_MAX];
    if (pattern == NULL || pattern[0] == '\0') {
        return HF_OK;
    }
    enum hf_status status =
        is_line ? hf_lines_pattern(pattern, ret_regex, why) : hf_regex_new(pattern, ret_regex, why);
    if (status == HF_INVALID) {
        snprintf(reterr, HF_ERROR_MAX, "%s: %s", key, why);
    }
    return status;
}

static enum hf_status open_parts(struct hf_tail *tail, char *reterr)
{
    const struct hf_tail_config *config = tail->config;
    enum hf_status status = hf_encoding_open(config->encoding, &tail->encoding);
    if (status != HF_OK) {
        snprintf(reterr, HF_ERROR_MAX, "encoding: %.100s is not known on this machine",
                 config->encoding);
        return status;
    }
    bool is_whole = tail->encoding.is_whole; /* its bytes stay as they are */
    tail->lines = (struct hf_lines){.encoding = &tail->encoding,
                                    .omit_pattern = config->omit_pattern,
                                    .keep_leading = config->keep_leading || is_whole,
                                    .keep_trailing = config->keep_trailing || is_whole,
                                    .truncates = config->long_lines == HF_TAIL_TRUNCATE,
                                    .bytes_max = (size_t)config->max_log_bytes};
    status = open_pattern("multiline::line_start_pattern", config->line_start, true,
                          &tail->lines.start, reterr);
    if (status == HF_OK) {
        status = open_pattern("multiline::line_end_pattern", config->line_end, true,
                              &tail->lines.end, reterr);
    }
    if (status == HF_OK) {
        status =
            open_pattern("header::pattern", config->header_pattern, false, &tail->header, reterr);
    }
    return status == HF_OK ? hf_tail_order_open(config, &tail->order, reterr) : status;
}

static void close_parts(struct hf_tail *tail)
{
    hf_encoding_close(&tail->encoding);
    hf_regex_free(tail->lines.start);
    hf_regex_free(tail->lines.end);
    hf_regex_free(tail->header);
    hf_tail_order_close(tail->order);
}

const char *hf_tail_check(const struct hf_tail_config *config)
{
    if (config->include.count == 0) {
        return "include must name at least one file";
    }
    if (!are_patterns(&config->include)) {
        return "include: a pattern has a bracket or brace without its partner";
    }
    if (!are_patterns(&config->exclude)) {
        return "exclude: a pattern has a bracket or brace without its partner";
    }
    if (config->line_start != NULL && config->line_end != NULL) {
        return "multiline takes line_start_pattern or line_end_pattern, not both";
    }
    if (config->delete_after_read && config->start_at != HF_TAIL_BEGINNING) {
        return "delete_after_read needs start_at: beginning";
    }
    if (config->header_pattern != NULL && config->start_at != HF_TAIL_BEGINNING) {
        return "header needs start_at: beginning";
    }
    static _Thread_local char sentence[HF_ERROR_MAX];
    struct hf_tail parts = {.config = config};
    snprintf(sentence, sizeof(sentence), "out of memory");
    enum hf_status status = open_parts(&parts, sentence);
    close_parts(&parts);
    return status == HF_OK ? NULL : sentence;
}

/* Half of what the process may have open, at most. */
static size_t descriptors(const struct hf_tail_config *config)
{
    struct rlimit limit;
    size_t most = (size_t)config->max_concurrent_files;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
        most > limit.rlim_cur / 2) {
        most = (size_t)(limit.rlim_cur / 2);
    }
    return most > 2 ? most : 2;
}

enum hf_status hf_tail_open(const struct hf_tail_config *config, const struct hf_tail_ops *ops,
                            void *user, struct hf_tail **ret_tail, char *reterr)
{
    struct hf_tail *tail = calloc(1, sizeof(*tail));
    if (tail == NULL) {
        return HF_NOMEM;
    }
    tail->config = config;
    tail->ops = ops;
    tail->user = user;
    tail->next_id = 1;
    tail->open_max = descriptors(config);
    tail->head = malloc((size_t)config->fingerprint_bytes);
    tail->prefixes = calloc((size_t)config->fingerprint_bytes, sizeof(tail->prefixes[0]));
    enum hf_status status =
        tail->head == NULL || tail->prefixes == NULL ? HF_NOMEM : open_parts(tail, reterr);
    if (status != HF_OK) {
        hf_tail_close(tail);
        return status;
    }
    if (hf_tail_watch_open(&tail->watch) != HF_OK) {
        tail->watch = NULL; /* every poll looks at all files then */
    }
    *ret_tail = tail;
    return HF_OK;
}

void hf_tail_close(struct hf_tail *tail)
{
    if (tail == NULL) {
        return;
    }
    hf_tail_watch_close(tail->watch);
    tail->watch = NULL;
    while (tail->file_count != 0) {
        hf_tail_file_remove(tail, tail->file_count - 1);
    }
    for (size_t i = 0; i < tail->place_count; i++) {
        free(tail->places[i].path);
    }
    close_parts(tail);
    hf_bytes_release(&tail->values);
    hf_bytes_release(&tail->buffer);
    hf_bytes_release(&tail->decoded);
    hf_bytes_release(&tail->inflated);
    free(tail->checkpoints);
    free(tail->forgotten);
    free(tail->slot_used);
    free(tail->places);
    free(tail->files);
    free(tail->prefixes);
    free(tail->head);
    free(tail);
}

enum hf_status hf_tail_load(struct hf_tail *tail)
{
    enum hf_status status = hf_tail_load_places(tail);
    tail->slots_touched = !tail->has_loaded;
    return status;
}

static void note_change(void *user, void *what)
{
    struct hf_tail *tail = user;
    struct file *file = what;
    tail->is_busy = true;
    if (!hf_tail_look(tail, file)) {
        tail->wants_scan = true;
    }
}

/* An empty file has no fingerprint, so it is not watched; and behind a link no folder tells of it.
 */
static bool has_first_bytes(const struct hf_tail *tail)
{
    struct stat now;
    for (size_t i = 0; i < tail->place_count; i++) {
        const struct place *place = &tail->places[i];
        if (place->file == NULL && place->is_there && place->stat.st_size == 0 &&
            stat(place->path, &now) == 0 && now.st_size != 0) {
            return true;
        }
    }
    return false;
}

static void find_changes(struct hf_tail *tail)
{
    bool names = tail->watch != NULL && hf_tail_watch_read(tail->watch, note_change, tail);
    if (tail->watch == NULL || names || tail->wants_scan || tail->now_ns >= tail->next_scan_ns ||
        has_first_bytes(tail)) {
        tail->wants_scan = false;
        tail->is_busy = true;
        tail->next_scan_ns = tail->now_ns + SCAN_NS;
        hf_tail_scan(tail);
    }
}

/* Reads every file that has something. True: one has more. */
static bool read_files(struct hf_tail *tail)
{
    bool more = false;
    tail->reading_count = 0;
    for (size_t i = 0; i < tail->file_count && !tail->is_stopping; i++) {
        struct file *file = tail->files[i];
        if (!file->is_claimed || !file->is_dirty) {
            continue;
        }
        bool done = hf_tail_read(tail, file, tail->config->delete_after_read);
        bool waits = file->partial_bytes != 0 && tail->config->force_flush_ns != 0;
        more = more || !done;
        file->is_dirty = !done || waits;
        file->is_deletable = done && tail->config->delete_after_read;
        tail->reading_count += !done;
    }
    return more;
}

/* Removes the files whose lines are all committed. */
static void delete_files(struct hf_tail *tail)
{
    for (size_t i = tail->file_count; tail->config->delete_after_read && i-- > 0;) {
        struct file *file = tail->files[i];
        struct stat now;
        bool whole = file->is_deletable && file->fd >= 0 && fstat(file->fd, &now) == 0 &&
                     (file->is_gzip || (uint64_t)now.st_size == file->stored);
        if (whole && file->is_stored && unlink(file->path) == 0) {
            tail->wants_scan = true;
        }
        file->is_deletable = false;
    }
}

/* Is there a file that must be looked at again without being told? */
static bool is_busy(const struct hf_tail *tail)
{
    bool busy = tail->is_stopping || tail->wants_scan || tail->slots_touched;
    for (size_t i = 0; i < tail->file_count && !busy; i++) {
        const struct file *file = tail->files[i];
        busy = file->is_dirty || file->is_touched || !file->is_claimed;
    }
    return busy;
}

bool hf_tail_poll(struct hf_tail *tail, uint64_t now_ns)
{
    tail->now_ns = now_ns;
    tail->is_stopping = false;
    find_changes(tail);
    if (!tail->is_busy) {
        (void)tail->ops->commit(tail->user, NULL, 0); /* what the user held till now */
        return false;
    }
    hf_tail_drain_lost(tail);
    bool more = !tail->is_stopping && read_files(tail);
    if (!tail->is_stopping && hf_tail_commit(tail)) {
        delete_files(tail);
    }
    tail->is_busy = is_busy(tail);
    return more && !tail->is_stopping;
}

void hf_tail_stat(const struct hf_tail *tail, struct hf_tail_stat *ret_stat)
{
    *ret_stat = (struct hf_tail_stat){.files = tail->file_count,
                                      .open_files = tail->open_count,
                                      .reading_files = tail->reading_count};
}
