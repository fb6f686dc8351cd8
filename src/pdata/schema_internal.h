/*
 * schema_internal: how a message is written as a table, and the messages that more than one file of
 * tables names.
 */
#pragma once

#include "schema.h"

#define FIELD(number_, type_, name_, json_, ...)                                                   \
    [number_] = {.number = (number_),                                                              \
                 .type = HF_SCHEMA_##type_,                                                        \
                 .name_size = sizeof(name_) - 1,                                                   \
                 .json_size = sizeof(json_) - 1,                                                   \
                 .name = (name_),                                                                  \
                 .json = (json_),                                                                  \
                 __VA_ARGS__}

/* One message inside, and a list of them. */
#define ONE(number_, name_, json_, message_, ...)                                                  \
    FIELD(number_, MESSAGE, name_, json_, .message = &(message_), __VA_ARGS__)
#define MANY(number_, name_, json_, message_)                                                      \
    FIELD(number_, MESSAGE, name_, json_, .message = &(message_), .repeated = true)

#define ID(number_, name_, json_, size_) FIELD(number_, ID, name_, json_, .id_size = (size_))

extern const struct hf_schema_message hf_schema_any_value, hf_schema_scope, hf_schema_resource;

/* Those of schema_profiles.c, with their dense numbers. */
#define PROFILES_MESSAGES(X)                                                                       \
    X(PROFILES_REQUEST, hf_schema_profiles_request)                                                \
    X(PROFILES_RESPONSE, hf_schema_profiles_response)                                              \
    X(PROFILES_PARTIAL, hf_schema_profiles_partial)                                                \
    X(DICTIONARY, hf_schema_dictionary)                                                            \
    X(RESOURCE_PROFILES, hf_schema_resource_profiles)                                              \
    X(SCOPE_PROFILES, hf_schema_scope_profiles)                                                    \
    X(PROFILE, hf_schema_profile)                                                                  \
    X(SAMPLE, hf_schema_sample)                                                                    \
    X(VALUE_TYPE, hf_schema_value_type)                                                            \
    X(MAPPING, hf_schema_mapping)                                                                  \
    X(LOCATION, hf_schema_location)                                                                \
    X(LINE, hf_schema_line)                                                                        \
    X(FUNCTION, hf_schema_function)                                                                \
    X(PROFILE_LINK, hf_schema_profile_link)                                                        \
    X(STACK, hf_schema_stack)                                                                      \
    X(KEY_VALUE_AND_UNIT, hf_schema_key_value_and_unit)

#define DECLARED(index_, message_) extern const struct hf_schema_message message_;
PROFILES_MESSAGES(DECLARED)
#undef DECLARED
