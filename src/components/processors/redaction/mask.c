#include "mask.h"

#include <string.h>

#include "util/digest.h"
#include "util/regex/regex.h"

enum hf_status hf_mask_put(const struct hf_mask *mask, struct hf_slice secret, struct hf_bytes *out)
{
    char hex[HF_DIGEST_HEX_MAX];
    size_t size = 0;
    enum hf_status status = HF_UNSUPPORTED;
    switch (mask->kind) {
    case HF_MASK_STARS:
        break;
    case HF_MASK_MD5:
        status = hf_digest_hex(HF_DIGEST_MD5, secret, hex, &size);
        break;
    case HF_MASK_SHA1:
        status = hf_digest_hex(HF_DIGEST_SHA1, secret, hex, &size);
        break;
    case HF_MASK_SHA3:
        status = hf_digest_hex(HF_DIGEST_SHA3_256, secret, hex, &size);
        break;
    case HF_MASK_HMAC_SHA256:
        status = hf_digest_hmac_hex(HF_DIGEST_SHA256, mask->key, secret, hex, &size);
        break;
    case HF_MASK_HMAC_SHA512:
        status = hf_digest_hmac_hex(HF_DIGEST_SHA512, mask->key, secret, hex, &size);
        break;
    }
    struct hf_slice stars = mask->stars.size != 0 ? mask->stars : hf_slice_text("****");
    return hf_bytes_append(out, status == HF_OK ? hf_slice_of(hex, size) : stars);
}

/* Bytes of the character at `at`; the text is UTF-8. */
static size_t width_at(struct hf_slice text, size_t at)
{
    size_t width = 1;
    while (at + width < text.size && (text.data[at + width] & 0xc0) == 0x80) {
        width++;
    }
    return width;
}

static struct hf_slice part(struct hf_slice text, size_t start, size_t end)
{
    return end > start ? hf_slice_of(text.data + start, end - start) : HF_EMPTY_SLICE;
}

enum hf_status hf_mask_matches(const struct hf_mask *mask, const struct hf_regex *regex,
                               struct hf_slice text, struct hf_bytes *out)
{
    struct hf_regex_range found;
    size_t before = out->size, done = 0, at = 0;
    enum hf_status status = HF_OK, search = HF_OK;
    while (status == HF_OK && at <= text.size &&
           (search = hf_regex_find_range(regex, text, at, &found)) == HF_OK) {
        status = hf_bytes_append(out, part(text, done, found.start));
        /* An empty match right behind another one is none. */
        if (status == HF_OK && (found.end > done || found.start == 0)) {
            status = hf_mask_put(mask, part(text, found.start, found.end), out);
        }
        done = found.end;
        size_t next = at + width_at(text, at);
        at = next > found.end ? next : found.end;
    }
    if (search == HF_FULL) {
        out->size = before;
        return status == HF_OK ? hf_mask_put(mask, text, out) : status;
    }
    if (status == HF_OK && at == 0) {
        return HF_NOT_FOUND;
    }
    return status == HF_OK ? hf_bytes_append(out, part(text, done, text.size)) : status;
}

enum hf_status hf_mask_lines(const struct hf_mask *mask, struct hf_slice text, struct hf_bytes *out)
{
    size_t at = 0;
    for (;;) {
        const uint8_t *newline =
            at < text.size ? memchr(text.data + at, '\n', text.size - at) : NULL;
        size_t end = newline != NULL ? (size_t)(newline - text.data) : text.size;
        enum hf_status status = hf_mask_put(mask, part(text, at, end), out);
        if (status != HF_OK || newline == NULL) {
            return status;
        }
        status = hf_bytes_append(out, hf_slice_text("\n"));
        if (status != HF_OK) {
            return status;
        }
        at = end + 1;
    }
}
