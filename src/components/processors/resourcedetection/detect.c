#include "detect.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <holdfast/component.h>

#include "http/client.h"
#include "metadata_service.h"
#include "pdata/json_any.h"
#include "pdata/utf8.h"
#include "util/loop.h"
#include "util/regex/regex.h"

#define FILE_BYTES_MAX (64u << 10)

/* ---- attributes ---- */

bool hf_detector_knows(const struct hf_detector *detector, const char *name, bool *ret_is_off)
{
    const struct hf_detector_attribute *at = detector->attributes;
    const struct hf_metadata_value *value =
        detector->service != NULL ? detector->service->values : NULL;
    for (; at != NULL && at->name != NULL; at++) {
        if (strcmp(at->name, name) == 0) {
            *ret_is_off = at->is_off;
            return true;
        }
    }
    for (; value != NULL && value->attribute != NULL; value++) {
        if (strcmp(value->attribute, name) == 0) {
            *ret_is_off = value->is_off;
            return true;
        }
    }
    return false;
}

bool hf_detection_wants(const struct hf_detection *detection, const char *name)
{
    const struct hf_struct_map *map = &detection->config->resource_attributes;
    const struct hf_detector_attribute_config *configs = map->items;
    bool is_off = false;
    for (size_t i = 0; i < map->count; i++) {
        if (strcmp(map->keys[i], name) == 0) {
            return configs[i].enabled;
        }
    }
    return !hf_detector_knows(detection->detector, name, &is_off) || !is_off;
}

void hf_detection_set_value(struct hf_detection *detection, const char *name, struct hf_slice value)
{
    if (hf_detection_wants(detection, name)) {
        hf_attributes_set(&detection->found, hf_slice_text(name), value);
    }
}

void hf_detection_set(struct hf_detection *detection, const char *name, struct hf_slice text)
{
    if (text.size > 0 && hf_utf8_is_valid(text)) {
        hf_detection_set_value(detection, name, hf_any_make_string(&detection->maker, text));
    }
}

void hf_detection_set_text(struct hf_detection *detection, const char *name, const char *text)
{
    hf_detection_set(detection, name, hf_slice_text(text));
}

void hf_detection_set_named(struct hf_detection *detection, const char *prefix,
                            struct hf_slice name, struct hf_slice text)
{
    const char *key =
        hf_detection_text(detection, "%s%.*s", prefix, (int)name.size, (const char *)name.data);
    if (hf_utf8_is_valid(hf_slice_text(key)) && hf_utf8_is_valid(text)) {
        hf_attributes_set(&detection->found, hf_slice_text(key),
                          hf_any_make_string(&detection->maker, text));
    }
}

bool hf_detection_matches(const struct hf_string_list *patterns, struct hf_slice text)
{
    bool matches = false;
    for (size_t i = 0; i < patterns->count && !matches; i++) {
        char why[HF_REGEX_ERROR_MAX];
        struct hf_regex *regex = NULL;
        if (hf_regex_new(patterns->items[i], &regex, why) == HF_OK) {
            matches = hf_regex_matches(regex, text);
        }
        hf_regex_free(regex);
    }
    return matches;
}

/* ---- texts and files ---- */

const char *hf_detection_env(const char *name, const char *otherwise)
{
    const char *value = getenv(name);
    return value != NULL && value[0] != '\0' ? value : otherwise;
}

const char *hf_detection_text(struct hf_detection *detection, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    char *room = size >= 0 ? hf_arena_take(&detection->arena, (size_t)size + 1) : NULL;
    if (room == NULL) {
        detection->maker.failed = true;
        return "";
    }
    va_start(arguments, format);
    vsnprintf(room, (size_t)size + 1, format, arguments);
    va_end(arguments);
    return room;
}

struct hf_slice hf_detection_trimmed(struct hf_slice text)
{
    while (text.size > 0 && isspace(text.data[text.size - 1])) {
        text.size--;
    }
    while (text.size > 0 && isspace(text.data[0])) {
        text = hf_slice_of(text.data + 1, text.size - 1);
    }
    return text;
}

struct hf_slice hf_detection_file(struct hf_detection *detection, const char *path)
{
    uint8_t *room = hf_arena_take(&detection->arena, FILE_BYTES_MAX);
    const char *root = detection->root != NULL ? detection->root : "";
    int fd = open(hf_detection_text(detection, "%s%s", root, path), O_RDONLY | O_CLOEXEC);
    size_t size = 0;
    ssize_t more = 1;
    while (fd >= 0 && room != NULL && more > 0 && size < FILE_BYTES_MAX) {
        more = read(fd, room + size, FILE_BYTES_MAX - size);
        size += more > 0 ? (size_t)more : 0;
    }
    if (fd >= 0) {
        close(fd);
    }
    return hf_detection_trimmed(hf_slice_of(room, size));
}

/* ---- requests ---- */

struct fetch {
    struct hf_http_call call;
    struct hf_detection *detection;
    struct hf_loop *loop;
    struct hf_slice body;
    enum hf_status status;
};

static void fetched(struct hf_http_call *call, const struct hf_http_result *result)
{
    struct fetch *fetch = (struct fetch *)call; /* its first member */
    struct hf_detection *detection = fetch->detection;
    fetch->status = HF_NOT_FOUND;
    if (result->status != HF_OK) {
        snprintf(detection->why, sizeof(detection->why), "%s: %s", call->url,
                 result->error != NULL ? result->error : "no answer");
    } else if (result->code != 200) {
        snprintf(detection->why, sizeof(detection->why), "%s: answered %d", call->url,
                 result->code);
    } else {
        uint8_t *room = hf_arena_take(&detection->arena, result->body.size + 1);
        fetch->status = room != NULL ? HF_OK : HF_NOMEM;
        if (room != NULL && result->body.size > 0) {
            memcpy(room, result->body.data, result->body.size);
        }
        fetch->body = hf_slice_of(room, room != NULL ? result->body.size : 0);
    }
    hf_loop_stop(fetch->loop);
}

static enum hf_status run(struct fetch *fetch, const struct hf_detection_call *call)
{
    char why[HF_ERROR_MAX];
    const struct hf_tls_config tls = {.ca_file = call->ca_file};
    const struct hf_http_client_options options = {.loop = fetch->loop,
                                                   .tls = call->ca_file != NULL ? &tls : NULL,
                                                   .unix_socket = call->unix_socket,
                                                   .response_bytes_max = HF_JSON_ANY_BYTES_MAX};
    struct hf_http_client *client = NULL;
    enum hf_status status = hf_http_client_new(&options, &client, why);
    if (status != HF_OK) {
        snprintf(fetch->detection->why, sizeof(fetch->detection->why), "%s: %.200s", call->url,
                 why);
        return status == HF_NOMEM ? status : HF_NOT_FOUND;
    }
    hf_http_client_call(client, &fetch->call);
    hf_loop_run(fetch->loop);
    hf_http_client_free(client);
    return fetch->status;
}

enum hf_status hf_detection_fetch(struct hf_detection *detection,
                                  const struct hf_detection_call *call, struct hf_slice *ret_body)
{
    const struct hf_slice body = hf_slice_text(call->body != NULL ? call->body : "");
    struct fetch fetch = {.call = {.method = call->method != NULL ? call->method : "GET",
                                   .url = call->url,
                                   .content_type = call->body != NULL ? "application/json" : NULL,
                                   .pieces = &body,
                                   .piece_count = call->body != NULL,
                                   .headers = call->headers,
                                   .header_count = call->header_count,
                                   .deadline_ns = detection->deadline_ns,
                                   .done = fetched},
                          .detection = detection};
    if (detection->fetch != NULL) {
        return detection->fetch(detection, call, ret_body);
    }
    enum hf_status status = hf_loop_new(&fetch.loop);
    if (status != HF_OK) {
        return HF_NOMEM;
    }
    status = run(&fetch, call);
    hf_loop_free(fetch.loop);
    if (status == HF_OK) {
        *ret_body = fetch.body;
    }
    return status;
}

enum hf_status hf_detection_fetch_json(struct hf_detection *detection,
                                       const struct hf_detection_call *call,
                                       struct hf_slice *ret_value)
{
    struct hf_slice body;
    enum hf_status status = hf_detection_fetch(detection, call, &body);
    if (status == HF_OK) {
        status = hf_json_any(&detection->maker, body, ret_value);
    }
    if (status == HF_INVALID || status == HF_TOO_LARGE) {
        snprintf(detection->why, sizeof(detection->why), "%s: the answer is no JSON", call->url);
        status = HF_INVALID;
    }
    return status;
}
