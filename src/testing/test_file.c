#include "test_file.h"

#include <stddef.h>

static const struct hf_field input_fields[] = {
    {.key = "to",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct hf_test_input, to),
     .required = true},
    {.key = "pipeline",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct hf_test_input, pipeline)},
    {.key = "otlp", .type = HF_FIELD_VALUE, .offset = offsetof(struct hf_test_input, otlp)},
    {.key = "json", .type = HF_FIELD_STRING, .offset = offsetof(struct hf_test_input, json)},
    {.key = "file", .type = HF_FIELD_STRING, .offset = offsetof(struct hf_test_input, file)},
    {.key = "lines", .type = HF_FIELD_STRING_LIST, .offset = offsetof(struct hf_test_input, lines)},
    HF_FIELDS_END,
};

#define NUMBER(name, member)                                                                       \
    {                                                                                              \
        .key = (name), .type = HF_FIELD_INT, .offset = offsetof(struct hf_test_expect, member),    \
        .default_text = "-1", .min = -1, .max = 1e15                                               \
    }
#define CONDITIONS(name, member)                                                                   \
    {                                                                                              \
        .key = (name), .type = HF_FIELD_STRING_LIST,                                               \
        .offset = offsetof(struct hf_test_expect, member)                                          \
    }

static const struct hf_field expect_fields[] = {
    {.key = "at",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct hf_test_expect, at),
     .required = true},
    {.key = "pipeline",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct hf_test_expect, pipeline)},
    NUMBER("count", count),
    NUMBER("min", min),
    NUMBER("max", max),
    {.key = "contains",
     .type = HF_FIELD_VALUE,
     .offset = offsetof(struct hf_test_expect, contains)},
    CONDITIONS("all", all),
    CONDITIONS("any", any),
    CONDITIONS("none", none),
    HF_FIELDS_END,
};

#define STEP_FIELDS                                                                                \
    {.key = "input",                                                                               \
     .type = HF_FIELD_STRUCT_LIST,                                                                 \
     .offset = offsetof(struct hf_test_step, input),                                               \
     .inner = input_fields,                                                                        \
     .inner_size = sizeof(struct hf_test_input)},                                                  \
        {.key = "advance",                                                                         \
         .type = HF_FIELD_DURATION,                                                                \
         .offset = offsetof(struct hf_test_step, advance_ns)},                                     \
    {                                                                                              \
        .key = "expect", .type = HF_FIELD_STRUCT_LIST,                                             \
        .offset = offsetof(struct hf_test_step, expect), .inner = expect_fields,                   \
        .inner_size = sizeof(struct hf_test_expect)                                                \
    }

static const struct hf_field step_fields[] = {STEP_FIELDS, HF_FIELDS_END};

#define IN_TEST(member) (offsetof(struct hf_test, first) + offsetof(struct hf_test_step, member))

static const struct hf_field test_fields[] = {
    {.key = "name",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct hf_test, name),
     .required = true},
    {.key = "input",
     .type = HF_FIELD_STRUCT_LIST,
     .offset = IN_TEST(input),
     .inner = input_fields,
     .inner_size = sizeof(struct hf_test_input)},
    {.key = "advance", .type = HF_FIELD_DURATION, .offset = IN_TEST(advance_ns)},
    {.key = "expect",
     .type = HF_FIELD_STRUCT_LIST,
     .offset = IN_TEST(expect),
     .inner = expect_fields,
     .inner_size = sizeof(struct hf_test_expect)},
    {.key = "steps",
     .type = HF_FIELD_STRUCT_LIST,
     .offset = offsetof(struct hf_test, steps),
     .inner = step_fields,
     .inner_size = sizeof(struct hf_test_step)},
    HF_FIELDS_END,
};

const struct hf_field hf_test_file_fields[] = {
    {.key = "config",
     .type = HF_FIELD_STRING_LIST,
     .offset = offsetof(struct hf_test_file, config),
     .required = true},
    {.key = "set", .type = HF_FIELD_STRING_LIST, .offset = offsetof(struct hf_test_file, set)},
    {.key = "tests",
     .type = HF_FIELD_STRUCT_LIST,
     .offset = offsetof(struct hf_test_file, tests),
     .required = true,
     .inner = test_fields,
     .inner_size = sizeof(struct hf_test)},
    HF_FIELDS_END,
};
