/*
 * validations: the conditions for the body of an answer. Made in open; immutable then.
 */
#pragma once

#include <stdint.h>

#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "config.h"

enum httpcheck_kind {
    HC_CONTAINS = 0,
    HC_NOT_CONTAINS,
    HC_JSON_PATH,
    HC_SIZE_KIND,
    HC_REGEX,
    HTTPCHECK_KIND_COUNT
};

/* As the attribute validation.type has them. */
extern const char *const httpcheck_kinds[HTTPCHECK_KIND_COUNT];

struct httpcheck_verdict {
    uint32_t passed[HTTPCHECK_KIND_COUNT], failed[HTTPCHECK_KIND_COUNT];
};

struct httpcheck_validations;

/* `list` is borrowed. HF_INVALID with a sentence in `reterr` (HF_ERROR_MAX); HF_NOMEM. */
HF_MUST_USE enum hf_status httpcheck_validations_new(const struct hf_struct_list *list,
                                                     struct httpcheck_validations **ret_validations,
                                                     char *reterr);
void httpcheck_validations_free(struct httpcheck_validations *validations);

/* `size` is that of the whole body, of which `body` is the beginning. */
void httpcheck_validate(const struct httpcheck_validations *validations, struct hf_slice body,
                        uint64_t size, struct httpcheck_verdict *ret_verdict);
