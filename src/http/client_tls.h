/*
 * client_tls: what https connections of the client are made with.
 *
 * libcurl would read the files at each connection, and fail while they are being replaced. So it
 * gets them as texts: the last ones that were good. Owned by the client; its thread.
 */
#pragma once

#include <curl/curl.h>

#include <holdfast/ref.h>

#include "util/file_watch.h"
#include "util/tls/tls.h"
#include "util/tls/tls_names.h"

enum http_pem { HTTP_PEM_CA = 0, HTTP_PEM_CERT, HTTP_PEM_KEY, HTTP_PEM_COUNT };

/* The texts of one moment; each user holds a reference. */
struct http_pems {
    struct hf_ref ref;
    char *texts[HTTP_PEM_COUNT]; /* NULL: not configured */
};

struct http_client_tls {
    struct hf_tls_config config; /* its strings are the configuration's */
    struct hf_tls_lists lists;
    struct hf_file_watch watched[HTTP_PEM_COUNT]; /* path NULL: no file */
    struct http_pems *current;
    bool lacks_ca; /* ca_file has not existed yet: no connection can be made */
};

/* On failure `reterr` (HF_ERROR_MAX) names the file and what is wrong with it, and nothing is to be
 * released. */
HF_MUST_USE enum hf_status hf_http_client_tls_init(struct http_client_tls *tls,
                                                   const struct hf_tls_config *config,
                                                   char *reterr);
void hf_http_client_tls_release(struct http_client_tls *tls);

/* Looks for renewed files. False: they are not used, and `reterr` says why; told once a change. */
HF_MUST_USE bool hf_http_client_tls_refresh(struct http_client_tls *tls, char *reterr);

/* Sets the handle up. The texts in use, with a reference for the caller to drop once the handle is
 * reset. */
struct http_pems *hf_http_client_tls_apply(const struct http_client_tls *tls, CURL *easy);
void hf_http_pems_drop(struct http_pems *pems);
