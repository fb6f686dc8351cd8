/*
 * redact_body: the body of a log record without what it should not tell. Owned by the run's thread.
 */
#pragma once

#include "redact_run.h"

void hf_redact_body(struct hf_redact_run *run, struct hf_message *record);
