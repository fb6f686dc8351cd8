/* A list of attributes changes as told, and what was not touched is written as it came. */
#include "pdata/attributes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h> /* needs the three before it */

/* Attributes (field 3) a=1, b=2 with an unknown field between key and value, a again =3; and
 * something else beside them. */
static const uint8_t owner[] = {0x1a, 0x07, 0x0a, 0x01, 'a',  0x12, 0x02, 0x18, 0x01, /* a=1 */
                                0x08, 0x05,                                           /* field 1 */
                                0x1a, 0x09, 0x0a, 0x01, 'b',  0x50, 0x07, 0x12, 0x02, 0x18,
                                0x02, 0x1a, 0x07, 0x0a, 0x01, 'a',  0x12, 0x02, 0x18, 0x03};

struct list {
    struct hf_attributes attributes;
    struct hf_bytes out;
};

static void read_list(struct list *list)
{
    *list = (struct list){.attributes = {.arena = {.limit = 1 << 16}}};
    assert_true(hf_attributes_read(&list->attributes, hf_slice_of(owner, sizeof(owner)), 3));
    assert_int_equal(list->attributes.count, 3);
    assert_false(list->attributes.changed);
}

static void check_written(struct list *list, const char *expected, size_t size)
{
    struct hf_wire_writer writer = {.out = &list->out};
    list->out.size = 0;
    hf_attributes_write(&list->attributes, 3, &writer);
    assert_int_equal(hf_wire_status(&writer), HF_OK);
    assert_int_equal(list->out.size, size);
    assert_memory_equal(list->out.data, expected, size);
}

static void release(struct list *list)
{
    assert_false(list->attributes.failed);
    hf_attributes_release(&list->attributes);
    hf_bytes_release(&list->out);
}

static void writes_what_it_read(void **state)
{
    struct list list;
    (void)state;
    read_list(&list);
    check_written(&list,
                  "\x1a\x07\x0a\x01"
                  "a\x12\x02\x18\x01\x1a\x09\x0a\x01"
                  "b\x50\x07\x12\x02\x18\x02\x1a\x07\x0a\x01"
                  "a\x12\x02\x18\x03",
                  29);
    release(&list);
}

static void finds_the_first_of_a_key(void **state)
{
    struct list list;
    struct hf_slice value;
    (void)state;
    read_list(&list);
    assert_true(
        hf_slice_is(hf_attributes_find(&list.attributes, hf_slice_text("a"))->value, "\x18\x01"));
    assert_null(hf_attributes_find(&list.attributes, hf_slice_text("c")));
    assert_null(hf_attributes_find(&list.attributes, HF_EMPTY_SLICE));
    assert_true(hf_attribute_of(hf_slice_of(owner, sizeof(owner)), 3, hf_slice_text("b"), &value));
    assert_true(hf_slice_is(value, "\x18\x02"));
    assert_false(hf_attribute_of(hf_slice_of(owner, sizeof(owner)), 3, hf_slice_text("c"), &value));
    assert_false(hf_attribute_of(hf_slice_of(owner, sizeof(owner)), 4, hf_slice_text("b"), &value));
    release(&list);
}

static void looks_at_plain_pairs_without_a_list(void **state)
{
    static const struct {
        const char *owner;
        enum hf_attribute_found found;
    } rows[] = {
        {"\x1a\x06\x0a\x01k\x12\x01v", HF_ATTRIBUTE_THERE},
        {"\x1a\x06\x0a\x01l\x12\x01w\x1a\x06\x0a\x01k\x12\x01v", HF_ATTRIBUTE_THERE},
        {"\x1a\x06\x0a\x01l\x12\x01v", HF_ATTRIBUTE_ABSENT},
        {"\x22\x06\x0a\x01k\x12\x01v", HF_ATTRIBUTE_ABSENT},           /* another field */
        {"\x1a\x06\x12\x01v\x0a\x01k", HF_ATTRIBUTE_UNKNOWN},          /* the value comes first */
        {"\x1a\x09\x0a\x01k\x12\x01v\x12\x01v", HF_ATTRIBUTE_UNKNOWN}, /* in two pieces */
        {"\x1a\x09\x0a\x01k", HF_ATTRIBUTE_UNKNOWN},                   /* cut short */
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct hf_slice value = HF_EMPTY_SLICE;
        assert_int_equal(
            hf_attribute_peek(hf_slice_text(rows[i].owner), 3, hf_slice_text("k"), &value),
            rows[i].found);
        assert_int_equal(hf_slice_is(value, "v"), rows[i].found == HF_ATTRIBUTE_THERE);
    }
}

static void changing_a_key_leaves_one_of_it(void **state)
{
    struct list list;
    (void)state;
    read_list(&list);
    hf_attributes_set(&list.attributes, hf_slice_text("a"), hf_slice_text("\x18\x09"));
    assert_true(list.attributes.changed);
    check_written(&list,
                  "\x1a\x07\x0a\x01"
                  "a\x12\x02\x18\x09\x1a\x09\x0a\x01"
                  "b\x50\x07\x12\x02\x18\x02",
                  20);
    release(&list);
}

static void a_changed_pair_keeps_its_other_fields(void **state)
{
    struct list list;
    (void)state;
    read_list(&list);
    hf_attributes_remove(&list.attributes, hf_slice_text("a"));
    hf_attributes_set(&list.attributes, hf_slice_text("b"),
                      hf_attributes_string(&list.attributes, hf_slice_text("new")));
    check_written(&list,
                  "\x1a\x0c\x0a\x01"
                  "b\x50\x07\x12\x05\x0a\x03new",
                  14);
    release(&list);
}

static void the_same_value_changes_nothing(void **state)
{
    struct list list;
    (void)state;
    read_list(&list);
    hf_attributes_set(&list.attributes, hf_slice_text("b"), hf_slice_text("\x18\x02"));
    hf_attributes_remove(&list.attributes, hf_slice_text("c"));
    assert_false(list.attributes.changed);
    release(&list);
}

static void makes_values_of_each_type(void **state)
{
    struct list list;
    (void)state;
    read_list(&list);
    hf_attributes_remove(&list.attributes, hf_slice_text("a"));
    hf_attributes_remove(&list.attributes, hf_slice_text("b"));
    assert_int_equal(list.attributes.count, 0);
    check_written(&list, "", 0);
    hf_attributes_set(&list.attributes, hf_slice_text("i"),
                      hf_attributes_int(&list.attributes, -1));
    hf_attributes_set(&list.attributes, hf_slice_text("d"),
                      hf_attributes_double(&list.attributes, 1.5));
    hf_attributes_set(&list.attributes, hf_slice_text("s"),
                      hf_attributes_string(&list.attributes, HF_EMPTY_SLICE));
    check_written(&list,
                  "\x1a\x10\x0a\x01i\x12\x0b\x18\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"
                  "\x1a\x0e\x0a\x01"
                  "d\x12\x09\x21\x00\x00\x00\x00\x00\x00\xf8\x3f"
                  "\x1a\x07\x0a\x01s\x12\x02\x0a\x00",
                  43);
    release(&list);
}

static void notes_when_it_has_no_room(void **state)
{
    struct hf_attributes attributes = {.arena = {.limit = 0}};
    (void)state;
    assert_true(hf_attributes_read(&attributes, hf_slice_of(owner, sizeof(owner)), 3));
    assert_int_equal(hf_attributes_int(&attributes, 1).size, 0);
    assert_true(attributes.failed);
    hf_attributes_set(&attributes, hf_slice_text("b"), hf_slice_text("\x18\x09"));
    assert_false(attributes.changed);
    hf_attributes_release(&attributes);
}

static void refuses_malformed_owners(void **state)
{
    static const char *const owners[] = {"\x1a", "\x1a\x05", "\x1a\x02\x0a\x05", "\x1b"};
    (void)state;
    for (size_t i = 0; i < sizeof(owners) / sizeof(owners[0]); i++) {
        struct hf_attributes attributes = {.arena = {.limit = 1}};
        assert_false(hf_attributes_read(&attributes, hf_slice_text(owners[i]), 3));
        hf_attributes_release(&attributes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_what_it_read),
        cmocka_unit_test(finds_the_first_of_a_key),
        cmocka_unit_test(looks_at_plain_pairs_without_a_list),
        cmocka_unit_test(changing_a_key_leaves_one_of_it),
        cmocka_unit_test(a_changed_pair_keeps_its_other_fields),
        cmocka_unit_test(the_same_value_changes_nothing),
        cmocka_unit_test(makes_values_of_each_type),
        cmocka_unit_test(notes_when_it_has_no_room),
        cmocka_unit_test(refuses_malformed_owners),
    };
    return cmocka_run_group_tests_name("attributes", tests, NULL, NULL);
}
