#include "log.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "log_line.h"
#include "log_ring.h"

#define OUTPUTS_MAX 8
#define MESSAGE_MAX 2560
#define REPEAT_SLOTS 256 /* power of two; a collision only shares a count */
#define REPEAT_WINDOW_NS 10000000000u
#define REPEAT_FIRST 10
#define REPEAT_EVERY 100

struct repeat {
    const char *format;
    uint32_t component_hash;
    uint64_t window_started_ns;
    uint64_t count;
};

struct output {
    int fd;
    bool json;
    bool owned;
};

struct hf_log {
    _Atomic int level;
    pthread_mutex_t lock; /* guards all below */
    struct output outputs[OUTPUTS_MAX];
    size_t output_count;
    char initial_fields[HF_LOG_FIELDS_MAX]; /* members of a JSON object, or "" */
    struct repeat repeats[REPEAT_SLOTS];
    struct hf_log_ring ring;
    struct hf_log_sink *sink; /* NULL: none */
};

static uint64_t monotonic_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static enum hf_status open_outputs(const struct hf_log_options *options, struct output *outputs,
                                   size_t *ret_count, char *reterr)
{
    static const char *const standard[] = {"stderr"};
    struct hf_string_list paths = options->output_paths;
    if (paths.count == 0) {
        paths = (struct hf_string_list){standard, 1};
    }
    *ret_count = 0;
    for (size_t i = 0; i < paths.count && i < OUTPUTS_MAX; i++) {
        struct output *output = &outputs[i];
        if (strcmp(paths.items[i], "stderr") == 0 || strcmp(paths.items[i], "stdout") == 0) {
            *output = (struct output){.fd = paths.items[i][3] == 'e' ? 2 : 1};
        } else {
            int fd = open(paths.items[i], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
            if (fd < 0) {
                snprintf(reterr, 512, "service::telemetry::logs::output_paths: cannot open %s: %m",
                         paths.items[i]);
                return HF_IO;
            }
            *output = (struct output){.fd = fd, .owned = true};
        }
        output->json = options->encoding != NULL ? strcmp(options->encoding, "json") == 0
                                                 : isatty(output->fd) == 0;
        (*ret_count)++;
    }
    return HF_OK;
}

static void close_outputs(const struct output *outputs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (outputs[i].owned) {
            close(outputs[i].fd);
        }
    }
}

enum hf_status hf_log_change(struct hf_log *log, const struct hf_log_options *options, char *reterr)
{
    struct output outputs[OUTPUTS_MAX];
    size_t count = 0;
    enum hf_status status = open_outputs(options, outputs, &count, reterr);
    if (status != HF_OK) {
        close_outputs(outputs, count);
        return status;
    }
    pthread_mutex_lock(&log->lock);
    close_outputs(log->outputs, log->output_count);
    memcpy(log->outputs, outputs, sizeof(outputs[0]) * count);
    log->output_count = count;
    hf_log_write_map(options->initial_fields, log->initial_fields);
    atomic_store(&log->level, (int)options->level);
    pthread_mutex_unlock(&log->lock);
    return HF_OK;
}

enum hf_status hf_log_new(const struct hf_log_options *options, struct hf_log **ret_log,
                          char *reterr)
{
    struct hf_log *log = calloc(1, sizeof(*log));
    if (log == NULL) {
        return HF_NOMEM;
    }
    pthread_mutex_init(&log->lock, NULL);
    enum hf_status status = hf_log_change(log, options, reterr);
    if (status != HF_OK) {
        hf_log_free(log);
        return status;
    }
    *ret_log = log;
    return HF_OK;
}

void hf_log_free(struct hf_log *log)
{
    if (log == NULL) {
        return;
    }
    close_outputs(log->outputs, log->output_count);
    hf_log_ring_release(&log->ring);
    pthread_mutex_destroy(&log->lock);
    free(log);
}

bool hf_log_would(const struct hf_log *log, enum hf_log_level level)
{
    return (int)level >= atomic_load_explicit(&log->level, memory_order_relaxed);
}

/* How many like this were held back since the last one that passed; or -1: hold this back too. */
static int64_t admit(struct hf_log *log, const char *component, const char *format)
{
    uint32_t hash = 2166136261u;
    for (const char *p = component; *p != '\0'; p++) {
        hash = (hash ^ (unsigned char)*p) * 16777619u;
    }
    uint64_t now_ns = monotonic_ns();
    size_t slot = (hash ^ (uint32_t)((uintptr_t)format >> 3)) & (REPEAT_SLOTS - 1);
    struct repeat *repeat = &log->repeats[slot];
    bool same = repeat->format == format && repeat->component_hash == hash &&
                now_ns - repeat->window_started_ns < REPEAT_WINDOW_NS;
    if (!same) {
        *repeat = (struct repeat){format, hash, now_ns, 1};
        return 0;
    }
    repeat->count++;
    if (repeat->count <= REPEAT_FIRST) {
        return 0;
    }
    return (repeat->count - REPEAT_FIRST) % REPEAT_EVERY == 0 ? REPEAT_EVERY - 1 : -1;
}

/* One line, to all outputs. `text` has MESSAGE_MAX bytes of room. */
static void put_line(struct hf_log *log, struct hf_log_line *line, const char *format, char *text)
{
    char out[HF_LOG_LINE_MAX];
    line->message = text;
    pthread_mutex_lock(&log->lock);
    int64_t held = admit(log, line->component, format);
    if (held > 0) {
        size_t used = strlen(text);
        snprintf(text + used, MESSAGE_MAX - used, " (and %lld more like this)", (long long)held);
    }
    line->initial_fields = log->initial_fields;
    if (held >= 0) {
        hf_log_ring_add(&log->ring, line->level, line->component, text, line->fields);
    }
    for (size_t i = 0; held >= 0 && i < log->output_count; i++) {
        size_t size =
            log->outputs[i].json ? hf_log_write_json(line, out) : hf_log_write_text(line, out);
        /* An error of the log itself cannot be reported. */
        ssize_t wrote = write(log->outputs[i].fd, out, size);
        (void)wrote;
    }
    if (held >= 0 && log->sink != NULL) {
        log->sink->take(log->sink, line->level, line->component, text, line->fields);
    }
    pthread_mutex_unlock(&log->lock);
}

void hf_log_set_sink(struct hf_log *log, struct hf_log_sink *sink)
{
    pthread_mutex_lock(&log->lock);
    log->sink = sink;
    pthread_mutex_unlock(&log->lock);
}

void hf_log_vline(struct hf_log *log, enum hf_log_level level, const char *component,
                  const char *format, va_list arguments)
{
    char text[MESSAGE_MAX];
    struct hf_log_line line = {.level = level, .component = component, .fields = ""};
    if (hf_log_would(log, level)) {
        vsnprintf(text, sizeof(text), format, arguments);
        put_line(log, &line, format, text);
    }
}

void hf_log_line(struct hf_log *log, enum hf_log_level level, const char *component,
                 const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    hf_log_vline(log, level, component, format, arguments);
    va_end(arguments);
}

void hf_log_keys(struct hf_log *log, enum hf_log_level level, const char *component,
                 const char *message, const struct hf_log_key *keys)
{
    char text[MESSAGE_MAX], fields[HF_LOG_FIELDS_MAX] = "";
    struct hf_log_line line = {.level = level, .component = component, .fields = fields};
    if (hf_log_would(log, level)) {
        snprintf(text, sizeof(text), "%s", message);
        hf_log_write_keys(keys, fields);
        put_line(log, &line, message, text);
    }
}

uint64_t hf_log_each(struct hf_log *log, uint64_t since, const char *component,
                     void (*visit)(void *user, const struct hf_log_ring_line *line), void *user)
{
    pthread_mutex_lock(&log->lock);
    uint64_t last = log->ring.next;
    hf_log_ring_each(&log->ring, since, component, visit, user);
    pthread_mutex_unlock(&log->lock);
    return last;
}
