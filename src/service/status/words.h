/*
 * words: what several sections of `status` write alike. Pure.
 */
#pragma once

#include <holdfast/component.h>

#include "wal/wal.h"
#include "json/json_out.h"

/* "receiver", ... */
const char *hf_status_kind(enum hf_kind kind);
/* {"records":..,"items":..,"bytes":..} */
void hf_status_amount(struct hf_json_out *json, const char *key, const struct wal_amount *amount);
