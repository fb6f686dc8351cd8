/*
 * note: puts what a snapshot says of its queues into the history.
 */
#pragma once

#include "history.h"
#include "snapshot.h"

void hf_console_note(struct hf_console_history *history,
                     const struct hf_console_snapshot *snapshot);
