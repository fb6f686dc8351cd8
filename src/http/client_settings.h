/*
 * client_settings: what all requests of a client have in common: copies of its options, its
 * certificates and its bearer token, both read again when their files change. For
 * src/http/client*.c only. The loop's thread.
 */
#pragma once

#include "client_internal.h"

/* `settings` is zeroed. On failure `reterr` (HF_ERROR_MAX) holds a sentence and nothing is to be
 * released. */
HF_MUST_USE enum hf_status hf_http_settings_init(struct http_client_settings *settings,
                                                 const struct hf_http_client_options *options,
                                                 char *reterr);
void hf_http_settings_release(struct http_client_settings *settings);

/* Before each request. */
void hf_http_settings_refresh(struct http_client_settings *settings);
