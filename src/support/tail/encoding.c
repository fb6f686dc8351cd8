#include "encoding.h"

#include <errno.h>
#include <iconv.h>
#include <string.h>
#include <strings.h>

#include "pdata/utf8.h"

#define REPLACEMENT "\xef\xbf\xbd"

/* The names that Go's collector takes and iconv does not. */
static const struct {
    const char *name, *iconv;
} names[] = {
    {"utf-16le", "UTF-16LE"},   {"utf16le", "UTF-16LE"}, {"utf-16be", "UTF-16BE"},
    {"utf16be", "UTF-16BE"},    {"utf-16", "UTF-16LE"},  {"ascii", "US-ASCII"},
    {"us-ascii", "US-ASCII"},   {"big5", "BIG5"},        {"gbk", "GBK"},
    {"latin1", "ISO-8859-1"},   {"latin", "ISO-8859-1"}, {"iso-8859-1", "ISO-8859-1"},
    {"shift_jis", "SHIFT_JIS"}, {"gb18030", "GB18030"},  {"euc-jp", "EUC-JP"},
};

static const char *iconv_name(const char *name)
{
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcasecmp(names[i].name, name) == 0) {
            return names[i].iconv;
        }
    }
    return name;
}

enum hf_status hf_encoding_open(const char *name, struct hf_encoding *ret_encoding)
{
    struct hf_encoding encoding = {.unit = 1, .newline = {'\n'}};
    if (strcasecmp(name, "utf-8") == 0 || strcasecmp(name, "utf8") == 0 || name[0] == '\0' ||
        strcasecmp(name, "utf-8-raw") == 0) {
        *ret_encoding = encoding;
        return HF_OK;
    }
    if (strcasecmp(name, "nop") == 0) {
        encoding.kind = HF_ENCODING_NONE;
        encoding.is_whole = true;
        *ret_encoding = encoding;
        return HF_OK;
    }
    const char *known = iconv_name(name);
    iconv_t converter = iconv_open("UTF-8", known);
    if (converter == (iconv_t)-1) {
        return HF_UNSUPPORTED;
    }
    encoding.kind = HF_ENCODING_ICONV;
    encoding.converter = converter;
    if (strncasecmp(known, "UTF-16", 6) == 0) {
        encoding.unit = 2;
        encoding.is_big_endian = strcasecmp(known, "UTF-16BE") == 0;
        memcpy(encoding.newline, encoding.is_big_endian ? "\0\n" : "\n\0", 2);
    }
    *ret_encoding = encoding;
    return HF_OK;
}

void hf_encoding_close(struct hf_encoding *encoding)
{
    if (encoding->converter != NULL) {
        iconv_close((iconv_t)encoding->converter);
        encoding->converter = NULL;
    }
}

static enum hf_status repair(struct hf_slice text, struct hf_bytes *out)
{
    enum hf_status status = HF_OK;
    out->size = 0;
    while (text.size != 0 && status == HF_OK) {
        size_t good = hf_utf8_valid_run(text);
        status = hf_bytes_append(out, hf_slice_of(text.data, good));
        text = hf_slice_of(text.data + good, text.size - good);
        if (text.size != 0 && status == HF_OK) {
            size_t bad = hf_utf8_bad_run(text);
            status = hf_bytes_append(out, hf_slice_text(REPLACEMENT));
            text = hf_slice_of(text.data + bad, text.size - bad);
        }
    }
    return status;
}

static enum hf_status convert(struct hf_encoding *encoding, struct hf_slice text,
                              struct hf_bytes *out)
{
    char *in = (char *)(uintptr_t)text.data; /* iconv does not write there */
    size_t left = text.size;
    out->size = 0;
    iconv((iconv_t)encoding->converter, NULL, NULL, NULL, NULL);
    while (left != 0) {
        enum hf_status status = hf_bytes_reserve(out, out->size + left * 2 + 16);
        if (status != HF_OK) {
            return status;
        }
        char *to = (char *)out->data + out->size;
        size_t room = out->capacity - out->size;
        size_t done = iconv((iconv_t)encoding->converter, &in, &left, &to, &room);
        out->size = out->capacity - room;
        if (done == (size_t)-1 && errno != E2BIG) {
            size_t skipped = left < encoding->unit ? left : encoding->unit;
            in += skipped;
            left -= skipped;
            status = hf_bytes_append(out, hf_slice_text(REPLACEMENT));
            if (status != HF_OK) {
                return status;
            }
        }
    }
    return HF_OK;
}

enum hf_status hf_encoding_decode(struct hf_encoding *encoding, struct hf_slice text,
                                  struct hf_bytes *scratch, struct hf_slice *ret_text)
{
    if (encoding->kind == HF_ENCODING_NONE ||
        (encoding->kind == HF_ENCODING_UTF8 && hf_utf8_is_valid(text))) {
        *ret_text = text;
        return HF_OK;
    }
    enum hf_status status = encoding->kind == HF_ENCODING_UTF8 ? repair(text, scratch)
                                                               : convert(encoding, text, scratch);
    *ret_text = hf_slice_of(scratch->data, scratch->size);
    return status;
}
