#include "influx_put.h"

#include <math.h>
#include <string.h>

#include "pdata/json_value.h"

static void put(struct hf_influx_writer *writer, const void *bytes, size_t size)
{
    if (!writer->failed && hf_bytes_append(writer->out, hf_slice_of(bytes, size)) != HF_OK) {
        writer->failed = true;
    }
}

static char letter_of(uint8_t c)
{
    switch (c) {
    case '\n':
        return 'n';
    case '\r':
        return 'r';
    case '\t':
        return 't';
    case '\f':
        return 'f';
    default:
        return (char)c;
    }
}

/* With a backslash before `escaped` characters; of white space its letter stands behind it. A
 * backslash at the end would escape what follows, for which there is no form: it is left out. */
static void put_escaped(struct hf_influx_writer *writer, struct hf_slice text, const char *escaped)
{
    while (text.size != 0 && text.data[text.size - 1] == '\\') {
        text.size--;
    }
    size_t from = 0;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] != '\0' && strchr(escaped, text.data[i]) != NULL) {
            const char pair[2] = {'\\', letter_of(text.data[i])};
            put(writer, text.data + from, i - from);
            put(writer, pair, sizeof(pair));
            from = i + 1;
        }
    }
    put(writer, text.data + from, text.size - from);
}

void hf_influx_begin(struct hf_influx_writer *writer, struct hf_slice measurement)
{
    writer->start = writer->out->size;
    writer->field_count = 0;
    if (measurement.size != 0 && measurement.data[0] == '#') {
        put(writer, "\\", 1); /* no comment */
    }
    put_escaped(writer, measurement, ", \n\r\t\f");
}

void hf_influx_put_tag(struct hf_influx_writer *writer, struct hf_slice key, struct hf_slice value)
{
    if (key.size == 0 || value.size == 0 || (value.size == 1 && value.data[0] == '\\')) {
        return;
    }
    put(writer, ",", 1);
    put_escaped(writer, key, ",= \n\r\t\f");
    put(writer, "=", 1);
    put_escaped(writer, value, ",= \n\r\t\f");
}

static void put_key(struct hf_influx_writer *writer, struct hf_slice key)
{
    put(writer, writer->field_count++ == 0 ? " " : ",", 1);
    put_escaped(writer, key, ",= \n\r\t\f");
    put(writer, "=", 1);
}

void hf_influx_put_text(struct hf_influx_writer *writer, struct hf_slice key, struct hf_slice text)
{
    size_t from = 0;
    put_key(writer, key);
    put(writer, "\"", 1);
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] == '"' || text.data[i] == '\\') {
            put(writer, text.data + from, i - from);
            put(writer, "\\", 1);
            from = i;
        }
    }
    put(writer, text.data + from, text.size - from);
    put(writer, "\"", 1);
}

void hf_influx_put_double(struct hf_influx_writer *writer, struct hf_slice key, double number)
{
    char room[HF_JSON_DIGITS_MAX];
    if (isfinite(number)) {
        put_key(writer, key);
        put(writer, room, hf_json_print_double(number, room));
    }
}

void hf_influx_put_int(struct hf_influx_writer *writer, struct hf_slice key, int64_t number)
{
    char room[HF_JSON_DIGITS_MAX];
    put_key(writer, key);
    put(writer, room, hf_json_print_i64(number, room));
    put(writer, "i", 1);
}

void hf_influx_put_uint(struct hf_influx_writer *writer, struct hf_slice key, uint64_t number)
{
    char room[HF_JSON_DIGITS_MAX];
    if (writer->no_unsigned) {
        hf_influx_put_int(writer, key, number <= INT64_MAX ? (int64_t)number : INT64_MAX);
        return;
    }
    put_key(writer, key);
    put(writer, room, hf_json_print_u64(number, room));
    put(writer, "u", 1);
}

bool hf_influx_end(struct hf_influx_writer *writer, uint64_t time_ns)
{
    char room[HF_JSON_DIGITS_MAX];
    if (writer->field_count == 0) {
        writer->out->size = writer->start;
        return false;
    }
    uint64_t time = time_ns / writer->unit_ns;
    put(writer, " ", 1);
    put(writer, room, hf_json_print_u64(time <= INT64_MAX ? time : INT64_MAX, room));
    put(writer, "\n", 1);
    writer->line_count++;
    return true;
}
