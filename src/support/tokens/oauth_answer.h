/*
 * oauth_answer: forms that are sent to token endpoints of OAuth 2.0, and their answers. Any thread;
 * no state.
 */
#pragma once

#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "http/fetch.h"
#include "token_keeper.h"
#include "util/compress/compress.h"

/* Appends as application/x-www-form-urlencoded: a text, or "&key=value". HF_NOMEM. */
HF_MUST_USE enum hf_status hf_oauth_escape(struct hf_bytes *out, struct hf_slice text);
HF_MUST_USE enum hf_status hf_oauth_put_form(struct hf_bytes *out, const char *key,
                                             struct hf_slice value);

/* The token that the member `key` ("access_token", "id_token") of an answer 200 has. HF_INVALID
 * with a sentence in `reterr` (HF_ERROR_MAX): it has none. */
HF_MUST_USE enum hf_status hf_oauth_read_answer(struct hf_slice body, const char *key,
                                                struct hf_token *ret_token, char *reterr);

/* The reason of a refusal, by error and error_description of its body, as a sentence in `reterr`
 * (HF_ERROR_MAX) that is fit to be logged. */
void hf_oauth_say_refusal(const struct hf_http_fetched *fetched, const char *url, char *reterr);
