#include "refusal.h"

#include <stdio.h>
#include <string.h>

bool hf_storage_refusal(const struct wal_stat *stat, char *ret_why, size_t room)
{
    bool has_error = stat->refusal != NULL && stat->refusal_error != 0;
    snprintf(ret_why, room, "%s%s%s", stat->refusal != NULL ? stat->refusal : "",
             has_error ? ": " : "", has_error ? strerror(stat->refusal_error) : "");
    return stat->refusal != NULL;
}
