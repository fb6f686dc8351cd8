/*
 * gen_ai_messages: messages of OpenInference, each field of which is an attribute of its own
 * (llm.input_messages.0.message.role), as the one attribute of the conventions, a JSON text.
 */
#pragma once

#include "gen_ai_run.h"

/* Of what is received and of what is answered. True: an attribute was written. */
bool gen_ai_join_messages(struct gen_ai_run *run, const struct gen_ai_rules *rules,
                          struct hf_attributes *attributes);
