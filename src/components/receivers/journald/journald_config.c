#include "journald_config.h"

#include <string.h>
#include <strings.h>

#define AT(member) offsetof(struct journald_config, member)

static const char *const starts[] = {"end", "beginning", NULL};

static const struct {
    const char *name;
    int number;
} priorities[] = {{"emerg", 0},  {"panic", 0}, {"alert", 1},   {"crit", 2},
                  {"err", 3},    {"error", 3}, {"warning", 4}, {"warn", 4},
                  {"notice", 5}, {"info", 6},  {"debug", 7}};

static bool read_priority(const char *text, size_t size, int *ret_number)
{
    if (size == 1 && text[0] >= '0' && text[0] <= '7') {
        *ret_number = text[0] - '0';
        return true;
    }
    for (size_t i = 0; i < sizeof(priorities) / sizeof(priorities[0]); i++) {
        if (strlen(priorities[i].name) == size &&
            strncasecmp(priorities[i].name, text, size) == 0) {
            *ret_number = priorities[i].number;
            return true;
        }
    }
    return false;
}

bool journald_priorities(const char *text, int *ret_first, int *ret_last)
{
    const char *dots = strstr(text, "..");
    *ret_first = 0;
    if (dots == NULL) {
        return read_priority(text, strlen(text), ret_last);
    }
    if (!read_priority(text, (size_t)(dots - text), ret_first) ||
        !read_priority(dots + 2, strlen(dots + 2), ret_last)) {
        return false;
    }
    if (*ret_first > *ret_last) {
        int first = *ret_first;
        *ret_first = *ret_last;
        *ret_last = first;
    }
    return true;
}

static const char *expect_priority(const char *key, const char *text)
{
    int first, last;
    (void)key;
    return journald_priorities(text, &first, &last)
               ? NULL
               : "a priority (0 to 7, emerg to debug) or two of them with .. between";
}

static bool is_field_name(const char *text)
{
    return text[0] != '\0' && text[strspn(text, "_ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")] == '\0';
}

static const char *check_matches(const struct hf_value *matches)
{
    static const char wrong[] =
        "matches: a list of maps from field names (upper case) to texts is expected";
    if (matches->type != HF_VALUE_NONE && matches->type != HF_VALUE_LIST) {
        return wrong;
    }
    for (size_t i = 0; i < matches->count; i++) {
        const struct hf_value *map = &matches->items[i];
        if (map->type != HF_VALUE_MAP || map->count == 0) {
            return wrong;
        }
        for (size_t k = 0; k < map->count; k++) {
            if (!is_field_name(map->keys[k]) || map->items[k].string == NULL) {
                return wrong;
            }
        }
    }
    return NULL;
}

const char *journald_check(const void *from)
{
    const struct journald_config *config = from;
    for (size_t i = 0; i < config->units.count; i++) {
        if (strpbrk(config->units.items[i], "*?[") != NULL) {
            return "units: patterns are not supported; name each unit";
        }
    }
    if (config->root != NULL && config->root[0] != '/') {
        return "root_path: an absolute path is expected";
    }
    if (config->directory != NULL && config->files.count != 0) {
        return "directory and files: only one of them is used; remove the other";
    }
    const char *wrong = check_matches(&config->matches);
    return wrong != NULL ? wrong : hf_log_entries_check(&config->entries);
}

const struct hf_field journald_fields[] = {
    {.key = "directory",
     .type = HF_FIELD_STRING,
     .offset = AT(directory),
     .help = "Folder of journal files; absent: those of this machine."},
    {.key = "files",
     .type = HF_FIELD_STRING_LIST,
     .offset = AT(files),
     .help = "Journal files, also patterns; what a pattern matches later is not looked for."},
    {.key = "root_path",
     .type = HF_FIELD_STRING,
     .offset = AT(root),
     .help = "Where the system stands whose journal is read, such as a mounted host; directory and "
             "files are below it."},
    {.key = "journalctl_path",
     .type = HF_FIELD_IGNORED,
     .help = "libsystemd reads the journal, no program is run"},
    {.key = "namespace",
     .type = HF_FIELD_STRING,
     .offset = AT(name_space),
     .help = "Namespace of the journal."},
    {.key = "start_at",
     .type = HF_FIELD_ENUM,
     .offset = AT(start_at),
     .choices = starts,
     .default_text = "end",
     .help = "Where the first start begins; later ones go on behind what is on disk."},
    {.key = "units",
     .type = HF_FIELD_STRING_LIST,
     .offset = AT(units),
     .help = "Only entries of these units and about them; without a suffix .service is meant."},
    {.key = "identifiers",
     .type = HF_FIELD_STRING_LIST,
     .offset = AT(identifiers),
     .help = "Only entries with one of these SYSLOG_IDENTIFIER."},
    {.key = "matches",
     .type = HF_FIELD_VALUE,
     .offset = AT(matches),
     .help = "Only entries that one of these maps matches with all its fields."},
    {.key = "priority",
     .type = HF_FIELD_STRING,
     .offset = AT(priority),
     .default_text = "info",
     .validate = expect_priority,
     .help = "Only entries of this priority or a graver one; or of a range, err..info."},
    {.key = "grep",
     .type = HF_FIELD_STRING,
     .offset = AT(grep),
     .help = "Only entries whose MESSAGE this expression (RE2) matches; without upper case letters "
             "in it case does not matter."},
    {.key = "dmesg",
     .type = HF_FIELD_BOOL,
     .offset = AT(is_dmesg),
     .default_text = "false",
     .help = "Only messages of the kernel; of this boot, unless directory, files or root_path is "
             "set."},
    {.key = "all", .type = HF_FIELD_IGNORED, .help = "fields are read whole in any case"},
    {.key = "merge",
     .type = HF_FIELD_BOOL,
     .offset = AT(merges),
     .default_text = "false",
     .help = "Also journals of other machines."},
    {.key = "convert_message_bytes",
     .type = HF_FIELD_BOOL,
     .offset = AT(converts_bytes),
     .default_text = "false",
     .help = "A MESSAGE that is no printable text is text all the same, with U+FFFD for what is no "
             "character; else it is a list of numbers."},
    {.key = "convert_to_semantic_conventions",
     .type = HF_FIELD_BOOL,
     .offset = AT(converts_names),
     .default_text = "false",
     .help = "MESSAGE is the body, PRIORITY the severity, fields of the process and the host "
             "attributes of the resource, and others attributes; without, all are in the body."},
    {.key = "include_log_record_original",
     .type = HF_FIELD_IGNORED,
     .help = "there is no original text, as no program is asked"},
    HF_LOG_ENTRIES_FIELDS(struct journald_config, entries),
    {.key = "id", .type = HF_FIELD_IGNORED, .help = "without effect"},
    {.key = "type", .type = HF_FIELD_IGNORED, .help = "without effect"},
    {.key = "output", .type = HF_FIELD_IGNORED, .help = "without effect: the first operator"},
    {.key = "storage", .type = HF_FIELD_IGNORED, .help = "places are committed with the entries"},
    {.key = "retry_on_failure",
     .type = HF_FIELD_IGNORED,
     .help = "refused batches are kept and offered again in any case"},
    HF_FIELDS_END,
};
