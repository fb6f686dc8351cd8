#include "configauth.h"

#include <stdio.h>

#include <holdfast/auth.h>
#include <holdfast/component.h>

const struct hf_field hf_auth_client_fields[] = {
    {.key = "authenticator",
     .type = HF_FIELD_REF,
     .offset = offsetof(struct hf_auth_config, authenticator),
     .required = true,
     .help = "The extension that adds credentials."},
    HF_FIELDS_END,
};

const struct hf_field hf_auth_server_fields[] = {
    {.key = "authenticator",
     .type = HF_FIELD_REF,
     .offset = offsetof(struct hf_auth_config, authenticator),
     .required = true,
     .help = "The extension that checks credentials."},
    {.key = "request_params",
     .type = HF_FIELD_IGNORED,
     .help = "Request parameters are not offered to authenticators."},
    HF_FIELDS_END,
};

static enum hf_status find(const struct hf_node *node, const struct hf_auth_config *config,
                           struct hf_auth_ref *ret_auth)
{
    *ret_auth = (struct hf_auth_ref){NULL, NULL};
    return config == NULL || config->authenticator == NULL
               ? HF_OK
               : hf_node_auth(node, config->authenticator, &ret_auth->ops, &ret_auth->self);
}

enum hf_status hf_auth_find_client(const struct hf_node *node, const struct hf_auth_config *config,
                                   struct hf_auth_ref *ret_auth, char *reterr)
{
    enum hf_status status = find(node, config, ret_auth);
    if (status != HF_OK || (ret_auth->ops != NULL && ret_auth->ops->headers == NULL)) {
        snprintf(reterr, HF_ERROR_MAX,
                 "auth::authenticator: %s adds no credentials to requests; use bearertokenauth, "
                 "basicauth or oauth2client, for example",
                 config->authenticator);
        return HF_INVALID;
    }
    return HF_OK;
}

enum hf_status hf_auth_find_server(const struct hf_node *node, const struct hf_auth_config *config,
                                   struct hf_auth_ref *ret_auth, char *reterr)
{
    enum hf_status status = find(node, config, ret_auth);
    if (status != HF_OK || (ret_auth->ops != NULL && ret_auth->ops->check == NULL)) {
        snprintf(reterr, HF_ERROR_MAX,
                 "auth::authenticator: %s does not check the credentials of clients; use "
                 "bearertokenauth, basicauth or oidc",
                 config->authenticator);
        return HF_INVALID;
    }
    return HF_OK;
}

const char *const *hf_auth_context_keys(const struct hf_auth_ref *auth, size_t *ret_count)
{
    *ret_count = 0;
    if (auth->ops == NULL || auth->ops->context_keys == NULL) {
        return NULL;
    }
    return auth->ops->context_keys(auth->self, ret_count);
}

void hf_auth_note(const struct hf_auth_ref *auth, enum hf_status status)
{
    if (status == HF_UNAUTHENTICATED && auth->ops != NULL && auth->ops->refused != NULL) {
        auth->ops->refused(auth->self);
    }
}
