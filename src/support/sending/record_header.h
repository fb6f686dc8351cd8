/*
 * record_header: what an exporter with `once: true` says of the records of a request, in the header
 * `holdfast-records` (util/record_names.h), so that a Holdfast behind it can drop what comes twice.
 *
 * The name of a sender is made of the origin of its records and the id of the exporter: two
 * exporters of one queue send the same records, and both are meant to arrive. The delivery's
 * thread; no state.
 */
#pragma once

#include <holdfast/export.h>

#include "util/record_names.h"

/*
 * The value for a request, in the writer's memory; empty: its records have no names, as those that
 * an earlier version queued. HF_TOO_LARGE: they have no name in common, or need more than a header
 * has room for; the halves of the request may have one.
 */
HF_MUST_USE enum hf_status hf_record_header_make(const struct hf_export *export,
                                                 const char *exporter_id,
                                                 struct hf_record_names_writer *writer,
                                                 struct hf_slice *ret_value);
