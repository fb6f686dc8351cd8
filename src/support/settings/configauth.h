/*
 * configauth: the `auth:` section of clients and servers, and the extension it names.
 */
#pragma once

#include <stddef.h>

#include <holdfast/field.h>
#include <holdfast/node.h>
#include <holdfast/status.h>

struct hf_auth_config {
    const char *authenticator;
};

extern const struct hf_field hf_auth_client_fields[];
extern const struct hf_field hf_auth_server_fields[];

/* An authenticator; `ops` NULL: none. */
struct hf_auth_ref {
    const struct hf_auth *ops;
    void *self;
};

/* The extension, which must be able to add credentials to requests, or to check those of requests.
 * `config` NULL: none. HF_INVALID with a sentence in `reterr` (HF_ERROR_MAX). Main thread. */
HF_MUST_USE enum hf_status hf_auth_find_client(const struct hf_node *node,
                                               const struct hf_auth_config *config,
                                               struct hf_auth_ref *ret_auth, char *reterr);
HF_MUST_USE enum hf_status hf_auth_find_server(const struct hf_node *node,
                                               const struct hf_auth_config *config,
                                               struct hf_auth_ref *ret_auth, char *reterr);

/* `context_keys` of a component that sends with these credentials. */
const char *const *hf_auth_context_keys(const struct hf_auth_ref *auth, size_t *ret_count);

/* A backend answered with that status: an authenticator is told of credentials that were refused.
 */
void hf_auth_note(const struct hf_auth_ref *auth, enum hf_status status);
