/* What is made of a request on its way: edited, cut, joined, recoded, printed. It is right, or it
 * is not there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h> /* needs the three before it */

#include "../../include/holdfast/component.h"
#include "pdata/document.h"
#include "pdata/edit.h"
#include "pdata/json.h"
#include "pdata/parts.h"
#include "pdata/path.h"
#include "pdata/payload.h"
#include "pdata/repair.h"
#include "pdata/scan.h"
#include "pdata/split.h"
#include "pdata/text.h"
#include "pdata/walk.h"
#include "tests/support/bodies.c"

#include "failing.h"

#define ITEMS 12

static struct hf_slice slice_of(const struct hf_bytes *bytes)
{
    return hf_slice_of(bytes->data, bytes->size);
}

static void change(struct hf_editor *editor, struct hf_attributes *attributes)
{
    (void)editor;
    hf_attributes_set(attributes, hf_slice_text("number"), hf_attributes_int(attributes, 42));
    hf_attributes_set(attributes, hf_slice_text("text"),
                      hf_attributes_string(attributes, hf_slice_text("of some length")));
}

/* One thing that is made of a request: bytes, appended to `out`. */
typedef enum hf_status making(enum hf_signal signal, struct hf_slice raw, struct hf_bytes *out);

static enum hf_status make_edited(enum hf_signal signal, struct hf_slice raw, struct hf_bytes *out)
{
    struct hf_editor editor = {.change = change};
    bool changed;
    return hf_edit(&editor, signal, raw, out, &changed);
}

/* A document with no memory from before: the thread's spare one is in use meanwhile. */
static struct hf_document *open_new(enum hf_signal signal, struct hf_slice raw,
                                    struct hf_document **ret_spare)
{
    struct hf_document *document = NULL;
    *ret_spare = hf_document_borrow(signal, HF_EMPTY_SLICE);
    if (*ret_spare != NULL) {
        document = hf_document_borrow(signal, raw);
    }
    if (document == NULL) {
        hf_document_return(*ret_spare);
    }
    return document;
}

static void close_new(struct hf_document *document, struct hf_document *spare)
{
    hf_document_return(spare);
    hf_document_return(document);
}

/* A document changed in all the ways that take memory. */
static enum hf_status make_document(enum hf_signal signal, struct hf_slice raw,
                                    struct hf_bytes *out)
{
    struct hf_document *spare;
    struct hf_document *document = open_new(signal, raw, &spare);
    if (document == NULL) {
        return HF_NOMEM;
    }
    struct hf_place place = {.document = document};
    while (hf_place_next_item(&place)) {
        uint32_t number = hf_message_attributes_number(hf_message_type(place.item));
        struct hf_attributes *attributes = hf_message_attributes(place.item, number);
        struct hf_message *scope = hf_message_need(place.scope_group, 1);
        if (attributes != NULL) {
            hf_attributes_set(attributes, hf_slice_text("number"),
                              hf_attributes_int(attributes, 42));
        }
        hf_message_set_bytes(scope, 1, hf_slice_text("a scope"));
    }
    struct hf_message *first = hf_message_first(hf_document_root(document), 1);
    if (first != NULL) {
        hf_message_copy(first, hf_document_root(document), 1);
        hf_message_move(first, hf_document_root(document), 1);
    }
    enum hf_status status = hf_document_write(document, out);
    close_new(document, spare);
    return status;
}

static enum hf_status make_by_path(enum hf_signal signal, struct hf_slice raw, struct hf_bytes *out)
{
    static const char *const texts[] = {"resource.attributes[\"a\"][\"b\"][2]",
                                        "instrumentation_scope.name"};
    struct hf_any value = {.type = HF_ANY_STRING, .bytes = hf_slice_text("set")};
    enum hf_status status = HF_OK;
    struct hf_document *spare;
    struct hf_document *document = open_new(signal, raw, &spare);
    if (document == NULL) {
        return HF_NOMEM;
    }
    for (size_t i = 0; i < 2 && status == HF_OK; i++) {
        char error[HF_ERROR_MAX];
        struct hf_path *path = NULL;
        struct hf_place place = {.document = document};
        status = hf_path_parse(hf_slice_text(texts[i]), &path, error);
        while (status == HF_OK && hf_place_next_item(&place)) {
            /* Where a scalar stands on the way the value is refused. */
            enum hf_status set = hf_path_set(path, &place, &value, error);
            status = set == HF_INVALID ? HF_OK : set;
        }
        hf_path_free(path);
    }
    status = status == HF_OK ? hf_document_write(document, out) : status;
    close_new(document, spare);
    return status;
}

static enum hf_status make_some_parts(enum hf_signal signal, struct hf_slice raw,
                                      struct hf_bytes *out)
{
    struct hf_parts parts = {.limit = ITEMS};
    enum hf_status status = HF_OK;
    struct hf_document *spare;
    struct hf_document *document = open_new(signal, raw, &spare);
    if (document == NULL) {
        return HF_NOMEM;
    }
    struct hf_place place = {.document = document};
    for (unsigned i = 0; status == HF_OK && hf_place_next_item(&place); i++) {
        status = hf_parts_put(&parts, &place, hf_slice_of(&i, 1));
    }
    status = status == HF_OK ? hf_document_status(document) : status;
    for (size_t i = 0; i < parts.count && status == HF_OK; i++) {
        status = hf_parts_write(&parts, document, i, out);
    }
    hf_parts_release(&parts);
    close_new(document, spare);
    return status;
}

static enum hf_status make_repaired(enum hf_signal signal, struct hf_slice raw,
                                    struct hf_bytes *out)
{
    uint8_t *copy = malloc(raw.size); /* of the scenario: never fails */
    uint64_t count;
    memcpy(copy, raw.data, raw.size);
    uint8_t *name = memmem(copy, raw.size, "my.library", 10);
    name[3] = 0xff;
    enum hf_status status = hf_repair(signal, hf_slice_of(copy, raw.size), out, &count);
    free(copy);
    return status;
}

static enum hf_status make_part(enum hf_signal signal, struct hf_slice raw, struct hf_bytes *out)
{
    return hf_split(signal, raw, ITEMS / 3, ITEMS / 2, out);
}

static enum hf_status make_json(enum hf_signal signal, struct hf_slice raw, struct hf_bytes *out)
{
    return hf_json_from_proto(signal, raw, out);
}

static enum hf_status make_text(enum hf_signal signal, struct hf_slice raw, struct hf_bytes *out)
{
    return hf_text_print(signal, raw, HF_TEXT_FULL, out);
}

static enum hf_status make_lines(enum hf_signal signal, struct hf_slice raw, struct hf_bytes *out)
{
    return hf_text_print(signal, raw, HF_TEXT_LINES, out);
}

/* Makes it of every signal, and compares with what comes out when there is memory. */
static bool make_all(making *make)
{
    bool is_whole = true;
    for (int signal = 0; signal <= HF_LOGS; signal++) {
        struct hf_bytes raw = {0}, expected = {0}, made = {0};
        bodies_make(signal, 7, ITEMS, &raw);
        assert_int_equal(make(signal, slice_of(&raw), &expected), HF_OK);
        alloc_begin();
        enum hf_status status = make(signal, slice_of(&raw), &made);
        alloc_end();
        if (status == HF_OK) {
            assert_int_equal(made.size, expected.size);
            assert_memory_equal(made.data, expected.data, made.size);
        } else {
            assert_int_equal(status, HF_NOMEM);
            is_whole = false;
        }
        hf_bytes_release(&raw);
        hf_bytes_release(&expected);
        hf_bytes_release(&made);
    }
    return is_whole;
}

static bool edited(void)
{
    return make_all(make_edited);
}

static bool documents(void)
{
    return make_all(make_document);
}

static bool set_by_paths(void)
{
    return make_all(make_by_path);
}

static bool sorted_in_parts(void)
{
    return make_all(make_some_parts);
}

static bool repaired(void)
{
    return make_all(make_repaired);
}

static bool cut_in_parts(void)
{
    return make_all(make_part);
}

static bool to_json(void)
{
    return make_all(make_json);
}

static bool to_text(void)
{
    return make_all(make_text) & make_all(make_lines);
}

static bool from_json(void)
{
    bool is_whole = true;
    for (int signal = 0; signal <= HF_LOGS; signal++) {
        char error[HF_JSON_ERROR_MAX] = "";
        struct hf_bytes raw = {0}, json = {0}, expected = {0}, made = {0};
        bodies_make(signal, 7, ITEMS, &raw);
        assert_int_equal(hf_json_from_proto(signal, slice_of(&raw), &json), HF_OK);
        assert_int_equal(hf_json_to_proto(signal, slice_of(&json), 1 << 20, &expected, error),
                         HF_OK);
        alloc_begin();
        enum hf_status status = hf_json_to_proto(signal, slice_of(&json), 1 << 20, &made, error);
        alloc_end();
        if (status == HF_OK) {
            assert_int_equal(made.size, expected.size);
            assert_memory_equal(made.data, expected.data, made.size);
        } else {
            assert_int_equal(status, HF_NOMEM);
            is_whole = false;
        }
        hf_bytes_release(&raw);
        hf_bytes_release(&json);
        hf_bytes_release(&expected);
        hf_bytes_release(&made);
    }
    return is_whole;
}

static bool edited_batch(void)
{
    struct hf_editor editor = {.change = change};
    struct hf_bytes raw = {0};
    struct hf_batch *edited = NULL;
    struct hf_scan scan;
    bodies_make(HF_TRACES, 3, ITEMS, &raw);
    alloc_begin();
    struct hf_batch *batch = hf_batch_new(HF_TRACES, raw.size, hf_slice_text("meta"));
    enum hf_status status = HF_NOMEM;
    if (batch != NULL) {
        memcpy(hf_batch_room(batch), raw.data, raw.size);
        hf_batch_seal(batch, raw.size, ITEMS);
        status = hf_edit_batch(&editor, batch, &edited);
    }
    alloc_end();
    if (status == HF_OK) {
        assert_int_equal(hf_scan(HF_TRACES, edited->raw, &scan), HF_OK);
        assert_int_equal(scan.items, ITEMS);
        hf_ref_drop(&edited->ref);
    } else {
        assert_int_equal(status, HF_NOMEM);
    }
    if (batch != NULL) {
        hf_ref_drop(&batch->ref);
    }
    hf_bytes_release(&raw);
    return status == HF_OK;
}

/* ---- the body of a request to a backend ---- */

/* As the queue holds them: of every coding. */
struct pieces {
    struct hf_export_body pieces[HF_CODING_COUNT];
    struct hf_bytes raw, coded[HF_CODING_COUNT];
};

static void pieces_make(struct pieces *all)
{
    *all = (struct pieces){0};
    bodies_make(HF_LOGS, 5, ITEMS, &all->raw);
    struct hf_slice raw = slice_of(&all->raw);
    for (int coding = 0; coding < HF_CODING_COUNT; coding++) {
        assert_int_equal(hf_encode(coding, 0, &raw, 1, &all->coded[coding]), HF_OK);
        all->pieces[coding] = (struct hf_export_body){.wire = slice_of(&all->coded[coding]),
                                                      .coding = coding,
                                                      .items = ITEMS,
                                                      .raw_size = raw.size};
    }
}

static void pieces_release(struct pieces *all)
{
    for (int coding = 0; coding < HF_CODING_COUNT; coding++) {
        hf_bytes_release(&all->coded[coding]);
    }
    hf_bytes_release(&all->raw);
}

/* Is it all the pieces, one after another? */
static void check_payload(const struct hf_payload *payload, enum hf_coding coding,
                          const struct pieces *all)
{
    struct hf_bytes joined = {0}, decoded = {0};
    for (size_t i = 0; i < payload->count; i++) {
        assert_int_equal(hf_bytes_append(&joined, payload->slices[i]), HF_OK);
    }
    assert_int_equal(joined.size, payload->size);
    assert_int_equal(hf_decode(coding, slice_of(&joined), 1 << 20, &decoded), HF_OK);
    assert_int_equal(decoded.size, all->raw.size * HF_CODING_COUNT);
    for (size_t i = 0; i < HF_CODING_COUNT; i++) {
        assert_memory_equal(decoded.data + i * all->raw.size, all->raw.data, all->raw.size);
    }
    hf_bytes_release(&joined);
    hf_bytes_release(&decoded);
}

static bool payloads(void)
{
    struct pieces all;
    struct hf_payload payload = {0};
    bool is_whole = true;
    pieces_make(&all);
    for (int coding = 0; coding < HF_CODING_COUNT; coding++) {
        alloc_begin();
        enum hf_status status =
            hf_payload_build(&payload, all.pieces, HF_CODING_COUNT, coding, 0, true);
        alloc_end();
        if (status == HF_OK) {
            check_payload(&payload, coding, &all);
        } else {
            assert_int_equal(status, HF_NOMEM);
            is_whole = false;
        }
    }
    hf_payload_release(&payload);
    pieces_release(&all);
    return is_whole;
}

static bool json_payloads(void)
{
    struct pieces all;
    struct hf_payload payload = {0};
    pieces_make(&all);
    alloc_begin();
    enum hf_status status =
        hf_payload_build_json(&payload, HF_LOGS, all.pieces, HF_CODING_COUNT, HF_GZIP, 0);
    alloc_end();
    assert_true(status == HF_OK || status == HF_NOMEM);
    assert_true(status != HF_OK || payload.size > 0);
    hf_payload_release(&payload);
    pieces_release(&all);
    return status == HF_OK;
}

int main(int argc, char **argv)
{
    static const struct alloc_scenario scenarios[] = {
        {"edited", edited, false},
        {"edited_batch", edited_batch, false},
        {"documents", documents, false},
        {"set_by_paths", set_by_paths, false},
        {"sorted_in_parts", sorted_in_parts, false},
        {"repaired", repaired, false},
        {"cut_in_parts", cut_in_parts, false},
        {"to_json", to_json, false},
        {"from_json", from_json, false},
        {"to_text", to_text, false},
        {"payloads", payloads, false},
        {"json_payloads", json_payloads, false},
        {0},
    };
    return alloc_main(argc, argv, scenarios);
}
