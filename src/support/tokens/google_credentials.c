#include "google_credentials.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <holdfast/component.h>

#include "http/client.h"
#include "util/file_watch.h"

#define PATH_MAX_BYTES 1024
#define ARENA_BYTES_MAX ((size_t)1 << 20)
#define TOKEN_URI "https://oauth2.googleapis.com/token"

static enum hf_status refuse(const char *path, const char *why, char *reterr)
{
    snprintf(reterr, HF_ERROR_MAX, "the Google credentials of %.200s cannot be used: %s", path,
             why);
    return HF_INVALID;
}

static enum hf_status read_service_account(const struct hf_json *root, const char *path,
                                           struct hf_google_credentials *ret, char *reterr)
{
    ret->kind = HF_GOOGLE_SERVICE_ACCOUNT;
    ret->client_email = hf_json_text_of(root, "client_email");
    ret->private_key = hf_json_text_of(root, "private_key");
    ret->private_key_id = hf_json_text_of(root, "private_key_id");
    ret->token_uri = hf_json_text_of(root, "token_uri");
    if (ret->client_email.size == 0 || ret->private_key.size == 0) {
        return refuse(path, "client_email or private_key is missing", reterr);
    }
    return HF_OK;
}

static enum hf_status read_user(const struct hf_json *root, const char *path,
                                struct hf_google_credentials *ret, char *reterr)
{
    ret->kind = HF_GOOGLE_USER;
    ret->client_id = hf_json_text_of(root, "client_id");
    ret->client_secret = hf_json_text_of(root, "client_secret");
    ret->refresh_token = hf_json_text_of(root, "refresh_token");
    ret->token_uri = hf_json_text_of(root, "token_uri");
    if (ret->client_id.size == 0 || ret->client_secret.size == 0 || ret->refresh_token.size == 0) {
        return refuse(path, "client_id, client_secret or refresh_token is missing", reterr);
    }
    return HF_OK;
}

static enum hf_status read_root(const struct hf_json *root, const char *path,
                                struct hf_google_credentials *ret, char *reterr)
{
    struct hf_slice type = hf_json_text_of(root, "type");
    enum hf_status status;
    if (hf_slice_is(type, "service_account")) {
        status = read_service_account(root, path, ret, reterr);
    } else if (hf_slice_is(type, "authorized_user")) {
        status = read_user(root, path, ret, reterr);
    } else {
        return refuse(path,
                      "the type has to be service_account or authorized_user; "
                      "external_account and impersonated_service_account are not built in",
                      reterr);
    }
    ret->project_id = hf_json_text_of(root, "project_id");
    ret->quota_project_id = hf_json_text_of(root, "quota_project_id");
    if (ret->token_uri.size == 0) {
        ret->token_uri = hf_slice_text(TOKEN_URI);
    }
    if (status == HF_OK && !hf_http_is_url((const char *)ret->token_uri.data)) {
        return refuse(path, "token_uri is no URL", reterr);
    }
    return status;
}

enum hf_status hf_google_credentials_read(const char *text, const char *path,
                                          struct hf_google_credentials *ret, char *reterr)
{
    char why[HF_JSON_ERROR_MAX] = "";
    const struct hf_json *root = NULL;
    *ret = (struct hf_google_credentials){.arena = {.limit = ARENA_BYTES_MAX}};
    if (hf_json_read(hf_slice_text(text), &ret->arena, &root, why) != HF_OK) {
        return refuse(path, why, reterr);
    }
    return read_root(root, path, ret, reterr);
}

static enum hf_status read_file(const char *path, struct hf_google_credentials *ret, char *reterr)
{
    char *text = NULL;
    enum hf_status status = hf_file_watch_read(path, &text, reterr);
    if (status == HF_OK) {
        status = hf_google_credentials_read(text, path, ret, reterr);
        explicit_bzero(text, strlen(text));
    }
    free(text);
    return status;
}

/* Where gcloud writes the credentials of a person. False: there is no home. */
static bool well_known_path(char room[PATH_MAX_BYTES])
{
    const char *folder = getenv("CLOUDSDK_CONFIG"), *home = getenv("HOME");
    bool has_folder = folder != NULL && folder[0] != '\0';
    if (!has_folder && (home == NULL || home[0] == '\0')) {
        return false;
    }
    int size = snprintf(room, PATH_MAX_BYTES, "%s%s/application_default_credentials.json",
                        has_folder ? folder : home, has_folder ? "" : "/.config/gcloud");
    return size > 0 && size < PATH_MAX_BYTES;
}

enum hf_status hf_google_credentials_find(struct hf_google_credentials *ret, char *reterr)
{
    const char *named = getenv("GOOGLE_APPLICATION_CREDENTIALS");
    char path[PATH_MAX_BYTES];
    *ret = (struct hf_google_credentials){.kind = HF_GOOGLE_METADATA};
    if (named != NULL && named[0] != '\0') {
        return read_file(named, ret, reterr);
    }
    if (well_known_path(path) && access(path, F_OK) == 0) {
        return read_file(path, ret, reterr);
    }
    return HF_OK;
}

void hf_google_credentials_release(struct hf_google_credentials *credentials)
{
    hf_arena_release(&credentials->arena);
    *credentials = (struct hf_google_credentials){.kind = HF_GOOGLE_METADATA};
}
