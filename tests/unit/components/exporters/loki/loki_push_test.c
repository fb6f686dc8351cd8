/* Streams and entries of a push request. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h> /* needs those before it */

#include "components/exporters/loki/loki_push.h"
#include "pdata/wire_find.h"

static void add(struct loki_push *push, const char *labels, uint64_t time_ns, const char *line)
{
    uint32_t stream;
    assert_int_equal(loki_push_stream(push, hf_slice_text(labels), &stream), HF_OK);
    loki_push_open(push, stream, time_ns);
    assert_int_equal(hf_bytes_append(&push->lines, hf_slice_text(line)), HF_OK);
    assert_int_equal(loki_push_close(push), HF_OK);
}

static void entries_are_grouped_by_stream_and_sorted_by_time(void **state)
{
    (void)state;
    struct loki_push push = {0};
    struct hf_bytes out = {0};
    loki_push_begin(&push);
    add(&push, "{a=\"1\"}", 3000000001, "third");
    add(&push, "{a=\"2\"}", 1, "other");
    add(&push, "{a=\"1\"}", 5, "first");
    add(&push, "{a=\"1\"}", 5, "second");
    assert_int_equal(loki_push_write(&push, &out), HF_OK);
    static const uint8_t wanted[] = "\x0a\x37\x0a\x07{a=\"1\"}"
                                    "\x12\x0d\x0a\x04\x08\x00\x10\x05\x12\x05"
                                    "first"
                                    "\x12\x0e\x0a\x04\x08\x00\x10\x05\x12\x06"
                                    "second"
                                    "\x12\x0d\x0a\x04\x08\x03\x10\x01\x12\x05"
                                    "third"
                                    "\x0a\x18\x0a\x07{a=\"2\"}"
                                    "\x12\x0d\x0a\x04\x08\x00\x10\x01\x12\x05"
                                    "other";
    assert_int_equal(out.size, sizeof(wanted) - 1);
    assert_memory_equal(out.data, wanted, sizeof(wanted) - 1);
    hf_bytes_release(&out);
    loki_push_release(&push);
}

static void many_streams_are_told_apart_and_forgotten(void **state)
{
    (void)state;
    struct loki_push push = {0};
    for (int round = 0; round < 2; round++) {
        loki_push_begin(&push);
        for (uint32_t i = 0; i < 2000; i++) {
            char labels[32];
            uint32_t stream;
            snprintf(labels, sizeof(labels), "{a=\"%u\"}", i % 1000);
            assert_int_equal(loki_push_stream(&push, hf_slice_text(labels), &stream), HF_OK);
            assert_int_equal(stream, i % 1000);
        }
        assert_int_equal(push.stream_count, 1000);
    }
    loki_push_release(&push);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_are_grouped_by_stream_and_sorted_by_time),
        cmocka_unit_test(many_streams_are_told_apart_and_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
