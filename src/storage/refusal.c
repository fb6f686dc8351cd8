#include "refusal.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

void hf_refusal_say(const struct wal_stat *stat, char ret_why[HF_REFUSAL_MAX])
{
    bool has_error = stat->refusal_error != 0;
    snprintf(ret_why, HF_REFUSAL_MAX, "%s%s%s", stat->refusal != NULL ? stat->refusal : "",
             has_error ? ": " : "", has_error ? strerror(stat->refusal_error) : "");
}
