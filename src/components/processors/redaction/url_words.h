/*
 * url_words: paths of URLs with "*" for each part that looks like an id: with digits or other
 * characters than those of words in it, or without the vowels of a word. Query and fragment go. Any
 * thread; no state.
 */
#pragma once

#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "util/compress/compress.h"

/* Parts that are looked at; what is behind them goes. */
#define HF_URL_PARTS_MAX 10u

/* Appends it. HF_NOMEM. */
HF_MUST_USE enum hf_status hf_url_mask(struct hf_slice url, struct hf_bytes *out);
