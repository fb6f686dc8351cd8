/*
 * test_file: what a file of tests says: which configuration, what comes in, and what is expected to
 * come out. Immutable once read.
 */
#pragma once

#include <holdfast/batch.h>
#include <holdfast/field.h>

struct hf_test_input {
    const char *to;              /* the id of a receiver, a pipeline, or a processor */
    const char *pipeline;        /* of a processor that is in several; NULL: not said */
    struct hf_value otlp;        /* an Export request as OTLP/JSON, written as YAML */
    const char *json;            /* the same as text */
    const char *file;            /* the same in a file, a request a line */
    struct hf_string_list lines; /* records of a log, one for each text */
};

struct hf_test_expect {
    const char *at; /* the id of an exporter, a processor, a connector, or a pipeline's queue */
    const char *pipeline;                 /* of a processor; NULL: of all that it is in */
    int64_t count, min, max;              /* of items; -1: not said */
    struct hf_value contains;             /* items, of each as much as is to be there */
    struct hf_string_list all, any, none; /* OTTL conditions of items */
};

struct hf_test_step {
    struct hf_struct_list input;  /* struct hf_test_input */
    uint64_t advance_ns;          /* after the input */
    struct hf_struct_list expect; /* struct hf_test_expect */
};

struct hf_test {
    const char *name;
    struct hf_test_step first;   /* as written beside the name */
    struct hf_struct_list steps; /* struct hf_test_step, after it */
};

struct hf_test_file {
    struct hf_string_list config, set;
    struct hf_struct_list tests; /* struct hf_test */
};

/* The keys of such a file, for hf_config_read_file(). */
extern const struct hf_field hf_test_file_fields[];
