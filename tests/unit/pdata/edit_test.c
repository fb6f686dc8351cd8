/* Edited requests hold the changes asked for and are otherwise the bytes that came. */
#include "pdata/edit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h> /* needs the three before it */

#include "pdata/scan.h"
#include "pdata/wire_find.h"
#include "tests/support/bodies.c"

/* Sets or removes one attribute everywhere, and counts the owners. */
struct setter {
    struct hf_editor editor;
    struct hf_slice key, value; /* a value without bytes: remove */
    unsigned owners;
};

static void change(struct hf_editor *editor, struct hf_attributes *attributes)
{
    struct setter *setter = HF_CONTAINER(editor, struct setter, editor);
    setter->owners++;
    if (setter->value.size == 0) {
        hf_attributes_remove(attributes, setter->key);
    } else {
        hf_attributes_set(attributes, setter->key, setter->value);
    }
}

static struct setter setter_of(bool of_resources, const char *key, const char *value)
{
    return (struct setter){.editor = {.of_resources = of_resources, .change = change},
                           .key = hf_slice_text(key),
                           .value = hf_slice_text(value)};
}

static struct hf_slice slice_of(const struct hf_bytes *bytes)
{
    return hf_slice_of(bytes->data, bytes->size);
}

/* Adding an attribute to every item and removing it again gives the bytes that were there. */
static void adding_and_removing_is_nothing(void **state)
{
    (void)state;
    for (int signal = 0; signal <= HF_LOGS; signal++) {
        for (uint64_t seed = 0; seed < 100; seed++) {
            struct hf_bytes before = {0};
            struct hf_bytes added = {0};
            struct hf_bytes after = {0};
            struct hf_scan scan;
            bool changed = false;
            char value[200] = "\x0a";
            size_t size = seed + 1; /* so that lengths grow by a byte now and then */
            memset(value + 2, 'v', size);
            value[1] = (char)size;
            struct setter add = setter_of(false, "added", value);
            struct setter drop = setter_of(false, "added", "");

            bodies_make((enum hf_signal)signal, seed, seed % 20, &before);
            assert_int_equal(
                hf_edit(&add.editor, (enum hf_signal)signal, slice_of(&before), &added, &changed),
                HF_OK);
            assert_int_equal(changed, seed % 20 != 0);
            if (changed) {
                assert_int_equal(hf_scan((enum hf_signal)signal, slice_of(&added), &scan), HF_OK);
                assert_int_equal(scan.items, seed % 20);
                assert_int_equal(add.owners, seed % 20);
                assert_int_equal(hf_edit(&drop.editor, (enum hf_signal)signal, slice_of(&added),
                                         &after, &changed),
                                 HF_OK);
                assert_true(changed);
                assert_true(hf_slice_equal(slice_of(&before), slice_of(&after)));
            }
            hf_bytes_release(&before);
            hf_bytes_release(&added);
            hf_bytes_release(&after);
        }
    }
}

static void edits_every_resource(void **state)
{
    (void)state;
    for (int signal = 0; signal < HF_SIGNAL_COUNT; signal++) {
        for (uint64_t seed = 1; seed < 60; seed++) {
            struct hf_bytes before = {0};
            struct hf_bytes once = {0};
            struct hf_bytes twice = {0};
            struct hf_scan scan, edited;
            bool changed = false;
            struct setter add = setter_of(true, "added", "\x18\x07");
            bodies_make((enum hf_signal)signal, seed, seed, &before);
            assert_int_equal(hf_scan((enum hf_signal)signal, slice_of(&before), &scan), HF_OK);
            assert_int_equal(
                hf_edit(&add.editor, (enum hf_signal)signal, slice_of(&before), &once, &changed),
                HF_OK);
            assert_true(changed);
            assert_int_equal(add.owners, scan.resources);
            assert_int_equal(hf_scan((enum hf_signal)signal, slice_of(&once), &edited), HF_OK);
            assert_int_equal(edited.items, scan.items);
            assert_int_equal(edited.resources, scan.resources);
            assert_int_equal(
                hf_edit(&add.editor, (enum hf_signal)signal, slice_of(&once), &twice, &changed),
                HF_OK);
            assert_false(changed); /* they all have it already */
            assert_int_equal(twice.size, 0);
            hf_bytes_release(&before);
            hf_bytes_release(&once);
            hf_bytes_release(&twice);
        }
    }
}

static void writes_exactly_this(void **state)
{
    static const struct {
        const char *what;
        bool of_resources;
        enum hf_signal signal;
        const char *before;
        size_t before_size;
        const char *after;
        size_t after_size;
    } cases[] = {
        {"a resource that was not there", true, HF_LOGS, "\x0a\x03\x1a\x01u", 5,
         "\x0a\x0e\x0a\x09\x0a\x07\x0a\x01k\x12\x02\x18\x07\x1a\x01u", 16},
        {"a resource in two pieces becomes one", true, HF_LOGS,
         "\x0a\x0a\x0a\x02\x10\x01\x12\x00\x0a\x02\x10\x02", 12,
         "\x0a\x11\x0a\x0d\x10\x01\x10\x02\x0a\x07\x0a\x01k\x12\x02\x18\x07\x12\x00", 19},
        {"the list stands where it stood", true, HF_TRACES,
         "\x0a\x0d\x0a\x0b\x0a\x05\x0a\x01"
         "a\x12\x00\x10\x01\x50\x02",
         15,
         "\x0a\x16\x0a\x14\x0a\x05\x0a\x01"
         "a\x12\x00\x0a\x07\x0a\x01k\x12\x02\x18\x07\x10\x01\x50\x02",
         24},
        {"a list that is scattered", true, HF_TRACES,
         "\x0a\x12\x0a\x10\x0a\x05\x0a\x01"
         "a\x12\x00\x10\x01\x0a\x05\x0a\x01"
         "b\x12\x00",
         20,
         "\x0a\x1b\x0a\x19\x0a\x05\x0a\x01"
         "a\x12\x00\x0a\x05\x0a\x01"
         "b\x12\x00\x0a\x07\x0a\x01k\x12\x02\x18\x07\x10\x01",
         29},
        {"a span", false, HF_TRACES, "\x0a\x06\x12\x04\x12\x02\x30\x01", 8,
         "\x0a\x0f\x12\x0d\x12\x0b\x30\x01\x4a\x07\x0a\x01k\x12\x02\x18\x07", 17},
        {"a log record", false, HF_LOGS, "\x0a\x04\x12\x02\x12\x00", 6,
         "\x0a\x0d\x12\x0b\x12\x09\x32\x07\x0a\x01k\x12\x02\x18\x07", 15},
        {"a point of a gauge", false, HF_METRICS, "\x0a\x08\x12\x06\x12\x04\x2a\x02\x0a\x00", 10,
         "\x0a\x11\x12\x0f\x12\x0d\x2a\x0b\x0a\x09\x3a\x07\x0a\x01k\x12\x02\x18\x07", 19},
        {"a point of a sum", false, HF_METRICS, "\x0a\x08\x12\x06\x12\x04\x3a\x02\x0a\x00", 10,
         "\x0a\x11\x12\x0f\x12\x0d\x3a\x0b\x0a\x09\x3a\x07\x0a\x01k\x12\x02\x18\x07", 19},
        {"a point of a histogram", false, HF_METRICS, "\x0a\x08\x12\x06\x12\x04\x4a\x02\x0a\x00",
         10, "\x0a\x11\x12\x0f\x12\x0d\x4a\x0b\x0a\x09\x4a\x07\x0a\x01k\x12\x02\x18\x07", 19},
        {"a point of an exponential histogram", false, HF_METRICS,
         "\x0a\x08\x12\x06\x12\x04\x52\x02\x0a\x00", 10,
         "\x0a\x11\x12\x0f\x12\x0d\x52\x0b\x0a\x09\x0a\x07\x0a\x01k\x12\x02\x18\x07", 19},
        {"a point of a summary", false, HF_METRICS, "\x0a\x08\x12\x06\x12\x04\x5a\x02\x0a\x00", 10,
         "\x0a\x11\x12\x0f\x12\x0d\x5a\x0b\x0a\x09\x3a\x07\x0a\x01k\x12\x02\x18\x07", 19},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct setter add = setter_of(cases[i].of_resources, "k", "\x18\x07");
        struct hf_bytes out = {0};
        bool changed = false;
        struct hf_slice before = hf_slice_of(cases[i].before, cases[i].before_size);
        assert_int_equal(hf_edit(&add.editor, cases[i].signal, before, &out, &changed), HF_OK);
        assert_true(changed);
        if (!hf_slice_equal(slice_of(&out), hf_slice_of(cases[i].after, cases[i].after_size))) {
            fail_msg("%s", cases[i].what);
        }
        hf_bytes_release(&out);
    }
}

struct watcher {
    struct hf_editor editor;
    const char *metric; /* edit the points of this one only */
    unsigned asked, changed;
};

static bool wants(struct hf_editor *editor, const struct hf_edit_place *place)
{
    struct watcher *watcher = HF_CONTAINER(editor, struct watcher, editor);
    struct hf_wire_field name;
    watcher->asked++;
    assert_int_equal(place->signal, HF_METRICS);
    assert_true(hf_wire_find(place->scope, HF_NUMBER_SCOPE_NAME, &name));
    assert_true(hf_slice_is(name.bytes, "my.library"));
    assert_true(hf_wire_find(place->metric, HF_NUMBER_METRIC_NAME, &name));
    return hf_slice_is(name.bytes, watcher->metric);
}

static void count_and_add(struct hf_editor *editor, struct hf_attributes *attributes)
{
    HF_CONTAINER(editor, struct watcher, editor)->changed++;
    hf_attributes_set(attributes, hf_slice_text("k"), hf_slice_text("\x18\x07"));
}

static void edits_only_what_is_wanted(void **state)
{
    struct watcher watcher = {.editor = {.wants = wants, .change = count_and_add},
                              .metric = "requests"};
    struct hf_bytes before = {0};
    struct hf_bytes out = {0};
    bool changed = false;
    (void)state;
    bodies_make(HF_METRICS, 7, 60, &before);
    assert_int_equal(hf_edit(&watcher.editor, HF_METRICS, slice_of(&before), &out, &changed),
                     HF_OK);
    assert_true(changed);
    assert_int_equal(watcher.asked, 60);
    assert_in_range(watcher.changed, 10, 50);
    /* "k" and its value, once for each point that was wanted */
    unsigned found = 0;
    for (size_t i = 0; i + 9 <= out.size; i++) {
        found += memcmp(out.data + i, "\x07\x0a\x01k\x12\x02\x18\x07", 8) == 0;
    }
    assert_int_equal(found, watcher.changed);
    hf_bytes_release(&before);
    hf_bytes_release(&out);
}

static void leaves_the_buffer_alone_when_it_fails(void **state)
{
    static const char *const bodies[] = {"\x0a\x05", "\x0a\x02\x12\x05", "\x0a\x04\x12\x02\x12\x05",
                                         "\x0a\x06\x12\x04\x12\x02\x4a\x05"};
    (void)state;
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        struct setter add = setter_of(false, "k", "\x18\x07");
        struct hf_bytes out = {0};
        bool changed = true;
        assert_int_equal(hf_bytes_append(&out, hf_slice_text("kept")), HF_OK);
        assert_int_equal(hf_edit(&add.editor, HF_TRACES, hf_slice_text(bodies[i]), &out, &changed),
                         HF_INVALID);
        assert_true(hf_slice_is(slice_of(&out), "kept"));
        assert_true(changed);
        hf_bytes_release(&out);
    }
}

static struct hf_batch *batch_of(struct hf_slice body)
{
    struct hf_batch *batch = hf_batch_new(HF_TRACES, body.size, hf_slice_text("meta"));
    assert_non_null(batch);
    memcpy(hf_batch_room(batch), body.data, body.size);
    hf_batch_seal(batch, body.size, 1);
    batch->received_ns = 4711;
    return batch;
}

static void a_batch_keeps_what_is_known_of_it(void **state)
{
    struct setter add = setter_of(false, "k", "\x18\x07");
    struct hf_batch *batch = batch_of(hf_slice_of("\x0a\x06\x12\x04\x12\x02\x30\x01", 8));
    struct hf_batch *edited = NULL;
    struct hf_batch *same = NULL;
    (void)state;
    assert_int_equal(hf_edit_batch(&add.editor, batch, &edited), HF_OK);
    assert_ptr_not_equal(edited, batch);
    assert_int_equal(edited->signal, HF_TRACES);
    assert_int_equal(edited->coding, HF_IDENTITY);
    assert_int_equal(edited->items, 1);
    assert_int_equal(edited->received_ns, 4711);
    assert_true(hf_slice_is(edited->meta, "meta"));
    assert_int_equal(edited->wire.size, 17);
    assert_true(hf_slice_equal(edited->raw, edited->wire));
    hf_ref_drop(&batch->ref);

    assert_int_equal(hf_edit_batch(&add.editor, edited, &same), HF_OK);
    assert_ptr_equal(same, edited);
    hf_ref_drop(&edited->ref);
    assert_int_equal(same->wire.size, 17); /* the second reference holds it */
    hf_ref_drop(&same->ref);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(adding_and_removing_is_nothing),
        cmocka_unit_test(edits_every_resource),
        cmocka_unit_test(writes_exactly_this),
        cmocka_unit_test(edits_only_what_is_wanted),
        cmocka_unit_test(leaves_the_buffer_alone_when_it_fails),
        cmocka_unit_test(a_batch_keeps_what_is_known_of_it),
    };
    return cmocka_run_group_tests_name("edit", tests, NULL, NULL);
}
