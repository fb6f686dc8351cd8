/*
 * resource_filter: resources that a scrape leaves out by the values of their attributes, as the
 * keys metrics_include, metrics_exclude, events_include and events_exclude of an attribute say. A
 * resource without the attribute, or with one that is not reported, stays.
 *
 * Made on the main thread; used by the scraper's alone.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <holdfast/batch.h>
#include <holdfast/field.h>
#include <holdfast/status.h>

#include "filter_list.h"

/* What the configuration says of an attribute; the lists have struct hf_filter_list_config. */
struct hf_resource_choice {
    bool enabled;
    struct hf_struct_list metrics_include, metrics_exclude, events_include, events_exclude;
};

/* {enabled: true, ...}, with that default. */
extern const struct hf_field hf_resource_choice_on[];
extern const struct hf_field hf_resource_choice_off[];

struct hf_resource_choices {
    const char *const *names; /* `count` of them; these and the choices stay */
    const struct hf_resource_choice *items;
    size_t count;
};

struct hf_resource_filter;

/* NULL in `ret_filter`: there is nothing to leave out. HF_INVALID with a sentence in `reterr`
 * (HF_ERROR_MAX); HF_NOMEM. */
HF_MUST_USE enum hf_status hf_resource_filter_new(const struct hf_resource_choices *choices,
                                                  enum hf_signal signal,
                                                  struct hf_resource_filter **ret_filter,
                                                  char *reterr);
void hf_resource_filter_free(struct hf_resource_filter *filter);

/* Takes the reference of `batch` over and gives one of what remains; NULL: nothing does, or, with
 * HF_NOMEM, there is no memory to tell. */
HF_MUST_USE enum hf_status hf_resource_filter_take(struct hf_resource_filter *filter,
                                                   struct hf_batch *batch,
                                                   struct hf_batch **ret_batch);
