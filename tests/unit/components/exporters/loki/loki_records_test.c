/* Records as entries: what those of one resource have in common, and what each says for itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h> /* needs those before it */

#include "components/exporters/loki/loki_records.h"
#include "pdata/any_make.h"
#include "pdata/wire.h"
#include "pdata/wire_find.h"
#include "util/arena.h"

enum { ROOT_GROUPS = 1, GROUP_RESOURCE = 1, GROUP_SCOPES = 2, SCOPE_RECORDS = 2 };

#define RECORDS_MAX 4u
#define ATTRIBUTES_MAX 3u

struct record {
    uint8_t severity;
    const char *body;
    const char *attributes[2 * ATTRIBUTES_MAX]; /* keys and values */
};

struct group {
    const char *attributes[2 * ATTRIBUTES_MAX];
    struct record records[RECORDS_MAX];
};

static void put_attributes(struct hf_wire_writer *writer, uint32_t number,
                           const char *const *attributes)
{
    for (size_t i = 0; i < 2 * ATTRIBUTES_MAX && attributes[i] != NULL; i += 2) {
        struct hf_wire_message pair = hf_wire_open(writer, number, 0);
        hf_wire_put_bytes(writer, 1, hf_slice_text(attributes[i]));
        struct hf_wire_message value = hf_wire_open(writer, 2, 0);
        hf_wire_put_bytes(writer, 1, hf_slice_text(attributes[i + 1]));
        hf_wire_close(writer, value);
        hf_wire_close(writer, pair);
    }
}

static void put_record(struct hf_wire_writer *writer, const struct record *record)
{
    struct hf_wire_message message = hf_wire_open(writer, SCOPE_RECORDS, 0);
    hf_wire_put_fixed64(writer, 1, 1);
    hf_wire_put_varint(writer, 2, record->severity);
    struct hf_wire_message body = hf_wire_open(writer, 5, 0);
    hf_wire_put_bytes(writer, 1, hf_slice_text(record->body));
    hf_wire_close(writer, body);
    put_attributes(writer, LOKI_RECORD_ATTRIBUTES, record->attributes);
    hf_wire_close(writer, message);
}

static void put_group(struct hf_wire_writer *writer, const struct group *group)
{
    struct hf_wire_message message = hf_wire_open(writer, ROOT_GROUPS, 0);
    struct hf_wire_message resource = hf_wire_open(writer, GROUP_RESOURCE, 0);
    put_attributes(writer, LOKI_RESOURCE_ATTRIBUTES, group->attributes);
    hf_wire_close(writer, resource);
    struct hf_wire_message scope = hf_wire_open(writer, GROUP_SCOPES, 0);
    for (size_t i = 0; i < RECORDS_MAX && group->records[i].body != NULL; i++) {
        put_record(writer, &group->records[i]);
    }
    hf_wire_close(writer, scope);
    hf_wire_close(writer, message);
}

/* Each entry as "tenant labels line", a line each, in the order of streams. */
static void show(const struct loki_record_config *config, const struct group *groups, size_t count,
                 char *ret_text, size_t room)
{
    struct hf_bytes raw = {0}, out = {0};
    struct hf_wire_writer writer = {.out = &raw};
    struct loki_records records = {.config = NULL};
    size_t size = 0;
    for (size_t i = 0; i < count; i++) {
        put_group(&writer, &groups[i]);
    }
    assert_int_equal(loki_records_init(&records, config), HF_OK);
    struct hf_document *document = hf_document_borrow(HF_LOGS, hf_slice_of(raw.data, raw.size));
    assert_non_null(document);
    struct hf_place place = {.document = document};
    loki_records_begin(&records);
    loki_push_begin(&records.push);
    while (hf_place_next_item(&place)) {
        bool is_taken;
        struct hf_slice tenant = loki_records_tenant(&records, &place);
        assert_int_equal(loki_records_add(&records, &place, 7, &is_taken), HF_OK);
        size += (size_t)snprintf(ret_text + size, room - size, "%s[%.*s]", size != 0 ? " " : "",
                                 (int)tenant.size, (const char *)tenant.data);
        size += (size_t)snprintf(ret_text + size, room - size, "%s", is_taken ? "" : " left out");
    }
    size += (size_t)snprintf(ret_text + size, room - size, "\n");
    assert_int_equal(loki_push_write(&records.push, &out), HF_OK);
    struct hf_wire streams = hf_wire_of(hf_slice_of(out.data, out.size));
    struct hf_slice stream, entry;
    while (hf_wire_each(&streams, 1, &stream)) {
        struct hf_slice labels = hf_wire_find_bytes(stream, 1);
        struct hf_wire entries = hf_wire_of(stream);
        while (hf_wire_each(&entries, 2, &entry)) {
            struct hf_slice line = hf_wire_find_bytes(entry, 2);
            size += (size_t)snprintf(ret_text + size, room - size, "%.*s %.*s\n", (int)labels.size,
                                     (const char *)labels.data, (int)line.size,
                                     (const char *)line.data);
        }
    }
    assert_true(size < room);
    hf_document_return(document);
    loki_records_release(&records);
    hf_bytes_release(&raw);
    hf_bytes_release(&out);
}

static void assert_shown(const struct loki_record_config *config, const struct group *groups,
                         size_t count, const char *wanted)
{
    char text[4096];
    show(config, groups, count, text, sizeof(text));
    if (strcmp(text, wanted) != 0) {
        fail_msg("got\n%s\nwanted\n%s", text, wanted);
    }
}

static const struct loki_record_config plain = {.labels.defaults = {true, true, true, true}};

static void what_a_resource_says_is_said_of_each_of_its_records(void **state)
{
    (void)state;
    static const struct group groups[] = {
        {{"service.name", "a"}, {{9, "one", {"k", "<"}}, {17, "two", {0}}, {9, "three", {0}}}},
        {{"service.name", "b", "z", "1"}, {{9, "four", {0}}}},
        {{0}, {{9, "five", {0}}}},
    };
    assert_shown(&plain, groups, 3,
                 "[] [] [] [] []\n"
                 "{exporter=\"OTLP\", job=\"a\", level=\"INFO\"} "
                 "{\"body\":\"one\",\"attributes\":{\"k\":\"\\u003c\"},"
                 "\"resources\":{\"service.name\":\"a\"}}\n"
                 "{exporter=\"OTLP\", job=\"a\", level=\"INFO\"} "
                 "{\"body\":\"three\",\"resources\":{\"service.name\":\"a\"}}\n"
                 "{exporter=\"OTLP\", job=\"a\", level=\"ERROR\"} "
                 "{\"body\":\"two\",\"resources\":{\"service.name\":\"a\"}}\n"
                 "{exporter=\"OTLP\", job=\"b\", level=\"INFO\"} "
                 "{\"body\":\"four\",\"resources\":{\"service.name\":\"b\",\"z\":\"1\"}}\n"
                 "{exporter=\"OTLP\", level=\"INFO\"} {\"body\":\"five\"}\n");
}

static void a_record_that_tells_more_changes_nothing_for_the_next_one(void **state)
{
    (void)state;
    static const struct group groups[] = {
        {{"zone", "eu"},
         {{0, "one", {0}},
          {0, "two", {"loki.resource.labels", "zone"}},
          {0, "three", {"loki.format", "raw", "loki.tenant", "team", "team", "t"}},
          {0, "four", {0}}}},
    };
    assert_shown(&plain, groups, 1,
                 "[] [] [t] []\n"
                 "{exporter=\"OTLP\"} {\"body\":\"one\",\"resources\":{\"zone\":\"eu\"}}\n"
                 "{exporter=\"OTLP\"} {\"body\":\"four\",\"resources\":{\"zone\":\"eu\"}}\n"
                 "{exporter=\"OTLP\", zone=\"eu\"} {\"body\":\"two\"}\n"
                 "{exporter=\"OTLP\", team=\"t\"} three\n");
}

static void a_tenant_that_a_resource_names_may_be_the_records(void **state)
{
    (void)state;
    static const struct group groups[] = {
        {{"loki.tenant", "team"}, {{0, "one", {"team", "x"}}, {0, "two", {0}}}},
        {{"loki.tenant", "team", "team", "y"}, {{0, "three", {"team", "x"}}}},
    };
    assert_shown(&plain, groups, 2,
                 "[x] [] [y]\n"
                 "{exporter=\"OTLP\", team=\"x\"} {\"body\":\"one\"}\n"
                 "{exporter=\"OTLP\"} {\"body\":\"two\"}\n"
                 "{exporter=\"OTLP\", team=\"y\"} "
                 "{\"body\":\"three\",\"attributes\":{\"team\":\"x\"}}\n");
}

static void a_record_without_a_label_is_left_out(void **state)
{
    (void)state;
    static const struct loki_record_config none = {.labels.defaults = {.level = true}};
    static const struct group groups[] = {{{0}, {{0, "one", {0}}, {9, "two", {0}}, {0, "x", {0}}}}};
    assert_shown(&none, groups, 1,
                 "[] left out [] [] left out\n{level=\"INFO\"} {\"body\":\"two\"}\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_resource_says_is_said_of_each_of_its_records),
        cmocka_unit_test(a_record_that_tells_more_changes_nothing_for_the_next_one),
        cmocka_unit_test(a_tenant_that_a_resource_names_may_be_the_records),
        cmocka_unit_test(a_record_without_a_label_is_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
