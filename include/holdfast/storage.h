/*
 * storage: the configuration of the file_storage extension, which the service reads before it opens
 * the queues.
 */
#pragma once

#include <stdbool.h>

struct hf_storage_config {
    const char *directory; /* NULL: not given */
    bool fsync;
};
