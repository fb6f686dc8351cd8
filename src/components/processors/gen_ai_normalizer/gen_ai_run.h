/*
 * gen_ai_run: what the work on one request shares. Owned by one thread.
 */
#pragma once

#include <stdbool.h>

#include <holdfast/status.h>

#include "gen_ai_source.h"
#include "pdata/any_make.h"
#include "pdata/document.h"

struct gen_ai_run {
    struct hf_document *document;
    struct hf_any_maker maker; /* in the document's memory */
    struct hf_bytes text;      /* what is written in between */
    enum hf_status status;     /* HF_NOMEM */
};

struct gen_ai_rules {
    struct gen_ai_source source;
    bool removes, overwrites;
};

/* A value as text, in the document's memory. */
struct hf_slice gen_ai_text(struct gen_ai_run *run, struct hf_slice value);
