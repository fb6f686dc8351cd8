/*
 * storage_paths: converts ids of queues to names of folders and back, makes new names durable, and
 * explains errors of a folder.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <holdfast/component.h>

#include "data_dir_check.h"
#include "storage_internal.h"
#include "util/sync_directory.h"

enum hf_status hf_status_of_wal(enum wal_status status)
{
    switch (status) {
    case WAL_OK:
        return HF_OK;
    case WAL_FULL:
    case WAL_SHARE:
    case WAL_NO_SPACE:
        return HF_FULL;
    case WAL_CLOSED:
        return HF_CLOSED;
    case WAL_CORRUPT:
    case WAL_TOO_NEW:
        return HF_CORRUPT;
    case WAL_NOMEM:
        return HF_NOMEM;
    case WAL_TOO_LARGE:
        return HF_TOO_LARGE;
    case WAL_MISSING:
        return HF_NOT_FOUND;
    case WAL_NO_RIGHT:
        return HF_FORBIDDEN;
    case WAL_IO:
    case WAL_REMOTE:
        return HF_IO;
    }
    return HF_IO;
}

void hf_storage_escape(const char *id, char *out)
{
    static const char hex[] = "0123456789ABCDEF";
    size_t used = 0;
    for (const unsigned char *p = (const unsigned char *)id; *p != '\0'; p++) {
        if (isalnum(*p) || *p == '_' || *p == '-' || (*p == '.' && used != 0)) {
            out[used++] = (char)*p;
        } else {
            out[used++] = '%';
            out[used++] = hex[*p >> 4];
            out[used++] = hex[*p & 15];
        }
    }
    out[used] = '\0';
}

void hf_storage_unescape(const char *name, char *out)
{
    size_t used = 0;
    for (const char *p = name; *p != '\0'; p++) {
        unsigned byte;
        if (*p == '%' && isxdigit((unsigned char)p[1]) && isxdigit((unsigned char)p[2]) &&
            sscanf(p + 1, "%2x", &byte) == 1) {
            out[used++] = (char)byte;
            p += 2;
        } else {
            out[used++] = *p;
        }
    }
    out[used] = '\0';
}

void hf_storage_explain(enum wal_status status, const char *path, char *reterr)
{
    const char *error = strerror(errno);
    char who[PATH_BYTES_MAX / 8] = "";
    hf_data_dir_describe(path, who, sizeof(who));
    switch (status) {
    case WAL_NO_RIGHT:
        snprintf(
            reterr, 512,
            "cannot write the data directory %.120s as uid %u gid %u: %s (%.220s); give this user "
            "the directory, or choose another with --data-dir",
            path, (unsigned)geteuid(), (unsigned)getegid(), error, who);
        break;
    case WAL_REMOTE:
        snprintf(reterr, 512,
                 "the data directory %.200s is on a network file system, where a commit is not "
                 "safe; use "
                 "a local disk, or choose another directory with --data-dir",
                 path);
        break;
    case WAL_TOO_NEW:
        snprintf(
            reterr, 512,
            "the queue in %.200s was written by a newer Holdfast (this one reads format %d); run "
            "that version, or choose another directory with --data-dir",
            path, WAL_FORMAT_VERSION);
        break;
    default:
        snprintf(
            reterr, 512,
            "cannot open the data directory %.120s as uid %u: %s (%.220s); choose another with "
            "--data-dir",
            path, (unsigned)geteuid(), status == WAL_NO_SPACE ? wal_status_text(status) : error,
            who);
    }
}

int hf_storage_sync_directory(const char *path)
{
    /* A directory that may not be read was not made here. */
    return hf_sync_directory(path) == HF_OK || errno == EACCES ? 0 : errno;
}
