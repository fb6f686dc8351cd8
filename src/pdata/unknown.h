/*
 * unknown: requests in which nothing is known: taken, as newer senders may have newer fields, but
 * answered with a warning, because otherwise data vanish without a word. Any thread; no state.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/batch.h>
#include <holdfast/slice.h>

#include "scan.h"

#define HF_UNKNOWN_TEXT_MAX 128
#define HF_UNKNOWN_ANSWER_MAX 192

/* Has the object members, but no field of the Export request? For text that hf_json_to_proto() has
 * accepted: a second pass, for the rare case that the first found nothing. */
bool hf_unknown_in_json(enum hf_signal signal, struct hf_slice json);
/* The same of protobuf, whose scan is `scan`. */
bool hf_unknown_in_proto(struct hf_slice raw, const struct hf_scan *scan);

/* "no known field was found in the request: expected resourceSpans" */
void hf_unknown_say(enum hf_signal signal, char ret_text[HF_UNKNOWN_TEXT_MAX]);
/* The Export response with that as partial success' error message. Returns the size. */
size_t hf_unknown_answer(enum hf_signal signal, bool json, uint8_t ret_body[HF_UNKNOWN_ANSWER_MAX]);
