#include "syslog_lines.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "pdata/any_make.h"
#include "pdata/walk.h"

#define RECORD_TIME 1
#define RECORD_BODY 5
#define RECORD_ATTRIBUTES 6
#define SECOND_NS UINT64_C(1000000000)
#define FIRST_CAPACITY 256u

static enum hf_status put(struct hf_bytes *out, const char *text)
{
    return hf_bytes_append(out, hf_slice_text(text));
}

/* ---- times ---- */

/* RFC 3339 in UTC, with as many digits as the fraction has. */
static void print_rfc3339(const struct tm *parts, uint64_t fraction_ns, char *room, size_t size)
{
    size_t used = strftime(room, size, "%Y-%m-%dT%H:%M:%S", parts);
    if (fraction_ns != 0) {
        used += (size_t)snprintf(room + used, size - used, ".%09u", (unsigned)fraction_ns);
        while (room[used - 1] == '0') {
            used--;
        }
    }
    snprintf(room + used, size - used, "Z");
}

static enum hf_status put_time(struct syslog_lines *lines, uint64_t time_ns)
{
    static const char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const time_t seconds = (time_t)(time_ns / SECOND_NS);
    struct tm parts = {0};
    char room[64];
    if (gmtime_r(&seconds, &parts) == NULL) {
        return HF_CORRUPT;
    }
    if (lines->protocol == SYSLOG_RFC5424) {
        print_rfc3339(&parts, time_ns % SECOND_NS, room, sizeof(room));
    } else {
        snprintf(room, sizeof(room), "%s %02d %02d:%02d:%02d", months[parts.tm_mon], parts.tm_mday,
                 parts.tm_hour, parts.tm_min, parts.tm_sec);
    }
    return put(&lines->line, room);
}

/* ---- fields ---- */

/* The attribute as text in `text`, or the default. */
static enum hf_status read_field(struct syslog_lines *lines, struct hf_message *record,
                                 const char *key, const char *otherwise)
{
    struct hf_slice value;
    lines->text.size = 0;
    return hf_message_attribute(record, RECORD_ATTRIBUTES, hf_slice_text(key), &value)
               ? hf_any_text(value, &lines->text)
               : put(&lines->text, otherwise);
}

static struct hf_slice text_of(const struct syslog_lines *lines)
{
    return hf_slice_of(lines->text.data, lines->text.size);
}

/* `before`, the field, `behind`. */
static enum hf_status put_field(struct syslog_lines *lines, struct hf_message *record,
                                const char *before, const char *key, const char *otherwise,
                                const char *behind)
{
    enum hf_status status = read_field(lines, record, key, otherwise);
    status = status == HF_OK ? put(&lines->line, before) : status;
    status = status == HF_OK ? hf_bytes_append(&lines->line, text_of(lines)) : status;
    return status == HF_OK ? put(&lines->line, behind) : status;
}

/* ---- structured data ---- */

/* A name may not hold what ends it. */
static enum hf_status put_name(struct hf_bytes *out, struct hf_slice name)
{
    enum hf_status status = HF_OK;
    for (size_t i = 0; i < name.size && status == HF_OK; i++) {
        uint8_t byte = name.data[i];
        bool is_bad = byte <= ' ' || byte == '=' || byte == ']' || byte == '"' || byte == 0x7f;
        status = hf_bytes_append(out, is_bad ? hf_slice_text("_") : hf_slice_of(&byte, 1));
    }
    return status;
}

static enum hf_status put_value(struct hf_bytes *out, struct hf_slice value)
{
    enum hf_status status = HF_OK;
    for (size_t i = 0; i < value.size && status == HF_OK; i++) {
        uint8_t byte = value.data[i];
        if (byte == '"' || byte == '\\' || byte == ']') {
            status = put(out, "\\");
        }
        status = status == HF_OK ? hf_bytes_append(out, hf_slice_of(&byte, 1)) : status;
    }
    return status;
}

/* [id name="value" ...]; values that are no texts are left out. */
static enum hf_status put_element(struct hf_bytes *out, struct hf_slice id,
                                  const struct hf_any *params)
{
    struct hf_wire items = hf_any_items(params);
    struct hf_any_pair pair;
    enum hf_status status = put(out, "[");
    status = status == HF_OK ? put_name(out, id) : status;
    while (status == HF_OK && hf_any_next_pair(&items, &pair)) {
        const struct hf_any value = hf_any_read(pair.value);
        if (value.type != HF_ANY_STRING) {
            continue;
        }
        status = put(out, " ");
        status = status == HF_OK ? put_name(out, pair.key) : status;
        status = status == HF_OK ? put(out, "=\"") : status;
        status = status == HF_OK ? put_value(out, value.bytes) : status;
        status = status == HF_OK ? put(out, "\"") : status;
    }
    return status == HF_OK ? put(out, "]") : status;
}

static enum hf_status put_structured_data(struct syslog_lines *lines, struct hf_message *record)
{
    struct hf_bytes *out = &lines->line;
    struct hf_slice value = HF_EMPTY_SLICE;
    struct hf_any_pair pair;
    size_t before = out->size;
    enum hf_status status = HF_OK;
    if (!hf_message_attribute(record, RECORD_ATTRIBUTES, hf_slice_text("structured_data"),
                              &value)) {
        return put(out, "-");
    }
    const struct hf_any data = hf_any_read(value);
    struct hf_wire items = hf_any_items(&data);
    while (data.type == HF_ANY_MAP && status == HF_OK && hf_any_next_pair(&items, &pair)) {
        const struct hf_any params = hf_any_read(pair.value);
        if (params.type == HF_ANY_MAP) {
            status = put_element(out, pair.key, &params);
        }
    }
    return status == HF_OK && out->size == before ? put(out, "-") : status;
}

/* ---- messages ---- */

static enum hf_status put_message(struct syslog_lines *lines, struct hf_message *record,
                                  bool needs_blank)
{
    enum hf_status status = read_field(lines, record, "message", "");
    if (lines->text.size == 0 && hf_message_any(record, RECORD_BODY).size != 0) {
        lines->textless++;
    }
    if (status == HF_OK && needs_blank && lines->text.size != 0) {
        status = put(&lines->line, " ");
    }
    status = status == HF_OK ? hf_bytes_append(&lines->line, text_of(lines)) : status;
    return status == HF_OK ? put(&lines->line, "\n") : status;
}

static enum hf_status write_rfc5424(struct syslog_lines *lines, struct hf_message *record)
{
    static const char *const names[] = {"hostname", "appname", "proc_id", "msg_id"};
    enum hf_status status = put_field(lines, record, "<", "priority", "165", ">");
    status = status == HF_OK ? put_field(lines, record, "", "version", "1", " ") : status;
    status = status == HF_OK ? put_time(lines, hf_message_u64(record, RECORD_TIME)) : status;
    status = status == HF_OK ? put(&lines->line, " ") : status;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && status == HF_OK; i++) {
        status = put_field(lines, record, "", names[i], "-", " ");
    }
    status = status == HF_OK ? put_structured_data(lines, record) : status;
    return status == HF_OK ? put_message(lines, record, true) : status;
}

static enum hf_status write_rfc3164(struct syslog_lines *lines, struct hf_message *record)
{
    enum hf_status status = put_field(lines, record, "<", "priority", "165", ">");
    status = status == HF_OK ? put_time(lines, hf_message_u64(record, RECORD_TIME)) : status;
    status = status == HF_OK ? put_field(lines, record, " ", "hostname", "-", " ") : status;
    status = status == HF_OK ? read_field(lines, record, "appname", "") : status;
    bool has_name = lines->text.size != 0;
    if (status == HF_OK && has_name) {
        status = hf_bytes_append(&lines->line, text_of(lines));
        status = status == HF_OK ? put(&lines->line, ":") : status;
    }
    return status == HF_OK ? put_message(lines, record, has_name) : status;
}

static bool grow(void **items, size_t *capacity, size_t needed, size_t size)
{
    if (needed <= *capacity) {
        return true;
    }
    size_t grown = *capacity != 0 ? *capacity * 2 : FIRST_CAPACITY;
    void *more = realloc(*items, grown * size);
    if (more == NULL) {
        return false;
    }
    *items = more;
    *capacity = grown;
    return true;
}

static enum hf_status refuse(struct syslog_lines *lines, uint32_t item)
{
    void *refused = lines->refused;
    if (!grow(&refused, &lines->refused_capacity, lines->refused_count + 1,
              sizeof(*lines->refused))) {
        return HF_NOMEM;
    }
    lines->refused = refused;
    lines->refused[lines->refused_count++] =
        (struct hf_item_outcome){.first = item,
                                 .count = 1,
                                 .status = HF_INVALID,
                                 .message = "the message is longer than a datagram can be"};
    return HF_OK;
}

/* Takes `line` among the messages. */
static enum hf_status take_line(struct syslog_lines *lines, uint32_t item)
{
    char count[32] = "";
    void *ends = lines->ends;
    if (lines->counts_octets) {
        snprintf(count, sizeof(count), "%zu ", lines->line.size);
    }
    size_t size = strlen(count) + lines->line.size;
    if (lines->line_bytes_max != 0 && size > lines->line_bytes_max) {
        return refuse(lines, item);
    }
    if (size > UINT32_MAX - lines->bytes.size) {
        return HF_TOO_LARGE;
    }
    if (!grow(&ends, &lines->capacity, lines->count + 1, sizeof(*lines->ends))) {
        return HF_NOMEM;
    }
    lines->ends = ends;
    enum hf_status status = put(&lines->bytes, count);
    if (status == HF_OK) {
        status = hf_bytes_append(&lines->bytes, hf_slice_of(lines->line.data, lines->line.size));
    }
    lines->ends[lines->count++] = (uint32_t)lines->bytes.size;
    return status;
}

enum hf_status syslog_lines_write(struct syslog_lines *lines, struct hf_slice raw)
{
    struct hf_document *document = hf_document_borrow(HF_LOGS, raw);
    struct hf_place place = {.document = document};
    enum hf_status status = document != NULL ? HF_OK : HF_NOMEM;
    lines->bytes.size = lines->count = lines->refused_count = lines->textless = 0;
    for (uint32_t item = 0; status == HF_OK && hf_place_next_item(&place); item++) {
        lines->line.size = 0;
        status = lines->protocol == SYSLOG_RFC5424 ? write_rfc5424(lines, place.item)
                                                   : write_rfc3164(lines, place.item);
        status = status == HF_OK ? take_line(lines, item) : status;
    }
    if (status == HF_OK) {
        status = hf_document_status(document);
        status = status == HF_INVALID ? HF_CORRUPT : status;
    }
    hf_document_return(document);
    return status;
}

void syslog_lines_release(struct syslog_lines *lines)
{
    hf_bytes_release(&lines->bytes);
    hf_bytes_release(&lines->line);
    hf_bytes_release(&lines->text);
    free(lines->ends);
    free(lines->refused);
}
