/*
 * Bytes as a token, or as a set of keys, of an OpenID Connect issuer: nothing is verified that no
 * key has signed.
 *
 * Must reach: oidc_token_read, oidc_token_holds, oidc_keys_read, oidc_keys_verify.
 */
#include <stdint.h>
#include <stdlib.h>

#include "components/extensions/oidc/oidc_keys.h"
#include "components/extensions/oidc/oidc_token.h"

static void try_token(struct hf_slice text)
{
    struct hf_arena arena = {.limit = 1 << 20};
    struct oidc_token token;
    if (oidc_token_read(text, &arena, &token) == HF_OK) {
        bool holds = oidc_token_holds(&token, NULL, NULL, 1500);
        bool holds_for = oidc_token_holds(&token, "http://i", "a", 1500);
        if (holds_for && !holds) {
            abort();
        }
    }
    hf_arena_release(&arena);
}

static void try_keys(struct hf_slice text)
{
    struct oidc_keys *keys = NULL;
    if (oidc_keys_read(text, &keys) != HF_OK) {
        return;
    }
    static const char *const algorithms[] = {"RS256", "ES256", "ES512", "EdDSA", "PS256"};
    for (size_t i = 0; i < sizeof(algorithms) / sizeof(algorithms[0]); i++) {
        if (oidc_keys_verify(keys, HF_EMPTY_SLICE, hf_slice_text(algorithms[i]),
                             hf_slice_text("data"), hf_slice_text("no signature"))) {
            abort();
        }
    }
    oidc_keys_free(keys);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    struct hf_slice text = hf_slice_of(data + 1, size - 1);
    if (data[0] % 2 == 0) {
        try_token(text);
    } else {
        try_keys(text);
    }
    return 0;
}
