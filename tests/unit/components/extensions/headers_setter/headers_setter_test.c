#include "tests/unit/components/extensions/support.h"

#include <unistd.h>

void hf_node_log(const struct hf_node *node, enum hf_log_level level, const char *format, ...)
{
    (void)node;
    (void)level;
    (void)format;
}

extern const struct hf_component hf_extension_headers_setter;

#define OPEN(extension, ...)                                                                       \
    open_extension((extension), &hf_extension_headers_setter,                                      \
                   (const char *const[][2]){__VA_ARGS__, {NULL, NULL}})

static void sets_fixed_headers(void **state)
{
    (void)state;
    struct extension extension;
    OPEN(&extension, {"headers.0.key", "X-Scope-OrgID"}, {"headers.0.value", "acme"},
         {"headers.1.key", "x-two"}, {"headers.1.value", "2"});
    assert_adds(&extension, HF_EMPTY_SLICE, "X-Scope-OrgID=acme;x-two=2;");
    close_extension(&extension);
}

static void takes_values_from_what_the_client_sent(void **state)
{
    (void)state;
    struct hf_meta_writer meta;
    meta.size = 0;
    assert_int_equal(
        hf_meta_add(&meta, HF_META_HEADER, hf_slice_text("x-tenant"), hf_slice_text("blue")),
        HF_OK);
    struct extension extension;
    OPEN(&extension, {"headers.0.key", "X-Scope-OrgID"}, {"headers.0.from_context", "X-Tenant"},
         {"headers.1.key", "x-missing"}, {"headers.1.from_context", "x-nobody"},
         {"headers.2.key", "x-default"}, {"headers.2.from_context", "x-nobody"},
         {"headers.2.default_value", "none"});
    assert_adds(&extension, hf_slice_of(meta.bytes, meta.size),
                "X-Scope-OrgID=blue;x-default=none;");
    assert_adds(&extension, HF_EMPTY_SLICE, "x-default=none;");
    size_t count;
    const char *const *keys =
        hf_extension_headers_setter.extension->auth->context_keys(extension.self, &count);
    assert_int_equal(count, 3);
    assert_string_equal(keys[0], "x-tenant");
    keys = hf_extension_headers_setter.extension->auth->header_keys(extension.self, &count);
    assert_int_equal(count, 3);
    assert_string_equal(keys[2], "x-nobody");
    close_extension(&extension);
}

static void lets_any_bytes_become_a_binary_header(void **state)
{
    (void)state;
    struct extension extension;
    OPEN(&extension, {"headers.0.key", "x-id-bin"}, {"headers.0.from_context", "x-id-bin"},
         {"headers.1.key", "x-tenant"}, {"headers.1.from_context", "x-tenant-bin"});
    size_t count;
    const char *const *keys =
        hf_extension_headers_setter.extension->auth->header_keys(extension.self, &count);
    assert_int_equal(count, 1);
    assert_string_equal(keys[0], "x-tenant-bin");
    close_extension(&extension);
}

static void takes_values_from_the_clients_authentication(void **state)
{
    (void)state;
    struct hf_meta_writer meta;
    meta.size = 0;
    assert_int_equal(
        hf_meta_add(&meta, HF_META_AUTH, hf_slice_text("subject"), hf_slice_text("joe")), HF_OK);
    assert_int_equal(hf_meta_add(&meta, HF_META_AUTH, hf_slice_text("odd"), hf_slice_text("a\nb")),
                     HF_OK);
    assert_int_equal(
        hf_meta_add(&meta, HF_META_HEADER, hf_slice_text("other"), hf_slice_text("header")), HF_OK);
    struct extension extension;
    OPEN(&extension, {"headers.0.key", "x-user"}, {"headers.0.from_attribute", "subject"},
         {"headers.1.key", "x-odd"}, {"headers.1.from_attribute", "odd"},
         {"headers.1.default_value", "none"}, {"headers.2.key", "x-other"},
         {"headers.2.from_attribute", "other"});
    assert_adds(&extension, hf_slice_of(meta.bytes, meta.size), "x-user=joe;x-odd=none;");
    size_t count;
    const char *const *keys =
        hf_extension_headers_setter.extension->auth->context_keys(extension.self, &count);
    assert_int_equal(count, 3);
    assert_string_equal(keys[0], "auth.subject");
    close_extension(&extension);
}

static void takes_values_from_files(void **state)
{
    (void)state;
    char directory[] = "/tmp/hf-setter-XXXXXX", path[64];
    struct extension extension;
    assert_non_null(mkdtemp(directory));
    snprintf(path, sizeof(path), "%s/key", directory);
    OPEN(&extension, {"headers.0.key", "x-key"}, {"headers.0.value_file", path},
         {"headers.1.key", "x-two"}, {"headers.1.value", "2"});
    assert_adds(&extension, HF_EMPTY_SLICE, "x-two=2;"); /* it is not there yet */
    close_extension(&extension);
    write_file(path, "a\nb");
    OPEN(&extension, {"headers.0.key", "x-key"}, {"headers.0.value_file", path});
    assert_adds(&extension, HF_EMPTY_SLICE, ""); /* that is no header's value */
    close_extension(&extension);
    write_file(path, "secret\n");
    OPEN(&extension, {"headers.0.key", "x-key"}, {"headers.0.value_file", path});
    assert_adds(&extension, HF_EMPTY_SLICE, "x-key=secret;");
    assert_int_equal(unlink(path), 0);
    assert_adds(&extension, HF_EMPTY_SLICE, "x-key=secret;");
    close_extension(&extension);
    rmdir(directory);
}

static void applies_its_actions_in_order(void **state)
{
    (void)state;
    struct extension extension;
    OPEN(&extension, {"headers.0.key", "a"}, {"headers.0.value", "1"}, /* upsert */
         {"headers.1.key", "A"}, {"headers.1.value", "2"}, {"headers.1.action", "insert"},
         {"headers.2.key", "b"}, {"headers.2.value", "3"}, {"headers.2.action", "update"},
         {"headers.3.key", "a"}, {"headers.3.value", "4"}, {"headers.3.action", "update"},
         {"headers.4.key", "c"}, {"headers.4.value", "5"}, {"headers.4.action", "insert"},
         {"headers.5.key", "c"}, {"headers.5.action", "delete"});
    assert_adds(&extension, HF_EMPTY_SLICE, "a=4;");
    close_extension(&extension);
}

static void says_what_is_wrong(void **state)
{
    (void)state;
    const struct hf_component *component = &hf_extension_headers_setter;
    static const char *const rows[][4][2] = {
        {{NULL, NULL}},
        {{"headers.0.key", "a"}, {NULL, NULL}},
        {{"headers.0.key", "a"}, {"headers.0.value", "1"}, {"headers.0.from_context", "b"}},
        {{"headers.0.key", "a b"}, {"headers.0.value", "1"}, {NULL, NULL}},
        {{"headers.0.key", "a"}, {"headers.0.value", "1"}, {"headers.0.default_value", "2"}},
        {{"headers.0.key", "Connection"}, {"headers.0.value", "close"}, {NULL, NULL}},
        {{"headers.0.key", "caf\xc3\xa9"}, {"headers.0.value", "1"}, {NULL, NULL}},
        {{"headers.0.key", "a"}, {"headers.0.value", "1\n2"}, {NULL, NULL}},
        {{"headers.0.key", "a"},
         {"headers.0.from_context", "b"},
         {"headers.0.default_value", "\x01"}},
    };
    static const char *const says[] = {
        "at least one header", "one of value",  "one of value",
        "name of a header",    "default_value", "set by the transport",
        "name of a header",    "line ends",     "line ends"};
    for (size_t i = 0; i < sizeof(says) / sizeof(says[0]); i++) {
        assert_check_says(component, rows[i], says[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sets_fixed_headers),
        cmocka_unit_test(takes_values_from_what_the_client_sent),
        cmocka_unit_test(lets_any_bytes_become_a_binary_header),
        cmocka_unit_test(takes_values_from_the_clients_authentication),
        cmocka_unit_test(takes_values_from_files),
        cmocka_unit_test(applies_its_actions_in_order),
        cmocka_unit_test(says_what_is_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
