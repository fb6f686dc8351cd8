/*
 * names: texts of statuses and of reasons to drop records.
 */
#include "wal.h"

const char *wal_status_text(enum wal_status status)
{
    switch (status) {
    case WAL_OK:
        return "success";
    case WAL_FULL:
        return "the queue is full";
    case WAL_SHARE:
        return "the tenant's share of the queue is used up";
    case WAL_NO_SPACE:
        return "the disk is full";
    case WAL_CLOSED:
        return "the queue is closed";
    case WAL_IO:
        return "reading or writing the disk failed";
    case WAL_CORRUPT:
        return "data read from the disk is damaged";
    case WAL_NOMEM:
        return "out of memory";
    case WAL_TOO_LARGE:
        return "too large for the queue";
    case WAL_TOO_NEW:
        return "written by a newer version";
    case WAL_REMOTE:
        return "the directory is on a network file system";
    case WAL_NO_RIGHT:
        return "no permission to write the directory";
    case WAL_MISSING:
        return "not found";
    }
    return "unknown status";
}

const char *wal_drop_name(enum wal_drop drop)
{
    static const char *const names[WAL_DROP_COUNT] = {
        [WAL_DROP_REJECTED] = "rejected_by_backend",
        [WAL_DROP_OVERFLOW] = "overflow",
        [WAL_DROP_DAMAGED] = "damaged",
        [WAL_DROP_GAVE_UP] = "gave_up",
        [WAL_DROP_OPERATOR] = "operator",
        [WAL_DROP_ORPHANED] = "orphaned",
        [WAL_DROP_PERMANENT] = "permanent",
        [WAL_DROP_PROCESSOR] = "processor",
    };

    return (unsigned)drop < WAL_DROP_COUNT ? names[drop] : "unknown";
}
