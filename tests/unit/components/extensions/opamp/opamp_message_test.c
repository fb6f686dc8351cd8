/* What a server of OpAMP sends. What is sent to it is read in tests/integration/test_opamp.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h> /* needs those before it */

#include "components/extensions/opamp/opamp_message.h"

#define CONSTANT(text)                                                                             \
    {                                                                                              \
        .data = (const uint8_t *)(text), .size = sizeof(text) - 1                                  \
    }
#define BYTES(text) ((struct hf_slice)CONSTANT(text))

/* What the component asks of its graph. */
const char *hf_state_name(enum hf_state state)
{
    return state == HF_STATE_OK ? "StatusOK" : "StatusPermanentError";
}

void hf_node_view_components(const struct hf_node *node,
                             void (*visit)(void *user, const struct hf_component_view *view),
                             void *user)
{
    static const struct hf_component component = {.type = "a", .kind = HF_EXPORTER};
    const struct hf_component_view view = {
        .component = &component,
        .id = "a/1",
        .pipeline_id = "logs",
        .look = {.state = HF_STATE_PERMANENT_ERROR, .since_unix_ns = 5, .error = "no"},
    };
    (void)node;
    visit(user, &view);
}

void hf_node_view_types(const struct hf_node *node,
                        void (*visit)(void *user, const struct hf_component *component), void *user)
{
    static const struct hf_component component = {.type = "only", .kind = HF_RECEIVER};
    (void)node;
    visit(user, &component);
}

static void the_fields_are_read(void **state)
{
    (void)state;
    struct opamp_answer answer;
    assert_true(opamp_read_answer(HF_EMPTY_SLICE, &answer));
    assert_false(answer.has_error || answer.has_new_uid || answer.is_restart ||
                 answer.wants_full_state || answer.wants_components || answer.has_remote_config);
    assert_true(opamp_read_answer(BYTES("\x30\x03\x1a\x00\x4a\x00"), &answer));
    assert_true(answer.wants_full_state && answer.wants_components && answer.has_remote_config &&
                answer.is_restart);
    assert_true(opamp_read_answer(BYTES("\x4a\x02\x08\x01"), &answer));
    assert_false(answer.is_restart); /* another command */
    assert_true(opamp_read_answer(BYTES("\x12\x0a\x08\x02\x12\x02no\x1a\x02\x08\x05"), &answer));
    assert_true(answer.has_error && hf_slice_is(answer.error, "no"));
    assert_int_equal(answer.retry_after_ns, 5);
    assert_true(opamp_read_answer(BYTES("\x42\x12\x0a\x10"
                                        "0123456789abcdef"),
                                  &answer));
    assert_true(answer.has_new_uid);
    assert_memory_equal(answer.new_uid.bytes, "0123456789abcdef", OPAMP_UID_SIZE);
    assert_true(opamp_read_answer(BYTES("\x42\x05\x0a\x03"
                                        "abc"),
                                  &answer));
    assert_false(answer.has_new_uid); /* not 16 bytes */
}

static void what_is_malformed_is_refused(void **state)
{
    (void)state;
    static const struct hf_slice rows[] = {
        CONSTANT("\x30"),         CONSTANT("\x12\x05\x08"), CONSTANT("\x12\x01\x08"),
        CONSTANT("\x42\x01\x0a"), CONSTANT("\x4a\x01\x08"), CONSTANT("\x12\x03\x1a\x01\x08"),
        CONSTANT("\x07"),
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct opamp_answer answer;
        assert_false(opamp_read_answer(rows[i], &answer));
    }
}

static void uids_are_uuids_or_ulids(void **state)
{
    (void)state;
    static const struct {
        const char *text, *uuid; /* NULL: it is none */
    } rows[] = {
        {"01234567-89AB-cdef-0123-456789abcdef", "01234567-89ab-cdef-0123-456789abcdef"},
        {"7ZZZZZZZZZZZZZZZZZZZZZZZZZ", "ffffffff-ffff-ffff-ffff-ffffffffffff"},
        {"00000000000000000000000010", "00000000-0000-0000-0000-000000000020"},
        {"0000000000000000000000001z", "00000000-0000-0000-0000-00000000003f"},
        {"8ZZZZZZZZZZZZZZZZZZZZZZZZZ", NULL}, /* more than 128 bits */
        {"0000000000000000000000000U", NULL}, /* no digit of it */
        {"01234567-89ab-cdef-0123-456789abcdeg", NULL},
        {"0123456789ab-cdef-0123-456789abcdef-", NULL},
        {"01234567-89ab-cdef-0123-456789abcde", NULL},
        {"", NULL},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct opamp_uid uid;
        char text[OPAMP_UID_TEXT];
        assert_int_equal(opamp_uid_read(rows[i].text, &uid), rows[i].uuid != NULL);
        if (rows[i].uuid != NULL) {
            opamp_uid_print(&uid, text);
            assert_string_equal(text, rows[i].uuid);
        }
    }
}

static void a_made_uid_is_of_version_7(void **state)
{
    (void)state;
    struct opamp_uid one, other;
    char text[OPAMP_UID_TEXT];
    opamp_uid_make(UINT64_C(0x0123456789ab) * 1000000, &one);
    opamp_uid_make(UINT64_C(0x0123456789ab) * 1000000, &other);
    assert_memory_not_equal(one.bytes, other.bytes, OPAMP_UID_SIZE);
    opamp_uid_print(&one, text);
    assert_memory_equal(text, "01234567-89ab-7", 15);
    assert_non_null(strchr("89ab", text[19]));
}

static void the_hash_of_components_is_that_of_their_list(void **state)
{
    (void)state;
    struct hf_bytes all = {0}, hash = {0};
    struct hf_wire_writer writer = {.out = &all}, short_writer = {.out = &hash};
    assert_int_equal(opamp_put_components(&writer, NULL, false), HF_OK);
    assert_int_equal(opamp_put_components(&short_writer, NULL, true), HF_OK);
    assert_non_null(memmem(all.data, all.size, "only", 4));
    assert_null(memmem(hash.data, hash.size, "only", 4));
    assert_memory_equal(all.data + all.size - 32, hash.data + hash.size - 32, 32);
    hf_bytes_release(&all);
    hf_bytes_release(&hash);
}

/* ComponentHealth with the pipeline, and that with its component. */
static void health_is_written_with_its_parts(void **state)
{
    (void)state;
    static const struct hf_health_rule rule = {.counts_errors = false};
    static const char wanted[] =
        "\x11\x07\0\0\0\0\0\0\0\x1a\x02no\x22\x14StatusPermanentError\x29\x05\0\0\0\0\0\0\0"
        "\x32\x69\x0a\x0dpipeline:logs\x12\x58"
        "\x1a\x02no\x22\x14StatusPermanentError\x29\x05\0\0\0\0\0\0\0"
        "\x32\x33\x0a\x0c"
        "exporter:a/1\x12\x23"
        "\x1a\x02no\x22\x14StatusPermanentError\x29\x05\0\0\0\0\0\0\0";
    struct hf_health_tree *tree = NULL;
    struct hf_bytes out = {0};
    struct hf_wire_writer writer = {.out = &out};
    assert_int_equal(hf_health_tree_new(NULL, &rule, &tree), HF_OK);
    opamp_write_health(&writer, tree, 7);
    assert_int_equal(hf_wire_status(&writer), HF_OK);
    assert_int_equal(out.size, sizeof(wanted) - 1);
    assert_memory_equal(out.data, wanted, out.size);
    hf_health_tree_free(tree);
    hf_bytes_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_fields_are_read),
        cmocka_unit_test(what_is_malformed_is_refused),
        cmocka_unit_test(uids_are_uuids_or_ulids),
        cmocka_unit_test(a_made_uid_is_of_version_7),
        cmocka_unit_test(health_is_written_with_its_parts),
        cmocka_unit_test(the_hash_of_components_is_that_of_their_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
