/*
 * dedup: which changes of an event are told. An event that occurs again is changed, with a higher
 * count; of these changes one per interval is told, or none.
 *
 * It knows the events that were told last, some thousand; a change of one that it has forgotten is
 * told. Owned by one thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <holdfast/slice.h>

struct event_dedup;

/* Below 0: changes are never told. NULL: out of memory. */
struct event_dedup *event_dedup_new(int64_t interval_ns);
void event_dedup_free(struct event_dedup *dedup);

/* Is the event to be told? If so, it is noted as told now. */
bool event_dedup_tells(struct event_dedup *dedup, struct hf_slice uid, bool is_change,
                       uint64_t now_ns);
