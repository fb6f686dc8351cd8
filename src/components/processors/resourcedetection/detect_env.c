/* The detector `env`: OTEL_RESOURCE_ATTRIBUTES, or else the old OTEL_RESOURCE. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "detect.h"
#include "util/hex.h"

#define TEXT_MAX 256u

static struct hf_slice trimmed(const char *from, const char *to)
{
    while (from < to && strchr(" \t\n\v\f\r", *from) != NULL) {
        from++;
    }
    while (to > from && strchr(" \t\n\v\f\r", to[-1]) != NULL) {
        to--;
    }
    return hf_slice_of(from, (size_t)(to - from));
}

static bool is_plain(struct hf_slice text)
{
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] > 0x7f) {
            return false;
        }
    }
    return text.size <= TEXT_MAX;
}

/* Percent-decoded, "+" for a blank. False: a percent sign without two digits. */
static bool decode(struct hf_slice text, uint8_t *room, size_t *ret_size)
{
    size_t size = 0;
    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = text.data[i];
        if (c == '%') {
            int high = i + 2 < text.size ? hf_hex_digit(text.data[i + 1]) : -1;
            int low = i + 2 < text.size ? hf_hex_digit(text.data[i + 2]) : -1;
            if (high < 0 || low < 0) {
                return false;
            }
            c = (uint8_t)(high << 4 | low);
            i += 2;
        } else if (c == '+') {
            c = ' ';
        }
        room[size++] = c;
    }
    *ret_size = size;
    return true;
}

static enum hf_status detect(struct hf_detection *detection)
{
    static const char *const names[] = {"OTEL_RESOURCE_ATTRIBUTES", "OTEL_RESOURCE"};
    const struct hf_resource_conversion *wanted = &detection->config->attributes;
    bool is_filtered = hf_resource_conversion_is_on(wanted);
    const char *text = "", *name = names[0];
    for (size_t i = 0; i < 2 && *text == '\0'; i++) {
        const char *found = getenv(names[i]);
        name = names[i];
        text = found != NULL && trimmed(found, found + strlen(found)).size > 0 ? found : "";
    }
    while (*text != '\0') {
        const char *end = text + strcspn(text, ",");
        const char *sign = memchr(text, '=', (size_t)(end - text));
        struct hf_slice key = sign != NULL ? trimmed(text, sign) : HF_EMPTY_SLICE;
        struct hf_slice value = sign != NULL ? trimmed(sign + 1, end) : HF_EMPTY_SLICE;
        uint8_t room[TEXT_MAX];
        size_t size = 0;
        if (key.size == 0 || !is_plain(key) || !is_plain(value) || !decode(value, room, &size)) {
            snprintf(detection->why, sizeof(detection->why),
                     "%s: not a list of key=value in ASCII, percent-encoded", name);
            hf_attributes_clear(&detection->found);
            return HF_INVALID;
        }
        if (!is_filtered || hf_resource_conversion_takes(wanted, key)) {
            hf_detection_set_named(detection, "", key, hf_slice_of(room, size));
        }
        text = *end == ',' ? end + 1 : end;
    }
    return HF_OK;
}

const struct hf_detector hf_detector_env = {.name = "env", .detect = detect};
