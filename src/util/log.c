#include "log.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "escape.h"

#define OUTPUTS_MAX 8
#define LINE_BYTES_MAX 4096
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
    char fields_json[512], fields_text[512];
    struct repeat repeats[REPEAT_SLOTS];
};

static uint64_t monotonic_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Appends what fits below `room`. Returns the new size. */
static size_t put(enum hf_escape how, char *out, size_t used, size_t room, const char *text)
{
    return used + hf_escape(how, hf_slice_text(text), out + used, room - used);
}

static void keep_fields(struct hf_log *log, struct hf_string_map fields)
{
    size_t json = 0;
    size_t text = 0;
    log->fields_json[0] = log->fields_text[0] = '\0';
    for (size_t i = 0; i < fields.count; i++) {
        const struct hf_string_pair *field = &fields.items[i];
        const size_t room = sizeof(log->fields_json), text_room = sizeof(log->fields_text);
        if (json + 16 > room || text + 16 > text_room) {
            break;
        }
        json += (size_t)snprintf(log->fields_json + json, room - json, ",\"");
        json = put(HF_ESCAPE_JSON, log->fields_json, json, room - 8, field->key);
        json += (size_t)snprintf(log->fields_json + json, room - json, "\":\"");
        json = put(HF_ESCAPE_JSON, log->fields_json, json, room - 4, field->value);
        json += (size_t)snprintf(log->fields_json + json, room - json, "\"");
        text += (size_t)snprintf(log->fields_text + text, text_room - text, " ");
        text = put(HF_ESCAPE_LINE, log->fields_text, text, text_room - 8, field->key);
        text += (size_t)snprintf(log->fields_text + text, text_room - text, "=");
        text = put(HF_ESCAPE_LINE, log->fields_text, text, text_room - 1, field->value);
    }
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
    keep_fields(log, options->initial_fields);
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

static size_t stamp(char *out, size_t room, const char *form)
{
    struct timespec now;
    struct tm parts;
    char zone[8];
    clock_gettime(CLOCK_REALTIME, &now);
    localtime_r(&now.tv_sec, &parts);
    size_t used = strftime(out, room, form, &parts);
    used += (size_t)snprintf(out + used, room - used, ".%03ld", now.tv_nsec / 1000000);
    size_t zone_size = strftime(zone, sizeof(zone), "%z", &parts);
    memcpy(out + used, zone, zone_size + 1);
    return used + zone_size;
}

static size_t as_json(struct hf_log *log, char *line, const char *level, const char *component,
                      const char *text)
{
    char when[64];
    stamp(when, sizeof(when), "%Y-%m-%dT%H:%M:%S");
    size_t used = (size_t)snprintf(line, LINE_BYTES_MAX,
                                   "{\"level\":\"%s\",\"ts\":\"%s\",\"name\":\"", level, when);
    used = put(HF_ESCAPE_JSON, line, used, 512, component);
    used += (size_t)snprintf(line + used, LINE_BYTES_MAX - used, "\",\"msg\":\"");
    used = put(HF_ESCAPE_JSON, line, used, LINE_BYTES_MAX - sizeof(log->fields_json) - 8, text);
    used += (size_t)snprintf(line + used, LINE_BYTES_MAX - used, "\"%s}\n", log->fields_json);
    return used;
}

static size_t as_text(struct hf_log *log, char *line, const char *level, const char *component,
                      const char *text)
{
    size_t used = stamp(line, 64, "%Y-%m-%dT%H:%M:%S");
    used += (size_t)snprintf(line + used, LINE_BYTES_MAX - used, "\t%s\t", level);
    used = put(HF_ESCAPE_LINE, line, used, 512, component);
    used += (size_t)snprintf(line + used, LINE_BYTES_MAX - used, "\t");
    used = put(HF_ESCAPE_LINE, line, used, LINE_BYTES_MAX - sizeof(log->fields_text) - 8, text);
    used += (size_t)snprintf(line + used, LINE_BYTES_MAX - used, "%s\n", log->fields_text);
    return used;
}

void hf_log_vline(struct hf_log *log, enum hf_log_level level, const char *component,
                  const char *format, va_list arguments)
{
    static const char *const levels[] = {"debug", "info", "warn", "error"};
    char text[LINE_BYTES_MAX - 1024];
    char line[LINE_BYTES_MAX];

    if (!hf_log_would(log, level)) {
        return;
    }
    vsnprintf(text, sizeof(text), format, arguments);
    pthread_mutex_lock(&log->lock);
    int64_t held = admit(log, component, format);
    if (held > 0) {
        size_t used = strlen(text);
        snprintf(text + used, sizeof(text) - used, " (and %lld more like this)", (long long)held);
    }
    for (size_t i = 0; held >= 0 && i < log->output_count; i++) {
        size_t size = log->outputs[i].json ? as_json(log, line, levels[level], component, text)
                                           : as_text(log, line, levels[level], component, text);
        /* An error of the log itself cannot be reported. */
        ssize_t wrote = write(log->outputs[i].fd, line, size);
        (void)wrote;
    }
    pthread_mutex_unlock(&log->lock);
}

void hf_log_line(struct hf_log *log, enum hf_log_level level, const char *component,
                 const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    hf_log_vline(log, level, component, format, arguments);
    va_end(arguments);
}
