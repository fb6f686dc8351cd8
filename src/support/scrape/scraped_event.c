#include "scraped_event.h"

#include "metric_points.h"
#include "pdata/build.h"

#define TRACE_BYTES 16u
#define SPAN_BYTES 8u
#define TRACE_AT 3u
#define SPAN_AT (TRACE_AT + 2 * TRACE_BYTES + 1)
#define FLAGS_AT (SPAN_AT + 2 * SPAN_BYTES + 1)
#define PARENT_SIZE (FLAGS_AT + 2) /* of version 00; later ones may have more behind a dash */

static int digit_of(uint8_t byte)
{
    return byte >= '0' && byte <= '9'   ? byte - '0'
           : byte >= 'a' && byte <= 'f' ? byte - 'a' + 10
                                        : -1;
}

/* Lower-case hex. False: it is none. */
static bool read_hex(const uint8_t *text, size_t count, uint8_t *ret_bytes)
{
    for (size_t i = 0; i < count; i++) {
        int high = digit_of(text[2 * i]), low = digit_of(text[2 * i + 1]);
        if (high < 0 || low < 0) {
            return false;
        }
        ret_bytes[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static bool read_parent(struct hf_slice parent, uint8_t *ret_trace, uint8_t *ret_span)
{
    uint8_t version, flags;
    const uint8_t *text = parent.data;
    if (parent.size < PARENT_SIZE || text[TRACE_AT - 1] != '-' || text[SPAN_AT - 1] != '-' ||
        text[FLAGS_AT - 1] != '-' || !read_hex(text, 1, &version) ||
        !read_hex(text + FLAGS_AT, 1, &flags) || version == 0xff) {
        return false;
    }
    if (parent.size != PARENT_SIZE && (version == 0 || text[PARENT_SIZE] != '-')) {
        return false;
    }
    return read_hex(text + TRACE_AT, TRACE_BYTES, ret_trace) &&
           read_hex(text + SPAN_AT, SPAN_BYTES, ret_span) &&
           !hf_slice_is_zero(hf_slice_of(ret_trace, TRACE_BYTES)) &&
           !hf_slice_is_zero(hf_slice_of(ret_span, SPAN_BYTES));
}

void hf_event_begin_in(struct hf_scrape *scrape, const char *name, const char *system,
                       struct hf_slice parent)
{
    uint8_t trace[TRACE_BYTES], span[SPAN_BYTES];
    struct hf_build_log_record record = {.time_ns = scrape->now_ns,
                                         .event_name = hf_slice_text(name)};
    if (read_parent(parent, trace, span)) {
        record.trace_id = hf_slice_of(trace, sizeof(trace));
        record.span_id = hf_slice_of(span, sizeof(span));
    }
    hf_build_log_record(scrape->builder, &record);
    hf_event_text(scrape, "db.system.name", hf_slice_text(system));
}

void hf_event_begin(struct hf_scrape *scrape, const char *name, const char *system)
{
    hf_event_begin_in(scrape, name, system, HF_EMPTY_SLICE);
}

void hf_event_text(struct hf_scrape *scrape, const char *key, struct hf_slice text)
{
    hf_build_attribute_string(scrape->builder, hf_slice_text(key), text);
}

void hf_event_int(struct hf_scrape *scrape, const char *key, struct hf_slice text)
{
    int64_t number = 0;
    (void)!hf_read_int(text, &number);
    hf_build_attribute_int(scrape->builder, hf_slice_text(key), number);
}

void hf_event_double(struct hf_scrape *scrape, const char *key, double number)
{
    hf_build_attribute_double(scrape->builder, hf_slice_text(key), number);
}
