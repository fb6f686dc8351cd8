/*
 * statsd_fuzz: lines of StatsD, the first byte says whether tags may lack a value. Must reach:
 * hf_statsd_read() with read_part(), read_tags(), read_seconds(), read_number().
 *
 * What is taken has a name and a finite value, and all its texts are in the line.
 */
#include <math.h>

#include "check.h"
#include "encodings/statsd.h"

static bool is_in(struct hf_slice part, struct hf_slice whole)
{
    return part.size == 0 || hf_slice_is(part, "container.id") ||
           (part.data >= whole.data && part.data + part.size <= whole.data + whole.size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hf_statsd_line line;
    bool simple_tags = size != 0 && data[0] % 2 == 1;
    struct hf_slice rest = size != 0 ? hf_slice_of(data + 1, size - 1) : HF_EMPTY_SLICE;
    while (rest.size != 0) {
        const uint8_t *end = memchr(rest.data, '\n', rest.size);
        struct hf_slice text =
            hf_slice_of(rest.data, end != NULL ? (size_t)(end - rest.data) : rest.size);
        if (hf_statsd_read(text, simple_tags, &line) == NULL) {
            check(line.name.size != 0 && is_in(line.name, text) && isfinite(line.value));
            for (size_t i = 0; i < line.tag_count; i++) {
                check(line.tags[i].key.size != 0 && is_in(line.tags[i].key, text) &&
                      is_in(line.tags[i].value, text));
            }
        }
        size_t used = text.size + (end != NULL ? 1 : 0);
        rest = hf_slice_of(rest.data + used, rest.size - used);
    }
    return 0;
}
