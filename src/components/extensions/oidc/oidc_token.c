#include "oidc_token.h"

#include <string.h>

#include "pdata/json_value.h"

#define BEFORE_S 300 /* clocks differ */

/* One part as JSON. */
static enum hf_status read_part(struct hf_slice part, struct hf_arena *arena,
                                const struct hf_json **ret_value)
{
    char error[HF_JSON_ERROR_MAX];
    size_t size = 0;
    uint8_t *room = hf_arena_take(arena, HF_JSON_BASE64_ROOM(part.size));
    if (room == NULL) {
        return HF_NOMEM;
    }
    if (!hf_json_read_base64(part, room, &size)) {
        return HF_INVALID;
    }
    enum hf_status status = hf_json_read(hf_slice_of(room, size), arena, ret_value, error);
    return status == HF_OK && (*ret_value)->kind != HF_JSON_MAP ? HF_INVALID : status;
}

static bool cut(struct hf_slice *text, struct hf_slice *ret_part)
{
    const uint8_t *dot = text->size != 0 ? memchr(text->data, '.', text->size) : NULL;
    if (dot == NULL) {
        return false;
    }
    *ret_part = hf_slice_of(text->data, (size_t)(dot - text->data));
    *text = hf_slice_of(dot + 1, text->size - ret_part->size - 1);
    return true;
}

enum hf_status oidc_token_read(struct hf_slice text, struct hf_arena *arena,
                               struct oidc_token *ret_token)
{
    struct hf_slice rest = text, head, payload;
    const struct hf_json *header = NULL;
    size_t size = 0;
    if (text.size > OIDC_TOKEN_MAX || !cut(&rest, &head) || !cut(&rest, &payload) ||
        rest.size == 0 || memchr(rest.data, '.', rest.size) != NULL) {
        return HF_INVALID;
    }
    enum hf_status status = read_part(head, arena, &header);
    status = status == HF_OK ? read_part(payload, arena, &ret_token->claims) : status;
    if (status != HF_OK) {
        return status;
    }
    uint8_t *signature = hf_arena_take(arena, HF_JSON_BASE64_ROOM(rest.size));
    if (signature == NULL) {
        return HF_NOMEM;
    }
    /* Extensions that must be understood are not: there are none. */
    if (!hf_json_read_base64(rest, signature, &size) || hf_json_get(header, "crit") != NULL) {
        return HF_INVALID;
    }
    ret_token->signed_part = hf_slice_of(text.data, head.size + 1 + payload.size);
    ret_token->signature = hf_slice_of(signature, size);
    ret_token->algorithm = hf_json_text_of(header, "alg");
    ret_token->key_id = hf_json_text_of(header, "kid");
    ret_token->issuer = hf_json_text_of(ret_token->claims, "iss");
    return HF_OK;
}

static bool has_audience(const struct hf_json *claim, const char *audience)
{
    if (claim != NULL && claim->kind == HF_JSON_STRING) {
        return hf_slice_is(claim->text, audience);
    }
    const struct hf_json *one =
        claim != NULL && claim->kind == HF_JSON_LIST ? hf_json_first(claim) : NULL;
    for (; one != NULL; one = one->next) {
        if (one->kind == HF_JSON_STRING && hf_slice_is(one->text, audience)) {
            return true;
        }
    }
    return false;
}

/* A time claim as seconds; false: it is none. */
static bool time_of(const struct hf_json *claim, int64_t *ret_s)
{
    bool is_number = claim != NULL && (claim->kind == HF_JSON_INT || claim->kind == HF_JSON_DOUBLE);
    *ret_s = hf_json_int(claim);
    return is_number;
}

bool oidc_token_holds(const struct oidc_token *token, const char *issuer, const char *audience,
                      int64_t now_s)
{
    const struct hf_json *begin = hf_json_get(token->claims, "nbf");
    int64_t end_s, begin_s;
    if (!time_of(hf_json_get(token->claims, "exp"), &end_s) || end_s <= now_s) {
        return false;
    }
    if (begin != NULL && (!time_of(begin, &begin_s) || begin_s > now_s + BEFORE_S)) {
        return false;
    }
    return (issuer == NULL || hf_slice_is(token->issuer, issuer)) &&
           (audience == NULL || has_audience(hf_json_get(token->claims, "aud"), audience));
}
