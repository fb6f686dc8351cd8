/*
 * missing_ca: an exporter whose ca_file does not exist yet, because what writes it starts later.
 * Its data waits in the queue; nothing else is held up.
 */
#pragma once

#include <holdfast/node.h>

#include "util/tls/tls.h"

/* In open: logs it, if it is so. */
void hf_warn_of_missing_ca(const struct hf_node *node, const struct hf_tls_config *config);
