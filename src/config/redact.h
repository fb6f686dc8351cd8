/*
 * redact: a text without the credentials that URLs carry. Any thread; no state.
 */
#pragma once

#include <stdbool.h>

#include <holdfast/status.h>

#define HF_REDACTED "[REDACTED]"

/* Whether the value of a key is a secret, by the name of the key. Headers are secrets too. */
HF_MUST_USE bool hf_redact_is_secret(const char *key);

/*
 * A copy in which user information ("user:password@") and the values of queries
 * ("?token=...&key=...") are replaced by HF_REDACTED. Also of addresses without a scheme, when they
 * look like one. Malloc'd; NULL: out of memory.
 */
HF_MUST_USE char *hf_redact_urls(const char *text);
