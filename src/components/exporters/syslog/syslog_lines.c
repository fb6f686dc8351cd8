#include "syslog_lines.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "pdata/any_make.h"
#include "pdata/walk.h"
#include "util/grow.h"

#define RECORD_TIME 1
#define RECORD_BODY 5
#define RECORD_ATTRIBUTES 6
#define RECORD_OBSERVED_TIME 11
#define SECOND_NS UINT64_C(1000000000)
#define PRIORITY_MAX 191u
#define PRIORITY_DEFAULT 165u /* notice of local4 */
#define VERSION_MAX 999u

static enum hf_status put(struct hf_bytes *out, const char *text)
{
    return hf_bytes_append(out, hf_slice_text(text));
}

/* ---- times ---- */

/* RFC 3339 in UTC. RFC 5424 allows six digits of a fraction, and servers misread more. */
static void print_rfc3339(const struct tm *parts, uint64_t fraction_ns, char *room, size_t size)
{
    size_t used = strftime(room, size, "%Y-%m-%dT%H:%M:%S", parts);
    if (fraction_ns / 1000 != 0) {
        used += (size_t)snprintf(room + used, size - used, ".%06u", (unsigned)(fraction_ns / 1000));
        while (room[used - 1] == '0') {
            used--;
        }
    }
    snprintf(room + used, size - used, "Z");
}

/* The time of the record, or else the time at which it was observed. */
static enum hf_status put_time(struct syslog_lines *lines, struct hf_message *record)
{
    static const char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    uint64_t time_ns = hf_message_u64(record, RECORD_TIME);
    time_ns = time_ns != 0 ? time_ns : hf_message_u64(record, RECORD_OBSERVED_TIME);
    const time_t seconds = (time_t)(time_ns / SECOND_NS);
    struct tm parts = {0};
    char room[64];
    if (lines->protocol == SYSLOG_RFC5424 && time_ns == 0) {
        return put(&lines->line, "-");
    }
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

/* The attribute in `text` as a field of the header, which a blank or a line break would end: they
 * become "_". Empty: there is none. */
static enum hf_status read_name(struct syslog_lines *lines, struct hf_message *record,
                                const char *key)
{
    enum hf_status status = read_field(lines, record, key, "");
    for (size_t i = 0; i < lines->text.size; i++) {
        uint8_t *byte = &lines->text.data[i];
        *byte = *byte <= ' ' || *byte == 0x7f ? '_' : *byte;
    }
    return status;
}

static enum hf_status put_field(struct syslog_lines *lines, struct hf_message *record,
                                const char *key)
{
    enum hf_status status = read_name(lines, record, key);
    if (status == HF_OK && lines->text.size == 0) {
        status = put(&lines->text, "-");
    }
    return status == HF_OK ? hf_bytes_append(&lines->line, text_of(lines)) : status;
}

/* Out of decimal digits; false: it is no number up to `max`. */
static bool read_number(struct hf_slice text, unsigned max, unsigned *ret_number)
{
    unsigned number = 0;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9' || number > max) {
            return false;
        }
        number = number * 10 + (unsigned)(text.data[i] - '0');
    }
    *ret_number = number;
    return text.size != 0 && number <= max;
}

/* "<PRIORITY>", by the default when the attribute is none: servers would not find the header. */
static enum hf_status put_priority(struct syslog_lines *lines, struct hf_message *record)
{
    unsigned priority;
    char room[16];
    enum hf_status status = read_field(lines, record, "priority", "");
    bool is_one = read_number(text_of(lines), PRIORITY_MAX, &priority);
    snprintf(room, sizeof(room), "<%u>", is_one ? priority : PRIORITY_DEFAULT);
    return status == HF_OK ? put(&lines->line, room) : status;
}

static enum hf_status put_version(struct syslog_lines *lines, struct hf_message *record)
{
    unsigned version;
    char room[16];
    enum hf_status status = read_field(lines, record, "version", "");
    bool is_one = read_number(text_of(lines), VERSION_MAX, &version) && version != 0;
    snprintf(room, sizeof(room), "%u ", is_one ? version : 1);
    return status == HF_OK ? put(&lines->line, room) : status;
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

/* A line break within the line, which would end the message, in the notation of RFC 5424 (8.2). */
static enum hf_status escape_breaks(struct syslog_lines *lines)
{
    struct hf_slice rest = hf_slice_of(lines->line.data, lines->line.size);
    const uint8_t *at = rest.size != 0 ? memchr(rest.data, '\n', rest.size) : NULL;
    enum hf_status status = HF_OK;
    if (at == NULL) {
        return HF_OK;
    }
    lines->text.size = 0;
    while (at != NULL && status == HF_OK) {
        size_t size = (size_t)(at - rest.data);
        status = hf_bytes_append(&lines->text, hf_slice_of(rest.data, size));
        status = status == HF_OK ? put(&lines->text, "#012") : status;
        rest = hf_slice_of(at + 1, rest.size - size - 1);
        at = rest.size != 0 ? memchr(rest.data, '\n', rest.size) : NULL;
    }
    status = status == HF_OK ? hf_bytes_append(&lines->text, rest) : status;
    const struct hf_bytes escaped = lines->text;
    lines->text = lines->line;
    lines->line = escaped;
    return status;
}

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
    status = status == HF_OK && lines->ends_at_breaks ? escape_breaks(lines) : status;
    return status == HF_OK ? put(&lines->line, "\n") : status;
}

static enum hf_status write_rfc5424(struct syslog_lines *lines, struct hf_message *record)
{
    static const char *const names[] = {"hostname", "appname", "proc_id", "msg_id"};
    enum hf_status status = put_priority(lines, record);
    status = status == HF_OK ? put_version(lines, record) : status;
    status = status == HF_OK ? put_time(lines, record) : status;
    status = status == HF_OK ? put(&lines->line, " ") : status;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && status == HF_OK; i++) {
        status = put_field(lines, record, names[i]);
        status = status == HF_OK ? put(&lines->line, " ") : status;
    }
    status = status == HF_OK ? put_structured_data(lines, record) : status;
    return status == HF_OK ? put_message(lines, record, true) : status;
}

static enum hf_status write_rfc3164(struct syslog_lines *lines, struct hf_message *record)
{
    enum hf_status status = put_priority(lines, record);
    status = status == HF_OK ? put_time(lines, record) : status;
    status = status == HF_OK ? put(&lines->line, " ") : status;
    status = status == HF_OK ? put_field(lines, record, "hostname") : status;
    status = status == HF_OK ? put(&lines->line, " ") : status;
    status = status == HF_OK ? read_name(lines, record, "appname") : status;
    bool has_name = lines->text.size != 0;
    if (status == HF_OK && has_name) {
        status = hf_bytes_append(&lines->line, text_of(lines));
        status = status == HF_OK ? put(&lines->line, ":") : status;
    }
    return status == HF_OK ? put_message(lines, record, has_name) : status;
}

static enum hf_status refuse(struct syslog_lines *lines, uint32_t item)
{
    if (!hf_grow(&lines->refused, &lines->refused_capacity, lines->refused_count + 1,
                 sizeof(*lines->refused))) {
        return HF_NOMEM;
    }
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
    if (!hf_grow(&lines->ends, &lines->capacity, lines->count + 1, sizeof(*lines->ends))) {
        return HF_NOMEM;
    }
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
