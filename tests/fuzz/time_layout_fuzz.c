/*
 * Layouts of times and texts by them: whatever they are, reading ends within them, and a time that
 * is read can be written.
 *
 * The first byte chooses the type; a NUL stands between layout and text.
 *
 * Must reach: hf_time_layout_new, hf_time_layout_read, hf_time_layout_write, hf_time_layout_parse,
 * hf_time_rfc3339, take_part, find_named.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <holdfast/component.h>

#include "util/time/time_layout.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const types[] = {"strptime", "gotime", "epoch"};
    const uint8_t *end = size > 1 ? memchr(data + 1, '\0', size - 1) : NULL;
    char text[600], error[HF_ERROR_MAX];
    if (end == NULL || end - data > (ptrdiff_t)sizeof(text)) {
        return 0;
    }
    snprintf(text, sizeof(text), "%s", (const char *)data + 1);
    const struct hf_time_layout_options options = {
        .layout = text, .type = types[data[0] % 3], .location = "UTC"};
    struct hf_slice rest = hf_slice_of(end + 1, size - (size_t)(end + 1 - data));
    struct hf_time_layout *layout = NULL;
    int64_t unix_ns = 0;
    int32_t offset_s = 0;
    (void)!hf_time_rfc3339(rest, &unix_ns);
    if (hf_time_layout_new(&options, &layout, error) != HF_OK) {
        return 0;
    }
    if (hf_time_layout_is_epoch(layout)) {
        (void)!hf_time_layout_parse(layout, rest, &unix_ns);
    } else if (hf_time_layout_read(layout, rest, &unix_ns, &offset_s)) {
        struct hf_bytes written = {0};
        (void)!hf_time_layout_write(layout, unix_ns, offset_s, &written);
        hf_bytes_release(&written);
    }
    hf_time_layout_free(layout);
    return 0;
}
