#include "json_out.h"

#include <inttypes.h>
#include <math.h>

#include "util/escape.h"

#define NS_PER_S UINT64_C(1000000000)

static void put_quoted(FILE *out, struct hf_slice text)
{
    fputc('"', out);
    hf_escape_print(HF_ESCAPE_JSON, text, out);
    fputc('"', out);
}

/* The comma and the key before a value. */
static void begin(struct hf_json_out *json, const char *key)
{
    if (json->has_one) {
        fputc(',', json->out);
    }
    json->has_one = true;
    if (key != NULL) {
        put_quoted(json->out, hf_slice_text(key));
        fputc(':', json->out);
    }
}

static void open_with(struct hf_json_out *json, const char *key, char bracket)
{
    begin(json, key);
    fputc(bracket, json->out);
    json->has_one = false;
}

static void close_with(struct hf_json_out *json, char bracket)
{
    fputc(bracket, json->out);
    json->has_one = true;
}

void hf_json_out_map(struct hf_json_out *json, const char *key)
{
    open_with(json, key, '{');
}

void hf_json_out_end_map(struct hf_json_out *json)
{
    close_with(json, '}');
}

void hf_json_out_list(struct hf_json_out *json, const char *key)
{
    open_with(json, key, '[');
}

void hf_json_out_end_list(struct hf_json_out *json)
{
    close_with(json, ']');
}

void hf_json_out_slice(struct hf_json_out *json, const char *key, struct hf_slice text)
{
    begin(json, key);
    put_quoted(json->out, text);
}

void hf_json_out_text(struct hf_json_out *json, const char *key, const char *text)
{
    if (text == NULL) {
        hf_json_out_made(json, key, hf_slice_text("null"));
        return;
    }
    hf_json_out_slice(json, key, hf_slice_text(text));
}

void hf_json_out_number(struct hf_json_out *json, const char *key, uint64_t number)
{
    begin(json, key);
    fprintf(json->out, "%" PRIu64, number);
}

void hf_json_out_integer(struct hf_json_out *json, const char *key, int64_t number)
{
    begin(json, key);
    fprintf(json->out, "%" PRId64, number);
}

void hf_json_out_double(struct hf_json_out *json, const char *key, double number)
{
    begin(json, key);
    if (isfinite(number)) {
        fprintf(json->out, "%.15g", number);
    } else {
        fputs("null", json->out);
    }
}

void hf_json_out_bool(struct hf_json_out *json, const char *key, bool truth)
{
    hf_json_out_made(json, key, hf_slice_text(truth ? "true" : "false"));
}

void hf_json_out_seconds(struct hf_json_out *json, const char *key, uint64_t time_ns)
{
    begin(json, key);
    fprintf(json->out, "%" PRIu64 ".%09" PRIu64, time_ns / NS_PER_S, time_ns % NS_PER_S);
}

void hf_json_out_key(struct hf_json_out *json, const char *key)
{
    begin(json, key);
}

void hf_json_out_made(struct hf_json_out *json, const char *key, struct hf_slice text)
{
    begin(json, key);
    fwrite(text.data, 1, text.size, json->out);
}
