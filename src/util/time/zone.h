/*
 * zone: how far a time zone is from UTC at some time, by the machine's zone files. Immutable once
 * opened; any thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <holdfast/status.h>

struct hf_zone;

/* An IANA name; "UTC"; "" or "Local": the machine's own. HF_NOT_FOUND, HF_NOMEM. */
HF_MUST_USE enum hf_status hf_zone_open(const char *name, struct hf_zone **ret_zone);
void hf_zone_close(struct hf_zone *zone);

/* The Unix time of a wall clock there, given as if it were UTC. */
int64_t hf_zone_to_unix(const struct hf_zone *zone, int64_t wall_s);

/* How far the zone is ahead of UTC at that Unix time. */
int32_t hf_zone_offset_s(const struct hf_zone *zone, int64_t unix_s);

/* The offset that the zone calls by that abbreviation; false: none. */
HF_MUST_USE bool hf_zone_find(const struct hf_zone *zone, const char *abbreviation,
                              int32_t *ret_offset_s);
/* Days since 1970-01-01 of a date. */
int64_t hf_zone_days(int64_t year, unsigned month, unsigned day);
