/* Records of a scrape, and the span that a client has told the server of. */
#include "support/scrape/scraped_event.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h> /* needs those before it */

#define TRACE "0af7651916cd43dd8448eb211c80319c"
#define SPAN "b7ad6b7169203331"

static const uint8_t trace_id[] = {0x0a, 0xf7, 0x65, 0x19, 0x16, 0xcd, 0x43, 0xdd,
                                   0x84, 0x48, 0xeb, 0x21, 0x1c, 0x80, 0x31, 0x9c};
static const uint8_t span_id[] = {0xb7, 0xad, 0x6b, 0x71, 0x69, 0x20, 0x33, 0x31};

static bool holds(struct hf_slice raw, const void *bytes, size_t size)
{
    return memmem(raw.data, raw.size, bytes, size) != NULL;
}

static void a_traceparent_names_the_span_of_a_record(void **state)
{
    static const struct {
        const char *parent;
        bool is_span;
    } cases[] = {
        {"00-" TRACE "-" SPAN "-01", true},
        {"00-" TRACE "-" SPAN "-00", true},
        {"01-" TRACE "-" SPAN "-01-more", true},
        {"00-" TRACE "-" SPAN "-01-more", false},
        {"01-" TRACE "-" SPAN "-01more", false},
        {"ff-" TRACE "-" SPAN "-01", false},
        {"00-" TRACE "-" SPAN "-0", false},
        {"00-" TRACE "-" SPAN "-0x", false},
        {"00-0AF7651916CD43DD8448EB211C80319C-" SPAN "-01", false},
        {"00-" TRACE "-0000000000000000-01", false},
        {"00-00000000000000000000000000000000-" SPAN "-01", false},
        {"00_" TRACE "-" SPAN "-01", false},
        {"psql", false},
        {"", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct hf_builder builder;
        struct hf_scrape scrape = {.builder = &builder, .now_ns = 7};
        hf_builder_init(&builder, HF_LOGS, 1u << 20);
        hf_build_resource(&builder, HF_EMPTY_SLICE);
        hf_build_scope(&builder, HF_EMPTY_SLICE, HF_EMPTY_SLICE);
        hf_event_begin_in(&scrape, "event", "system", hf_slice_text(cases[i].parent));
        hf_build_end(&builder);
        assert_int_equal(hf_build_finish(&builder), HF_OK);
        struct hf_batch *batch = hf_build_take(&builder);
        assert_non_null(batch);
        assert_int_equal(holds(batch->raw, trace_id, sizeof(trace_id)), cases[i].is_span);
        assert_int_equal(holds(batch->raw, span_id, sizeof(span_id)), cases[i].is_span);
        assert_true(holds(batch->raw, "system", 6) && holds(batch->raw, "event", 5));
        hf_ref_drop(&batch->ref);
        hf_builder_release(&builder);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_traceparent_names_the_span_of_a_record),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
