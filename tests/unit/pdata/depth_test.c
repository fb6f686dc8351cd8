/* How deep values may be nested, and that everything that walks down agrees, on a small stack. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h> /* needs the five before it */

#include <pthread.h>

#include "pdata/any.h"
#include "pdata/edit.h"
#include "pdata/json.h"
#include "pdata/scan.h"
#include "pdata/text.h"
#include "pdata/wire.h"

/* What a thread has where `ulimit -s` says unlimited, and the least that a loop's thread gets. */
#define STACK_BYTES ((size_t)2 << 20)

static void wrap(struct hf_bytes *inner, uint32_t number)
{
    struct hf_bytes outer = {0};
    struct hf_wire_writer writer = {.out = &outer};
    hf_wire_put_bytes(&writer, number, hf_slice_of(inner->data, inner->size));
    hf_bytes_release(inner);
    *inner = outer;
}

/* A log record with an attribute of `lists` lists or maps, one in the other, and no key. */
static struct hf_bytes make_nested(unsigned levels, bool maps)
{
    struct hf_bytes bytes = {0};
    struct hf_wire_writer writer = {.out = &bytes};
    hf_wire_put_varint(&writer, 2, 1); /* the innermost AnyValue: true */
    for (unsigned i = 0; i < levels; i++) {
        if (maps) {
            wrap(&bytes, 2); /* KeyValue.value */
        }
        wrap(&bytes, 1); /* values */
        wrap(&bytes, maps ? 6 : 5);
    }
    return bytes;
}

static void make_request(struct hf_bytes *value)
{
    static const uint32_t path[] = {2, 1, 1, 1}; /* value, attributes, resource, resource_logs */
    for (size_t i = 0; i < sizeof(path) / sizeof(path[0]); i++) {
        wrap(value, path[i]);
    }
}

static void rename_attribute(struct hf_editor *editor, struct hf_attributes *attributes)
{
    (void)editor;
    hf_attributes_set(attributes, hf_slice_text("new"), hf_slice_text("\x10\x01"));
}

static void check_edit(struct hf_slice raw)
{
    struct hf_editor editor = {.of_resources = true, .change = rename_attribute};
    struct hf_bytes edited = {0};
    struct hf_scan scan;
    bool is_changed = false;
    assert_int_equal(hf_edit(&editor, HF_LOGS, raw, &edited, &is_changed), HF_OK);
    assert_true(is_changed);
    assert_int_equal(hf_scan(HF_LOGS, hf_slice_of(edited.data, edited.size), &scan), HF_OK);
    hf_bytes_release(&edited);
}

/* To JSON, back, and to JSON again. */
static void check_json(struct hf_slice raw)
{
    struct hf_bytes json = {0}, back = {0}, again = {0};
    struct hf_scan scan;
    char error[HF_JSON_ERROR_MAX] = "";
    assert_int_equal(hf_json_from_proto(HF_LOGS, raw, &json), HF_OK);
    assert_int_equal(
        hf_json_to_proto(HF_LOGS, hf_slice_of(json.data, json.size), SIZE_MAX / 2, &back, error),
        HF_OK);
    struct hf_slice read = hf_slice_of(back.data, back.size);
    assert_int_equal(hf_scan(HF_LOGS, read, &scan), HF_OK);
    assert_int_equal(hf_json_from_proto(HF_LOGS, read, &again), HF_OK);
    assert_int_equal(json.size, again.size);
    assert_memory_equal(json.data, again.data, json.size);
    hf_bytes_release(&json);
    hf_bytes_release(&back);
    hf_bytes_release(&again);
}

static void check_text(struct hf_slice raw, struct hf_slice value)
{
    struct hf_bytes text = {0};
    struct hf_any any = hf_any_read(value);
    assert_int_equal(hf_text_print(HF_LOGS, raw, HF_TEXT_FULL, &text), HF_OK);
    assert_int_equal(hf_text_print(HF_LOGS, raw, HF_TEXT_LINES, &text), HF_OK);
    text.size = 0;
    assert_int_equal(hf_any_text(value, &text), HF_OK);
    assert_non_null(memmem(text.data, text.size, "true", 4)); /* not cut on the way down */
    assert_true(hf_any_equal(&any, &any));
    hf_bytes_release(&text);
}

static void check_levels(unsigned most, bool maps)
{
    const unsigned levels[] = {0, 1, 29, 60, most - 1, most, most + 1, most + 5000};
    for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
        struct hf_bytes value = make_nested(levels[i], maps), json = {0};
        struct hf_bytes request = {0};
        struct hf_scan scan;
        assert_int_equal(hf_bytes_append(&request, hf_slice_of(value.data, value.size)), HF_OK);
        make_request(&request);
        struct hf_slice raw = hf_slice_of(request.data, request.size);
        bool good = levels[i] <= most;
        assert_int_equal(hf_scan(HF_LOGS, raw, &scan), good ? HF_OK : HF_INVALID);
        if (good) {
            check_edit(raw);
            check_json(raw);
            check_text(raw, hf_slice_of(value.data, value.size));
        } else {
            assert_int_equal(hf_json_from_proto(HF_LOGS, raw, &json), HF_INVALID);
        }
        hf_bytes_release(&value);
        hf_bytes_release(&request);
        hf_bytes_release(&json);
    }
}

/* The value stands four messages below the request; a list is two more, a map three. */
static void *check_all(void *none)
{
    check_levels((HF_SCAN_DEPTH_MAX - 4) / 2, false);
    check_levels((HF_SCAN_DEPTH_MAX - 4) / 3, true);
    return none;
}

static void everything_takes_the_same_depth_on_a_small_stack(void **state)
{
    pthread_attr_t attributes;
    pthread_t thread;
    (void)state;
    assert_int_equal(pthread_attr_init(&attributes), 0);
    assert_int_equal(pthread_attr_setstacksize(&attributes, STACK_BYTES), 0);
    assert_int_equal(pthread_create(&thread, &attributes, check_all, NULL), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    pthread_attr_destroy(&attributes);
}

/* Each map in two parts: as JSON they are one, for which they are copied. */
static void bounds_the_copies_of_messages_in_parts(void **state)
{
    struct hf_bytes bytes = {0}, json = {0};
    struct hf_wire_writer writer = {.out = &bytes};
    (void)state;
    static char text[1000000];
    memset(text, 'x', sizeof(text));
    hf_wire_put_bytes(&writer, 1, hf_slice_of(text, sizeof(text)));
    for (unsigned i = 0; i < 300; i++) {
        wrap(&bytes, 2);
        wrap(&bytes, 1);
        wrap(&bytes, 6);
        writer = (struct hf_wire_writer){.out = &bytes};
        hf_wire_put_bytes(&writer, 6, HF_EMPTY_SLICE);
    }
    make_request(&bytes);
    struct hf_slice raw = hf_slice_of(bytes.data, bytes.size);
    struct hf_scan scan;
    assert_int_equal(hf_scan(HF_LOGS, raw, &scan), HF_OK);
    assert_int_equal(hf_json_from_proto(HF_LOGS, raw, &json), HF_INVALID);
    assert_int_equal(json.size, 0);
    hf_bytes_release(&bytes);
    hf_bytes_release(&json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_takes_the_same_depth_on_a_small_stack),
        cmocka_unit_test(bounds_the_copies_of_messages_in_parts),
    };
    return cmocka_run_group_tests_name("depth", tests, NULL, NULL);
}
