#include "exemplar.h"

#include <string.h>

#include "pdata/build_metrics.h"
#include "util/hex.h"
#include "util/time/clock.h"

#define TIME_MS_MAX (INT64_MAX / (int64_t)HF_NS_PER_MS) /* that nanoseconds can tell */

uint64_t hf_prom_time_ns(int64_t ms)
{
    ms = ms < TIME_MS_MAX ? ms : TIME_MS_MAX;
    return ms > 0 ? (uint64_t)ms * HF_NS_PER_MS : 0;
}

/* An id of that many bytes that is not all zero; else false, and it stays an attribute. */
static bool read_id(struct hf_slice text, uint8_t *ret_id, size_t size)
{
    return text.size == 2 * size && hf_hex_read(text, ret_id) &&
           !hf_slice_is_zero(hf_slice_of(ret_id, size));
}

static bool is_named(struct hf_slice name, const char *text)
{
    bool same = name.size == strlen(text);
    for (size_t i = 0; i < name.size && same; i++) {
        uint8_t c = name.data[i];
        same = (c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c) == (uint8_t)text[i];
    }
    return same;
}

void hf_prom_put_exemplar(struct hf_builder *builder, const struct hf_expo_exemplar *exemplar)
{
    uint8_t trace_id[16], span_id[8];
    bool is_attribute[HF_EXPO_EXEMPLAR_LABELS_MAX];
    struct hf_build_exemplar made = {.is_double = true, .number = exemplar->value};
    made.time_ns = exemplar->has_time ? hf_prom_time_ns(exemplar->time_ms) : 0;
    for (size_t i = 0; i < exemplar->label_count; i++) {
        const struct hf_prom_label *label = &exemplar->labels[i];
        bool is_trace = is_named(label->name, "trace_id");
        bool is_span = is_named(label->name, "span_id");
        is_attribute[i] = false;
        if (is_trace && read_id(label->value, trace_id, sizeof(trace_id))) {
            made.trace_id = hf_slice_of(trace_id, sizeof(trace_id));
        } else if (is_span && read_id(label->value, span_id, sizeof(span_id))) {
            made.span_id = hf_slice_of(span_id, sizeof(span_id));
        } else {
            is_attribute[i] = label->value.size != 0 || !(is_trace || is_span);
        }
    }
    hf_build_exemplar(builder, &made);
    for (size_t i = 0; i < exemplar->label_count; i++) {
        if (is_attribute[i]) {
            hf_build_attribute_string(builder, exemplar->labels[i].name, exemplar->labels[i].value);
        }
    }
    hf_build_end(builder);
}
