/* What a profile names by index is found, and what is wrong in the dictionary reads as nothing. */
#include "pdata/profile_tables.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h> /* needs the three before it */

#include "pdata/walk.h"
#include "pdata/wire.h"

/* A message that is written by hand, so that it can be wrong. */
struct text {
    uint8_t data[4096];
    size_t size;
};

static void put_bytes(struct text *to, unsigned number, const void *bytes, size_t size)
{
    assert_true(size < 0x4000 && to->size + size + 3 <= sizeof(to->data));
    to->data[to->size++] = (uint8_t)(number << 3 | HF_WIRE_BYTES);
    to->data[to->size++] = (uint8_t)(0x80 | (size & 0x7f));
    to->data[to->size++] = (uint8_t)(size >> 7);
    memmove(to->data + to->size, bytes, size);
    to->size += size;
}

static void put_number(struct text *to, unsigned number, uint8_t value)
{
    to->data[to->size++] = (uint8_t)(number << 3 | HF_WIRE_VARINT);
    to->data[to->size++] = value;
}

/* Puts what was written into a field of another message. */
static struct text within(unsigned number, const struct text *inner)
{
    struct text outer = {.size = 0};
    put_bytes(&outer, number, inner->data, inner->size);
    return outer;
}

/* A value of lists in each other. */
static struct text nested(unsigned levels)
{
    struct text value = {.size = 0};
    put_number(&value, 3, 1);
    for (unsigned i = 0; i < levels; i++) {
        struct text list = within(1, &value);
        value = within(5, &list);
    }
    return value;
}

static void put_attribute(struct text *dictionary, uint8_t key, const struct text *value)
{
    struct text attribute = {.size = 0};
    put_number(&attribute, 1, key);
    put_bytes(&attribute, 2, value->data, value->size);
    put_bytes(dictionary, 6, attribute.data, attribute.size);
}

/* One profile with the attributes 0 to 4, of which the table has four. */
static struct text request(void)
{
    static const uint8_t indices[] = {0, 1, 2, 3, 4};
    struct text dictionary = {.size = 0}, good = {.size = 0}, cut = {.size = 0};
    put_bytes(&dictionary, 5, "", 0);
    put_bytes(&dictionary, 5, "one", 3);
    put_bytes(&dictionary, 5, "\xff\xfe", 2);
    put_bytes(&good, 1, "value", 5);
    put_bytes(&cut, 1, "value", 5);
    cut.size -= 2;
    struct text deep = nested(600);
    put_attribute(&dictionary, 1, &good);
    put_attribute(&dictionary, 2, &good);
    put_attribute(&dictionary, 77, &cut);
    put_attribute(&dictionary, 1, &deep);
    struct text profile = {.size = 0};
    put_bytes(&profile, 11, indices, sizeof(indices));
    struct text scope = within(2, &profile);
    struct text resource = within(2, &scope);
    struct text whole = within(1, &resource);
    put_bytes(&whole, 2, dictionary.data, dictionary.size);
    return whole;
}

static struct hf_message *open_profile(const struct text *whole, struct hf_document **ret_document)
{
    *ret_document = hf_document_borrow(HF_PROFILES, hf_slice_of(whole->data, whole->size));
    assert_non_null(*ret_document);
    struct hf_place place = {.document = *ret_document};
    assert_true(hf_place_next_item(&place));
    return place.item;
}

static void finds_what_is_there(void **state)
{
    (void)state;
    struct text whole = request();
    struct hf_document *document;
    struct hf_slice value;
    struct hf_message *profile = open_profile(&whole, &document);
    assert_true(hf_slice_is(hf_profile_text(document, 1), "one"));
    assert_int_equal(hf_profile_text(document, 3).size, 0);
    assert_int_equal(hf_profile_text(document, -1).size, 0);
    assert_true(hf_profile_attribute(profile, hf_slice_text("one"), &value));
    assert_true(hf_slice_is(hf_any_read(value).bytes, "value"));
    assert_false(hf_profile_attribute(profile, hf_slice_text("two"), &value));
    assert_int_equal(hf_document_status(document), HF_OK);
    hf_document_return(document);
}

static void reads_what_is_wrong_as_nothing(void **state)
{
    (void)state;
    struct text whole = request();
    struct hf_document *document;
    struct hf_any_pair *pairs = NULL;
    size_t count = 0;
    struct hf_message *profile = open_profile(&whole, &document);
    assert_int_equal(hf_profile_text(document, 2).size, 0); /* not UTF-8 */
    assert_int_equal(hf_profile_attributes(profile, &pairs, &count), HF_OK);
    assert_int_equal(count, 4); /* the fifth is in no table */
    assert_int_equal(pairs[1].key.size, 0);
    assert_int_equal(hf_any_read(pairs[1].value).type, HF_ANY_STRING);
    assert_int_equal(pairs[2].value.size, 0); /* cut */
    assert_int_equal(pairs[3].value.size, 0); /* deeper than any request may be */
    hf_document_return(document);
}

static void needs_no_dictionary(void **state)
{
    (void)state;
    struct text profile = {.size = 0};
    put_number(&profile, 11, 0);
    struct text scope = within(2, &profile);
    struct text resource = within(2, &scope);
    struct text whole = within(1, &resource);
    struct hf_document *document;
    struct hf_slice value;
    struct hf_any_pair *pairs = NULL;
    size_t count = 1;
    struct hf_message *found = open_profile(&whole, &document);
    assert_false(hf_profile_attribute(found, hf_slice_text("one"), &value));
    assert_int_equal(hf_profile_attributes(found, &pairs, &count), HF_OK);
    assert_int_equal(count, 0);
    assert_int_equal(hf_profile_text(document, 0).size, 0);
    hf_document_return(document);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_what_is_there),
        cmocka_unit_test(reads_what_is_wrong_as_nothing),
        cmocka_unit_test(needs_no_dictionary),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
