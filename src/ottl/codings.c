/* Converters that encode and decode texts. */
#include <string.h>
#include <strings.h>

#include "function.h"
#include "util/base64.h"
#include "util/rune.h"

#define CONVERTER(name)                                                                            \
    static bool name(struct hf_ottl_run *run, const struct hf_ottl_call *call,                     \
                     const struct hf_ottl_value *arguments, struct hf_ottl_value *ret_value)

static const struct variant {
    const char *name;
    unsigned form;
} variants[] = {{"base64", 0},
                {"base64-raw", HF_BASE64_RAW},
                {"base64-url", HF_BASE64_URL},
                {"base64-raw-url", HF_BASE64_RAW | HF_BASE64_URL}};

static const struct variant *find_variant(struct hf_slice name)
{
    for (size_t i = 0; i < sizeof(variants) / sizeof(variants[0]); i++) {
        if (hf_slice_is(name, variants[i].name)) {
            return &variants[i];
        }
    }
    return NULL;
}

CONVERTER(base64_encode)
{
    struct hf_slice text = arguments[0].bytes;
    const struct variant *variant =
        call->nodes[1] != NULL ? find_variant(arguments[1].bytes) : &variants[0];
    if (variant == NULL) {
        return hf_ottl_fail(run, "unsupported base64 variant");
    }
    char *room = hf_ottl_take(run, HF_BASE64_SIZE(text.size) + 1);
    if (room == NULL) {
        return false;
    }
    *ret_value = hf_ottl_string(hf_slice_of(room, hf_base64_encode(text, variant->form, room)));
    return true;
}

/* Bytes of ISO 8859-1 as UTF-8. */
static void add_latin(struct hf_ottl_run *run, struct hf_slice text)
{
    for (size_t i = 0; i < text.size; i++) {
        uint8_t room[HF_RUNE_MAX];
        hf_ottl_add_text(run, hf_slice_of(room, hf_rune_put(text.data[i], room)));
    }
}

/* UTF-16 with a byte order; halves that stand alone become U+FFFD. */
static void add_utf16(struct hf_ottl_run *run, struct hf_slice text, bool is_big)
{
    for (size_t i = 0; i + 1 < text.size; i += 2) {
        uint32_t code = (uint32_t)text.data[i + !is_big] << 8 | text.data[i + is_big];
        bool is_high = code >= 0xd800 && code < 0xdc00;
        if (is_high && i + 3 < text.size) {
            uint32_t low = (uint32_t)text.data[i + 2 + !is_big] << 8 | text.data[i + 2 + is_big];
            if (low >= 0xdc00 && low < 0xe000) {
                code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
                i += 2;
            }
        }
        code = code >= 0xd800 && code < 0xe000 ? HF_RUNE_BAD : code;
        uint8_t room[HF_RUNE_MAX];
        hf_ottl_add_text(run, hf_slice_of(room, hf_rune_put(code, room)));
    }
}

static bool is_called(struct hf_slice name, const char *const *names)
{
    for (; *names != NULL; names++) {
        if (strlen(*names) == name.size &&
            strncasecmp(*names, (const char *)name.data, name.size) == 0) {
            return true;
        }
    }
    return false;
}

static bool decode_charset(struct hf_ottl_run *run, struct hf_slice text, struct hf_slice name,
                           struct hf_ottl_value *ret_value)
{
    static const char *const same[] = {"utf-8", "utf8", "us-ascii", "ascii", "nop", NULL};
    static const char *const latin[] = {"iso-8859-1", "latin1", "iso8859-1", NULL};
    static const char *const big[] = {"utf-16be", "utf-16", "utf16", NULL};
    static const char *const little[] = {"utf-16le", NULL};
    hf_ottl_start_text(run);
    if (is_called(name, same)) {
        return hf_ottl_mend_text(run, text, ret_value);
    }
    if (is_called(name, latin)) {
        add_latin(run, text);
    } else if (is_called(name, big) || is_called(name, little)) {
        add_utf16(run, text, is_called(name, big));
    } else {
        return hf_ottl_fail(run, "unsupported encoding");
    }
    return hf_ottl_end_text(run, ret_value);
}

static bool decode_text(struct hf_ottl_run *run, struct hf_slice text, struct hf_slice name,
                        struct hf_ottl_value *ret_value)
{
    const struct variant *variant = find_variant(name);
    size_t size;
    if (variant == NULL) {
        return decode_charset(run, text, name, ret_value);
    }
    uint8_t *room = hf_ottl_take(run, HF_BASE64_DECODED_SIZE(text.size));
    if (room == NULL) {
        return false;
    }
    if (!hf_base64_decode(text, variant->form | HF_BASE64_LINES, room, &size)) {
        return hf_ottl_fail(run, "illegal base64 data");
    }
    return hf_ottl_mend_text(run, hf_slice_of(room, size), ret_value);
}

CONVERTER(decode)
{
    struct hf_slice text = arguments[0].bytes;
    (void)call;
    if (arguments[0].type == HF_OTTL_NIL || arguments[0].type >= HF_OTTL_MAP) {
        return hf_ottl_fail(run, "unsupported type provided to Decode function: %s",
                            hf_ottl_type_name(arguments[0].type));
    }
    if (arguments[0].type != HF_OTTL_STRING && arguments[0].type != HF_OTTL_BYTES) {
        return hf_ottl_fail(run, "unsupported type provided to Decode function: %s",
                            hf_ottl_type_name(arguments[0].type));
    }
    return decode_text(run, text, arguments[1].bytes, ret_value);
}

CONVERTER(base64_decode)
{
    (void)call;
    return decode_text(run, arguments[0].bytes, hf_slice_text("base64"), ret_value);
}

const struct hf_ottl_function hf_ottl_codings[] = {
    {.name = "Base64Encode",
     .arguments = {{"target", HF_ARG_STRING}, {"variant", HF_ARG_STRING | HF_ARG_OPTIONAL}},
     .run = base64_encode},
    {.name = "Base64Decode", .arguments = {{"target", HF_ARG_STRING}}, .run = base64_decode},
    {.name = "Decode",
     .arguments = {{"target", HF_ARG_ANY}, {"encoding", HF_ARG_STRING}},
     .run = decode},
    {.name = NULL},
};
