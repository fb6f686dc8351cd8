/*
 * flatten: gives every log record of a document a resource and a scope of its own, so that what is
 * set there concerns that record alone; hf_group() without keys (grouping.h) joins those that are
 * the same afterwards. Owned by one thread.
 */
#pragma once

#include <holdfast/status.h>

#include "pdata/document.h"

/* Records keep their order. HF_NOMEM: the document is of no use then. */
HF_MUST_USE enum hf_status hf_flatten(struct hf_document *document);
