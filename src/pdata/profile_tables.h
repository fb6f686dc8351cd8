/*
 * profile_tables: what profiles name by index. The dictionary of a request of profiles has one
 * table of texts and one of attributes; a profile has the places of its attributes in the second.
 *
 * The scan of a request does not look into the dictionary: a text that is not UTF-8 and a value
 * that is malformed read as empty here. Read-only. The tables are indexed when the first of them is
 * asked for, in the document's memory, so that a text is found in one step however many there are.
 * The slices live as long as the document. Owned by one thread, as the document is.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "any_make.h"
#include "document.h"
#include "message.h"

/* The text at that place; empty when the table has no such place, or memory has run out. */
struct hf_slice hf_profile_text(struct hf_document *document, int64_t index);

/* The bytes of the AnyValue of the profile's attribute; the first of that key counts. False: the
 * profile has none, or memory has run out. */
HF_MUST_USE bool hf_profile_attribute(struct hf_message *profile, struct hf_slice key,
                                      struct hf_slice *ret_value);

/* Attributes whose place in the table is out of range are left out. `ret_pairs` in the document's
 * memory. HF_NOMEM. */
HF_MUST_USE enum hf_status hf_profile_attributes(struct hf_message *profile,
                                                 struct hf_any_pair **ret_pairs, size_t *ret_count);
