#include "file_watch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define ERROR_SIZE 512

bool hf_file_watch_changed(struct hf_file_watch *watched, uint64_t now_ns, uint64_t interval_ns)
{
    struct stat now;
    if (now_ns < watched->next_look_ns) {
        return false;
    }
    watched->next_look_ns = now_ns + interval_ns;
    if (stat(watched->path, &now) != 0 ||
        (now.st_ino == watched->inode && now.st_size == watched->size &&
         now.st_ctim.tv_sec == watched->changed.tv_sec &&
         now.st_ctim.tv_nsec == watched->changed.tv_nsec)) {
        return false;
    }
    watched->inode = now.st_ino;
    watched->size = now.st_size;
    watched->changed = now.st_ctim;
    return true;
}

enum hf_status hf_file_watch_read(const char *path, char **ret_text, char *reterr)
{
    FILE *file = fopen(path, "re");
    char *text = file != NULL ? malloc(HF_WATCHED_BYTES_MAX + 1) : NULL;
    if (text == NULL) {
        enum hf_status status = file != NULL ? HF_NOMEM : HF_IO;
        snprintf(reterr, ERROR_SIZE, "cannot read %s: %s", path, strerror(errno));
        if (file != NULL) {
            fclose(file);
        }
        return status;
    }
    size_t size = fread(text, 1, HF_WATCHED_BYTES_MAX + 1, file);
    bool failed = ferror(file) != 0;
    fclose(file);
    if (failed || size > HF_WATCHED_BYTES_MAX) {
        snprintf(reterr, ERROR_SIZE, "cannot read %s: it is %s", path,
                 failed ? "not a readable file" : "larger than 1 MiB");
        free(text);
        return failed ? HF_IO : HF_TOO_LARGE;
    }
    text[size] = '\0';
    char *fitted = realloc(text, size + 1);
    *ret_text = fitted != NULL ? fitted : text;
    return HF_OK;
}

enum hf_status hf_file_watch_read_secret(const char *path, char **ret_text, char *reterr)
{
    enum hf_status status = hf_file_watch_read(path, ret_text, reterr);
    size_t size = status == HF_OK ? strlen(*ret_text) : 0;
    while (size > 0 && strchr(" \t\r\n", (*ret_text)[size - 1]) != NULL) {
        (*ret_text)[--size] = '\0';
    }
    return status;
}
