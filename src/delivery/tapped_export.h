/*
 * tapped_export: shows an export request to open taps (node/taps.h). The delivery's loop,
 * only while a tap is open.
 */
#pragma once

#include "delivery_internal.h"

/* Each body of the request as a batch, at every attempt. */
void hf_tapped_export(const struct hf_node *node, const struct export_request *request);
