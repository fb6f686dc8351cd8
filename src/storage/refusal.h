/*
 * refusal: why a queue takes nothing, in words. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "wal/wal.h"

/* With the words of the system: "its last commit failed: No space left on device". False, and an
 * empty text: it takes data. */
bool hf_storage_refusal(const struct wal_stat *stat, char *ret_why, size_t room);
