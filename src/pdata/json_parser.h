/*
 * json_parser: the state of one OTLP/JSON text on its way to protobuf bytes. Private to json_in.c,
 * which follows the text, and json_put.c, which writes. Owned by the call.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <yajl/yajl_parse.h>

#include "json.h"
#include "scan.h"
#include "schema.h"

/* A request, and below it as deep as a scan of the result would accept. */
#define HF_JSON_FRAME_COUNT (1 + HF_SCAN_DEPTH_MAX)

/* One message that is being written. */
struct hf_json_frame {
    const struct hf_schema_message *message;
    const struct hf_schema_field *field; /* whose value comes next; NULL: of an unknown key */
    size_t length_at;                    /* where the one byte kept for its length stands */
    size_t packed_at;                    /* the same, of an open list of numbers */
    uint32_t written;                    /* a bit for each field number that is in the output */
    uint32_t element;                    /* of the open list */
    uint8_t last; /* the number of the last key: the next one is likely near */
    bool in_list;
};

struct hf_json_parser {
    yajl_handle yajl;
    struct hf_bytes *out;
    size_t base, limit; /* `out` had `base` bytes before and gets `limit` more at most */
    size_t depth;       /* of the open frames */
    uint32_t skip;      /* of open lists and objects within a value that is left out */
    bool done;          /* the request is complete */
    bool any_text;      /* strings need not be UTF-8 */
    enum hf_status status;
    char *reterr;
    struct hf_json_frame frames[HF_JSON_FRAME_COUNT];
};

/* The innermost message; there must be one. */
static inline struct hf_json_frame *hf_json_top(struct hf_json_parser *parser)
{
    return &parser->frames[parser->depth - 1];
}

/* The error's text, HF_JSON_ERROR_MAX with its NUL: what does not fit is cut. */
struct hf_json_sentence {
    char *text;
    size_t size;
};

void hf_json_say(struct hf_json_sentence *sentence, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* "resourceSpans[0].resource: ", or nothing before the first key. */
void hf_json_say_path(struct hf_json_sentence *sentence, const struct hf_json_parser *parser);

/*
 * What follows returns, as yajl's callbacks do, 1 to go on and 0 to end; the parser then knows why.
 * The first failure is kept.
 */
int hf_json_fail(struct hf_json_parser *parser, enum hf_status status, const char *what);
int hf_json_fail_expected(struct hf_json_parser *parser, const struct hf_schema_field *field);

/* Begins a length-delimited value whose size is not known; close ends it, innermost first. */
HF_MUST_USE int hf_json_open_length(struct hf_json_parser *parser,
                                    const struct hf_schema_field *field, size_t *ret_at);
HF_MUST_USE int hf_json_close_length(struct hf_json_parser *parser, size_t at);
/* Takes an opened value back. */
void hf_json_drop_length(struct hf_json_parser *parser, const struct hf_schema_field *field,
                         size_t at);

/* Write a value of `field` into the innermost message: HF_SCHEMA_BOOL by its bits; a number from
 * its text, quoted or not; ... */
HF_MUST_USE int hf_json_put_scalar(struct hf_json_parser *parser,
                                   const struct hf_schema_field *field, uint64_t bits);
HF_MUST_USE int hf_json_put_number(struct hf_json_parser *parser,
                                   const struct hf_schema_field *field, struct hf_slice text,
                                   bool quoted);
HF_MUST_USE int hf_json_put_text(struct hf_json_parser *parser, const struct hf_schema_field *field,
                                 struct hf_slice text);
HF_MUST_USE int hf_json_put_base64(struct hf_json_parser *parser,
                                   const struct hf_schema_field *field, struct hf_slice text);
HF_MUST_USE int hf_json_put_id(struct hf_json_parser *parser, const struct hf_schema_field *field,
                               struct hf_slice text);
