/*
 * xray_stack_fuzz: stack traces; the first byte chooses the language. Must reach:
 * xray_put_exception() with put_java(), put_java_cause(), put_python(), put_python_cause(),
 * put_javascript_frame(), put_dotnet_frame(), put_go().
 *
 * Whatever the text is, one JSON list of exceptions comes of it.
 */
#include "check.h"
#include "components/exporters/awsxray/xray_span.h"
#include "pdata/utf8.h"
#include "json/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const languages[] = {"java", "python", "javascript", "dotnet",
                                            "go",   "php",    "ruby"};
    if (size == 0 || !hf_utf8_is_valid(hf_slice_of(data + 1, size - 1))) {
        return 0;
    }
    struct hf_arena arena = {.limit = (size_t)64 << 20};
    struct hf_bytes out = {0};
    struct hf_json_writer writer = {.out = &out};
    struct xray_span span = {.arena = &arena};
    const struct hf_json *root = NULL;
    char why[HF_JSON_ERROR_MAX];
    const struct xray_exception exception = {.id = "0123456789abcdef",
                                             .type = hf_slice_text("T"),
                                             .message = hf_slice_text("m"),
                                             .stack = hf_slice_of(data + 1, size - 1)};
    hf_json_write_open(&writer, '[');
    xray_put_exception(&span, &writer, &exception, hf_slice_text(languages[data[0] % 7]));
    hf_json_write_close(&writer, ']');
    check(hf_json_write_status(&writer) == HF_OK);
    check(hf_json_read(hf_slice_of(out.data, out.size), &arena, &root, why) == HF_OK);
    check(hf_json_text_of(hf_json_first(root), "type").size == 1);
    hf_bytes_release(&out);
    hf_arena_release(&arena);
    return 0;
}
