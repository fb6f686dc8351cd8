/*
 * journald_match: which entries of a journal are read, as journalctl's options of the same names
 * say. No state.
 */
#pragma once

#include "journal/journal.h"
#include "journald_config.h"

/* HF_NOMEM, HF_INVALID, HF_IO. */
HF_MUST_USE enum hf_status journald_match(struct hf_journal *journal,
                                          const struct journald_config *config);
