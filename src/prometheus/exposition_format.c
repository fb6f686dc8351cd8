/*
 * exposition_format: names of formats and types, and the end of a reading that failed.
 */
#include "exposition.h"

#include <stdio.h>
#include <strings.h>

enum hf_expo_item hf_expo_bad(struct hf_expo_reader *reader, const char *what)
{
    snprintf(reader->error, sizeof(reader->error), "%s", what);
    reader->at = reader->end;
    return HF_EXPO_BAD;
}

/* ---- formats ---- */

static struct hf_slice trim(struct hf_slice text)
{
    while (text.size > 0 && (*text.data == ' ' || *text.data == '\t')) {
        text = hf_slice_of(text.data + 1, text.size - 1);
    }
    while (text.size > 0 && (text.data[text.size - 1] == ' ' || text.data[text.size - 1] == '\t')) {
        text.size--;
    }
    return text;
}

static bool is_media_type(struct hf_slice text, const char *type)
{
    return text.size == strlen(type) && strncasecmp((const char *)text.data, type, text.size) == 0;
}

bool hf_expo_format_of(struct hf_slice content_type, enum hf_expo_format *ret_format)
{
    static const struct {
        const char *type;
        enum hf_expo_format format;
    } types[] = {
        {"text/plain", HF_EXPO_TEXT},
        {"application/openmetrics-text", HF_EXPO_OPENMETRICS},
        {"application/vnd.google.protobuf", HF_EXPO_PROTOBUF},
    };
    const uint8_t *end =
        content_type.size == 0 ? NULL : memchr(content_type.data, ';', content_type.size);
    struct hf_slice type = content_type;
    type.size = end != NULL ? (size_t)(end - type.data) : type.size;
    type = trim(type);
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (is_media_type(type, types[i].type)) {
            *ret_format = types[i].format;
            return true;
        }
    }
    return false;
}

const char *hf_expo_type_name(enum hf_expo_type type)
{
    static const char *const names[] = {
        [HF_EXPO_UNKNOWN] = "unknown",
        [HF_EXPO_COUNTER] = "counter",
        [HF_EXPO_GAUGE] = "gauge",
        [HF_EXPO_HISTOGRAM] = "histogram",
        [HF_EXPO_GAUGE_HISTOGRAM] = "gaugehistogram",
        [HF_EXPO_SUMMARY] = "summary",
        [HF_EXPO_INFO] = "info",
        [HF_EXPO_STATESET] = "stateset",
    };
    return names[type];
}
