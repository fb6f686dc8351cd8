#include "probe.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <holdfast/component.h>

void hf_probe_say(struct hf_probe *probe, const char *step, const char *target,
                  enum hf_probe_result result, const char *format, ...)
{
    char text[HF_PROBE_TEXT_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    probe->has_failed = probe->has_failed || result == HF_PROBE_FAILED;
    probe->say(probe->user, step, target, result, text);
}

void hf_probe_export(struct hf_probe *probe)
{
    probe->wants_export = true;
}

void hf_probe_listen(struct hf_probe *probe, const char *endpoint)
{
    char error[HF_ERROR_MAX] = "";
    if (endpoint == NULL || endpoint[0] == '\0') {
        return;
    }
    if (probe->listen == NULL) {
        hf_probe_say(probe, "listen", endpoint, HF_PROBE_OK,
                     "not tried: a running Holdfast has the data directory and its sockets");
    } else if (probe->listen(probe->user, endpoint, error)) {
        hf_probe_say(probe, "listen", endpoint, HF_PROBE_OK, "free");
    } else {
        hf_probe_say(probe, "listen", endpoint, HF_PROBE_FAILED, "%s", error);
    }
}

static const char *folder_of(const char *path, char ret_folder[PATH_MAX])
{
    const char *slash = strrchr(path, '/');
    if (slash == NULL) {
        return ".";
    }
    snprintf(ret_folder, PATH_MAX, "%.*s", slash == path ? 1 : (int)(slash - path), path);
    return ret_folder;
}

void hf_probe_read(struct hf_probe *probe, const char *path)
{
    struct stat info;
    if (path == NULL || path[0] == '\0') {
        return;
    }
    if (stat(path, &info) != 0) {
        hf_probe_say(probe, "file", path, HF_PROBE_FAILED, "%s", strerror(errno));
        return;
    }
    int how = S_ISDIR(info.st_mode) ? R_OK | X_OK : R_OK;
    bool can = faccessat(AT_FDCWD, path, how, AT_EACCESS) == 0;
    hf_probe_say(probe, "file", path, can ? HF_PROBE_OK : HF_PROBE_FAILED, "%s",
                 can ? "can be read" : strerror(errno));
}

void hf_probe_write(struct hf_probe *probe, const char *path)
{
    char folder[PATH_MAX];
    if (path == NULL || path[0] == '\0') {
        return;
    }
    bool is_there = access(path, F_OK) == 0;
    const char *where = is_there ? path : folder_of(path, folder);
    int how = is_there ? W_OK : W_OK | X_OK;
    if (faccessat(AT_FDCWD, where, how, AT_EACCESS) == 0) {
        hf_probe_say(probe, "file", path, HF_PROBE_OK, "can be %s", is_there ? "written" : "made");
    } else {
        hf_probe_say(probe, "file", path, HF_PROBE_FAILED, "%s: %s", where, strerror(errno));
    }
}
