/*
 * otlpjsonfile: the receiver of files whose lines are Export requests as OTLP/JSON, of any signal,
 * such as the file exporter writes them: a tail on a thread of its own. The places of the files are
 * committed with what was read of them, in the queues of every signal.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#include "otlpjson_line.h"
#include "pdata/json.h"
#include "support/probe/probe_inputs.h"
#include "support/scrape/submitter.h"
#include "support/tail/about.h"
#include "support/tail/gauges.h"
#include "support/tail/tail.h"
#include "support/tail/tail_fields.h"
#include "support/tail/turn_thread.h"
#include "util/log/log_limiter.h"
#include "util/metrics/metrics.h"
#include "util/time/clock.h"

#define BATCH_BYTES ((size_t)1 << 20)
#define BATCH_ITEMS 16384u
#define ABOUT_BYTES ((size_t)64 << 10)
#define ABOUT_MAX 7u
#define TURN_WAIT_NS (20 * HF_NS_PER_MS)
#define SAY_NS (60 * HF_NS_PER_S)
#define RETRY_FIRST_NS (100 * HF_NS_PER_MS)
#define RETRY_MAX_NS (5 * HF_NS_PER_S)

struct otlpjsonfile_config {
    struct hf_tail_config tail; /* first: the keys of a tail */
    struct hf_tail_about about;
    bool replay_file;
    const char *storage;
};

/* What is told of the file whose line came last. */
struct told {
    uint64_t file_id;
    bool is_known;
    struct hf_arena arena;
    struct hf_any_pair pairs[ABOUT_MAX];
    size_t count;
};

struct otlpjsonfile {
    struct hf_node *node;
    const struct otlpjsonfile_config *config;
    struct hf_tail *tail;
    struct hf_turn_thread thread;
    unsigned signals;
    struct otlpjson_requests requests[HF_SIGNAL_COUNT];
    struct hf_submitter submitters[HF_SIGNAL_COUNT];
    struct told told;
    struct hf_tail_gauges gauges;
    struct hf_series *bad_lines;
    struct hf_log_limiter said;
    bool has_committed;
};

static bool carries(const struct otlpjsonfile *file, int signal)
{
    return (file->signals & HF_SIGNAL_BIT(signal)) != 0;
}

/* ---- lines ---- */

static enum hf_status add_told(void *user, const char *key, const char *text)
{
    struct told *told = user;
    struct hf_any_maker maker = {.arena = &told->arena};
    struct hf_slice value = hf_any_make_string(&maker, hf_slice_text(text));
    if (maker.failed || told->count == ABOUT_MAX) {
        return HF_NOMEM;
    }
    told->pairs[told->count++] = (struct hf_any_pair){hf_slice_text(key), value};
    return HF_OK;
}

static enum hf_status tell_of(struct otlpjsonfile *self, const struct hf_tail_file *file)
{
    struct told *told = &self->told;
    if (told->is_known && told->file_id == file->id) {
        return HF_OK;
    }
    hf_arena_rewind(&told->arena, ABOUT_BYTES);
    told->count = 0;
    told->file_id = file->id;
    enum hf_status status = hf_tail_about_each(&self->config->about, file->path, add_told, told);
    told->is_known = status == HF_OK;
    return status;
}

static void say_bad(struct otlpjsonfile *self, const struct hf_tail_line *line, const char *why)
{
    hf_series_add(self->bad_lines, 1);
    if (hf_log_limiter_allows(&self->said, line->file->path, "line", hf_clock_coarse_ns())) {
        hf_node_log(self->node, HF_LOG_ERROR,
                    "%s: the line at byte %llu is dropped: %s; further ones are counted, and said "
                    "once a minute",
                    line->file->path, (unsigned long long)line->offset, why);
    }
}

static bool is_full(const struct otlpjsonfile *self)
{
    for (int signal = 0; signal < HF_SIGNAL_COUNT; signal++) {
        if (self->requests[signal].bytes.size >= BATCH_BYTES ||
            self->requests[signal].items >= BATCH_ITEMS) {
            return true;
        }
    }
    return false;
}

static bool take_line(void *user, const struct hf_tail_line *line)
{
    struct otlpjsonfile *self = user;
    char why[HF_JSON_ERROR_MAX] = "";
    enum hf_status status = tell_of(self, line->file);
    if (!otlpjson_is_request(line->text)) {
        say_bad(self, line, "it is no request of OTLP/JSON");
        return is_full(self);
    }
    for (int signal = 0; signal < HF_SIGNAL_COUNT && status == HF_OK; signal++) {
        if (carries(self, signal) && otlpjson_is_of((enum hf_signal)signal, line->text)) {
            status = otlpjson_add(&self->requests[signal], (enum hf_signal)signal, line->text,
                                  self->told.pairs, self->told.count, why);
        }
    }
    if (status != HF_OK) {
        say_bad(self, line, why[0] != '\0' ? why : hf_status_row(status)->says);
    }
    return is_full(self);
}

/* ---- batches ---- */

/* What waits of the signal; without any a batch of no items, which carries the places. */
static struct hf_batch *take_batch(struct otlpjson_requests *requests, enum hf_signal signal)
{
    struct hf_batch *batch = hf_batch_new(signal, requests->bytes.size, HF_EMPTY_SLICE);
    if (batch == NULL) {
        return NULL;
    }
    if (requests->bytes.size != 0) {
        memcpy(hf_batch_room(batch), requests->bytes.data, requests->bytes.size);
    }
    hf_batch_seal(batch, requests->bytes.size, requests->items);
    batch->received_ns = hf_clock_unix_ns();
    requests->bytes.size = 0;
    requests->items = 0;
    return batch;
}

static bool wait_all(struct otlpjsonfile *self)
{
    bool all = true;
    for (int signal = 0; signal < HF_SIGNAL_COUNT; signal++) {
        all = (!carries(self, signal) || hf_submitter_wait(&self->submitters[signal])) && all;
    }
    return all;
}

static bool commit(void *user, const struct hf_checkpoint *checkpoints, size_t count)
{
    struct otlpjsonfile *self = user;
    bool added = true;
    for (int signal = 0; signal < HF_SIGNAL_COUNT && added; signal++) {
        if (!carries(self, signal) || (count == 0 && self->requests[signal].items == 0)) {
            continue;
        }
        struct hf_batch *batch = take_batch(&self->requests[signal], (enum hf_signal)signal);
        if (batch == NULL) {
            hf_node_log(self->node, HF_LOG_ERROR, "no memory for a batch of lines");
            return false;
        }
        added = hf_submitter_add(&self->submitters[signal], batch, checkpoints, count);
    }
    /* The first one tells where files stood at the start, before anything else happens. */
    bool wait = self->config->tail.delete_after_read || !self->has_committed;
    self->has_committed = true;
    return added && (!wait || wait_all(self));
}

/* ---- the tail's questions ---- */

static void name_file(void *user, struct hf_tail_file *file)
{
    struct otlpjsonfile *self = user;
    self->told.is_known = self->told.is_known && self->told.file_id != file->id;
}

static void close_file(void *user, struct hf_tail_file *file)
{
    (void)user;
    (void)file;
}

static uint64_t find_held(void *user, const struct hf_tail_file *file)
{
    (void)user;
    (void)file;
    return UINT64_MAX;
}

static enum hf_status find_stored(void *user, struct hf_slice name,
                                  void (*visit)(void *user, struct hf_slice value),
                                  void *visit_user)
{
    const struct otlpjsonfile *self = user;
    return hf_node_checkpoint_each(self->node, name, visit, visit_user);
}

static void say(void *user, enum hf_log_level level, const char *path, const char *what)
{
    struct otlpjsonfile *self = user;
    if (hf_log_limiter_allows(&self->said, path, what, hf_clock_coarse_ns())) {
        hf_node_log(self->node, level, "%s: %s", path, what);
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

/* The first submitter is also what the thread sleeps on. */
static bool sleep_for(struct otlpjsonfile *self, uint64_t wait_ns)
{
    return hf_submitter_sleep(&self->submitters[0], wait_ns);
}

static bool wait_turn(struct otlpjsonfile *self)
{
    while (!hf_turn_is_mine(self->thread.turn)) {
        if (!sleep_for(self, TURN_WAIT_NS)) {
            return false;
        }
    }
    return true;
}

static void show_files(struct otlpjsonfile *self)
{
    struct hf_tail_stat stat;
    hf_tail_stat(self->tail, &stat);
    hf_tail_gauges_show(&self->gauges, &stat);
}

static void *run(void *user)
{
    struct otlpjsonfile *self = user;
    bool go_on = wait_turn(self), taken = true;
    if (go_on && hf_tail_load(self->tail) != HF_OK) {
        hf_node_log(self->node, HF_LOG_ERROR,
                    "the places of files could not be read: no memory; nothing is read");
        go_on = false;
    }
    while (go_on) {
        bool more = hf_tail_poll(self->tail, hf_clock_monotonic_ns());
        show_files(self);
        /* With nothing more to read, only this wait offers a refused batch again. */
        taken = more || wait_all(self);
        go_on = taken && sleep_for(self, more ? 0 : self->config->tail.poll_interval_ns);
    }
    if (!taken || !wait_all(self)) {
        hf_node_log(self->node, HF_LOG_INFO, "lines that were refused are read again later");
    }
    return NULL;
}

/* ---- life ---- */

static void close_otlpjsonfile(void *user)
{
    struct otlpjsonfile *self = user;
    hf_tail_close(self->tail);
    hf_turn_thread_join(&self->thread);
    for (int signal = 0; signal < HF_SIGNAL_COUNT; signal++) {
        hf_bytes_release(&self->requests[signal].bytes);
        hf_submitter_release(&self->submitters[signal]);
    }
    hf_arena_release(&self->told.arena);
    hf_log_limiter_release(&self->said);
    hf_tail_gauges_release(&self->gauges);
    free(self);
}

static struct hf_series *bad_lines(const struct otlpjsonfile *self)
{
    const struct hf_metric_family family = {.name = "holdfast_receiver_otlpjsonfile_bad_lines",
                                            .type = HF_COUNTER,
                                            .unit = "",
                                            .help = "Lines that are no request of OTLP/JSON."};
    const struct hf_label labels[] = {{"receiver", hf_node_counted_id(self->node)}, {NULL, NULL}};
    return hf_metrics_series(hf_node_metrics(self->node), &family, labels);
}

static enum hf_status open_parts(struct otlpjsonfile *self, char *reterr)
{
    enum hf_status status = hf_node_add_transport(self->node, "file");
    self->bad_lines = bad_lines(self);
    if (self->bad_lines == NULL) {
        return HF_NOMEM;
    }
    if (status == HF_OK) {
        status = hf_tail_gauges_init(&self->gauges, self->node);
    }
    return status == HF_OK ? hf_tail_open(&self->config->tail, &tail_ops, self, &self->tail, reterr)
                           : status;
}

static enum hf_status open_otlpjsonfile(struct hf_node *node, const void *config, void **ret_self,
                                        char *reterr)
{
    struct otlpjsonfile *self = calloc(1, sizeof(*self));
    if (self == NULL) {
        return HF_NOMEM;
    }
    self->node = node;
    self->config = config;
    self->signals = hf_node_signals(node);
    self->told.arena.limit = ABOUT_BYTES;
    hf_log_limiter_init(&self->said, SAY_NS);
    for (int signal = 0; signal < HF_SIGNAL_COUNT; signal++) {
        hf_submitter_init(&self->submitters[signal], node);
        self->submitters[signal].transport = "file";
        self->submitters[signal].wait_first_ns = RETRY_FIRST_NS;
        self->submitters[signal].wait_max_ns = RETRY_MAX_NS;
    }
    enum hf_status status = open_parts(self, reterr);
    if (status != HF_OK) {
        close_otlpjsonfile(self);
        return status;
    }
    *ret_self = self;
    return HF_OK;
}

static enum hf_status start_otlpjsonfile(void *user, char *reterr)
{
    struct otlpjsonfile *self = user;
    return hf_turn_thread_start(&self->thread, self->node, "otlpjsonfile", run, self, reterr);
}

static void stop_otlpjsonfile(void *user)
{
    struct otlpjsonfile *self = user;
    for (int signal = 0; self->thread.is_running && signal < HF_SIGNAL_COUNT; signal++) {
        hf_submitter_stop(&self->submitters[signal]);
    }
    hf_turn_thread_join(&self->thread);
}

static const char *check(const void *config)
{
    const struct otlpjsonfile_config *from = config;
    if (from->replay_file) {
        return "replay_file: files are read once; leave it out, or copy the file to read it again";
    }
    return hf_tail_check(&from->tail);
}

/* ---- fields ---- */

#define AT(member) offsetof(struct otlpjsonfile_config, member)

#define ABOUT(name, member, default_, text)                                                        \
    {                                                                                              \
        .key = (name), .type = HF_FIELD_BOOL, .offset = AT(about.member),                          \
        .default_text = (default_), .help = (text)                                                 \
    }

static const struct hf_field fields[] = {
    HF_TAIL_FIELDS,
    {.key = "max_log_size_behavior",
     .type = HF_FIELD_ENUM,
     .offset = AT(tail.long_lines),
     .default_text = "split",
     .choices = hf_tail_long_lines,
     .help = "A line beyond max_log_size is no request any more, and is dropped in parts or once."},
    ABOUT("include_file_name", name, "true",
          "Attribute log.file.name of spans and log records, and in the metadata of metrics."),
    ABOUT("include_file_path", path, "false", "Likewise log.file.path."),
    ABOUT("include_file_name_resolved", name_resolved, "false",
          "Likewise log.file.name_resolved: behind symbolic links."),
    ABOUT("include_file_path_resolved", path_resolved, "false", "Likewise log.file.path_resolved."),
    ABOUT("include_file_owner_name", owner, "false", "Likewise log.file.owner.name."),
    ABOUT("include_file_owner_group_name", group, "false", "Likewise log.file.owner.group.name."),
    ABOUT("include_file_permissions", permissions, "false", "Likewise log.file.permissions."),
    {.key = "include_file_record_number",
     .type = HF_FIELD_IGNORED,
     .help = "A line is a request of several items, which have no number of their own."},
    {.key = "include_file_record_offset",
     .type = HF_FIELD_IGNORED,
     .help = "A line is a request of several items, which have no place of their own."},
    {.key = "header",
     .type = HF_FIELD_IGNORED,
     .help = "A line that is no request is dropped and counted."},
    {.key = "replay_file",
     .type = HF_FIELD_BOOL,
     .offset = AT(replay_file),
     .default_text = "false",
     .help = "Only false: files are read once."},
    {.key = "storage",
     .type = HF_FIELD_REF,
     .offset = AT(storage),
     .help = "Checked and without effect: places are committed with the lines."},
    HF_FIELDS_END,
};

static void probe_outside(const void *from, struct hf_probe *probe)
{
    const struct otlpjsonfile_config *config = from;
    hf_probe_tail(probe, &config->tail);
}

const struct hf_component hf_receiver_otlpjsonfile = {
    .type = "otlpjsonfile",
    .aliases = (const char *const[]){"otlp_json_file", NULL},
    .help = "Reads files whose lines are requests as OTLP/JSON, of every signal that a pipeline of "
            "it carries; places are committed with the lines.",
    .kind = HF_RECEIVER,
    .signals = HF_ALL_SIGNALS,
    .config_size = sizeof(struct otlpjsonfile_config),
    .fields = fields,
    .check = check,
    .probe = probe_outside,
    .open = open_otlpjsonfile,
    .start = start_otlpjsonfile,
    .stop = stop_otlpjsonfile,
    .close = close_otlpjsonfile,
};
