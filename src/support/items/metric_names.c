#include "metric_names.h"

#include <stdio.h>
#include <stdlib.h>

#include <holdfast/component.h>

#include "util/regex/regex.h"

struct hf_metric_names {
    struct hf_string_list names;
    bool are_patterns;
    struct hf_regex *patterns[];
};

enum hf_status hf_metric_names_new(const char *key, struct hf_string_list names, bool are_patterns,
                                   struct hf_metric_names **ret_names, char *reterr)
{
    struct hf_metric_names *made =
        calloc(1, sizeof(*made) + names.count * sizeof(struct hf_regex *));
    if (made == NULL) {
        return HF_NOMEM;
    }
    made->names = names;
    made->are_patterns = are_patterns;
    for (size_t i = 0; are_patterns && i < names.count; i++) {
        char why[HF_REGEX_ERROR_MAX];
        enum hf_status status = hf_regex_new(names.items[i], &made->patterns[i], why);
        if (status != HF_OK) {
            snprintf(reterr, HF_ERROR_MAX, "%.100s::metrics[%zu]: %.250s", key, i,
                     status == HF_INVALID ? why : "out of memory");
            hf_metric_names_free(made);
            return status;
        }
    }
    *ret_names = made;
    return HF_OK;
}

void hf_metric_names_free(struct hf_metric_names *names)
{
    for (size_t i = 0; names != NULL && i < names->names.count; i++) {
        hf_regex_free(names->patterns[i]);
    }
    free(names);
}

bool hf_metric_names_match(const struct hf_metric_names *names, struct hf_slice name)
{
    for (size_t i = 0; i < names->names.count; i++) {
        if (names->are_patterns ? hf_regex_matches(names->patterns[i], name)
                                : hf_slice_is(name, names->names.items[i])) {
            return true;
        }
    }
    return false;
}
