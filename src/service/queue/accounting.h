/*
 * accounting: does the accounting of a consumer add up? Pure.
 */
#pragma once

#include <stdbool.h>

#include "wal/wal.h"

/* accepted = delivered + queued + dead-lettered + dropped, in items and in bytes. */
bool hf_queue_balances(const struct wal_accounting *accounting);
