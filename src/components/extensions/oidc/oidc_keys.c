#include "oidc_keys.h"

#include <stdio.h>
#include <stdlib.h>

#include "pdata/json_value.h"
#include "json/json.h"

#define KEYS_BYTES_MAX ((size_t)4 << 20)
#define NUMBER_MAX 4096u

/* A number in base64url. Empty: none. */
static struct hf_slice number_of(const struct hf_json *key, const char *name, uint8_t *room)
{
    struct hf_slice text = hf_json_text_of(key, name);
    size_t size = 0;
    if (text.size == 0 || HF_JSON_BASE64_ROOM(text.size) > NUMBER_MAX ||
        !hf_json_read_base64(text, room, &size)) {
        return HF_EMPTY_SLICE;
    }
    return hf_slice_of(room, size);
}

static enum hf_status read_key(const struct hf_json *key, struct hf_jwk **ret_key)
{
    uint8_t first[NUMBER_MAX], second[NUMBER_MAX];
    struct hf_slice kind = hf_json_text_of(key, "kty"), use = hf_json_text_of(key, "use");
    if (use.size != 0 && !hf_slice_is(use, "sig")) {
        return HF_UNSUPPORTED;
    }
    if (hf_slice_is(kind, "RSA")) {
        return hf_jwk_rsa(number_of(key, "n", first), number_of(key, "e", second), ret_key);
    }
    if (hf_slice_is(kind, "EC")) {
        return hf_jwk_ec(hf_json_text_of(key, "crv"), number_of(key, "x", first),
                         number_of(key, "y", second), ret_key);
    }
    if (hf_slice_is(kind, "OKP") && hf_slice_is(hf_json_text_of(key, "crv"), "Ed25519")) {
        return hf_jwk_ed25519(number_of(key, "x", first), ret_key);
    }
    return HF_UNSUPPORTED;
}

static void put_text(struct hf_slice text, char *room, size_t size)
{
    snprintf(room, size, "%.*s", (int)text.size, text.size != 0 ? (const char *)text.data : "");
}

enum hf_status oidc_keys_read(struct hf_slice json, struct oidc_keys **ret_keys)
{
    struct hf_arena arena = {.limit = KEYS_BYTES_MAX};
    char error[HF_JSON_ERROR_MAX];
    const struct hf_json *root = NULL;
    struct oidc_keys *keys = calloc(1, sizeof(*keys));
    enum hf_status status = keys != NULL ? hf_json_read(json, &arena, &root, error) : HF_NOMEM;
    const struct hf_json *one = status == HF_OK ? hf_json_first(hf_json_get(root, "keys")) : NULL;
    for (; one != NULL && keys->count < OIDC_KEYS_MAX && status == HF_OK; one = one->next) {
        struct oidc_key *key = &keys->items[keys->count];
        struct hf_slice id = hf_json_text_of(one, "kid");
        enum hf_status made = id.size < OIDC_KEY_ID_MAX ? read_key(one, &key->key) : HF_UNSUPPORTED;
        if (made == HF_OK) {
            put_text(id, key->id, sizeof(key->id));
            put_text(hf_json_text_of(one, "alg"), key->algorithm, sizeof(key->algorithm));
            keys->count++;
        }
        status = made == HF_NOMEM ? HF_NOMEM : HF_OK;
    }
    hf_arena_release(&arena);
    if (status == HF_OK && keys->count == 0) {
        status = HF_INVALID;
    }
    if (status != HF_OK) {
        oidc_keys_free(keys);
        return status == HF_NOMEM ? HF_NOMEM : HF_INVALID;
    }
    *ret_keys = keys;
    return HF_OK;
}

void oidc_keys_free(struct oidc_keys *keys)
{
    for (size_t i = 0; keys != NULL && i < keys->count; i++) {
        hf_jwk_free(keys->items[i].key);
    }
    free(keys);
}

bool oidc_keys_has(const struct oidc_keys *keys, struct hf_slice id)
{
    for (size_t i = 0; i < keys->count; i++) {
        if (id.size == 0 || hf_slice_is(id, keys->items[i].id)) {
            return true;
        }
    }
    return false;
}

bool oidc_keys_verify(const struct oidc_keys *keys, struct hf_slice id, struct hf_slice algorithm,
                      struct hf_slice data, struct hf_slice signature)
{
    for (size_t i = 0; i < keys->count; i++) {
        const struct oidc_key *key = &keys->items[i];
        bool is_asked = (id.size == 0 || hf_slice_is(id, key->id)) &&
                        (key->algorithm[0] == '\0' || hf_slice_is(algorithm, key->algorithm));
        if (is_asked && hf_jwk_verify(key->key, algorithm, data, signature)) {
            return true;
        }
    }
    return false;
}
