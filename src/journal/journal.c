#include "journal.h"

#include <errno.h>
#include <glob.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#include "library.h"
#include "util/hex.h"

struct hf_journal {
    const struct hf_journal_library *library;
    sd_journal *handle;
    bool skips_one; /* the next entry is the one of the cursor */
    char *cursor;   /* of it */
};

static enum hf_status status_of(int result)
{
    errno = result < 0 ? -result : 0;
    return result >= 0         ? HF_OK
           : result == -ENOMEM ? HF_NOMEM
           : result == -EINVAL ? HF_INVALID
                               : HF_IO;
}

/* ---- opening ---- */

static char *under(const char *root, const char *path)
{
    char *joined = NULL;
    return asprintf(&joined, "%s%s", root != NULL ? root : "", path) < 0 ? NULL : joined;
}

static int open_files(struct hf_journal *journal, const struct hf_journal_options *options)
{
    glob_t found = {0};
    int result = -ENOENT;
    for (size_t i = 0; i < options->files.count; i++) {
        char *pattern = under(options->root, options->files.items[i]);
        if (pattern == NULL) {
            globfree(&found);
            return -ENOMEM;
        }
        (void)glob(pattern, GLOB_NOSORT | (i > 0 ? GLOB_APPEND : 0), NULL, &found);
        free(pattern);
    }
    if (found.gl_pathc > 0) {
        result = journal->library->open_files(&journal->handle,
                                              (const char **)(void *)found.gl_pathv, 0);
    }
    globfree(&found);
    return result;
}

static int open_directory(struct hf_journal *journal, const struct hf_journal_options *options)
{
    char *path = under(options->root, options->directory);
    int result =
        path != NULL ? journal->library->open_directory(&journal->handle, path, 0) : -ENOMEM;
    free(path);
    return result;
}

static int open_any(struct hf_journal *journal, const struct hf_journal_options *options)
{
    int flags = options->merges ? 0 : SD_JOURNAL_LOCAL_ONLY;
    if (options->directory != NULL) {
        return open_directory(journal, options);
    }
    if (options->files.count != 0) {
        return open_files(journal, options);
    }
    if (options->root != NULL) {
        return journal->library->open_directory(&journal->handle, options->root,
                                                flags | SD_JOURNAL_OS_ROOT);
    }
    return options->name_space != NULL
               ? journal->library->open_namespace(&journal->handle, options->name_space, flags)
               : journal->library->open(&journal->handle, flags);
}

enum hf_status hf_journal_open(const struct hf_journal_options *options,
                               struct hf_journal **ret_journal, char *reterr)
{
    struct hf_journal *journal = calloc(1, sizeof(*journal));
    if (journal == NULL) {
        return HF_NOMEM;
    }
    journal->library = hf_journal_library(reterr);
    if (journal->library == NULL) {
        free(journal);
        return HF_UNSUPPORTED;
    }
    int result = open_any(journal, options);
    result = result >= 0 ? journal->library->set_data_threshold(journal->handle, 0) : result;
    if (result < 0) {
        snprintf(reterr, HF_ERROR_MAX,
                 "the journal cannot be opened: %s; check directory or files, and that this user "
                 "is in the group systemd-journal",
                 strerror(-result));
        hf_journal_close(journal);
        return HF_IO;
    }
    *ret_journal = journal;
    return HF_OK;
}

void hf_journal_close(struct hf_journal *journal)
{
    if (journal != NULL) {
        journal->library->close(journal->handle);
        free(journal->cursor);
        free(journal);
    }
}

/* ---- matches ---- */

enum hf_status hf_journal_match(struct hf_journal *journal, const char *match)
{
    return status_of(journal->library->add_match(journal->handle, match, 0));
}

enum hf_status hf_journal_or(struct hf_journal *journal)
{
    return status_of(journal->library->add_disjunction(journal->handle));
}

enum hf_status hf_journal_and(struct hf_journal *journal)
{
    return status_of(journal->library->add_conjunction(journal->handle));
}

enum hf_status hf_journal_match_boot(struct hf_journal *journal)
{
    sd_id128_t boot;
    char match[sizeof("_BOOT_ID=") + 32] = "_BOOT_ID=";
    int result = journal->library->get_boot(&boot);
    if (result < 0) {
        return status_of(result);
    }
    hf_hex_write(hf_slice_of(boot.bytes, sizeof(boot.bytes)), match + strlen(match));
    return hf_journal_match(journal, match);
}

/* ---- places ---- */

enum hf_status hf_journal_seek_head(struct hf_journal *journal)
{
    return status_of(journal->library->seek_head(journal->handle));
}

enum hf_status hf_journal_seek_tail(struct hf_journal *journal, char **ret_cursor)
{
    *ret_cursor = NULL;
    int result = journal->library->seek_tail(journal->handle);
    result = result >= 0 ? journal->library->previous(journal->handle) : result;
    if (result == 0) {
        return hf_journal_seek_head(journal); /* nothing is there: what comes is all new */
    }
    return result > 0 ? status_of(journal->library->get_cursor(journal->handle, ret_cursor))
                      : status_of(result);
}

enum hf_status hf_journal_seek_behind(struct hf_journal *journal, const char *cursor)
{
    free(journal->cursor);
    journal->cursor = strdup(cursor);
    journal->skips_one = true;
    return journal->cursor != NULL
               ? status_of(journal->library->seek_cursor(journal->handle, cursor))
               : HF_NOMEM;
}

/* ---- entries ---- */

enum hf_status hf_journal_next(struct hf_journal *journal)
{
    int result = journal->library->next(journal->handle);
    if (result > 0 && journal->skips_one) {
        journal->skips_one = false;
        if (journal->library->test_cursor(journal->handle, journal->cursor) > 0) {
            result = journal->library->next(journal->handle);
        }
    }
    return result == 0 ? HF_NOT_FOUND : result > 0 ? HF_OK : status_of(result);
}

enum hf_status hf_journal_about(struct hf_journal *journal, struct hf_journal_entry *ret_entry)
{
    sd_id128_t boot;
    int result = journal->library->get_realtime_usec(journal->handle, &ret_entry->realtime_us);
    if (result >= 0) {
        /* It may be of a clock that is not known: then it has none. */
        ret_entry->monotonic_us = 0;
        (void)journal->library->get_monotonic_usec(journal->handle, &ret_entry->monotonic_us,
                                                   &boot);
        result = journal->library->get_cursor(journal->handle, &ret_entry->cursor);
    }
    return status_of(result);
}

enum hf_status
hf_journal_each(struct hf_journal *journal,
                bool (*visit)(void *user, struct hf_slice name, struct hf_slice value), void *user)
{
    const void *data;
    size_t size;
    int result;
    journal->library->restart_data(journal->handle);
    while ((result = journal->library->enumerate_available_data(journal->handle, &data, &size)) >
           0) {
        const uint8_t *bytes = data;
        const uint8_t *equals = memchr(bytes, '=', size);
        size_t name = equals != NULL ? (size_t)(equals - bytes) : size;
        size_t value = equals != NULL ? size - name - 1 : 0;
        if (!visit(user, hf_slice_of(bytes, name),
                   hf_slice_of(value != 0 ? equals + 1 : bytes, value))) {
            return HF_NOMEM;
        }
    }
    return status_of(result);
}

bool hf_journal_wait(struct hf_journal *journal, int stop_fd, int wait_ms)
{
    int fd = journal->library->get_fd(journal->handle);
    int events = journal->library->get_events(journal->handle);
    struct pollfd fds[] = {{.fd = stop_fd, .events = POLLIN},
                           {.fd = fd, .events = (short)(events > 0 ? events : POLLIN)}};
    (void)poll(fds, fd >= 0 ? 2 : 1, wait_ms);
    (void)journal->library->process(journal->handle);
    return (fds[0].revents & POLLIN) == 0;
}
