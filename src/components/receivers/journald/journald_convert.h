/*
 * journald_convert: the fields of a journal's entry as a log record by OpenTelemetry's semantic
 * conventions: MESSAGE is the body, PRIORITY the severity, and the others are attributes, those of
 * the process and its host of the resource. Owned by the receiver's thread.
 */
#pragma once

#include <holdfast/status.h>

#include "logs/entry.h"

/* Of an entry whose body is the map of its fields; attributes that are there stay unless a field
 * has their name. HF_NOMEM. */
HF_MUST_USE enum hf_status journald_convert(struct hf_log_entry *entry);
