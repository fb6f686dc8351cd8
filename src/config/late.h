/*
 * late: the configuration of a component that is made while the process runs, bound by its table of
 * fields and checked as the loader does.
 *
 * Owned by one thread, immutable once bound.
 */
#pragma once

#include <holdfast/component.h>

struct hf_late;

/*
 * `value` is a map or nothing; its strings are copied. `endpoint` (or NULL) is the value of a key
 * of that name, where the component has one and `value` gives none. HF_INVALID with a sentence in
 * `reterr` (HF_ERROR_MAX); HF_NOMEM.
 */
HF_MUST_USE enum hf_status hf_late_bind(const struct hf_component *component,
                                        const struct hf_value *value, const char *endpoint,
                                        struct hf_late **ret_late, char *reterr);
/* What the component's `open` takes; lives as long as `late`. */
const void *hf_late_config(const struct hf_late *late);
/* NULL is nothing. */
void hf_late_free(struct hf_late *late);
