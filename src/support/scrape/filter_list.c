#include "filter_list.h"

#include <stdlib.h>

#include "util/regex/regex.h"

struct hf_filter_list_item {
    const char *strict;
    struct hf_regex *regex; /* NULL: the text alone */
};

static const char *expect_pattern(const char *key, const char *text)
{
    char why[HF_REGEX_ERROR_MAX];
    struct hf_regex *regex = NULL;
    (void)key;
    enum hf_status status = hf_regex_new(text, &regex, why);
    hf_regex_free(regex);
    return status == HF_OK ? NULL : "a regular expression";
}

const struct hf_field hf_filter_list_fields[] = {
    {.key = "strict",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct hf_filter_list_config, strict),
     .help = "The value."},
    {.key = "regexp",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct hf_filter_list_config, regexp),
     .validate = expect_pattern,
     .help = "A regular expression that matches somewhere in it."},
    HF_FIELDS_END,
};

void hf_filter_list_release(struct hf_filter_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        hf_regex_free(list->items[i].regex);
    }
    free(list->items);
    *list = (struct hf_filter_list){NULL, 0};
}

enum hf_status hf_filter_list_make(struct hf_filter_list *list, const struct hf_struct_list *from,
                                   char *reterr)
{
    const struct hf_filter_list_config *wanted = from->items;
    enum hf_status status = HF_OK;
    list->items = from->count != 0 ? calloc(from->count, sizeof(*list->items)) : NULL;
    if (list->items == NULL && from->count != 0) {
        return HF_NOMEM;
    }
    for (; list->count < from->count && status == HF_OK; list->count++) {
        struct hf_filter_list_item *match = &list->items[list->count];
        match->strict = wanted[list->count].strict;
        if (wanted[list->count].regexp != NULL) {
            status = hf_regex_new(wanted[list->count].regexp, &match->regex, reterr);
        }
    }
    return status;
}

bool hf_filter_list_has(const struct hf_filter_list *list, struct hf_slice text)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct hf_filter_list_item *match = &list->items[i];
        if ((match->strict != NULL && hf_slice_is(text, match->strict)) ||
            (match->regex != NULL && hf_regex_matches(match->regex, text))) {
            return true;
        }
    }
    return false;
}
