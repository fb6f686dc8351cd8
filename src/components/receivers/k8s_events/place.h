/*
 * place: where k8s_events stands in the events of one namespace: the version of the API and the
 * time up to which all of them are on disk. Kept as the value of a checkpoint.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <holdfast/slice.h>

#include "kubernetes/watch_state.h"

#define EVENTS_PLACE_MAX 128u

struct events_place {
    char version[HF_KUBE_VERSION_MAX]; /* "": none is known */
    uint64_t time_ns;                  /* Unix time */
};

/* "TIME VERSION"; cut when there is no room. */
void events_place_print(const struct events_place *place, char ret_text[EVENTS_PLACE_MAX]);
/* False: it is none. */
HF_MUST_USE bool events_place_read(struct hf_slice text, struct events_place *ret_place);
