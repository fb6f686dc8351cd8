#include "accounting.h"

bool hf_queue_balances(const struct wal_accounting *accounting)
{
    uint64_t items =
        accounting->delivered.items + accounting->queued.items + accounting->dead_lettered.items;
    uint64_t bytes =
        accounting->delivered.bytes + accounting->queued.bytes + accounting->dead_lettered.bytes;
    for (int drop = 0; drop < WAL_DROP_COUNT; drop++) {
        items += accounting->dropped[drop].items;
        bytes += accounting->dropped[drop].bytes;
    }
    return items == accounting->accepted.items && bytes == accounting->accepted.bytes;
}
