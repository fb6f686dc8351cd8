/*
 * redact: one document without what it should not tell. Any thread.
 */
#pragma once

#include <holdfast/status.h>

#include "pdata/document.h"
#include "redact_run.h"

/* Redacts the whole document. HF_NOMEM: it is of no use then. */
HF_MUST_USE enum hf_status hf_redact(const struct hf_redact_rules *rules,
                                     struct hf_document *document);
