/*
 * route_request: the condition of the context `request`: request["key"] == "value", or != .
 */
#pragma once

#include "routes.h"

/* HF_INVALID with one sentence in `reterr` (HF_ERROR_MAX); HF_NOMEM. The value is part of `text`;
 * the key is to be freed. */
HF_MUST_USE enum hf_status route_request_read(const char *text, struct route_request *ret_request,
                                              char *reterr);

/* Has the sender's metadata what the route asks for? A key that is not there matches neither. */
bool route_request_matches(const struct route_request *request, struct hf_slice meta);
