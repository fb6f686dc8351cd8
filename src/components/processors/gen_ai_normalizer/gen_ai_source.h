/*
 * gen_ai_source: what one way of instrumentation calls its attributes, and what the semantic
 * conventions for generative AI call them. Immutable once made; any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <holdfast/slice.h>

/* The conventions whose names and types are written. */
#define GEN_AI_SCHEMA_URL "https://opentelemetry.io/schemas/1.40.0"
#define GEN_AI_INPUT_MESSAGES "gen_ai.input.messages"
#define GEN_AI_OUTPUT_MESSAGES "gen_ai.output.messages"

enum gen_ai_type { GEN_AI_ANY = 0, GEN_AI_STRING, GEN_AI_INT, GEN_AI_DOUBLE, GEN_AI_STRINGS };

struct gen_ai_mapping {
    const char *from, *to;
};

/* Of attributes that become `to`: this text becomes that one. */
struct gen_ai_value {
    const char *to, *text, *becomes;
};

struct gen_ai_source {
    const char *name;
    const struct gen_ai_mapping *mappings;
    size_t mapping_count;
    const struct gen_ai_value *values;
    size_t value_count;
    bool values_in_any_case;
    bool has_messages; /* in attributes like llm.input_messages.0.message.role */
};

/* A source that is built in; NULL: there is none of that name. */
const struct gen_ai_source *gen_ai_source_find(const char *name);

/* The type that the conventions have for that attribute. */
enum gen_ai_type gen_ai_type_of(const char *attribute);

/* NULL: the attribute is none of the source's. */
const struct gen_ai_mapping *gen_ai_mapping_find(const struct gen_ai_source *source,
                                                 struct hf_slice attribute);
/* What the text of the attribute `to` becomes; NULL: it stays. */
const char *gen_ai_value_find(const struct gen_ai_source *source, const char *to,
                              struct hf_slice text);
