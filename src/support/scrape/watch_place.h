/*
 * watch_place: where a watch of the Kubernetes API stands: the version up to which all is on disk,
 * and when that was. Kept as the value of a checkpoint. Any thread; no state.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <holdfast/slice.h>

#include "kubernetes/watch_state.h"
#include "offer.h"

struct hf_watch_place {
    char version[HF_KUBE_VERSION_MAX]; /* "": none is known */
    uint64_t time_ns;                  /* Unix time */
};

/* "TIME VERSION"; cut when there is no room. */
void hf_watch_place_print(const struct hf_watch_place *place, char ret_text[HF_OFFER_PLACE_MAX]);
/* False: it is none. */
HF_MUST_USE bool hf_watch_place_read(struct hf_slice text, struct hf_watch_place *ret_place);
