#include "assertion.h"

#include <string.h>
#include <time.h>

#include "pdata/json_write.h"
#include "pdata/value.h"
#include "util/tls/jwt.h"

#define CLAIMS_MEMORY_MAX ((size_t)1 << 20)

static bool has_own(const struct hf_assertion *assertion, const char *name)
{
    bool found = false;
    for (size_t i = 0; assertion->claims != NULL && i < assertion->claims->count; i++) {
        found = found || strcmp(assertion->claims->keys[i], name) == 0;
    }
    return found;
}

static void put_text(const struct hf_assertion *assertion, struct hf_json_writer *writer,
                     const char *name, struct hf_slice text)
{
    if (text.size != 0 && !has_own(assertion, name)) {
        hf_json_write_key(writer, hf_slice_text(name));
        hf_json_write_text(writer, text);
    }
}

static void put_time(const struct hf_assertion *assertion, struct hf_json_writer *writer,
                     const char *name, uint64_t time_s)
{
    if (!has_own(assertion, name)) {
        hf_json_write_key(writer, hf_slice_text(name));
        hf_json_write_u64(writer, time_s);
    }
}

/* Those of the configuration. */
static enum hf_status put_claims(const struct hf_value *claims, struct hf_json_writer *writer)
{
    static const struct hf_json_any_style style = {0};
    struct hf_arena arena = {.limit = CLAIMS_MEMORY_MAX};
    enum hf_status status = HF_OK;
    for (size_t i = 0; claims != NULL && i < claims->count && status == HF_OK; i++) {
        struct hf_slice value = HF_EMPTY_SLICE;
        status = hf_value_encode(&claims->items[i], &arena, &value);
        hf_json_write_key(writer, hf_slice_text(claims->keys[i]));
        hf_json_write_any(writer, value, &style);
    }
    hf_arena_release(&arena);
    return status;
}

static enum hf_status make_claims(const struct hf_assertion *assertion, struct hf_bytes *out)
{
    struct hf_json_writer writer = {.out = out};
    uint64_t now_s = (uint64_t)time(NULL);
    hf_json_write_open(&writer, '{');
    put_text(assertion, &writer, "iss", assertion->issuer);
    put_text(assertion, &writer, "sub", assertion->subject);
    put_text(assertion, &writer, "aud", assertion->audience);
    put_text(assertion, &writer, "jti", assertion->id);
    put_time(assertion, &writer, "iat", now_s);
    put_time(assertion, &writer, "exp", now_s + assertion->life_s);
    put_text(assertion, &writer, "scope", assertion->scope);
    put_text(assertion, &writer, "target_audience", assertion->target_audience);
    enum hf_status status = put_claims(assertion->claims, &writer);
    hf_json_write_close(&writer, '}');
    return status == HF_OK ? hf_json_write_status(&writer) : status;
}

static enum hf_status make_header(const struct hf_assertion *assertion, struct hf_bytes *out)
{
    struct hf_json_writer writer = {.out = out};
    hf_json_write_open(&writer, '{');
    HF_JSON_WRITE_KEY(&writer, "alg");
    hf_json_write_text(&writer, hf_slice_text(assertion->algorithm));
    HF_JSON_WRITE_KEY(&writer, "typ");
    hf_json_write_text(&writer, hf_slice_text("JWT"));
    if (assertion->key_id.size != 0) {
        HF_JSON_WRITE_KEY(&writer, "kid");
        hf_json_write_text(&writer, assertion->key_id);
    }
    hf_json_write_close(&writer, '}');
    return hf_json_write_status(&writer);
}

enum hf_status hf_assertion_make(const struct hf_assertion *assertion, struct hf_bytes *out)
{
    struct hf_bytes header = {0}, claims = {0};
    enum hf_status status = make_header(assertion, &header);
    status = status == HF_OK ? make_claims(assertion, &claims) : status;
    if (status == HF_OK) {
        status =
            hf_jwt_sign(assertion->algorithm, assertion->key, hf_slice_of(header.data, header.size),
                        hf_slice_of(claims.data, claims.size), out);
    }
    hf_bytes_release(&header);
    hf_bytes_release(&claims);
    return status;
}
