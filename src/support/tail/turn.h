/*
 * turn: one at a time of those that read the same: across a reload the new receiver waits until the
 * old one has stopped and its places are committed. A meeting place; any thread.
 */
#pragma once

#include <stdbool.h>

#include <holdfast/status.h>

struct hf_turn;

/* Lines up behind those of the same name. HF_NOMEM. */
HF_MUST_USE enum hf_status hf_turn_join(const char *name, struct hf_turn **ret_turn);
bool hf_turn_is_mine(const struct hf_turn *turn);
/* NULL is nothing. */
void hf_turn_leave(struct hf_turn *turn);
