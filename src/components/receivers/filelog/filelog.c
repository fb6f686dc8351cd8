/*
 * filelog: the receiver of log files: a tail on a thread of its own, the operators, and batches
 * that carry the places of their files to the queues.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include <holdfast/component.h>

#include "filelog_attributes.h"
#include "filelog_config.h"
#include "support/lines/log_entries.h"
#include "support/probe/probe_inputs.h"
#include "support/scrape/submitter.h"
#include "support/tail/gauges.h"
#include "support/tail/tail.h"
#include "support/tail/turn_thread.h"
#include "util/log/log_limiter.h"
#include "util/time/clock.h"

#define BATCH_BYTES ((size_t)1 << 20)
#define BATCH_ITEMS 16384u
#define BUILD_LIMIT ((size_t)200 << 20) /* never reached: batches are cut here */
#define KEPT_BYTES ((size_t)1 << 20)
#define TURN_WAIT_NS (20 * HF_NS_PER_MS)
#define SAY_NS (60 * HF_NS_PER_S)
#define RETRY_FIRST_NS (100 * HF_NS_PER_MS)
#define RETRY_MAX_NS (5 * HF_NS_PER_S)

struct filelog {
    struct hf_node *node;
    const struct filelog_config *config;
    struct hf_tail *tail;
    struct hf_turn_thread thread;
    struct hf_log_entries entries;
    struct hf_log_pipeline *header_pipeline; /* NULL: no header */
    struct filelog_file *header_file;        /* whose header is read */
    struct filelog_file *shared;             /* of the file whose line came last */
    struct hf_submitter submit;
    struct hf_tail_gauges gauges;
    struct hf_log_limiter said;
    bool has_committed;
};

/* ---- entries ---- */

static void emit_header(void *user, struct hf_log_entry *entry)
{
    struct filelog *filelog = user;
    if (filelog_file_add(filelog->header_file, entry->attributes.map) != HF_OK) {
        hf_node_log(filelog->node, HF_LOG_WARN, "no memory for the attributes of a header");
    }
}

static void say_failure(void *user, const char *operator_id, const char *why, bool quiet)
{
    struct filelog *filelog = user;
    hf_log_entries_say(&filelog->entries, operator_id, why, quiet);
}

static const struct hf_log_pipeline_ops header_ops = {.emit = emit_header, .failed = say_failure};

/* What is known of the file, made when its first line comes. */
static struct filelog_file *file_of(struct filelog *filelog, struct hf_tail_file *seen)
{
    struct filelog_file *file = seen->context;
    if (filelog->header_pipeline == NULL) {
        /* Without headers nothing of it must be kept: the files share one. */
        if (filelog->shared == NULL || filelog->shared->id != seen->id) {
            filelog_file_free(filelog->shared);
            filelog->shared = filelog_file_new(seen);
        }
        file = filelog->shared;
    } else if (file == NULL) {
        file = filelog_file_new(seen);
        seen->context = file;
    }
    if (file != NULL && (file->attributes == NULL || file->is_renamed) &&
        filelog_file_name(file, filelog->config, seen->path) != HF_OK) {
        return NULL;
    }
    return file;
}

static enum hf_status make_entry(struct filelog *filelog, const struct hf_tail_line *line,
                                 const struct filelog_file *file, struct hf_log_entry *entry)
{
    const struct filelog_config *config = filelog->config;
    enum hf_status status =
        hf_log_entries_begin(&filelog->entries, file->attributes->count + 2, entry);
    if (status != HF_OK) {
        return status;
    }
    struct hf_expr_map *attributes = entry->attributes.map;
    entry->source = line->file;
    entry->offset = line->offset;
    entry->body = hf_expr_string(line->text);
    if (strcmp(config->tail.encoding, "nop") == 0) {
        entry->body.type = HF_EXPR_BYTES;
    }
    /* There is room: see above. */
    memcpy(attributes->pairs, file->attributes->pairs,
           file->attributes->count * sizeof(attributes->pairs[0]));
    attributes->count = file->attributes->count;
    if (config->include_number) {
        status = hf_expr_map_set(entry->arena, attributes, hf_slice_text("log.file.record_number"),
                                 hf_expr_integer((int64_t)line->record_number));
    }
    if (status == HF_OK && config->include_offset) {
        status = hf_expr_map_set(entry->arena, attributes, hf_slice_text("log.file.record_offset"),
                                 hf_expr_integer((int64_t)line->offset));
    }
    return status == HF_OK ? hf_log_entries_label(&filelog->entries, entry) : status;
}

static bool take_line(void *user, const struct hf_tail_line *line)
{
    struct filelog *filelog = user;
    struct hf_log_entry entry;
    struct filelog_file *file = file_of(filelog, line->file);
    enum hf_status status = file != NULL ? make_entry(filelog, line, file, &entry) : HF_NOMEM;
    if (status == HF_OK && line->is_header) {
        filelog->header_file = file;
        hf_log_pipeline_process(filelog->header_pipeline, &entry);
        hf_arena_rewind(&filelog->entries.arena, KEPT_BYTES);
    } else {
        hf_log_entries_end(&filelog->entries, &entry, status);
    }
    return hf_build_size(&filelog->entries.builder) >= BATCH_BYTES ||
           hf_build_items(&filelog->entries.builder) >= BATCH_ITEMS;
}

/* ---- batches ---- */

static struct hf_batch *take_batch(struct filelog *filelog)
{
    uint32_t items = hf_build_items(&filelog->entries.builder);
    struct hf_batch *batch = hf_log_entries_take(&filelog->entries);
    if (batch == NULL && items != 0) {
        return NULL;
    }
    if (batch == NULL) {
        batch = hf_batch_new(HF_LOGS, 0, HF_EMPTY_SLICE);
        if (batch != NULL) {
            hf_batch_seal(batch, 0, 0);
        }
    }
    if (batch != NULL) {
        batch->received_ns = hf_clock_unix_ns();
    }
    return batch;
}

static bool commit(void *user, const struct hf_checkpoint *checkpoints, size_t count)
{
    struct filelog *filelog = user;
    if (count == 0 && hf_build_items(&filelog->entries.builder) == 0) {
        return true;
    }
    struct hf_batch *batch = take_batch(filelog);
    if (batch == NULL) {
        hf_node_log(filelog->node, HF_LOG_ERROR, "no memory for a batch of lines");
        return false;
    }
    bool added = hf_submitter_add(&filelog->submit, batch, checkpoints, count);
    /* The first one tells where files stood at the start, before anything else happens. */
    bool wait = filelog->config->tail.delete_after_read || !filelog->has_committed;
    filelog->has_committed = true;
    return added && (!wait || hf_submitter_wait(&filelog->submit));
}

/* ---- the tail's questions ---- */

static void name_file(void *user, struct hf_tail_file *seen)
{
    struct filelog *filelog = user;
    struct filelog_file *file = seen->context != NULL ? seen->context : filelog->shared;
    if (file != NULL && file->id == seen->id) {
        file->is_renamed = true;
    }
}

static void close_file(void *user, struct hf_tail_file *seen)
{
    struct filelog *filelog = user;
    hf_log_pipeline_forget(filelog->entries.pipeline, seen);
    filelog_file_free(seen->context);
    seen->context = NULL;
}

static enum hf_status find_stored(void *user, struct hf_slice name,
                                  void (*visit)(void *user, struct hf_slice value),
                                  void *visit_user)
{
    const struct filelog *filelog = user;
    return hf_node_checkpoint_each(filelog->node, name, visit, visit_user);
}

static uint64_t find_held(void *user, const struct hf_tail_file *seen)
{
    const struct filelog *filelog = user;
    return hf_log_pipeline_held(filelog->entries.pipeline, seen);
}

static void say(void *user, enum hf_log_level level, const char *path, const char *what)
{
    struct filelog *filelog = user;
    if (hf_log_limiter_allows(&filelog->said, path, what, hf_clock_coarse_ns())) {
        hf_node_log(filelog->node, level, "%s: %s", path, what);
    }
}

static const struct hf_tail_ops tail_ops = {
    .line = take_line,
    .commit = commit,
    .named = name_file,
    .closed = close_file,
    .held = find_held,
    .stored = find_stored,
    .say = say,
};

/* ---- the thread ---- */

static void show_files(struct filelog *filelog)
{
    struct hf_tail_stat stat;
    hf_tail_stat(filelog->tail, &stat);
    hf_tail_gauges_show(&filelog->gauges, &stat);
}

static bool wait_turn(struct filelog *filelog)
{
    while (!hf_turn_is_mine(filelog->thread.turn)) {
        if (!hf_submitter_sleep(&filelog->submit, TURN_WAIT_NS)) {
            return false;
        }
    }
    return true;
}

static void *run(void *user)
{
    struct filelog *filelog = user;
    bool go_on = wait_turn(filelog), taken = true;
    if (go_on && hf_tail_load(filelog->tail) != HF_OK) {
        hf_node_log(filelog->node, HF_LOG_ERROR,
                    "the places of files could not be read: no memory; nothing is read");
        go_on = false;
    }
    while (go_on) {
        uint64_t now_ns = hf_clock_monotonic_ns();
        hf_log_pipeline_tick(filelog->entries.pipeline, now_ns);
        bool more = hf_tail_poll(filelog->tail, now_ns);
        show_files(filelog);
        /* With nothing more to read, only this wait offers a refused batch again. */
        taken = more || hf_submitter_wait(&filelog->submit);
        go_on = taken && hf_submitter_sleep(&filelog->submit,
                                            more ? 0 : filelog->config->tail.poll_interval_ns);
    }
    if (!taken || !hf_submitter_wait(&filelog->submit)) {
        hf_node_log(filelog->node, HF_LOG_INFO, "lines that were refused are read again later");
    }
    return NULL;
}

/* ---- life ---- */

static void close_filelog(void *self)
{
    struct filelog *filelog = self;
    if (filelog == NULL) {
        return;
    }
    hf_tail_close(filelog->tail);
    hf_tail_gauges_release(&filelog->gauges);
    filelog_file_free(filelog->shared);
    hf_turn_thread_join(&filelog->thread);
    hf_log_pipeline_free(filelog->header_pipeline);
    hf_log_entries_close(&filelog->entries);
    hf_submitter_release(&filelog->submit);
    hf_log_limiter_release(&filelog->said);
    free(filelog);
}

static enum hf_status open_parts(struct filelog *filelog, char *reterr)
{
    const struct filelog_config *config = filelog->config;
    const struct hf_log_entries_options options = {
        .node = filelog->node, .config = &config->entries, .build_bytes_max = BUILD_LIMIT};
    enum hf_status status = hf_node_add_transport(filelog->node, "");
    if (status == HF_OK) {
        status = hf_tail_gauges_init(&filelog->gauges, filelog->node);
    }
    if (status == HF_OK) {
        status = hf_log_entries_open(&filelog->entries, &options, reterr);
    }
    if (status == HF_OK && config->tail.header_pattern != NULL) {
        status = hf_log_pipeline_new(&config->header_operators, &header_ops, filelog,
                                     &filelog->header_pipeline, reterr);
    }
    return status == HF_OK
               ? hf_tail_open(&filelog->config->tail, &tail_ops, filelog, &filelog->tail, reterr)
               : status;
}

static enum hf_status open_filelog(struct hf_node *node, const void *config, void **ret_self,
                                   char *reterr)
{
    struct filelog *filelog = calloc(1, sizeof(*filelog));
    if (filelog == NULL) {
        return HF_NOMEM;
    }
    filelog->node = node;
    filelog->config = config;
    hf_log_limiter_init(&filelog->said, SAY_NS);
    hf_submitter_init(&filelog->submit, node);
    bool own = filelog->config->retry.enabled;
    filelog->submit.wait_first_ns = own ? filelog->config->retry.initial_ns : RETRY_FIRST_NS;
    filelog->submit.wait_max_ns = own ? filelog->config->retry.max_ns : RETRY_MAX_NS;
    enum hf_status status = open_parts(filelog, reterr);
    if (status != HF_OK) {
        close_filelog(filelog);
        return status;
    }
    *ret_self = filelog;
    return HF_OK;
}

static enum hf_status start_filelog(void *self, char *reterr)
{
    struct filelog *filelog = self;
    return hf_turn_thread_start(&filelog->thread, filelog->node, "filelog", run, filelog, reterr);
}

static void stop_filelog(void *self)
{
    struct filelog *filelog = self;
    if (filelog->thread.is_running) {
        hf_submitter_stop(&filelog->submit);
    }
    hf_turn_thread_join(&filelog->thread);
}

static const char *check_filelog(const void *self)
{
    const struct filelog_config *config = self;
    const char *wrong = hf_tail_check(&config->tail);
    if (wrong == NULL && config->tail.header_pattern != NULL) {
        wrong = hf_log_operators_check(&config->header_operators);
    }
    return wrong != NULL ? wrong : hf_log_entries_check(&config->entries);
}

static const char *const aliases[] = {"file_log", NULL};

static void probe_outside(const void *from, struct hf_probe *probe)
{
    const struct filelog_config *config = from;
    hf_probe_tail(probe, &config->tail);
}

const struct hf_component hf_receiver_filelog = {
    .type = "filelog",
    .aliases = aliases,
    .help = "Reads lines of files as they are written; places are committed with the lines.",
    .kind = HF_RECEIVER,
    .signals = HF_SIGNAL_BIT(HF_LOGS),
    .config_size = sizeof(struct filelog_config),
    .fields = filelog_fields,
    .check = check_filelog,
    .probe = probe_outside,
    .open = open_filelog,
    .start = start_filelog,
    .stop = stop_filelog,
    .close = close_filelog,
};
