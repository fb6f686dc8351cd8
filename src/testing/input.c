#include "input.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#include "pdata/build.h"
#include "pdata/json.h"
#include "pdata/json_write.h"
#include "pdata/scan.h"
#include "util/time/clock.h"

#define REQUEST_MAX ((size_t)64 << 20)
#define DEPTH_MAX 64u

struct giving {
    enum hf_status (*visit)(void *user, struct hf_batch *batch, char *reterr);
    void *user;
    char *reterr;
};

/* ---- YAML as JSON ---- */

static bool is_id(const char *key)
{
    size_t size = key != NULL ? strlen(key) : 0;
    return size >= 2 && (strcmp(key + size - 2, "Id") == 0 || strcmp(key + size - 2, "id") == 0);
}

/* An id is text, also when YAML takes it for a number. */
static void write_value(struct hf_json_writer *json, const struct hf_value *value, const char *key,
                        unsigned depth)
{
    if (depth == DEPTH_MAX) {
        hf_json_write_null(json);
        return;
    }
    switch (value->type) {
    case HF_VALUE_MAP:
        hf_json_write_open(json, '{');
        for (size_t i = 0; i < value->count; i++) {
            hf_json_write_key(json, hf_slice_text(value->keys[i]));
            write_value(json, &value->items[i], value->keys[i], depth + 1);
        }
        hf_json_write_close(json, '}');
        break;
    case HF_VALUE_LIST:
        hf_json_write_open(json, '[');
        for (size_t i = 0; i < value->count; i++) {
            write_value(json, &value->items[i], NULL, depth + 1);
        }
        hf_json_write_close(json, ']');
        break;
    case HF_VALUE_BOOL:
        hf_json_write_bool(json, value->boolean);
        break;
    case HF_VALUE_INT:
        if (is_id(key)) {
            hf_json_write_text(json, hf_slice_text(value->string));
        } else {
            hf_json_write_i64(json, value->integer);
        }
        break;
    case HF_VALUE_DOUBLE:
        hf_json_write_double(json, value->number);
        break;
    case HF_VALUE_STRING:
        hf_json_write_text(json, hf_slice_text(value->string));
        break;
    default:
        hf_json_write_null(json);
    }
}

/* ---- requests ---- */

/* By the one key that a request has. */
static bool find_signal(struct hf_slice json, enum hf_signal *ret_signal)
{
    static const char *const keys[][2] = {
        [HF_TRACES] = {"\"resourceSpans\"", "\"resource_spans\""},
        [HF_METRICS] = {"\"resourceMetrics\"", "\"resource_metrics\""},
        [HF_LOGS] = {"\"resourceLogs\"", "\"resource_logs\""}};
    for (size_t signal = 0; signal < sizeof(keys) / sizeof(keys[0]); signal++) {
        for (int i = 0; i < 2; i++) {
            const char *key = keys[signal][i];
            if (memmem(json.data, json.size, key, strlen(key)) != NULL) {
                *ret_signal = (enum hf_signal)signal;
                return true;
            }
        }
    }
    return false;
}

static enum hf_status give_bytes(const struct giving *giving, enum hf_signal signal,
                                 struct hf_slice bytes)
{
    struct hf_scan scanned;
    enum hf_status status = hf_scan(signal, bytes, &scanned);
    struct hf_batch *batch =
        status == HF_OK ? hf_batch_new(signal, bytes.size, HF_EMPTY_SLICE) : NULL;
    if (batch == NULL) {
        snprintf(giving->reterr, HF_ERROR_MAX, "%s",
                 status == HF_OK ? "out of memory" : "the request is malformed");
        return status == HF_OK ? HF_NOMEM : status;
    }
    memcpy(hf_batch_room(batch), bytes.data, bytes.size);
    hf_batch_seal(batch, bytes.size, scanned.items);
    status = giving->visit(giving->user, batch, giving->reterr);
    hf_ref_drop(&batch->ref);
    return status;
}

static enum hf_status give_json(const struct giving *giving, struct hf_slice json)
{
    char error[HF_JSON_ERROR_MAX] = "";
    struct hf_bytes bytes = {0};
    enum hf_signal signal;
    if (!find_signal(json, &signal)) {
        snprintf(giving->reterr, HF_ERROR_MAX,
                 "expected a request in OTLP/JSON: resourceSpans, resourceMetrics or resourceLogs");
        return HF_INVALID;
    }
    enum hf_status status = hf_json_to_proto(signal, json, REQUEST_MAX, &bytes, error);
    if (status == HF_OK) {
        status = give_bytes(giving, signal, hf_slice_of(bytes.data, bytes.size));
    } else {
        snprintf(giving->reterr, HF_ERROR_MAX, "%.400s",
                 error[0] != '\0' ? error : hf_status_row(status)->says);
    }
    hf_bytes_release(&bytes);
    return status;
}

static enum hf_status give_value(const struct giving *giving, const struct hf_value *value)
{
    struct hf_bytes text = {0};
    struct hf_json_writer json = {.out = &text};
    write_value(&json, value, NULL, 0);
    enum hf_status status = hf_json_write_status(&json);
    if (status == HF_OK) {
        status = give_json(giving, hf_slice_of(text.data, text.size));
    }
    hf_bytes_release(&text);
    return status;
}

static enum hf_status give_file(const struct giving *giving, const char *folder, const char *name)
{
    char path[4096];
    char *line = NULL;
    size_t room = 0;
    ssize_t size;
    snprintf(path, sizeof(path), "%s%s%s", name[0] == '/' ? "" : folder, name[0] == '/' ? "" : "/",
             name);
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        snprintf(giving->reterr, HF_ERROR_MAX, "cannot open %.400s: %s", path,
                 strerrordesc_np(errno));
        return HF_NOT_FOUND;
    }
    enum hf_status status = HF_OK;
    while (status == HF_OK && (size = getline(&line, &room, file)) >= 0) {
        if (size > 1) {
            status = give_json(giving, hf_slice_of(line, (size_t)size));
        }
    }
    free(line);
    fclose(file);
    return status;
}

static enum hf_status give_lines(const struct giving *giving, const struct hf_string_list *lines)
{
    struct hf_builder builder;
    uint64_t now_ns = hf_clock_unix_ns();
    hf_builder_init(&builder, HF_LOGS, REQUEST_MAX);
    hf_build_resource(&builder, HF_EMPTY_SLICE);
    hf_build_scope(&builder, HF_EMPTY_SLICE, HF_EMPTY_SLICE);
    for (size_t i = 0; i < lines->count; i++) {
        const struct hf_build_log_record record = {.time_ns = now_ns, .observed_ns = now_ns};
        hf_build_log_record(&builder, &record);
        hf_build_body_string(&builder, hf_slice_text(lines->items[i]));
        hf_build_end(&builder);
    }
    enum hf_status status = hf_build_finish(&builder);
    struct hf_batch *batch = hf_build_take(&builder);
    if (status == HF_OK && batch != NULL) {
        status = giving->visit(giving->user, batch, giving->reterr);
    }
    hf_ref_drop(batch != NULL ? &batch->ref : NULL);
    hf_builder_release(&builder);
    return status;
}

enum hf_status hf_test_input_each(const struct hf_test_input *input, const char *folder,
                                  enum hf_status (*visit)(void *user, struct hf_batch *batch,
                                                          char *reterr),
                                  void *user, char *reterr)
{
    const struct giving giving = {visit, user, reterr};
    enum hf_status status = HF_OK;
    if (input->otlp.type == HF_VALUE_NONE && input->json == NULL && input->file == NULL &&
        input->lines.count == 0) {
        snprintf(reterr, HF_ERROR_MAX, "there is nothing in it: write otlp, json, file or lines");
        return HF_INVALID;
    }
    if (input->otlp.type != HF_VALUE_NONE) {
        status = give_value(&giving, &input->otlp);
    }
    if (status == HF_OK && input->json != NULL) {
        status = give_json(&giving, hf_slice_text(input->json));
    }
    if (status == HF_OK && input->file != NULL) {
        status = give_file(&giving, folder, input->file);
    }
    return status == HF_OK && input->lines.count != 0 ? give_lines(&giving, &input->lines) : status;
}
