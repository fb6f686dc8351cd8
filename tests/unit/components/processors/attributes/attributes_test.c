/* The processor changes the items that include and exclude leave, of each signal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h> /* needs the three before it */

#include <holdfast/component.h>

#include "pdata/edit.h"
#include "pdata/scan.h"
#include "support/items/actions.h"
#include "support/items/match.h"
#include "tests/support/bodies.c"
#include "tests/support/node_stub.c"

extern const struct hf_component hf_processor_attributes;

enum { INSERT };

/* As the component's configuration. */
struct config {
    struct hf_struct_list actions;
    const struct hf_match_config *include, *exclude;
};

static const struct hf_action_config insert = {
    .action = INSERT, .key = "seen", .value = {.type = HF_VALUE_INT, .string = "7", .integer = 7}};

/* "seen" = 7 as an attribute's bytes, with the length in front. */
static const char seen[] = "\x0a\x0a\x04seen\x12\x02\x18\x07";

static unsigned count_seen(struct hf_slice raw)
{
    unsigned found = 0;
    for (size_t i = 0; i + sizeof(seen) - 1 <= raw.size; i++) {
        found += memcmp(raw.data + i, seen, sizeof(seen) - 1) == 0;
    }
    return found;
}

static unsigned count_text(struct hf_slice raw, const char *text)
{
    unsigned found = 0;
    size_t size = strlen(text);
    for (size_t i = 0; i + size <= raw.size; i++) {
        found += memcmp(raw.data + i, text, size) == 0;
    }
    return found;
}

/* Runs a request of `items` items through the processor; the caller drops what comes out. */
static struct hf_batch *processed(enum hf_signal signal, const struct config *config,
                                  uint32_t items)
{
    struct hf_node node = {.id = "attributes", .signals = HF_SIGNAL_BIT(signal)};
    struct hf_bytes body = {0};
    char error[HF_ERROR_MAX] = "";
    void *self = NULL;
    struct hf_batch *changed = NULL;
    struct hf_scan scan;
    assert_null(hf_processor_attributes.check(config));
    if (hf_processor_attributes.open(&node, config, &self, error) != HF_OK) {
        fail_msg("%s", error);
    }
    bodies_make(signal, 11, items, &body);
    struct hf_batch *batch = hf_batch_new(signal, body.size, HF_EMPTY_SLICE);
    assert_non_null(batch);
    memcpy(hf_batch_room(batch), body.data, body.size);
    hf_batch_seal(batch, body.size, items);
    assert_int_equal(hf_processor_attributes.processor->process(self, batch, &changed), HF_OK);
    assert_int_equal(hf_scan(signal, changed->raw, &scan), HF_OK);
    assert_int_equal(scan.items, items);
    hf_ref_drop(&batch->ref);
    hf_bytes_release(&body);
    hf_processor_attributes.close(self);
    return changed;
}

static void changes_every_item(void **state)
{
    const struct config config = {.actions = {&insert, 1}};
    (void)state;
    for (int signal = 0; signal <= HF_LOGS; signal++) {
        struct hf_batch *changed = processed((enum hf_signal)signal, &config, 50);
        assert_int_equal(count_seen(changed->raw), 50);
        hf_ref_drop(&changed->ref);
    }
}

static void changes_what_is_included_and_not_excluded(void **state)
{
    static const char *const get[] = {"GET /"}, *const checkout[] = {"checkout"};
    static const char *const metric[] = {"requests"};
    static const struct hf_match_library first[] = {{"my.library", "1.0"}};
    const struct hf_match_config is_get = {.span_names = {get, 1}};
    const struct hf_match_config is_checkout = {.span_names = {checkout, 1}};
    const struct hf_match_config is_first = {.libraries = {first, 1}};
    const struct hf_match_config is_requests = {.metric_names = {metric, 1}};
    const struct config all[] = {
        {.actions = {&insert, 1}, .include = &is_get},
        {.actions = {&insert, 1}, .exclude = &is_checkout},
        {.actions = {&insert, 1}, .include = &is_get, .exclude = &is_get},
        {.actions = {&insert, 1}, .include = &is_first},
        {.actions = {&insert, 1}, .include = &is_get, .exclude = &is_first},
    };
    unsigned counts[5];
    (void)state;
    for (size_t i = 0; i < 5; i++) {
        struct hf_batch *changed = processed(HF_TRACES, &all[i], 80);
        counts[i] = count_seen(changed->raw);
        if (i == 0) {
            /* The name's tag and length make it a span's name. */
            assert_int_equal(counts[0], count_text(changed->raw, "\x2a\x05GET /"));
        }
        hf_ref_drop(&changed->ref);
    }
    assert_in_range(counts[0], 20, 60);
    assert_int_equal(counts[1], counts[0]); /* there are two names only */
    assert_int_equal(counts[2], 0);
    assert_in_range(counts[3], 10, 70);
    assert_in_range(counts[4], 1, counts[0] - 1);

    const struct config metrics = {.actions = {&insert, 1}, .include = &is_requests};
    struct hf_batch *changed = processed(HF_METRICS, &metrics, 80);
    assert_in_range(count_seen(changed->raw), 10, 70);
    hf_ref_drop(&changed->ref);
}

static void criteria_must_fit_the_signal(void **state)
{
    static const char *const names[] = {"x"};
    const struct hf_match_config spans = {.span_names = {names, 1}};
    const struct config config = {.actions = {&insert, 1}, .exclude = &spans};
    struct hf_node node = {.id = "attributes", .signals = HF_SIGNAL_BIT(HF_LOGS)};
    char error[HF_ERROR_MAX] = "";
    void *self = NULL;
    (void)state;
    assert_int_equal(hf_processor_attributes.open(&node, &config, &self, error), HF_INVALID);
    assert_string_equal(error, "exclude: services, span_names and span_kinds are not for logs");
    assert_null(self);
}

static void checks_each_part_of_the_configuration(void **state)
{
    static const char *const pattern[] = {"("};
    const struct hf_match_config bad = {.match_type = HF_MATCH_REGEXP, .span_names = {pattern, 1}};
    const struct config cases[] = {
        {.actions = {NULL, 0}},
        {.actions = {&insert, 1}, .include = &bad},
        {.actions = {&insert, 1}, .exclude = &bad},
    };
    static const char *const says[] = {
        "actions: ", "include::span_names: ", "exclude::span_names: "};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        const char *sentence = hf_processor_attributes.check(&cases[i]);
        assert_non_null(sentence);
        assert_int_equal(strncmp(sentence, says[i], strlen(says[i])), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(changes_every_item),
        cmocka_unit_test(changes_what_is_included_and_not_excluded),
        cmocka_unit_test(criteria_must_fit_the_signal),
        cmocka_unit_test(checks_each_part_of_the_configuration),
    };
    return cmocka_run_group_tests_name("attributes", tests, NULL, NULL);
}
