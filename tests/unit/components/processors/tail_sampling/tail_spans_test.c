/* Spans are read from their bytes as a document reads them, and cut out as one writes them. */
#include "components/processors/tail_sampling/tail_spans.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h> /* needs the three before it */

#include "pdata/document.h"
#include "pdata/walk.h"

enum { UNKNOWN = 900 };

static void put_text(struct hf_wire_writer *writer, uint32_t number, const char *text)
{
    hf_wire_put_bytes(writer, number, hf_slice_text(text));
}

static void put_id(struct hf_wire_writer *writer, char letter)
{
    const uint8_t id[HF_TRACE_ID_SIZE] = {(uint8_t)letter};
    hf_wire_put_bytes(writer, 1, hf_slice_of(id, sizeof(id)));
}

static void put_status(struct hf_wire_writer *writer, uint32_t field, uint64_t value)
{
    struct hf_wire_message status = hf_wire_open(writer, 15, 8);
    hf_wire_put_varint(writer, field, value);
    hf_wire_close(writer, status);
}

/* ---- one span ---- */

static struct hf_bytes bytes;

static int tear_down(void **state)
{
    (void)state;
    hf_bytes_release(&bytes);
    return 0;
}

static struct hf_sampling_tail_span read_back(void)
{
    struct hf_sampling_tail_span span;
    hf_sampling_tail_span_read(hf_slice_of(bytes.data, bytes.size), &span);
    return span;
}

static void a_span_has_what_its_fields_say(void **state)
{
    struct hf_wire_writer writer = {.out = &bytes};
    (void)state;
    put_id(&writer, 'a');
    put_text(&writer, 2, "span id.");
    put_text(&writer, 3, "k=v");
    put_text(&writer, 4, "parent..");
    hf_wire_put_fixed64(&writer, 7, 1000);
    hf_wire_put_fixed64(&writer, 8, 2000);
    put_status(&writer, 3, 2);
    hf_wire_put_fixed32(&writer, 16, 257);
    struct hf_sampling_tail_span span = read_back();
    assert_int_equal(span.id[0], 'a');
    assert_true(hf_slice_is(span.trace_state, "k=v"));
    assert_int_equal(span.start_ns, 1000);
    assert_int_equal(span.end_ns, 2000);
    assert_int_equal(span.status_code, 2);
    assert_int_equal(span.flags, 257);
    assert_false(span.is_root);
}

static void an_empty_span_is_a_root_without_an_id(void **state)
{
    const uint8_t zeros[HF_TRACE_ID_SIZE] = {0};
    (void)state;
    struct hf_sampling_tail_span span = read_back();
    assert_memory_equal(span.id, zeros, sizeof(zeros));
    assert_true(span.is_root);
    assert_int_equal(span.status_code, 0);
}

static void a_parent_of_zeros_is_none(void **state)
{
    struct hf_wire_writer writer = {.out = &bytes};
    const uint8_t zeros[8] = {0};
    (void)state;
    hf_wire_put_bytes(&writer, 4, hf_slice_of(zeros, sizeof(zeros)));
    assert_true(read_back().is_root);
}

static void an_id_of_another_size_counts_as_zeros(void **state)
{
    struct hf_wire_writer writer = {.out = &bytes};
    (void)state;
    put_text(&writer, 1, "short");
    assert_int_equal(read_back().id[0], 0);
}

static void the_last_of_several_counts(void **state)
{
    struct hf_wire_writer writer = {.out = &bytes};
    (void)state;
    put_id(&writer, 'a');
    hf_wire_put_fixed64(&writer, 7, 1);
    put_id(&writer, 'b');
    hf_wire_put_fixed64(&writer, 7, 2);
    assert_int_equal(read_back().id[0], 'b');
    assert_int_equal(read_back().start_ns, 2);
}

/* Attributes are gone over, in rows that end anywhere. */
static void attributes_hide_nothing(void **state)
{
    static const uint8_t zeros[300];
    (void)state;
    for (size_t row = 0; row < 4; row++) {
        struct hf_wire_writer writer = {.out = &bytes};
        bytes.size = 0;
        put_id(&writer, 'a');
        for (size_t i = 0; i < row; i++) {
            put_text(&writer, 9, "12345678");
        }
        hf_wire_put_bytes(&writer, 9, HF_EMPTY_SLICE);
        hf_wire_put_bytes(&writer, 9, hf_slice_of(zeros, sizeof(zeros)));
        put_text(&writer, 9, "an attribute");
        put_id(&writer, 'b');
        put_status(&writer, 3, 2);
        put_text(&writer, 9, "an attribute");
        assert_int_equal(read_back().id[0], 'b');
        assert_int_equal(read_back().status_code, 2);
    }
}

static void a_status_in_pieces_is_all_of_them(void **state)
{
    struct hf_wire_writer writer = {.out = &bytes};
    (void)state;
    put_status(&writer, 3, 2);
    put_status(&writer, 4, 9); /* nothing of the code */
    assert_int_equal(read_back().status_code, 2);
    put_status(&writer, 3, 1);
    assert_int_equal(read_back().status_code, 1);
}

/* ---- some of the spans ---- */

struct letters {
    struct hf_sampling_tail_choice choice;
    const char *letters;
};

static bool has(const struct hf_sampling_tail_choice *choice, const uint8_t *id)
{
    const struct letters *letters = HF_CONTAINER(choice, const struct letters, choice);
    return strchr(letters->letters, id[0]) != NULL;
}

/* Resources are parted by `/`, scopes by `,`; each letter is a span of that trace. */
static void make(const char *text)
{
    struct hf_wire_writer writer = {.out = &bytes};
    hf_wire_put_varint(&writer, UNKNOWN, 1);
    while (*text != '\0') {
        struct hf_wire_message group = hf_wire_open(&writer, 1, 4);
        put_text(&writer, 1, "\x10\x07"); /* a resource with a dropped count */
        while (*text != '/' && *text != '\0') {
            struct hf_wire_message scope = hf_wire_open(&writer, 2, 300);
            for (; *text >= 'a'; text++) {
                struct hf_wire_message span = hf_wire_open(&writer, 2, 40);
                put_text(&writer, 9, "first attribute");
                put_text(&writer, 9, "second attribute");
                put_id(&writer, *text);
                put_text(&writer, 9, "third attribute");
                put_text(&writer, 5,
                         "the name of the span is long enough to need a longer length "
                         "of its message, which is more than 127 bytes with the rest");
                hf_wire_close(&writer, span);
            }
            put_text(&writer, 3, "schema");
            hf_wire_close(&writer, scope);
            text += *text == ',';
        }
        put_text(&writer, UNKNOWN, "of a later version");
        hf_wire_close(&writer, group);
        text += *text == '/';
    }
    assert_int_equal(hf_wire_status(&writer), HF_OK);
}

/* What a document makes of it. */
static uint32_t cut_by_document(const char *letters, struct hf_bytes *out)
{
    struct hf_document *document =
        hf_document_borrow(HF_TRACES, hf_slice_of(bytes.data, bytes.size));
    struct hf_place place = {.document = document};
    while (hf_place_next_item(&place)) {
        if (strchr(letters, hf_message_bytes(place.item, 1).data[0]) == NULL) {
            hf_message_remove(place.item);
        }
    }
    hf_document_prune(document);
    uint32_t items = hf_document_items(document);
    if (items != 0) {
        assert_int_equal(hf_document_write(document, out), HF_OK);
    }
    hf_document_return(document);
    return items;
}

static void what_is_cut_out_is_what_a_document_writes(void **state)
{
    static const struct {
        const char *spans, *letters;
    } cases[] = {
        {"ab", "a"},
        {"ab", "ab"},
        {"ab", "c"},
        {"abc,abd/ade", "d"},
        {"abc,abd/ade", "be"},
        {"aaaa/bbbb/aaaa", "b"},
        {"a,b,c/d", "d"},
        {"a", ""},
        {"abcdefghijklmnop,qrst/uv", "cqv"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct hf_bytes expected = {0}, found = {0};
        struct hf_wire_writer writer = {.out = &found};
        const struct letters letters = {{has}, cases[i].letters};
        bytes.size = 0;
        make(cases[i].spans);
        uint32_t items = cut_by_document(cases[i].letters, &expected);
        assert_int_equal(
            hf_sampling_tail_cut(hf_slice_of(bytes.data, bytes.size), &letters.choice, &writer),
            items);
        assert_int_equal(found.size, expected.size);
        if (found.size != 0) {
            assert_memory_equal(found.data, expected.data, found.size);
        }
        hf_bytes_release(&expected);
        hf_bytes_release(&found);
    }
}

static void what_was_there_before_stays(void **state)
{
    struct hf_bytes out = {0};
    struct hf_wire_writer writer = {.out = &out};
    const struct letters none = {{has}, "z"}, one = {{has}, "a"};
    (void)state;
    make("ab");
    hf_wire_put_raw(&writer, hf_slice_text("before"));
    assert_int_equal(
        hf_sampling_tail_cut(hf_slice_of(bytes.data, bytes.size), &none.choice, &writer), 0);
    assert_int_equal(out.size, 6);
    assert_int_equal(
        hf_sampling_tail_cut(hf_slice_of(bytes.data, bytes.size), &one.choice, &writer), 1);
    assert_true(out.size > 6);
    assert_memory_equal(out.data, "before", 6);
    hf_bytes_release(&out);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_span_has_what_its_fields_say),    TEST(an_empty_span_is_a_root_without_an_id),
        TEST(a_parent_of_zeros_is_none),         TEST(an_id_of_another_size_counts_as_zeros),
        TEST(the_last_of_several_counts),        TEST(attributes_hide_nothing),
        TEST(a_status_in_pieces_is_all_of_them), TEST(what_is_cut_out_is_what_a_document_writes),
        TEST(what_was_there_before_stays),
    };
    return cmocka_run_group_tests_name("tail_spans", tests, NULL, NULL);
}
