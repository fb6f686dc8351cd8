#include "basicauth_users.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <holdfast/component.h>

#include "password_hash.h"
#include "util/fnv.h"
#include "util/time/clock.h"

#define ENTRIES_MAX 10000u

static void clear_entries(struct basic_users *users)
{
    for (size_t i = 0; i < users->count; i++) {
        free(users->entries[i].matched);
    }
    free(users->entries);
    free(users->text);
    users->entries = NULL;
    users->text = NULL;
    users->count = 0;
}

/* Cuts the text into "user:hash" lines; blank lines and comments are nothing. */
static bool parse(struct basic_users *users, char *text)
{
    size_t lines = 1;
    for (const char *at = text; *at != '\0'; at++) {
        lines += *at == '\n';
    }
    struct basic_entry *entries =
        calloc(lines < ENTRIES_MAX ? lines : ENTRIES_MAX, sizeof(struct basic_entry));
    if (entries == NULL) {
        return false;
    }
    clear_entries(users);
    users->text = text;
    users->entries = entries;
    for (char *rest = text; rest != NULL && users->count < ENTRIES_MAX;) {
        char *line = strsep(&rest, "\n");
        line += strspn(line, " \t");
        line[strcspn(line, "\r")] = '\0';
        char *colon = line[0] != '#' ? strchr(line, ':') : NULL;
        if (colon != NULL && colon != line && colon[1] != '\0') {
            *colon = '\0';
            users->entries[users->count++] = (struct basic_entry){.user = line, .hash = colon + 1};
        }
    }
    return true;
}

/* Warns about entries that can never match. */
static void warn_unknown(const struct basic_users *users)
{
    for (size_t i = 0; i < users->count; i++) {
        const struct basic_entry *entry = &users->entries[i];
        if (!password_is_known(entry->hash)) {
            hf_node_log(users->node, HF_LOG_WARN,
                        "htpasswd: the password of %s never matches: its kind of hash is unknown",
                        entry->user);
        }
    }
}

/* Reads all entries again, from the file and the inline part. */
static enum hf_status load(struct basic_users *users, char *reterr)
{
    const struct htpasswd_config *config = users->config;
    char *file = NULL;
    if (config->file != NULL) {
        enum hf_status status = hf_file_watch_read(config->file, &file, reterr);
        if (status != HF_OK) {
            return status;
        }
    }
    const char *content = config->content != NULL ? config->content : "";
    size_t size = (file != NULL ? strlen(file) : 0) + strlen(content) + 2;
    char *text = malloc(size);
    if (text != NULL) {
        snprintf(text, size, "%s\n%s", file != NULL ? file : "", content);
    }
    free(file);
    if (text == NULL || !parse(users, text)) {
        free(text);
        snprintf(reterr, HF_ERROR_MAX, "no memory for the passwords");
        return HF_NOMEM;
    }
    warn_unknown(users);
    return HF_OK;
}

void basic_users_refresh(struct basic_users *users)
{
    char error[HF_ERROR_MAX];
    if (users->config->file != NULL &&
        hf_file_watch_changed(&users->watched, hf_clock_coarse_ns(), BASIC_LOOK_NS) &&
        load(users, error) != HF_OK) {
        hf_node_log(users->node, HF_LOG_WARN, "the passwords stay as they were: %s", error);
    }
}

struct basic_entry *basic_users_find(const struct basic_users *users, const char *user)
{
    /* Who is named twice is who comes last: the inline part stands over the file. */
    size_t i = users->count;
    while (i > 0 && strcmp(users->entries[i - 1].user, user) != 0) {
        i--;
    }
    return i > 0 ? &users->entries[i - 1] : NULL;
}

struct basic_entry *basic_users_double(const struct basic_users *users, const char *user)
{
    uint64_t hash = users->secret;
    for (const char *at = user; *at != '\0'; at++) {
        hash = (hash ^ (uint8_t)*at) * HF_FNV_PRIME;
        hash ^= hash >> 29;
    }
    return users->count != 0 ? &users->entries[hash % users->count] : NULL;
}

bool basic_users_need_time(const struct basic_users *users)
{
    for (size_t i = 0; i < users->count; i++) {
        if (password_is_slow(users->entries[i].hash)) {
            return true;
        }
    }
    return users->config->file != NULL; /* the next version of it may */
}

enum hf_status basic_users_open(struct basic_users *users, struct hf_node *node,
                                const struct htpasswd_config *config, char *reterr)
{
    users->node = node;
    users->config = config;
    users->watched.path = config->file;
    ssize_t got = getrandom(&users->secret, sizeof(users->secret), GRND_NONBLOCK);
    (void)got; /* without: guessed by those who know the file's order */
    bool changed = users->watched.path != NULL &&
                   hf_file_watch_changed(&users->watched, hf_clock_coarse_ns(), BASIC_LOOK_NS);
    (void)changed; /* what is read now is the state to compare with */
    return load(users, reterr);
}

void basic_users_close(struct basic_users *users)
{
    clear_entries(users);
}
