/*
 * journald: the receiver of systemd's journal: its entries, from where the last ones stood that are
 * on disk, through operators. The cursor of the last entry of a batch is committed with it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <holdfast/component.h>

#include "journald_config.h"
#include "journald_convert.h"
#include "journald_entry.h"
#include "journald_match.h"
#include "support/scrape/submitter.h"
#include "support/tail/turn_thread.h"
#include "util/regex/regex.h"
#include "util/time/clock.h"

#define BATCH_BYTES ((size_t)1 << 20)
#define BUILD_LIMIT ((size_t)200 << 20) /* never reached: batches are cut at the size above */
#define BATCH_ITEMS 8192u
#define FIELDS_FIRST 32u
#define CURSORS 1024u /* that operators may hold entries of */
#define WAIT_MS 1000  /* for operators that hold entries, and for journals that give no sign */
#define TURN_WAIT_NS (20 * HF_NS_PER_MS)
#define RETRY_FIRST_NS (100 * HF_NS_PER_MS)
#define RETRY_MAX_NS (5 * HF_NS_PER_S)
#define PLACE_NAME "cursor"
#define PLACE_HEAD "head" /* there was no entry yet */

struct journald {
    struct hf_node *node;
    const struct journald_config *config;
    struct hf_journal *journal;
    struct hf_regex *grep;
    struct hf_log_entries entries;
    struct hf_submitter submit;
    struct hf_turn_thread thread;
    uint64_t read;          /* entries, since the start */
    char *cursors[CURSORS]; /* of the last ones: that of the n-th is at n % CURSORS, from 1 on */
    char *place;            /* what was committed last, or where it began; NULL: nothing yet */
    bool has_moved;
    int stop_fd;
};

/* ---- entries ---- */

static bool is_wanted(const struct journald *journald, const struct hf_expr_map *fields)
{
    if (journald->grep == NULL) {
        return true;
    }
    const struct hf_expr_pair *message = hf_expr_map_find(fields, hf_slice_text("MESSAGE"));
    return message != NULL && message->value.type == HF_EXPR_STRING &&
           hf_regex_matches(journald->grep, message->value.text);
}

static enum hf_status fill_entry(struct journald *journald, const struct hf_journal_entry *about,
                                 struct hf_log_entry *entry)
{
    struct journald_fields fields = {.arena = entry->arena,
                                     .map = hf_expr_map_new(entry->arena, FIELDS_FIRST),
                                     .converts_bytes = journald->config->converts_bytes};
    if (fields.map == NULL) {
        return HF_NOMEM;
    }
    enum hf_status status = hf_journal_each(journald->journal, journald_add_field, &fields);
    status = status == HF_OK ? journald_add_about(&fields, about) : status;
    entry->time_ns = about->realtime_us * 1000;
    entry->source = journald;
    entry->offset = journald->read + 1;
    entry->body = (struct hf_expr_value){.type = HF_EXPR_MAP, .map = fields.map};
    return status == HF_OK ? hf_log_entries_label(&journald->entries, entry) : status;
}

/* The journal stands at an entry. */
static void take_entry(struct journald *journald)
{
    struct hf_journal_entry about = {0};
    struct hf_log_entry entry;
    enum hf_status status = hf_journal_about(journald->journal, &about);
    if (status != HF_OK) {
        hf_node_log(journald->node, HF_LOG_WARN, "an entry cannot be read: %s", strerror(errno));
        return;
    }
    status = hf_log_entries_begin(&journald->entries, 0, &entry);
    status = status == HF_OK ? fill_entry(journald, &about, &entry) : status;
    if (status == HF_IO) {
        hf_node_log(journald->node, HF_LOG_WARN, "an entry has a field that cannot be read: %s",
                    strerror(errno));
        status = HF_OK; /* with what could be read of it */
    }
    bool wants = status != HF_OK || is_wanted(journald, entry.body.map);
    if (wants && status == HF_OK && journald->config->converts_names) {
        status = journald_convert(&entry);
    }
    if (wants) {
        hf_log_entries_end(&journald->entries, &entry, status);
    } else {
        hf_arena_rewind(&journald->entries.arena, BATCH_BYTES);
    }
    char **cursor = &journald->cursors[++journald->read % CURSORS];
    free(*cursor);
    *cursor = about.cursor;
    journald->has_moved = true;
}

/* ---- batches ---- */

static struct hf_batch *empty_batch(void)
{
    struct hf_batch *batch = hf_batch_new(HF_LOGS, 0, HF_EMPTY_SLICE);
    if (batch != NULL) {
        hf_batch_seal(batch, 0, 0);
    }
    return batch;
}

/* Before the first entry that operators hold. What they hold longer than cursors are kept leaves
 * the place where it was. NULL: no memory. */
static const char *find_place(struct journald *journald)
{
    uint64_t held = hf_log_pipeline_held(journald->entries.pipeline, journald);
    uint64_t number = held == UINT64_MAX ? journald->read : held - 1;
    if (number == 0 || number + CURSORS <= journald->read) {
        return journald->place;
    }
    char *copy = strdup(journald->cursors[number % CURSORS]);
    if (copy != NULL) {
        free(journald->place);
        journald->place = copy;
    }
    return copy;
}

/* False: stopping, and a batch was refused. */
static bool commit(struct journald *journald)
{
    const char *place = find_place(journald);
    uint32_t items = hf_build_items(&journald->entries.builder);
    if (items == 0 && (!journald->has_moved || place == NULL)) {
        return true;
    }
    struct hf_batch *batch = hf_log_entries_take(&journald->entries);
    batch = batch == NULL && items == 0 ? empty_batch() : batch;
    if (batch == NULL) {
        hf_node_log(journald->node, HF_LOG_ERROR, "no memory for a batch of entries");
        return false;
    }
    batch->received_ns = hf_clock_unix_ns();
    const struct hf_checkpoint checkpoint = {.name = hf_slice_text(PLACE_NAME),
                                             .value = place != NULL ? hf_slice_text(place)
                                                                    : HF_EMPTY_SLICE};
    journald->has_moved = false;
    return hf_submitter_add(&journald->submit, batch, &checkpoint, place != NULL ? 1 : 0);
}

/* ---- where it begins ---- */

struct place {
    char text[HF_CHECKPOINT_BYTES_MAX + 1];
    uint64_t time;
    bool is_known;
};

/* The realtime in a cursor, "...;t=5f0c...;..."; 0 for the head. */
static uint64_t time_of(const char *cursor)
{
    const char *at = strstr(cursor, ";t=");
    return at != NULL ? strtoull(at + 3, NULL, 16) : 0;
}

/* The oldest place of all queues that have one. */
static void visit_place(void *user, struct hf_slice value)
{
    struct place *place = user;
    char text[HF_CHECKPOINT_BYTES_MAX + 1];
    if (value.size == 0 || value.size > HF_CHECKPOINT_BYTES_MAX) {
        return;
    }
    memcpy(text, value.data, value.size);
    text[value.size] = '\0';
    if (!place->is_known || time_of(text) < place->time) {
        place->is_known = true;
        place->time = time_of(text);
        memcpy(place->text, text, value.size + 1);
    }
}

/* At the first start where it begins is committed before anything is read. */
static enum hf_status begin_first(struct journald *journald)
{
    if (journald->config->start_at == 1) {
        return hf_journal_seek_head(journald->journal);
    }
    enum hf_status status = hf_journal_seek_tail(journald->journal, &journald->place);
    if (status == HF_OK && journald->place == NULL) {
        journald->place = strdup(PLACE_HEAD);
        status = journald->place != NULL ? HF_OK : HF_NOMEM;
    }
    journald->has_moved = true;
    return status == HF_OK && !commit(journald) ? HF_CLOSED : status;
}

static bool begin(struct journald *journald)
{
    struct place place = {.is_known = false};
    while (!hf_turn_is_mine(journald->thread.turn)) {
        if (!hf_submitter_sleep(&journald->submit, TURN_WAIT_NS)) {
            return false;
        }
    }
    enum hf_status status =
        hf_node_checkpoint_each(journald->node, hf_slice_text(PLACE_NAME), visit_place, &place);
    if (status == HF_OK && !place.is_known) {
        status = begin_first(journald);
    } else if (status == HF_OK && strcmp(place.text, PLACE_HEAD) == 0) {
        status = hf_journal_seek_head(journald->journal);
    } else if (status == HF_OK) {
        journald->place = strdup(place.text);
        status = hf_journal_seek_behind(journald->journal, place.text);
    }
    if (status != HF_OK && status != HF_CLOSED) {
        hf_node_log(journald->node, HF_LOG_ERROR,
                    "the place in the journal cannot be found: %s; nothing is read",
                    hf_status_row(status)->says);
    }
    return status == HF_OK;
}

/* ---- the thread ---- */

/* Entries up to a batch. False: there are no more for now. */
static bool read_some(struct journald *journald)
{
    enum hf_status status = HF_OK;
    while (hf_build_size(&journald->entries.builder) < BATCH_BYTES &&
           hf_build_items(&journald->entries.builder) < BATCH_ITEMS) {
        status = hf_journal_next(journald->journal);
        if (status != HF_OK) {
            break;
        }
        take_entry(journald);
    }
    if (status == HF_IO) {
        hf_node_log(journald->node, HF_LOG_WARN, "the journal cannot be read on: %s",
                    strerror(errno));
    }
    return status == HF_OK;
}

static void *run(void *user)
{
    struct journald *journald = user;
    bool go_on = begin(journald);
    while (go_on) {
        hf_log_pipeline_tick(journald->entries.pipeline, hf_clock_monotonic_ns());
        bool more = read_some(journald);
        go_on = commit(journald);
        if (go_on && !more) {
            go_on = hf_submitter_wait(&journald->submit) &&
                    hf_journal_wait(journald->journal, journald->stop_fd, WAIT_MS);
        }
        go_on = go_on && hf_submitter_sleep(&journald->submit, 0);
    }
    if (!hf_submitter_wait(&journald->submit)) {
        hf_node_log(journald->node, HF_LOG_INFO, "entries that were refused are read again later");
    }
    return NULL;
}

/* ---- life ---- */

static void close_journald(void *self)
{
    struct journald *journald = self;
    if (journald == NULL) {
        return;
    }
    hf_journal_close(journald->journal);
    hf_regex_free(journald->grep);
    hf_log_entries_close(&journald->entries);
    hf_submitter_release(&journald->submit);
    hf_turn_thread_join(&journald->thread);
    if (journald->stop_fd >= 0) {
        close(journald->stop_fd);
    }
    for (size_t i = 0; i < CURSORS; i++) {
        free(journald->cursors[i]);
    }
    free(journald->place);
    free(journald);
}

/* As journalctl: an expression without upper case letters matches those as well. */
static enum hf_status open_grep(struct journald *journald, char *reterr)
{
    const char *pattern = journald->config->grep;
    char why[HF_REGEX_ERROR_MAX];
    char *text = NULL;
    bool has_upper = false;
    for (size_t i = 0; pattern != NULL && pattern[i] != '\0'; i++) {
        has_upper = has_upper || (pattern[i] >= 'A' && pattern[i] <= 'Z');
    }
    if (pattern == NULL || pattern[0] == '\0') {
        return HF_OK;
    }
    if (asprintf(&text, "%s%s", has_upper ? "" : "(?i)", pattern) < 0) {
        return HF_NOMEM;
    }
    enum hf_status status = hf_regex_new(text, &journald->grep, why);
    free(text);
    if (status == HF_INVALID) {
        snprintf(reterr, HF_ERROR_MAX, "grep: %s", why);
    }
    return status;
}

static struct hf_journal_options journal_of(const struct journald_config *config)
{
    return (struct hf_journal_options){.directory = config->directory,
                                       .files = config->files,
                                       .root = config->root,
                                       .name_space = config->name_space,
                                       .merges = config->merges};
}

static enum hf_status open_parts(struct journald *journald, char *reterr)
{
    const struct journald_config *config = journald->config;
    const struct hf_log_entries_options entries = {
        .node = journald->node, .config = &config->entries, .build_bytes_max = BUILD_LIMIT};
    const struct hf_journal_options journal = journal_of(config);
    enum hf_status status = hf_node_add_transport(journald->node, "");
    status = status == HF_OK ? hf_log_entries_open(&journald->entries, &entries, reterr) : status;
    status = status == HF_OK ? open_grep(journald, reterr) : status;
    status = status == HF_OK ? hf_journal_open(&journal, &journald->journal, reterr) : status;
    if (status == HF_OK) {
        status = journald_match(journald->journal, config);
        if (status != HF_OK) {
            snprintf(reterr, HF_ERROR_MAX, "units, identifiers or matches cannot be used: %s",
                     hf_status_row(status)->says);
        }
    }
    return status;
}

static enum hf_status open_journald(struct hf_node *node, const void *config, void **ret_self,
                                    char *reterr)
{
    struct journald *journald = calloc(1, sizeof(*journald));
    if (journald == NULL) {
        return HF_NOMEM;
    }
    journald->node = node;
    journald->config = config;
    journald->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    hf_submitter_init(&journald->submit, node);
    journald->submit.wait_first_ns = RETRY_FIRST_NS;
    journald->submit.wait_max_ns = RETRY_MAX_NS;
    enum hf_status status = journald->stop_fd >= 0 ? open_parts(journald, reterr) : HF_NOMEM;
    if (status != HF_OK) {
        close_journald(journald);
        return status;
    }
    *ret_self = journald;
    return HF_OK;
}

static enum hf_status start_journald(void *self, char *reterr)
{
    struct journald *journald = self;
    return hf_turn_thread_start(&journald->thread, journald->node, "journald", run, journald,
                                reterr);
}

static void stop_journald(void *self)
{
    struct journald *journald = self;
    uint64_t one = 1;
    if (journald->thread.is_running) {
        (void)!write(journald->stop_fd, &one, sizeof(one));
        hf_submitter_stop(&journald->submit);
    }
    hf_turn_thread_join(&journald->thread);
}

static void probe_outside(const void *from, struct hf_probe *probe)
{
    const struct journald_config *config = from;
    const struct hf_journal_options options = journal_of(config);
    const char *target = config->directory != NULL ? config->directory : "the journal";
    char why[HF_ERROR_MAX] = "";
    struct hf_journal *journal = NULL;
    bool is_open = hf_journal_open(&options, &journal, why) == HF_OK;
    hf_probe_say(probe, "journal", target, is_open ? HF_PROBE_OK : HF_PROBE_FAILED, "%s",
                 is_open ? "can be read" : why);
    hf_journal_close(journal);
}

const struct hf_component hf_receiver_journald = {
    .type = "journald",
    .help = "Reads systemd's journal with libsystemd; the cursor is committed with the entries. "
            "Fields of any size are kept.",
    .kind = HF_RECEIVER,
    .signals = HF_SIGNAL_BIT(HF_LOGS),
    .config_size = sizeof(struct journald_config),
    .fields = journald_fields,
    .check = journald_check,
    .probe = probe_outside,
    .open = open_journald,
    .start = start_journald,
    .stop = stop_journald,
    .close = close_journald,
};
