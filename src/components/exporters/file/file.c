/*
 * file: writes Export requests to a file, as lines of OTLP/JSON or as protobuf messages behind
 * their length; or to a file for each value of a resource attribute.
 *
 * A request is acknowledged when it is on disk. All that were sent within one turn of the
 * delivery's loop share one write and one fdatasync a file. Owned by the delivery's thread after
 * start.
 */
#include <holdfast/component.h>

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "file_groups.h"
#include "pdata/payload.h"
#include "pdata/scan.h"
#include "pdata/wire.h"
#include "support/settings/confighttp.h"
#include "util/compress/compress.h"
#include "util/loop.h"

/* A turn's worth beyond this is written at once, so that memory stays bounded. */
#define PENDING_BYTES_MAX (8u << 20)

enum format { FORMAT_JSON = 0, FORMAT_PROTO };

static const char *const formats[] = {"json", "proto", NULL};
static const char *const compressions[] = {"none", "zstd", "", NULL};
#define COMPRESSION_ZSTD 1

struct file_config {
    const char *path;
    bool append;
    const struct rotation_config {
        int64_t max_megabytes, max_days, max_backups;
        bool localtime;
    } * rotation;
    int64_t format, compression;
    struct hf_http_compression_params compression_params;
    const char *encoding;
    struct group_by_config {
        bool enabled;
        const char *resource_attribute;
        int64_t max_open_files;
    } group_by;
    bool create_directory;
    const char *directory_permissions;
};

/* An export whose records are pending. */
struct waiting {
    struct waiting *next;
    struct hf_export *export;
    uint64_t rejected_items;
};

struct file_exporter {
    struct hf_node *node;
    const struct file_config *config;
    struct hf_loop *loop;
    struct hf_file_groups groups;
    struct hf_payload input, payload; /* an export decoded, and a record encoded */
    size_t pending_bytes;             /* of all groups */
    struct waiting *waiting, **end;
    struct hf_task flush_task;
    bool flush_is_due; /* the task is with the loop */
};

static void say_found(const struct file_exporter *exporter, const char *path,
                      const struct hf_file_output_found *found)
{
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

/* ---- answering ---- */

static void answer(struct hf_export *export, enum hf_status status, const char *message)
{
    bool damaged = status == HF_CORRUPT || status == HF_INVALID;
    hf_export_done(
        export, &(struct hf_outcome){.status = damaged ? HF_INVALID : status,
                                     .message = damaged ? "the request does not decode" : message});
}

/*
 * Writes the pending requests and answers them. An answer may bring the next export at once, so the
 * list is taken off first.
 */
static enum hf_status flush(struct file_exporter *exporter, char *reterr)
{
    enum hf_status status = hf_file_groups_write(&exporter->groups, reterr);
    struct waiting *waiting = exporter->waiting;
    exporter->waiting = NULL;
    exporter->end = &exporter->waiting;
    exporter->pending_bytes = 0;
    while (waiting != NULL) {
        struct waiting *next = waiting->next;
        struct hf_outcome outcome = {.status = status};
        if (status != HF_OK) {
            outcome.message = reterr;
        } else if (waiting->rejected_items > 0) {
            outcome.rejected_items = waiting->rejected_items;
            outcome.message = "group_by: a resource without that attribute as text, or with one "
                              "that cannot name a file";
        }
        hf_export_done(waiting->export, &outcome);
        free(waiting);
        waiting = next;
    }
    return status;
}

static void run_flush(struct hf_task *task)
{
    struct file_exporter *exporter = HF_CONTAINER(task, struct file_exporter, flush_task);
    char error[HF_FILE_ERROR_MAX] = "";
    exporter->flush_is_due = false;
    if (exporter->waiting != NULL) {
        enum hf_status status = flush(exporter, error);
        (void)status; /* all requests have been answered */
    }
}

/* ---- records ---- */

static bool is_framed(const struct file_config *config)
{
    return config->format == FORMAT_PROTO || config->compression == COMPRESSION_ZSTD;
}

static HF_MUST_USE enum hf_status build(struct file_exporter *exporter, enum hf_signal signal,
                                        const struct hf_export_body *pieces, size_t count)
{
    enum hf_coding coding =
        exporter->config->compression == COMPRESSION_ZSTD ? HF_ZSTD : HF_IDENTITY;
    int level = (int)exporter->config->compression_params.level;
    if (exporter->config->format == FORMAT_JSON) {
        return hf_payload_build_json(&exporter->payload, signal, pieces, count, coding, level);
    }
    /* Not every reader takes several zstd frames as one message, so they are joined into one frame.
     */
    return hf_payload_build(&exporter->payload, pieces, count, coding, level, false);
}

/* One record: a line, or a length and the message. Nothing stays of it when memory runs out. */
static HF_MUST_USE enum hf_status append_record(struct file_exporter *exporter,
                                                struct hf_bytes *pending)
{
    const struct hf_payload *payload = &exporter->payload;
    size_t before = pending->size;
    bool framed = is_framed(exporter->config);
    if (payload->size > UINT32_MAX) {
        return HF_TOO_LARGE;
    }
    enum hf_status status = hf_bytes_reserve(pending, before + (size_t)payload->size + 4);
    if (framed && status == HF_OK) {
        uint32_t size = (uint32_t)payload->size;
        const uint8_t head[4] = {(uint8_t)(size >> 24), (uint8_t)(size >> 16), (uint8_t)(size >> 8),
                                 (uint8_t)size};
        status = hf_bytes_append(pending, hf_slice_of(head, sizeof(head)));
    }
    for (size_t i = 0; status == HF_OK && i < payload->count; i++) {
        status = hf_bytes_append(pending, payload->slices[i]);
    }
    if (!framed && status == HF_OK) {
        status = hf_bytes_append(pending, hf_slice_text("\n"));
    }
    if (status != HF_OK) {
        pending->size = before;
        return status;
    }
    exporter->pending_bytes += pending->size - before;
    return HF_OK;
}

/* ---- a file for each value of an attribute ---- */

/* Makes records of what has been gathered of an export. */
static HF_MUST_USE enum hf_status finish_records(struct file_exporter *exporter,
                                                 enum hf_signal signal)
{
    enum hf_status status = HF_OK;
    for (size_t i = 0; i < exporter->groups.count && status == HF_OK; i++) {
        struct hf_file_group *group = &exporter->groups.items[i];
        const struct hf_export_body piece = {.wire = hf_slice_of(group->raw.data, group->raw.size),
                                             .coding = HF_IDENTITY,
                                             .raw_size = group->raw.size};
        if (group->raw.size > 0) {
            status = build(exporter, signal, &piece, 1);
        }
        if (group->raw.size > 0 && status == HF_OK) {
            status = append_record(exporter, &group->pending);
        }
        group->raw.size = 0;
    }
    return status;
}

static void drop_records(struct file_exporter *exporter)
{
    for (size_t i = 0; i < exporter->groups.count; i++) {
        struct hf_file_group *group = &exporter->groups.items[i];
        exporter->pending_bytes -= group->pending.size - group->mark;
        group->pending.size = group->mark;
        group->raw.size = 0;
    }
}

static HF_MUST_USE enum hf_status find_group(struct file_exporter *exporter, enum hf_signal signal,
                                             struct hf_slice element,
                                             struct hf_file_group **ret_group, char *reterr)
{
    struct hf_wire wire = hf_wire_of(element);
    struct hf_wire_field field;
    struct hf_slice resource = HF_EMPTY_SLICE;
    struct hf_file_output_found found;
    while (!hf_wire_at_end(wire) && hf_wire_next(&wire, &field)) {
        resource = field.number == 1 ? field.bytes : resource;
    }
    enum hf_status status =
        hf_file_groups_find(&exporter->groups, resource, ret_group, &found, reterr);
    if (status == HF_BUSY) {
        status = finish_records(exporter, signal);
        status = status == HF_OK ? flush(exporter, reterr) : status;
        if (status == HF_OK) {
            status = hf_file_groups_find(&exporter->groups, resource, ret_group, &found, reterr);
        }
    }
    if (status == HF_OK) {
        say_found(exporter, (*ret_group)->path, &found);
    }
    return status;
}

/* Lays each resource of a request to its group. */
static HF_MUST_USE enum hf_status sort(struct file_exporter *exporter, enum hf_signal signal,
                                       struct hf_slice raw, uint64_t *rejected_items, char *reterr)
{
    struct hf_wire wire = hf_wire_of(raw);
    struct hf_wire_field element;
    struct hf_file_group *group = NULL;
    while (!hf_wire_at_end(wire)) {
        if (!hf_wire_next(&wire, &element)) {
            return HF_INVALID;
        }
        if (element.number != 1) {
            continue;
        }
        struct hf_scan scan;
        enum hf_status status = hf_scan(signal, element.whole, &scan);
        if (status == HF_OK) {
            status = find_group(exporter, signal, element.bytes, &group, reterr);
            if (status == HF_NOT_FOUND || status == HF_INVALID) {
                *rejected_items += scan.items;
                continue;
            }
        }
        if (status == HF_OK) {
            status = hf_bytes_append(&group->raw, element.whole);
        }
        if (status != HF_OK) {
            return status;
        }
    }
    return HF_OK;
}

static HF_MUST_USE enum hf_status take_grouped(struct file_exporter *exporter,
                                               const struct hf_export *export,
                                               uint64_t *rejected_items, char *reterr)
{
    for (size_t i = 0; i < exporter->groups.count; i++) {
        exporter->groups.items[i].mark = exporter->groups.items[i].pending.size;
    }
    enum hf_status status = hf_payload_build(&exporter->input, export->bodies, export->body_count,
                                             HF_IDENTITY, 0, true);
    for (size_t i = 0; i < exporter->input.count && status == HF_OK; i++) {
        status = sort(exporter, export->signal, exporter->input.slices[i], rejected_items, reterr);
    }
    if (status == HF_OK) {
        status = finish_records(exporter, export->signal);
    }
    if (status != HF_OK) {
        drop_records(exporter);
    }
    return status;
}

/* ---- sending ---- */

static HF_MUST_USE enum hf_status take(struct file_exporter *exporter,
                                       const struct hf_export *export, uint64_t *rejected_items,
                                       char *reterr)
{
    if (exporter->config->group_by.enabled) {
        return take_grouped(exporter, export, rejected_items, reterr);
    }
    enum hf_status status = build(exporter, export->signal, export->bodies, export->body_count);
    return status == HF_OK ? append_record(exporter, &exporter->groups.items[0].pending) : status;
}

static void send_export(void *self, struct hf_export *export)
{
    struct file_exporter *exporter = self;
    char error[HF_FILE_ERROR_MAX] = "";
    struct waiting *waiting = calloc(1, sizeof(*waiting));
    enum hf_status status = HF_NOMEM;
    if (waiting != NULL) {
        waiting->export = export;
        status = take(exporter, export, &waiting->rejected_items, error);
    }
    if (status != HF_OK) {
        free(waiting);
        answer(export, status, error);
        return;
    }
    *exporter->end = waiting;
    exporter->end = &waiting->next;
    if (exporter->pending_bytes >= PENDING_BYTES_MAX) {
        status = flush(exporter, error);
    } else if (!exporter->flush_is_due) {
        exporter->flush_is_due = true;
        hf_loop_defer(exporter->loop, &exporter->flush_task);
    }
}

/* ---- life ---- */

static void close_exporter(void *self)
{
    struct file_exporter *exporter = self;
    if (exporter == NULL) {
        return;
    }
    assert(exporter->waiting == NULL); /* every export was answered */
    hf_file_groups_close(&exporter->groups);
    hf_payload_release(&exporter->input);
    hf_payload_release(&exporter->payload);
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
    if (config->group_by.enabled) {
        options.fresh = false;
        options.create_directory = true;
    }
    if (config->rotation != NULL) {
        int64_t megabytes = config->rotation->max_megabytes;
        options.max_bytes = (uint64_t)(megabytes != 0 ? megabytes : 100) << 20;
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
    exporter->loop = hf_node_own_loop(node);
    exporter->flush_task.run = run_flush;
    exporter->end = &exporter->waiting;
    const struct group_by_config *group_by = &exporter->config->group_by;
    exporter->groups = (struct hf_file_groups){
        .options = output_options(exporter->config),
        .attribute = group_by->enabled ? group_by->resource_attribute : NULL};
    struct hf_file_output_found found;
    char error[HF_FILE_ERROR_MAX] = "";
    enum hf_status status =
        hf_file_groups_open(&exporter->groups, (size_t)group_by->max_open_files, &found, error);
    if (status != HF_OK) {
        snprintf(reterr, HF_ERROR_MAX, "path: %.400s%s", error,
                 errno == ENOENT && !exporter->config->create_directory
                     ? "; make the directory, or set create_directory: true"
                     : "");
        close_exporter(exporter);
        return status;
    }
    say_found(exporter, exporter->config->path, &found);
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
        const char *star = strchr(config->path, '*');
        if (star == NULL || star == config->path || strchr(star + 1, '*') != NULL) {
            return "path: with group_by it must have exactly one *, and not at its start";
        }
        if (config->group_by.resource_attribute == NULL ||
            config->group_by.resource_attribute[0] == 0) {
            return "group_by::resource_attribute: must not be empty";
        }
    }
    return NULL;
}

static const struct hf_field rotation_fields[] = {
    {.key = "max_megabytes",
     .type = HF_FIELD_INT,
     .offset = offsetof(struct rotation_config, max_megabytes),
     .default_text = "100",
     .min = 0,
     .max = 1e9,
     .help = "A file that would grow beyond is moved aside under a dated name, as "
             "traces-2026-01-31T12-00-00.000-size.json; 0: 100."},
    {.key = "max_days",
     .type = HF_FIELD_INT,
     .offset = offsetof(struct rotation_config, max_days),
     .default_text = "0",
     .min = 0,
     .max = 1e5,
     .help = "Older files are removed; 0: at no age."},
    {.key = "max_backups",
     .type = HF_FIELD_INT,
     .offset = offsetof(struct rotation_config, max_backups),
     .default_text = "100",
     .min = 0,
     .max = 1e5,
     .help = "The oldest files beyond that many are removed; 0: none."},
    {.key = "localtime",
     .type = HF_FIELD_BOOL,
     .offset = offsetof(struct rotation_config, localtime),
     .default_text = "false",
     .help = "Dates in the names are local time; else UTC."},
    HF_FIELDS_END,
};

static const struct hf_field group_by_fields[] = {
    {.key = "enabled",
     .type = HF_FIELD_BOOL,
     .offset = offsetof(struct group_by_config, enabled),
     .default_text = "false",
     .help = "A file for each value of a resource attribute, which stands for the * in path."},
    {.key = "resource_attribute",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct group_by_config, resource_attribute),
     .default_text = "fileexporter.path_segment",
     .help = "Its value may name directories, but none above that of the *. Resources without it "
             "are dropped and counted as rejected."},
    {.key = "max_open_files",
     .type = HF_FIELD_INT,
     .offset = offsetof(struct group_by_config, max_open_files),
     .default_text = "100",
     .min = 1,
     .max = 10000,
     .help = "The file that was used longest ago is closed for a new one."},
    HF_FIELDS_END,
};

#define AT(member) offsetof(struct file_config, member)

static const struct hf_field fields[] = {
    {.key = "path",
     .type = HF_FIELD_STRING,
     .offset = AT(path),
     .required = true,
     .help = "The file to write; with group_by it has one *."},
    {.key = "append",
     .type = HF_FIELD_BOOL,
     .offset = AT(append),
     .default_text = "true",
     .help = "Go on where the file ends; false: what is there is moved aside at the start, never "
             "cut off."},
    {.key = "rotation",
     .type = HF_FIELD_OPTIONAL,
     .null_enables = true,
     .offset = AT(rotation),
     .inner = rotation_fields,
     .inner_size = sizeof(struct rotation_config),
     .help = "Move full files aside; absent: one file for ever."},
    {.key = "format",
     .type = HF_FIELD_ENUM,
     .offset = AT(format),
     .default_text = "json",
     .choices = formats,
     .help = "json: a request a line; proto: each message behind its length, 4 bytes big-endian."},
    {.key = "compression",
     .type = HF_FIELD_ENUM,
     .offset = AT(compression),
     .default_text = "none",
     .choices = compressions,
     .help = "zstd: each request compressed on its own, behind its length."},
    {.key = "compression_params",
     .type = HF_FIELD_STRUCT,
     .offset = AT(compression_params),
     .inner = hf_http_compression_param_fields,
     .help = "The level of zstd."},
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
     .help = "Several files: they are always appended to; rotation is for each of them."},
    {.key = "create_directory",
     .type = HF_FIELD_BOOL,
     .offset = AT(create_directory),
     .default_text = "false",
     .help = "Make the directories of the path."},
    {.key = "directory_permissions",
     .type = HF_FIELD_STRING,
     .offset = AT(directory_permissions),
     .default_text = "0755",
     .help = "Of directories that are made; octal."},
    HF_FIELDS_END,
};

static const struct hf_exporter_ops exporter_ops = {
    .send = send_export,
    .timeout = "0s",
};

static void probe_outside(const void *from, struct hf_probe *probe)
{
    const struct file_config *config = from;
    hf_probe_write(probe, config->path);
}

const struct hf_component hf_exporter_file = {
    .type = "file",
    .help = "Writes OTLP/JSON lines or protobuf messages to a file.",
    .kind = HF_EXPORTER,
    .signals = HF_ALL_SIGNALS_AND_PROFILES,
    .config_size = sizeof(struct file_config),
    .fields = fields,
    .check = check_config,
    .probe = probe_outside,
    .open = open_exporter,
    .close = close_exporter,
    .exporter = &exporter_ops,
};
