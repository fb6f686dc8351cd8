/*
 * google_credentials: who this process is to Google Cloud, by the application default credentials:
 * the file that GOOGLE_APPLICATION_CREDENTIALS names, that of `gcloud auth application-default
 * login`, or else the metadata server of the machine.
 *
 * Owned by one thread.
 */
#pragma once

#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "util/arena.h"
#include "json/json.h"

enum hf_google_kind {
    HF_GOOGLE_METADATA = 0,    /* no file: the machine's own account */
    HF_GOOGLE_SERVICE_ACCOUNT, /* a key that signs */
    HF_GOOGLE_USER,            /* a refresh token of a person */
};

/* Texts are empty when they are not there; they end with a NUL. */
struct hf_google_credentials {
    enum hf_google_kind kind;
    struct hf_slice project_id, quota_project_id;
    struct hf_slice client_email, private_key, private_key_id, token_uri;
    struct hf_slice client_id, client_secret, refresh_token;
    struct hf_arena arena; /* of the texts */
};

/* HF_OK. HF_INVALID, HF_IO: a file is there and cannot be used, with a sentence in `reterr`
 * (HF_ERROR_MAX). */
HF_MUST_USE enum hf_status hf_google_credentials_find(struct hf_google_credentials *ret,
                                                      char *reterr);

/* Of such a file's text; `path` is for the sentence. */
HF_MUST_USE enum hf_status hf_google_credentials_read(const char *text, const char *path,
                                                      struct hf_google_credentials *ret,
                                                      char *reterr);
void hf_google_credentials_release(struct hf_google_credentials *credentials);
