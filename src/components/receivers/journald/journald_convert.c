#include "journald_convert.h"

#include <stdio.h>

#include "pdata/json_value.h"

#define PREFIX "journald."
#define NAME_MAX_BYTES 256

static const struct {
    unsigned severity;
    const char *text;
} priorities[] = {{21, "emerg"},   {19, "alert"},  {18, "crit"}, {17, "err"},
                  {13, "warning"}, {10, "notice"}, {9, "info"},  {5, "debug"}};

static const struct known {
    const char *field, *name;
    bool of_resource, is_number;
} known[] = {
    {"CODE_FILE", "code.file.path", false, false},
    {"CODE_FUNC", "code.function.name", false, false},
    {"CODE_LINE", "code.line.number", false, true},
    {"TID", "thread.id", false, true},
    {"SYSLOG_FACILITY", "syslog.facility.code", false, true},
    {"SYSLOG_IDENTIFIER", "syslog.msgid", false, false},
    {"SYSLOG_PID", "syslog.pid", false, true},
    {"_HOSTNAME", "host.name", true, false},
    {"_PID", "process.pid", true, true},
    {"_COMM", "process.command", true, false},
    {"_EXE", "process.executable.path", true, false},
    {"_CMDLINE", "process.command_line", true, false},
};

static const struct known *find_known(struct hf_slice field)
{
    const struct known *found = NULL;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]) && found == NULL; i++) {
        found = hf_slice_is(field, known[i].field) ? &known[i] : NULL;
    }
    return found;
}

/* The text as a number; what is none stays as it is. */
static struct hf_expr_value as_number(struct hf_expr_value value)
{
    int64_t number;
    bool is_number = value.type == HF_EXPR_STRING && hf_json_read_i64(value.text, &number);
    return is_number ? hf_expr_integer(number) : value;
}

static void set_severity(struct hf_log_entry *entry, struct hf_expr_value value)
{
    bool is_priority = value.type == HF_EXPR_STRING && value.text.size == 1 &&
                       value.text.data[0] >= '0' && value.text.data[0] <= '7';
    if (is_priority) {
        size_t i = (size_t)(value.text.data[0] - '0');
        entry->severity = priorities[i].severity;
        entry->severity_text = hf_slice_text(priorities[i].text);
    }
}

/* A field without a name of its own. */
static enum hf_status set_other(struct hf_log_entry *entry, const struct hf_expr_pair *pair)
{
    char name[NAME_MAX_BYTES];
    int size = snprintf(name, sizeof(name), PREFIX "%.*s", (int)pair->key.size,
                        (const char *)pair->key.data);
    struct hf_slice text =
        hf_slice_of(name, (size_t)size < sizeof(name) ? (size_t)size : sizeof(name) - 1);
    struct hf_slice key = hf_expr_copy_text(entry->arena, text);
    return key.data != NULL ? hf_expr_map_set(entry->arena, entry->attributes.map, key, pair->value)
                            : HF_NOMEM;
}

static enum hf_status set_field(struct hf_log_entry *entry, const struct hf_expr_pair *pair)
{
    const struct known *found = find_known(pair->key);
    if (found == NULL) {
        return set_other(entry, pair);
    }
    struct hf_expr_map *map = found->of_resource ? entry->resource.map : entry->attributes.map;
    return hf_expr_map_set(entry->arena, map, hf_slice_text(found->name),
                           found->is_number ? as_number(pair->value) : pair->value);
}

enum hf_status journald_convert(struct hf_log_entry *entry)
{
    const struct hf_expr_map *fields = entry->body.map;
    enum hf_status status = HF_OK;
    entry->body = hf_expr_string(HF_EMPTY_SLICE);
    for (size_t i = 0; i < fields->count && status == HF_OK; i++) {
        const struct hf_expr_pair *pair = &fields->pairs[i];
        if (hf_slice_is(pair->key, "MESSAGE")) {
            entry->body = pair->value;
        } else if (hf_slice_is(pair->key, "PRIORITY")) {
            set_severity(entry, pair->value);
        } else {
            status = set_field(entry, pair);
        }
    }
    return status;
}
