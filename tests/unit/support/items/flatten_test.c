/* Every log record gets a resource and a scope of its own, and those that are the same are joined.
 */
#include "support/items/flatten.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h> /* needs the three before it */

#include "pdata/any.h"
#include "pdata/json.h"
#include "pdata/walk.h"
#include "support/items/grouping.h"

/* Two resources; the first has two scopes with two records and one, the second has one. */
static const char request[] =
    "{\"resourceLogs\":[{\"schemaUrl\":\"r\",\"resource\":{\"attributes\":["
    "{\"key\":\"service.name\",\"value\":{\"stringValue\":\"shop\"}}]},\"scopeLogs\":["
    "{\"schemaUrl\":\"s\",\"scope\":{\"name\":\"one\"},\"logRecords\":["
    "{\"severityText\":\"a\"},{\"severityText\":\"b\"}]},"
    "{\"scope\":{\"name\":\"two\"},\"logRecords\":[{\"severityText\":\"c\"}]}]},"
    "{\"scopeLogs\":[{\"logRecords\":[{\"severityText\":\"d\"}]}]}]}";

struct scene {
    struct hf_bytes raw;
    struct hf_document *document;
};

static void scene_open(struct scene *scene)
{
    char error[HF_JSON_ERROR_MAX];
    *scene = (struct scene){.document = NULL};
    assert_int_equal(hf_json_to_proto(HF_LOGS, hf_slice_text(request), 1 << 20, &scene->raw, error),
                     HF_OK);
    scene->document = hf_document_borrow(HF_LOGS, hf_slice_of(scene->raw.data, scene->raw.size));
    assert_non_null(scene->document);
}

static void scene_close(struct scene *scene)
{
    hf_document_return(scene->document);
    hf_bytes_release(&scene->raw);
}

/* The groups and records in their order, as "shop/one:ab shop/two:c /:d". */
static void assert_shape(struct scene *scene, const char *expected)
{
    char shape[200] = "";
    size_t used = 0;
    const struct hf_message *scope_group = NULL;
    struct hf_place place = {.document = scene->document};
    while (hf_place_next_item(&place)) {
        struct hf_slice service = HF_EMPTY_SLICE;
        struct hf_message *resource = hf_place_resource(&place);
        struct hf_slice text = hf_message_bytes(place.item, 3);
        struct hf_slice name = hf_message_bytes(hf_place_scope(&place), 1);
        if (resource != NULL &&
            hf_message_attribute(resource, 1, hf_slice_text("service.name"), &service)) {
            service = hf_any_read(service).bytes;
        }
        bool is_new = place.scope_group != scope_group;
        scope_group = place.scope_group;
        if (is_new) {
            used += (size_t)snprintf(shape + used, sizeof(shape) - used,
                                     "%s%.*s/%.*s:", used > 0 ? " " : "", (int)service.size,
                                     (const char *)service.data, (int)name.size,
                                     (const char *)name.data);
        }
        used += (size_t)snprintf(shape + used, sizeof(shape) - used, "%.*s", (int)text.size,
                                 (const char *)text.data);
    }
    assert_string_equal(shape, expected);
}

static void gives_each_record_its_own(void **state)
{
    (void)state;
    struct scene scene;
    scene_open(&scene);
    assert_int_equal(hf_flatten(scene.document), HF_OK);
    assert_shape(&scene, "shop/one:a shop/one:b shop/two:c /:d");
    assert_int_equal(hf_message_count(hf_document_root(scene.document), 1), 4);
    assert_int_equal(hf_document_items(scene.document), 4);
    struct hf_place place = {.document = scene.document};
    assert_true(hf_place_next_item(&place));
    assert_true(hf_slice_is(hf_message_bytes(place.resource_group, 3), "r"));
    assert_true(hf_slice_is(hf_message_bytes(place.scope_group, 3), "s"));
    scene_close(&scene);
}

static void joins_those_that_are_the_same(void **state)
{
    (void)state;
    struct scene scene;
    struct hf_grouping_counts counts;
    const struct hf_string_list none = {.count = 0};
    scene_open(&scene);
    assert_int_equal(hf_flatten(scene.document), HF_OK);
    struct hf_place place = {.document = scene.document};
    assert_true(hf_place_next_item(&place) && hf_place_next_item(&place));
    static const uint8_t cart[] = {10, 4, 'c', 'a', 'r', 't'};
    hf_attributes_set(hf_message_attributes(hf_place_resource(&place), 1),
                      hf_slice_text("service.name"), hf_slice_of(cart, sizeof(cart)));
    assert_int_equal(hf_group(scene.document, &none, &counts), HF_OK);
    assert_shape(&scene, "shop/one:a shop/two:c cart/one:b /:d");
    assert_int_equal(counts.groups, 3);
    scene_close(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_each_record_its_own),
        cmocka_unit_test(joins_those_that_are_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
