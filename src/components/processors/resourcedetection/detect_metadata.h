/*
 * detect_metadata: the detectors of clouds whose instances ask a metadata service at a fixed
 * address, by a table (metadata_service.h).
 */
#pragma once

#include <holdfast/status.h>

#include "metadata_service.h"

/* The `detect` of detectors with a service. It is there when its first value with `from` is. */
HF_MUST_USE enum hf_status hf_metadata_detect(struct hf_detection *detection);
