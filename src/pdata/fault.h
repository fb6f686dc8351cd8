/*
 * fault: where an Export request that hf_scan() refused is broken: the byte, the field's path and
 * the reason. A second, slow pass by the schema's tables, so that the scan need not keep track. Any
 * thread; no state, no allocation.
 */
#pragma once

#include <stdbool.h>

#include <holdfast/batch.h>
#include <holdfast/slice.h>
#include <holdfast/status.h>

#define HF_FAULT_TEXT_MAX 512

/*
 * Writes a sentence such as "text that is not UTF-8 at byte 71, in
 * resourceSpans[0].scopeSpans[1].spans[3].name"; a path without room is cut. False, and an empty
 * text: there is no fault, hf_scan() accepts it.
 */
HF_MUST_USE bool hf_fault_find(enum hf_signal signal, struct hf_slice raw,
                               char ret_text[HF_FAULT_TEXT_MAX]);
