/*
 * config_watch: have the files of the configuration changed (--watch)? A file that was replaced, or
 * whose symbolic link leads elsewhere now, as Kubernetes swaps a ConfigMap, has changed. Files that
 * a value names, as ${file:...}, are not watched. The main thread.
 */
#pragma once

#include <stdbool.h>

#include "config/config.h"

struct hf_config_watch;

/* The files among the sources, as they are now. The sources are borrowed. HF_NOMEM. */
HF_MUST_USE enum hf_status hf_config_watch_new(const struct hf_config_options *options,
                                               struct hf_config_watch **ret_watch);
void hf_config_watch_free(struct hf_config_watch *watch);
/* True once after each change, when a look has found nothing more that changes: a file that is
 * being written is left alone until then. NULL is never changed. */
HF_MUST_USE bool hf_config_watch_settled(struct hf_config_watch *watch);
