/*
 * amount: sums of records, items and bytes. Differences stop at zero: a sum that came from a
 * damaged file must not wrap.
 */
#pragma once

#include "wal.h"

static inline struct wal_amount wal_amount_add(struct wal_amount a, struct wal_amount b)
{
    return (struct wal_amount){a.records + b.records, a.items + b.items, a.bytes + b.bytes};
}

static inline uint64_t wal_less(uint64_t a, uint64_t b)
{
    return a > b ? a - b : 0;
}

static inline struct wal_amount wal_amount_less(struct wal_amount a, struct wal_amount b)
{
    return (struct wal_amount){wal_less(a.records, b.records), wal_less(a.items, b.items),
                               wal_less(a.bytes, b.bytes)};
}

static inline struct wal_amount wal_amount_max(struct wal_amount a, struct wal_amount b)
{
    return (struct wal_amount){a.records > b.records ? a.records : b.records,
                               a.items > b.items ? a.items : b.items,
                               a.bytes > b.bytes ? a.bytes : b.bytes};
}
