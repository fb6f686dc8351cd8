/*
 * detect_kubernetes: requests to the API server with the pod's service account. The detection's
 * thread.
 */
#pragma once

#include "detect.h"

/* The object at `path` ("/api/v1/nodes/a"), as a value. HF_NOT_FOUND: not in a pod, or no answer.
 */
HF_MUST_USE enum hf_status hf_kubernetes_get(struct hf_detection *detection, const char *path,
                                             struct hf_slice *ret_object);
