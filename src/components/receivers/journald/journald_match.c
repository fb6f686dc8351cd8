#include "journald_match.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COREDUMP "fc2e22bc6ee647b6b90729ab34a250b1" /* the id of the message about one */

static enum hf_status match(struct hf_journal *journal, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static enum hf_status match(struct hf_journal *journal, const char *format, ...)
{
    char *text = NULL;
    va_list arguments;
    va_start(arguments, format);
    int size = vasprintf(&text, format, arguments);
    va_end(arguments);
    if (size < 0) {
        return HF_NOMEM;
    }
    enum hf_status status = hf_journal_match(journal, text);
    free(text);
    return status;
}

/* Runs on while all is well. */
#define AND_THEN(status, call) ((status) == HF_OK ? (call) : (status))

/* Of the unit, about it by the manager, its core dumps, and of a slice what is in it. */
static enum hf_status match_unit(struct hf_journal *journal, const char *unit)
{
    char name[256];
    size_t size = strlen(unit);
    snprintf(name, sizeof(name), strchr(unit, '.') != NULL ? "%s" : "%s.service", unit);
    enum hf_status status = match(journal, "_SYSTEMD_UNIT=%s", name);
    status = AND_THEN(status, hf_journal_or(journal));
    status = AND_THEN(status, match(journal, "MESSAGE_ID=%s", COREDUMP));
    status = AND_THEN(status, match(journal, "_UID=0"));
    status = AND_THEN(status, match(journal, "COREDUMP_UNIT=%s", name));
    status = AND_THEN(status, hf_journal_or(journal));
    status = AND_THEN(status, match(journal, "_PID=1"));
    status = AND_THEN(status, match(journal, "UNIT=%s", name));
    status = AND_THEN(status, hf_journal_or(journal));
    status = AND_THEN(status, match(journal, "_UID=0"));
    status = AND_THEN(status, match(journal, "OBJECT_SYSTEMD_UNIT=%s", name));
    if (size > 6 && strcmp(unit + size - 6, ".slice") == 0) {
        status = AND_THEN(status, hf_journal_or(journal));
        status = AND_THEN(status, match(journal, "_SYSTEMD_SLICE=%s", name));
    }
    return status;
}

static enum hf_status match_units(struct hf_journal *journal, const struct hf_string_list *units)
{
    enum hf_status status = HF_OK;
    for (size_t i = 0; i < units->count; i++) {
        status = AND_THEN(status, i > 0 ? hf_journal_or(journal) : HF_OK);
        status = AND_THEN(status, match_unit(journal, units->items[i]));
    }
    return AND_THEN(status, hf_journal_and(journal));
}

static enum hf_status match_priority(struct hf_journal *journal, const char *text)
{
    int first = 0, last = 7;
    enum hf_status status = journald_priorities(text, &first, &last) ? HF_OK : HF_INVALID;
    for (int number = first; number <= last; number++) {
        status = AND_THEN(status, match(journal, "PRIORITY=%d", number));
    }
    return AND_THEN(status, hf_journal_and(journal));
}

static enum hf_status match_maps(struct hf_journal *journal, const struct hf_value *maps)
{
    enum hf_status status = HF_OK;
    for (size_t i = 0; i < maps->count; i++) {
        const struct hf_value *map = &maps->items[i];
        status = AND_THEN(status, i > 0 ? hf_journal_or(journal) : HF_OK);
        for (size_t k = 0; k < map->count; k++) {
            status = AND_THEN(status, match(journal, "%s=%s", map->keys[k], map->items[k].string));
        }
    }
    return AND_THEN(status, hf_journal_and(journal));
}

enum hf_status journald_match(struct hf_journal *journal, const struct journald_config *config)
{
    bool is_own = config->directory == NULL && config->files.count == 0 && config->root == NULL;
    enum hf_status status = HF_OK;
    if (config->is_dmesg) {
        status = is_own ? hf_journal_match_boot(journal) : HF_OK;
        status = AND_THEN(status, hf_journal_and(journal));
        status = AND_THEN(status, match(journal, "_TRANSPORT=kernel"));
        status = AND_THEN(status, hf_journal_and(journal));
    }
    status = AND_THEN(status, match_units(journal, &config->units));
    for (size_t i = 0; i < config->identifiers.count; i++) {
        status =
            AND_THEN(status, match(journal, "SYSLOG_IDENTIFIER=%s", config->identifiers.items[i]));
    }
    status = AND_THEN(status, hf_journal_and(journal));
    status = AND_THEN(status, match_priority(journal, config->priority));
    return AND_THEN(status, match_maps(journal, &config->matches));
}
