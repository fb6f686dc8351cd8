/* Documents of spans: ids, names, and what is refused. */
#include "components/exporters/awsxray/xray_segment.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h> /* needs those before it */

#include "pdata/wire.h"
#include "tests/support/node_stub.c"

#define NOW_S UINT64_C(1700000000)

static struct xray_config config = {.skip_validation = true};
static struct hf_arena arena = {.limit = 1 << 20};
static struct xray_maker maker = {.config = &config, .arena = &arena, .now_s = NOW_S};

static int make_regex(void **state)
{
    char why[HF_REGEX_ERROR_MAX];
    (void)state;
    return hf_regex_new("[^ 0-9\\p{L}N_.:/%&#=+\\-@]", &maker.unfit, why);
}

static int drop_regex(void **state)
{
    (void)state;
    hf_regex_free(maker.unfit);
    hf_bytes_release(&maker.text);
    hf_arena_release(&arena);
    return 0;
}

/* A span of those ids and that name. */
static struct hf_bytes span_of(const char *trace, const char *id, const char *name)
{
    struct hf_bytes bytes = {0};
    struct hf_wire_writer writer = {.out = &bytes};
    hf_wire_put_bytes(&writer, 1, hf_slice_text(trace));
    hf_wire_put_bytes(&writer, 2, hf_slice_text(id));
    hf_wire_put_bytes(&writer, 5, hf_slice_text(name));
    hf_wire_put_varint(&writer, 6, XRAY_CLIENT);
    assert_int_equal(hf_wire_status(&writer), HF_OK);
    return bytes;
}

/* The document; NULL: refused for `*ret_why`. The caller's. */
static char *document_of(const char *trace, const char *id, const char *name, const char **ret_why)
{
    struct hf_bytes span = span_of(trace, id, name);
    struct xray_document documents[XRAY_DOCUMENTS_MAX];
    size_t count = 0;
    enum hf_status status = xray_segment_make(&maker, hf_slice_of(span.data, span.size),
                                              HF_EMPTY_SLICE, documents, &count, ret_why);
    hf_bytes_release(&span);
    if (status != HF_OK) {
        assert_int_equal(status, HF_INVALID);
        return NULL;
    }
    assert_int_equal(count, 1);
    assert_string_equal(documents[0].id, "6161616161616161");
    return strndup((const char *)documents[0].text.data, documents[0].text.size);
}

static void ids_have_the_form_of_x_ray(void **state)
{
    const char *why = NULL;
    char *text = document_of("eSSSSSSSSSSSSSSS", "aaaaaaaa", "n", &why);
    (void)state;
    assert_non_null(text);
    assert_non_null(strstr(text, "\"trace_id\":\"1-65535353-535353535353535353535353\""));
    assert_non_null(strstr(text, "\"id\":\"6161616161616161\""));
    assert_non_null(strstr(text, "\"namespace\":\"remote\""));
    assert_null(strstr(text, "parent_id"));
    free(text);
    assert_null(document_of("short", "aaaaaaaa", "n", &why));
    assert_non_null(strstr(why, "trace id"));
    assert_null(document_of("eSSSSSSSSSSSSSSS", "", "n", &why));
    assert_non_null(strstr(why, "no id"));
}

static void old_trace_ids_are_refused_when_that_is_wanted(void **state)
{
    const char *why = NULL;
    (void)state;
    config.skip_validation = false;
    assert_null(document_of("aSSSSSSSSSSSSSSS", "aaaaaaaa", "n", &why));
    assert_non_null(strstr(why, "28 days"));
    maker.now_s = 0x65535353;
    char *text = document_of("eSSSSSSSSSSSSSSS", "aaaaaaaa", "n", &why);
    assert_non_null(text);
    free(text);
    config.skip_validation = true;
    maker.now_s = NOW_S;
}

static void names_have_no_other_characters(void **state)
{
    static const struct {
        const char *name, *expected;
    } rows[] = {
        {"GET /x", "\"name\":\"GET /x\""},
        {"a<b>;c\xc3\xa9", "\"name\":\"abc\xc3\xa9\""},
        {"<>", "\"name\":\"span\""},
        {"", "\"name\":\"span\""},
    };
    const char *why = NULL;
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char *text = document_of("eSSSSSSSSSSSSSSS", "aaaaaaaa", rows[i].name, &why);
        assert_non_null(text);
        assert_non_null(strstr(text, rows[i].expected));
        free(text);
    }
    char name[402];
    for (size_t i = 0; i < 200; i++) { /* characters of two bytes */
        memcpy(name + 2 * i, "\xc3\xa9", 2);
    }
    name[400] = '\0';
    char *text = document_of("eSSSSSSSSSSSSSSS", "aaaaaaaa", name, &why);
    const char *end = strchr(strstr(text, "\"name\":\"") + 8, '"');
    size_t size = (size_t)(end - strstr(text, "\"name\":\"")) - 8;
    assert_true(size <= 200 && size >= 198 && size % 2 == 0);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_have_the_form_of_x_ray),
        cmocka_unit_test(old_trace_ids_are_refused_when_that_is_wanted),
        cmocka_unit_test(names_have_no_other_characters),
    };
    return cmocka_run_group_tests(tests, make_regex, drop_regex);
}
