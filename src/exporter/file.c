/*
 * file: writes Export requests to a file, as lines of OTLP/JSON or as protobuf messages behind
 * their length.
 *
 * A request is acknowledged when it is on disk. All that were sent within one turn of the sender's
 * loop share one write and one fdatasync. Owned by the sender's thread after start.
 */
#include <holdfast/component.h>
#include <holdfast/sending.h>

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../otlp/payload.h"
#include "../util/compress.h"
#include "../util/loop.h"
#include "file_output.h"

/* A turn's worth beyond this is written at once, so that memory stays bounded. */
#define PENDING_BYTES_MAX (8u << 20)

/* What the buffer may keep between turns. */
#define PENDING_BYTES_KEPT (1u << 20)

enum format { FORMAT_JSON = 0, FORMAT_PROTO };

static const char *const formats[] = {"json", "proto", NULL};
static const char *const compressions[] = {"none", "zstd", "", NULL};
#define COMPRESSION_ZSTD 1

struct file_config {
    struct hf_sending_config sending; /* first: the sender's */
    const char *path;
    bool append;
    const struct rotation_config {
        int64_t max_megabytes, max_days, max_backups;
        bool localtime;
    } * rotation;
    int64_t format, compression;
    const char *encoding;
    struct group_by_config {
        bool enabled;
    } group_by;
    bool create_directory;
    const char *directory_permissions;
};

struct file_exporter {
    struct hf_node *node;
    const struct file_config *config;
    struct hf_loop *loop;
    struct hf_file_output *output;
    struct hf_payload payload;
    struct hf_bytes pending;          /* the records of the waiting exports, in order */
    struct hf_export *waiting, *tail; /* first and last, chained by exporter_data */
    struct hf_task flush_task;
    bool flush_is_due; /* the task is with the loop */
};

/* ---- sending ---- */

static void answer(struct hf_export *export, enum hf_status status, const char *message)
{
    export->exporter_data = NULL;
    hf_export_done(export, &(struct hf_outcome){.status = status, .message = message});
}

/*
 * Writes what is pending and answers everybody. An answer may bring the next export at once, so the
 * list is taken off first.
 */
static void flush(struct file_exporter *exporter)
{
    char error[HF_FILE_ERROR_MAX] = "";
    enum hf_status status = hf_file_output_write(
        exporter->output, hf_slice_of(exporter->pending.data, exporter->pending.size), error);
    struct hf_export *export = exporter->waiting;
    exporter->waiting = NULL;
    exporter->pending.size = 0;
    if (exporter->pending.capacity > PENDING_BYTES_KEPT) {
        hf_bytes_release(&exporter->pending);
    }
    while (export != NULL) {
        struct hf_export *next = export->exporter_data;
        answer(export, status, status == HF_OK ? NULL : error);
        export = next;
    }
}

static void run_flush(struct hf_task *task)
{
    struct file_exporter *exporter = HF_CONTAINER(task, struct file_exporter, flush_task);
    exporter->flush_is_due = false;
    if (exporter->waiting != NULL) {
        flush(exporter);
    }
}

static bool is_framed(const struct file_config *config)
{
    return config->format == FORMAT_PROTO || config->compression == COMPRESSION_ZSTD;
}

static HF_MUST_USE enum hf_status build(struct file_exporter *exporter,
                                        const struct hf_export *export)
{
    enum hf_coding coding =
        exporter->config->compression == COMPRESSION_ZSTD ? HF_ZSTD : HF_IDENTITY;
    if (exporter->config->format == FORMAT_JSON) {
        return hf_payload_build_json(&exporter->payload, export->signal, export->pieces,
                                     export->piece_count, coding, 0);
    }
    /* Not every reader takes several zstd frames as one message: such are joined anew. */
    return hf_payload_build(&exporter->payload, export->pieces, export->piece_count, coding, 0,
                            false);
}

/* One record: a line, or a length and the message. Nothing stays of it when memory runs out. */
static HF_MUST_USE enum hf_status append_record(struct file_exporter *exporter)
{
    const struct hf_payload *payload = &exporter->payload;
    size_t before = exporter->pending.size;
    bool framed = is_framed(exporter->config);
    if (payload->size > UINT32_MAX) {
        return HF_TOO_LARGE;
    }
    enum hf_status status =
        hf_bytes_reserve(&exporter->pending, before + (size_t)payload->size + 4);
    if (framed && status == HF_OK) {
        uint32_t size = (uint32_t)payload->size;
        const uint8_t head[4] = {(uint8_t)(size >> 24), (uint8_t)(size >> 16), (uint8_t)(size >> 8),
                                 (uint8_t)size};
        status = hf_bytes_append(&exporter->pending, hf_slice_of(head, sizeof(head)));
    }
    for (size_t i = 0; status == HF_OK && i < payload->count; i++) {
        status = hf_bytes_append(&exporter->pending, payload->slices[i]);
    }
    if (!framed && status == HF_OK) {
        status = hf_bytes_append(&exporter->pending, hf_slice_text("\n"));
    }
    if (status != HF_OK) {
        exporter->pending.size = before;
    }
    return status;
}

static void send_export(void *self, struct hf_export *export)
{
    struct file_exporter *exporter = self;
    enum hf_status status = build(exporter, export);
    if (status == HF_OK) {
        status = append_record(exporter);
    }
    if (status != HF_OK) {
        bool damaged = status == HF_CORRUPT || status == HF_INVALID;
        answer(export, damaged ? HF_INVALID : status,
               damaged ? "the request does not decode" : NULL);
        return;
    }
    export->exporter_data = NULL;
    if (exporter->waiting == NULL) {
        exporter->waiting = export;
    } else {
        exporter->tail->exporter_data = export;
    }
    exporter->tail = export;
    if (exporter->pending.size >= PENDING_BYTES_MAX) {
        flush(exporter);
    } else if (!exporter->flush_is_due) {
        exporter->flush_is_due = true;
        hf_loop_defer(exporter->loop, &exporter->flush_task);
    }
}

/* ---- life ---- */

static void say_found(const struct file_exporter *exporter,
                      const struct hf_file_output_found *found)
{
    const char *path = exporter->config->path;
    if (found->cut_bytes > 0) {
        hf_node_log(exporter->node, HF_LOG_WARN,
                    "%s ended in a torn record that was never acknowledged: %llu bytes cut", path,
                    (unsigned long long)found->cut_bytes);
    }
    if (found->completed) {
        hf_node_log(exporter->node, HF_LOG_WARN,
                    "%s ended without a newline in something that is not OTLP/JSON: left as it is, "
                    "with a newline",
                    path);
    }
    if (found->set_aside) {
        hf_node_log(exporter->node, HF_LOG_INFO, "what was in %s is moved aside", path);
    }
}

static void close_exporter(void *self)
{
    struct file_exporter *exporter = self;
    if (exporter == NULL) {
        return;
    }
    assert(exporter->waiting == NULL); /* the sender has its answers */
    hf_file_output_close(exporter->output);
    hf_payload_release(&exporter->payload);
    hf_bytes_release(&exporter->pending);
    free(exporter);
}

static struct hf_file_output_options output_options(const struct file_config *config)
{
    struct hf_file_output_options options = {
        .path = config->path,
        .fresh = !config->append,
        .framed = is_framed(config),
        .create_directory = config->create_directory,
        .directory_mode = (mode_t)strtoul(config->directory_permissions, NULL, 8),
    };
    if (config->rotation != NULL) {
        options.max_bytes = (uint64_t)config->rotation->max_megabytes << 20;
        options.max_backups = (uint32_t)config->rotation->max_backups;
        options.max_days = (uint32_t)config->rotation->max_days;
        options.localtime = config->rotation->localtime;
    }
    return options;
}

static enum hf_status open_exporter(struct hf_node *node, const void *config, void **ret_self,
                                    char *reterr)
{
    struct file_exporter *exporter = calloc(1, sizeof(*exporter));
    if (exporter == NULL) {
        snprintf(reterr, HF_ERROR_MAX, "out of memory");
        return HF_NOMEM;
    }
    exporter->node = node;
    exporter->config = config;
    exporter->loop = hf_node_sender_loop(node);
    exporter->flush_task.run = run_flush;
    struct hf_file_output_options options = output_options(exporter->config);
    struct hf_file_output_found found;
    char error[HF_FILE_ERROR_MAX] = "";
    enum hf_status status = hf_file_output_open(&options, &exporter->output, &found, error);
    if (status != HF_OK) {
        snprintf(reterr, HF_ERROR_MAX, "path: %.400s%s", error,
                 errno == ENOENT && !options.create_directory
                     ? "; make the directory, or set create_directory: true"
                     : "");
        free(exporter);
        return status;
    }
    say_found(exporter, &found);
    *ret_self = exporter;
    return HF_OK;
}

/* ---- configuration ---- */

static const char *check_config(const void *user)
{
    const struct file_config *config = user;
    char *end = NULL;
    unsigned long mode = strtoul(config->directory_permissions, &end, 8);
    if (config->path[0] == 0) {
        return "path: must not be empty";
    }
    if (*end != 0 || end == config->directory_permissions || mode > 07777) {
        return "directory_permissions: must be an octal number such as 0755";
    }
    if (config->encoding != NULL) {
        return "encoding: encoding extensions are not built in; use format: json or proto";
    }
    if (config->group_by.enabled) {
        return "group_by::enabled: a file for each resource is not built in yet; use one file "
               "exporter for each pipeline";
    }
    return hf_sending_check(&config->sending);
}

static const struct hf_field rotation_fields[] = {
    {.key = "max_megabytes",
     .type = HF_FIELD_INT,
     .offset = offsetof(struct rotation_config, max_megabytes),
     .preset = "100",
     .least = 1,
     .most = 1e9,
     .help = "A file that would grow beyond is moved aside under a dated name."},
    {.key = "max_days",
     .type = HF_FIELD_INT,
     .offset = offsetof(struct rotation_config, max_days),
     .preset = "0",
     .least = 0,
     .most = 1e5,
     .help = "Older files are removed; 0: at no age."},
    {.key = "max_backups",
     .type = HF_FIELD_INT,
     .offset = offsetof(struct rotation_config, max_backups),
     .preset = "100",
     .least = 0,
     .most = 1e5,
     .help = "The oldest files beyond that many are removed; 0: none."},
    {.key = "localtime",
     .type = HF_FIELD_BOOL,
     .offset = offsetof(struct rotation_config, localtime),
     .preset = "false",
     .help = "Dates in the names are local time; else UTC."},
    HF_FIELDS_END,
};

static const struct hf_field group_by_fields[] = {
    {.key = "enabled",
     .type = HF_FIELD_BOOL,
     .offset = offsetof(struct group_by_config, enabled),
     .preset = "false",
     .help = "A file for each value of a resource attribute; not built in yet."},
    {.key = "resource_attribute", .type = HF_FIELD_IGNORED, .help = "Only used by group_by."},
    {.key = "max_open_files", .type = HF_FIELD_IGNORED, .help = "Only used by group_by."},
    HF_FIELDS_END,
};

#define AT(member) offsetof(struct file_config, member)

static const struct hf_field fields[] = {
    HF_SENDING_FIELDS("0s"),
    {.key = "path",
     .type = HF_FIELD_STRING,
     .offset = AT(path),
     .required = true,
     .help = "The file to write."},
    {.key = "append",
     .type = HF_FIELD_BOOL,
     .offset = AT(append),
     .preset = "true",
     .help = "Go on where the file ends; false: what is there is moved aside at the start, never "
             "cut off."},
    {.key = "rotation",
     .type = HF_FIELD_OPTIONAL,
     .offset = AT(rotation),
     .inner = rotation_fields,
     .inner_size = sizeof(struct rotation_config),
     .help = "Move full files aside; absent: one file for ever."},
    {.key = "format",
     .type = HF_FIELD_ENUM,
     .offset = AT(format),
     .preset = "json",
     .choices = formats,
     .help = "json: a request a line; proto: each message behind its length, 4 bytes big-endian."},
    {.key = "compression",
     .type = HF_FIELD_ENUM,
     .offset = AT(compression),
     .preset = "none",
     .choices = compressions,
     .help = "zstd: each request compressed on its own, behind its length."},
    {.key = "encoding",
     .type = HF_FIELD_STRING,
     .offset = AT(encoding),
     .help = "An encoding extension; not built in."},
    {.key = "flush_interval",
     .type = HF_FIELD_IGNORED,
     .help = "Every request is on disk before it is acknowledged."},
    {.key = "group_by",
     .type = HF_FIELD_STRUCT,
     .offset = AT(group_by),
     .inner = group_by_fields,
     .help = "Not built in yet."},
    {.key = "create_directory",
     .type = HF_FIELD_BOOL,
     .offset = AT(create_directory),
     .preset = "false",
     .help = "Make the directories of the path."},
    {.key = "directory_permissions",
     .type = HF_FIELD_STRING,
     .offset = AT(directory_permissions),
     .preset = "0755",
     .help = "Of directories that are made; octal."},
    HF_FIELDS_END,
};

const struct hf_component hf_exporter_file = {
    .type = "file",
    .help = "Writes OTLP/JSON lines or protobuf messages to a file.",
    .kind = HF_EXPORTER,
    .signals = HF_ALL_SIGNALS,
    .config_size = sizeof(struct file_config),
    .fields = fields,
    .has_sending = true,
    .check = check_config,
    .open = open_exporter,
    .close = close_exporter,
    .send = send_export,
};
