#include "log_line.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "util/escape.h"

static const char *const level_names[] = {"debug", "info", "warn", "error"};

/* Appends what fits below `room`. Returns the new size. */
static size_t put(enum hf_escape how, char *out, size_t used, size_t room, const char *text)
{
    return used + hf_escape(how, hf_slice_text(text), out + used, room - used);
}

/* ---- fields ---- */

#define FIELD_TEXT_MAX 1024u /* bytes of a value, escaped */
#define FIELD_ROOM 160u      /* of a key, a number and what is around them */

/* Go's: 1m0.5s, 2.5s, 50ms, 30us. */
static void write_duration(int64_t nanoseconds, char *out, size_t room)
{
    uint64_t ns = nanoseconds < 0 ? 0 : (uint64_t)nanoseconds;
    uint64_t minutes = ns / UINT64_C(60000000000);
    if (ns < 1000000) {
        snprintf(out, room, "%.6gus", (double)ns / 1e3);
    } else if (ns < 1000000000) {
        snprintf(out, room, "%.6gms", (double)ns / 1e6);
    } else if (minutes == 0) {
        snprintf(out, room, "%.6gs", (double)ns / 1e9);
    } else {
        size_t used = 0;
        if (minutes >= 60) {
            used = (size_t)snprintf(out, room, "%" PRIu64 "h", minutes / 60);
        }
        snprintf(out + used, room - used, "%" PRIu64 "m%.6gs", minutes % 60,
                 (double)(ns % UINT64_C(60000000000)) / 1e9);
    }
}

static size_t write_key(const char *key, char *out, size_t used)
{
    used += (size_t)snprintf(out + used, 8, "%s\"", used != 0 ? "," : "");
    used = put(HF_ESCAPE_JSON, out, used, used + FIELD_ROOM / 2, key);
    return used + (size_t)snprintf(out + used, 8, "\":");
}

static size_t write_text(const char *text, char *out, size_t used)
{
    size_t room = HF_LOG_FIELDS_MAX - used - 8;
    room = room < FIELD_TEXT_MAX ? room : FIELD_TEXT_MAX;
    used += (size_t)snprintf(out + used, 2, "\"");
    used = put(HF_ESCAPE_JSON, out, used, used + room, text);
    return used + (size_t)snprintf(out + used, 2, "\"");
}

void hf_log_write_keys(const struct hf_log_key *keys, char *out)
{
    size_t used = 0;
    out[0] = '\0';
    for (; keys != NULL && keys->key != NULL && used + FIELD_ROOM < HF_LOG_FIELDS_MAX; keys++) {
        if (keys->type == HF_LOG_TEXT_KEY && keys->text == NULL) {
            continue;
        }
        char duration[48];
        used = write_key(keys->key, out, used);
        if (keys->type == HF_LOG_NUMBER_KEY) {
            used += (size_t)snprintf(out + used, 24, "%" PRId64, keys->number);
        } else if (keys->type == HF_LOG_DURATION_KEY) {
            write_duration(keys->number, duration, sizeof(duration));
            used = write_text(duration, out, used);
        } else {
            used = write_text(keys->text, out, used);
        }
    }
}

void hf_log_write_map(struct hf_string_map map, char *out)
{
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < map.count && used + FIELD_ROOM < HF_LOG_FIELDS_MAX; i++) {
        used = write_text(map.items[i].value, out, write_key(map.items[i].key, out, used));
    }
}

/* ---- lines ---- */

static size_t write_time(char *out, size_t room)
{
    struct timespec now;
    struct tm parts;
    char zone[8];
    clock_gettime(CLOCK_REALTIME, &now);
    localtime_r(&now.tv_sec, &parts);
    size_t used = strftime(out, room, "%Y-%m-%dT%H:%M:%S", &parts);
    used += (size_t)snprintf(out + used, room - used, ".%03ld", now.tv_nsec / 1000000);
    size_t zone_size = strftime(zone, sizeof(zone), "%z", &parts);
    memcpy(out + used, zone, zone_size + 1);
    return used + zone_size;
}

/* The room of a message: all but the fields and the head. */
#define MESSAGE_END (HF_LOG_LINE_MAX - 2 * HF_LOG_FIELDS_MAX - 16u)
#define COMPONENT_MAX 512u

size_t hf_log_write_json(const struct hf_log_line *line, char *out)
{
    size_t used =
        (size_t)snprintf(out, 64, "{\"level\":\"%s\",\"ts\":\"", level_names[line->level]);
    used += write_time(out + used, 64);
    used += (size_t)snprintf(out + used, 16, "\",\"name\":\"");
    used = put(HF_ESCAPE_JSON, out, used, used + COMPONENT_MAX, line->component);
    used += (size_t)snprintf(out + used, 16, "\",\"msg\":\"");
    used = put(HF_ESCAPE_JSON, out, used, MESSAGE_END, line->message);
    used += (size_t)snprintf(out + used, HF_LOG_LINE_MAX - used, "\"%s%s%s%s}\n",
                             line->fields[0] != '\0' ? "," : "", line->fields,
                             line->initial_fields[0] != '\0' ? "," : "", line->initial_fields);
    return used;
}

size_t hf_log_write_text(const struct hf_log_line *line, char *out)
{
    bool both = line->fields[0] != '\0' && line->initial_fields[0] != '\0';
    size_t used = write_time(out, 64);
    used += (size_t)snprintf(out + used, 16, "\t%s\t", level_names[line->level]);
    used = put(HF_ESCAPE_LINE, out, used, used + COMPONENT_MAX, line->component);
    used += (size_t)snprintf(out + used, 2, "\t");
    used = put(HF_ESCAPE_LINE, out, used, MESSAGE_END, line->message);
    if (line->fields[0] != '\0' || line->initial_fields[0] != '\0') {
        used += (size_t)snprintf(out + used, HF_LOG_LINE_MAX - used, "\t{%s%s%s}", line->fields,
                                 both ? "," : "", line->initial_fields);
    }
    used += (size_t)snprintf(out + used, HF_LOG_LINE_MAX - used, "\n");
    return used;
}
