/*
 * debug: says what passes through, in the log and as text. Everything is acknowledged, whether or
 * not anybody could read along: a slow terminal never holds a queue. Owned by the delivery's thread
 * after start.
 */
#include <holdfast/component.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "debug_output.h"
#include "pdata/payload.h"
#include "pdata/scan.h"
#include "pdata/text.h"
#include "pdata/wire_find.h"
#include "util/compress/compress.h"
#include "util/loop.h"

#define NS_PER_S UINT64_C(1000000000)
#define OUTPUTS_MAX 8u

/* Text of one request beyond this is not kept for the next. */
#define BYTES_KEPT (1u << 20)

enum verbosity { BASIC = 0, NORMAL, DETAILED };

static const char *const verbosities[] = {"basic", "normal", "detailed", NULL};
static const char *const loglevels[] = {"debug", "info", "warn", "error", NULL};

struct debug_config {
    int64_t verbosity, loglevel;
    bool verbosity_written, loglevel_written;
    int64_t sampling_initial, sampling_thereafter;
    bool use_internal_logger;
    struct hf_string_list output_paths;
};

struct debug_exporter {
    struct hf_node *node;
    const struct debug_config *config;
    enum verbosity verbosity;
    bool is_logging; /* by the type that the user wrote */
    struct hf_loop *loop;
    struct hf_debug_output *outputs[OUTPUTS_MAX];
    size_t output_count;
    uint64_t second; /* in which `lines` are counted */
    uint64_t lines;  /* summary lines in that second, shown or not */
    struct hf_payload payload;
    struct hf_bytes raw; /* the pieces as one request, when there are several */
    struct hf_bytes text;
};

/* ---- what is in a request ---- */

static uint64_t count_metrics(struct hf_slice raw)
{
    struct hf_wire wire = hf_wire_of(raw);
    struct hf_slice resource, scope, metric;
    uint64_t count = 0;
    while (hf_wire_each(&wire, 1, &resource)) {
        struct hf_wire scopes = hf_wire_of(resource);
        while (hf_wire_each(&scopes, 2, &scope)) {
            struct hf_wire metrics = hf_wire_of(scope);
            while (hf_wire_each(&metrics, 2, &metric)) {
                count++;
            }
        }
    }
    return count;
}

#define SUMMARY_MAX 160

/* The Go collector's message and its fields; `logging` has kept the wording of old. */
static void summarize(const struct debug_exporter *exporter, enum hf_signal signal,
                      struct hf_slice raw, const struct hf_scan *scan, char room[SUMMARY_MAX])
{
    const char *ending = exporter->is_logging ? "Exporter" : "";
    switch (signal) {
    case HF_TRACES:
        snprintf(room, SUMMARY_MAX, "Traces%s {\"resource spans\": %u, \"spans\": %u}", ending,
                 scan->resources, scan->items);
        break;
    case HF_METRICS:
        snprintf(room, SUMMARY_MAX,
                 "Metrics%s {\"resource metrics\": %u, \"metrics\": %llu, \"data points\": %u}",
                 ending, scan->resources, (unsigned long long)count_metrics(raw), scan->items);
        break;
    case HF_PROFILES:
        snprintf(room, SUMMARY_MAX,
                 "Profiles%s {\"resource profiles\": %u, \"sample records\": %u}", ending,
                 scan->resources, scan->items);
        break;
    default:
        snprintf(room, SUMMARY_MAX, "Logs%s {\"resource logs\": %u, \"log records\": %u}", ending,
                 scan->resources, scan->items);
        break;
    }
}

/* The first lines of a second, then every so many-th. */
static bool is_sampled(struct debug_exporter *exporter)
{
    const struct debug_config *config = exporter->config;
    uint64_t second = hf_loop_now_ns(exporter->loop) / NS_PER_S;
    if (second != exporter->second) {
        exporter->second = second;
        exporter->lines = 0;
    }
    exporter->lines++;
    if (exporter->lines <= (uint64_t)config->sampling_initial) {
        return true;
    }
    return config->sampling_thereafter > 0 &&
           (exporter->lines - (uint64_t)config->sampling_initial) %
                   (uint64_t)config->sampling_thereafter ==
               0;
}

/* ---- sending ---- */

/* The pieces as one request: lent when there is one, else joined in `raw`. */
static HF_MUST_USE enum hf_status join(struct debug_exporter *exporter,
                                       const struct hf_export *export, struct hf_slice *ret_raw)
{
    struct hf_payload *payload = &exporter->payload;
    enum hf_status status =
        hf_payload_build(payload, export->bodies, export->body_count, HF_IDENTITY, 0, true);
    if (status == HF_OK && payload->count == 1) {
        *ret_raw = payload->slices[0];
        return HF_OK;
    }
    exporter->raw.size = 0;
    for (size_t i = 0; status == HF_OK && i < payload->count; i++) {
        status = hf_bytes_append(&exporter->raw, payload->slices[i]);
    }
    *ret_raw = hf_slice_of(exporter->raw.data, exporter->raw.size);
    return status;
}

static void show(struct debug_exporter *exporter, enum hf_signal signal, struct hf_slice raw,
                 const struct hf_scan *scan)
{
    struct hf_bytes *text = &exporter->text;
    text->size = 0;
    if (is_sampled(exporter)) {
        char summary[SUMMARY_MAX];
        summarize(exporter, signal, raw, scan, summary);
        if (exporter->config->use_internal_logger) {
            hf_node_log(exporter->node, HF_LOG_INFO, "%s", summary);
        } else if (hf_bytes_append(text, hf_slice_text(summary)) != HF_OK ||
                   hf_bytes_append(text, hf_slice_text("\n")) != HF_OK) {
            text->size = 0;
        }
    }
    size_t before = text->size;
    if (exporter->verbosity != BASIC &&
        hf_text_print(signal, raw, exporter->verbosity == DETAILED ? HF_TEXT_FULL : HF_TEXT_LINES,
                      text) != HF_OK) {
        text->size = before; /* no memory to say it: the data is not at stake */
    }
    for (size_t i = 0; text->size > 0 && i < exporter->output_count; i++) {
        hf_debug_output_write(exporter->outputs[i], hf_slice_of(text->data, text->size));
    }
}

static void trim(struct hf_bytes *bytes)
{
    if (bytes->capacity > BYTES_KEPT) {
        hf_bytes_release(bytes);
    }
}

static void send_export(void *self, struct hf_export *export)
{
    struct debug_exporter *exporter = self;
    struct hf_slice raw = HF_EMPTY_SLICE;
    struct hf_scan scan;
    enum hf_status status = join(exporter, export, &raw);
    if (status == HF_OK) {
        status = hf_scan(export->signal, raw, &scan);
    }
    if (status == HF_OK) {
        show(exporter, export->signal, raw, &scan);
    }
    trim(&exporter->raw);
    trim(&exporter->text);
    bool damaged = status == HF_CORRUPT || status == HF_INVALID;
    hf_export_done(export,
                   &(struct hf_outcome){.status = damaged ? HF_INVALID : status,
                                        .message = damaged ? "the request does not decode" : NULL});
}

/* ---- life ---- */

static void close_exporter(void *self)
{
    struct debug_exporter *exporter = self;
    if (exporter == NULL) {
        return;
    }
    for (size_t i = 0; i < exporter->output_count; i++) {
        hf_debug_output_close(exporter->outputs[i]);
    }
    hf_payload_release(&exporter->payload);
    hf_bytes_release(&exporter->raw);
    hf_bytes_release(&exporter->text);
    free(exporter);
}

static HF_MUST_USE enum hf_status open_outputs(struct debug_exporter *exporter, char *reterr)
{
    static const char *const log_stream[] = {"stderr"};
    struct hf_string_list paths = exporter->config->output_paths;
    if (exporter->config->use_internal_logger) {
        paths = (struct hf_string_list){log_stream, 1};
    }
    for (size_t i = 0; i < paths.count; i++) {
        enum hf_status status = hf_debug_output_open(exporter->loop, paths.items[i],
                                                     &exporter->outputs[exporter->output_count]);
        if (status != HF_OK) {
            snprintf(reterr, HF_ERROR_MAX, "output_paths: cannot write %.300s: %s", paths.items[i],
                     status == HF_NOMEM ? "out of memory" : strerrordesc_np(errno));
            return status;
        }
        exporter->output_count++;
    }
    return HF_OK;
}

static enum verbosity verbosity_of(const struct debug_config *config)
{
    static const enum verbosity by_loglevel[] = {DETAILED, NORMAL, BASIC, BASIC};
    return config->loglevel_written ? by_loglevel[config->loglevel]
                                    : (enum verbosity)config->verbosity;
}

/* "logging" or "logging/name" */
static bool is_logging(const char *id)
{
    static const char type[] = "logging";
    size_t size = strcspn(id, "/");
    return size == strlen(type) && strncmp(id, type, size) == 0;
}

static enum hf_status open_exporter(struct hf_node *node, const void *config, void **ret_self,
                                    char *reterr)
{
    struct debug_exporter *exporter = calloc(1, sizeof(*exporter));
    if (exporter == NULL) {
        snprintf(reterr, HF_ERROR_MAX, "out of memory");
        return HF_NOMEM;
    }
    exporter->node = node;
    exporter->config = config;
    exporter->is_logging = is_logging(hf_node_id(node));
    exporter->verbosity = verbosity_of(config);
    if (exporter->is_logging && exporter->verbosity == NORMAL) {
        exporter->verbosity = BASIC; /* it never had the lines in between */
    }
    exporter->loop = hf_node_own_loop(node);
    enum hf_status status = open_outputs(exporter, reterr);
    if (status != HF_OK) {
        close_exporter(exporter);
        return status;
    }
    *ret_self = exporter;
    return HF_OK;
}

/* ---- configuration ---- */

static const char *check_config(const void *user)
{
    const struct debug_config *config = user;
    if (config->verbosity_written && config->loglevel_written) {
        return "loglevel: cannot stand beside verbosity; remove loglevel";
    }
    if (config->output_paths.count > OUTPUTS_MAX) {
        return "output_paths: at most 8";
    }
    if (!config->use_internal_logger && config->output_paths.count == 0) {
        return "output_paths: name at least one, or leave use_internal_logger at true";
    }
    for (size_t i = 0; i < config->output_paths.count; i++) {
        if (config->output_paths.items[i][0] == '\0') {
            return "output_paths: an empty path";
        }
    }
    return NULL;
}

#define AT(member) offsetof(struct debug_config, member)

static const struct hf_field fields[] = {
    {.key = "verbosity",
     .type = HF_FIELD_ENUM,
     .offset = AT(verbosity),
     .default_text = "basic",
     .choices = verbosities,
     .present_offset = AT(verbosity_written),
     .help = "basic: a line a request; normal: and one for each item (logging: as basic); "
             "detailed: and every field."},
    {.key = "loglevel",
     .type = HF_FIELD_ENUM,
     .offset = AT(loglevel),
     .default_text = "info",
     .choices = loglevels,
     .present_offset = AT(loglevel_written),
     .help = "Older word for verbosity: debug is detailed, info normal, warn and error basic."},
    {.key = "sampling_initial",
     .type = HF_FIELD_INT,
     .offset = AT(sampling_initial),
     .default_text = "2",
     .min = 0,
     .max = 1e9,
     .help = "Request lines shown at the beginning of each second."},
    {.key = "sampling_thereafter",
     .type = HF_FIELD_INT,
     .offset = AT(sampling_thereafter),
     .default_text = "500",
     .min = 0,
     .max = 1e9,
     .help = "Of the others in that second, every so many-th is shown; 0: none."},
    {.key = "use_internal_logger",
     .type = HF_FIELD_BOOL,
     .offset = AT(use_internal_logger),
     .default_text = "true",
     .help = "Request lines go to the log and text to stderr; false: both to output_paths."},
    {.key = "output_paths",
     .type = HF_FIELD_STRING_LIST,
     .offset = AT(output_paths),
     .default_text = "stdout",
     .help = "stdout, stderr or files, when use_internal_logger is false."},
    HF_FIELDS_END,
};

static const struct hf_exporter_ops exporter_ops = {
    .send = send_export,
    .timeout = "0s",
};

const struct hf_component hf_exporter_debug = {
    .type = "debug",
    .aliases = (const char *const[]){"logging", NULL},
    .help = "Says in the log and as text what passes through.",
    .kind = HF_EXPORTER,
    .signals = HF_ALL_SIGNALS_AND_PROFILES,
    .config_size = sizeof(struct debug_config),
    .fields = fields,
    .check = check_config,
    .open = open_exporter,
    .close = close_exporter,
    .exporter = &exporter_ops,
};
