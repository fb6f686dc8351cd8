/* What a log record says is read from its bytes in one pass, and as a message where that is not
 * enough. */
#include "components/exporters/loki/loki_record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h> /* needs the three before it */

#include "pdata/document.h"
#include "pdata/walk.h"
#include "pdata/wire.h"

#define MANY 40u

struct odd {
    bool body_in_pieces, value_in_pieces, is_without_value, has_many;
};

static void put_attribute(struct hf_wire_writer *writer, const char *key, const char *text,
                          const struct odd *odd)
{
    struct hf_wire_message pair = hf_wire_open(writer, 6, 100);
    hf_wire_put_bytes(writer, 1, hf_slice_text(key));
    for (int i = 0; i < (odd->value_in_pieces ? 2 : odd->is_without_value ? 0 : 1); i++) {
        struct hf_wire_message value = hf_wire_open(writer, 2, 50);
        hf_wire_put_bytes(writer, 1, hf_slice_text(text));
        hf_wire_close(writer, value);
    }
    hf_wire_close(writer, pair);
}

static void put_body(struct hf_wire_writer *writer, const char *text)
{
    struct hf_wire_message body = hf_wire_open(writer, 5, 50);
    hf_wire_put_bytes(writer, 1, hf_slice_text(text));
    hf_wire_close(writer, body);
}

static void put_record(struct hf_wire_writer *writer, const struct odd *odd)
{
    char key[32];
    struct hf_wire_message record = hf_wire_open(writer, 2, 1000);
    hf_wire_put_fixed64(writer, 1, 11);
    hf_wire_put_varint(writer, 2, 9);
    hf_wire_put_bytes(writer, 3, hf_slice_text("INFO"));
    put_body(writer, "one");
    if (odd->body_in_pieces) {
        put_body(writer, "two");
    }
    for (unsigned i = 0; i < (odd->has_many ? MANY : 2); i++) {
        snprintf(key, sizeof(key), "key%u", i);
        put_attribute(writer, key, "value", odd);
    }
    hf_wire_put_fixed32(writer, 8, 1);
    hf_wire_put_bytes(writer, 9, hf_slice_text("0123456789abcdef"));
    hf_wire_put_bytes(writer, 10, hf_slice_text("01234567"));
    hf_wire_put_fixed64(writer, 11, 12);
    hf_wire_close(writer, record);
}

/* The number of its attributes is `attributes`, and each has `value_size` bytes. */
static void assert_read(const struct odd *odd, size_t attributes, size_t value_size)
{
    struct hf_bytes raw = {0};
    struct hf_wire_writer writer = {.out = &raw};
    struct hf_wire_message group = hf_wire_open(&writer, 1, 2000);
    struct hf_wire_message scope = hf_wire_open(&writer, 2, 2000);
    put_record(&writer, odd);
    hf_wire_close(&writer, scope);
    hf_wire_close(&writer, group);
    assert_int_equal(hf_wire_status(&writer), HF_OK);
    struct hf_document *document = hf_document_borrow(HF_LOGS, hf_slice_of(raw.data, raw.size));
    struct hf_place place = {.document = document};
    struct loki_record record;
    assert_true(hf_place_next_item(&place));
    loki_record_read(place.item, &record);
    assert_int_equal(record.time_ns, 11);
    assert_int_equal(record.observed_ns, 12);
    assert_int_equal(record.severity, 9);
    assert_int_equal(record.flags, 1);
    assert_true(hf_slice_is(record.severity_text, "INFO"));
    assert_true(hf_slice_is(record.trace_id, "0123456789abcdef"));
    assert_true(hf_slice_is(record.span_id, "01234567"));
    assert_int_equal(record.body.size, odd->body_in_pieces ? 10 : 5);
    assert_int_equal(record.attributes.count, attributes);
    for (size_t i = 0; i < attributes; i++) {
        char key[32];
        snprintf(key, sizeof(key), "key%zu", i);
        assert_true(hf_slice_is(record.attributes.items[i].key, key));
        assert_int_equal(record.attributes.items[i].value.size, value_size);
    }
    assert_int_equal(hf_document_status(document), HF_OK);
    hf_document_return(document);
    hf_bytes_release(&raw);
}

static void a_record_is_read_whatever_its_form(void **state)
{
    (void)state;
    assert_read(&(struct odd){.has_many = false}, 2, 7);
    assert_read(&(struct odd){.has_many = true}, MANY, 7);
    assert_read(&(struct odd){.body_in_pieces = true}, 2, 7);
    assert_read(&(struct odd){.value_in_pieces = true}, 2, 14);
    assert_read(&(struct odd){.is_without_value = true}, 2, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_is_read_whatever_its_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
