#include "oauth_answer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#include "util/escape.h"
#include "util/header_text.h"
#include "util/time/clock.h"
#include "json/json.h"

#define ANSWER_BYTES_MAX ((size_t)1 << 20)

static bool is_unreserved(uint8_t byte)
{
    return (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') ||
           (byte >= '0' && byte <= '9') || (byte != '\0' && strchr("-._~", byte) != NULL);
}

enum hf_status hf_oauth_escape(struct hf_bytes *out, struct hf_slice text)
{
    static const char digits[] = "0123456789ABCDEF";
    enum hf_status status = HF_OK;
    for (size_t i = 0; i < text.size && status == HF_OK; i++) {
        uint8_t byte = text.data[i];
        const char escaped[] = {'%', digits[byte >> 4], digits[byte & 15]};
        if (is_unreserved(byte)) {
            status = hf_bytes_append(out, hf_slice_of(&byte, 1));
        } else if (byte == ' ') {
            status = hf_bytes_append(out, hf_slice_text("+"));
        } else {
            status = hf_bytes_append(out, hf_slice_of(escaped, sizeof(escaped)));
        }
    }
    return status;
}

enum hf_status hf_oauth_put_form(struct hf_bytes *out, const char *key, struct hf_slice value)
{
    enum hf_status status = out->size != 0 ? hf_bytes_append(out, hf_slice_text("&")) : HF_OK;
    status = status == HF_OK ? hf_oauth_escape(out, hf_slice_text(key)) : status;
    status = status == HF_OK ? hf_bytes_append(out, hf_slice_text("=")) : status;
    return status == HF_OK ? hf_oauth_escape(out, value) : status;
}

enum hf_status hf_oauth_read_answer(struct hf_slice body, const char *key,
                                    struct hf_token *ret_token, char *reterr)
{
    struct hf_arena arena = {.limit = ANSWER_BYTES_MAX};
    char why[HF_JSON_ERROR_MAX] = "";
    const struct hf_json *root = NULL;
    enum hf_status status = hf_json_read(body, &arena, &root, why);
    struct hf_slice token = hf_json_text_of(root, key);
    struct hf_slice type = hf_json_text_of(root, "token_type");
    const struct hf_json *life = hf_json_get(root, "expires_in");
    if (status != HF_OK || token.size == 0 || !hf_header_is_value(token)) {
        snprintf(reterr, HF_ERROR_MAX, "the answer of the token endpoint has no %s", key);
        hf_arena_release(&arena);
        return HF_INVALID;
    }
    bool is_bearer = type.size == 0 ||
                     (type.size == 6 && strncasecmp((const char *)type.data, "bearer", 6) == 0);
    int64_t seconds = life != NULL && life->kind == HF_JSON_STRING
                          ? strtoll((const char *)life->text.data, NULL, 10)
                          : hf_json_int(life);
    int size = snprintf(
        ret_token->header, sizeof(ret_token->header), "%.*s %.*s", is_bearer ? 6 : (int)type.size,
        is_bearer ? "Bearer" : (const char *)type.data, (int)token.size, (const char *)token.data);
    hf_arena_release(&arena);
    ret_token->has_end = seconds > 0;
    ret_token->life_ns = seconds > 0 && seconds < INT32_MAX ? (uint64_t)seconds * HF_NS_PER_S : 0;
    ret_token->has_end = ret_token->life_ns != 0;
    if (size < 0 || (size_t)size >= sizeof(ret_token->header)) {
        snprintf(reterr, HF_ERROR_MAX, "the token is longer than a header may be");
        return HF_INVALID;
    }
    return HF_OK;
}

void hf_oauth_say_refusal(const struct hf_http_fetched *fetched, const char *url, char *reterr)
{
    struct hf_arena arena = {.limit = ANSWER_BYTES_MAX};
    char why[HF_JSON_ERROR_MAX];
    const struct hf_json *root = NULL;
    enum hf_status status =
        hf_json_read(hf_slice_of(fetched->body.data, fetched->body.size), &arena, &root, why);
    struct hf_slice error = status == HF_OK ? hf_json_text_of(root, "error") : HF_EMPTY_SLICE;
    struct hf_slice more =
        status == HF_OK ? hf_json_text_of(root, "error_description") : HF_EMPTY_SLICE;
    char shown[80], details[120]; /* fit to be logged */
    hf_escape(HF_ESCAPE_LINE, error, shown, sizeof(shown));
    hf_escape(HF_ESCAPE_LINE, more, details, sizeof(details));
    snprintf(reterr, HF_ERROR_MAX, "the token endpoint %.200s answered %d%s%s%s%s", url,
             fetched->code, shown[0] != '\0' ? ": " : "", shown, details[0] != '\0' ? ": " : "",
             details);
    hf_arena_release(&arena);
}
