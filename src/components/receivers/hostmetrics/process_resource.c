/*
 * process_resource: what the points of a process stand below: its resource, with its attributes.
 */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>

#include "process.h"

#define PASSWD_ROOM 4096u
#define SCHEMA_URL "https://opentelemetry.io/schemas/1.43.0"

static const char *find_user(struct process_scraper *self, uid_t uid)
{
    for (size_t i = 0; i < self->user_count; i++) {
        if (self->users[i].uid == uid) {
            return self->users[i].name;
        }
    }
    if (self->user_count == PROCESS_USERS_MAX) {
        self->user_count = 0;
    }
    struct process_user *user = &self->users[self->user_count++];
    *user = (struct process_user){.uid = uid};
    struct passwd entry, *found = NULL;
    char room[PASSWD_ROOM];
    if (getpwuid_r(uid, &entry, room, sizeof(room), &found) == 0 && found != NULL) {
        snprintf(user->name, sizeof(user->name), "%s", found->pw_name);
    }
    return user->name;
}

static void put(struct process_scraper *self, struct host_run *run, unsigned id, const char *key,
                struct hf_slice text)
{
    if (self->config->attributes[id].enabled) {
        hf_build_attribute_string(run->builder, hf_slice_text(key), text);
    }
}

static void put_command(struct process_scraper *self, struct host_run *run, uint64_t pid)
{
    struct hf_slice text;
    if (!self->config->attributes[PROCESS_COMMAND].enabled &&
        !self->config->attributes[PROCESS_COMMAND_LINE].enabled) {
        return;
    }
    if (!process_read_arguments(run->host, pid, &text)) {
        process_failed(run, self->config->mute_all, 0, "the command line", errno);
        return;
    }
    while (text.size != 0 && text.data[text.size - 1] == '\0') {
        text.size--;
    }
    size_t first = text.size != 0 ? strnlen((const char *)text.data, text.size) : 0;
    put(self, run, PROCESS_COMMAND, "process.command", hf_slice_of(text.data, first));
    /* The text is the host's buffer: between the arguments come blanks. */
    for (size_t i = 0; i < text.size; i++) {
        if (run->host->text.data[i] == '\0') {
            run->host->text.data[i] = ' ';
        }
    }
    put(self, run, PROCESS_COMMAND_LINE, "process.command_line", text);
}

static void put_owner(struct process_scraper *self, struct host_run *run, uint64_t pid)
{
    struct process_status status;
    if (!self->config->attributes[PROCESS_OWNER].enabled) {
        return;
    }
    bool is_muted = self->config->mute_user || self->config->mute_all;
    if (!process_read_status(run->host, pid, &status)) {
        process_failed(run, is_muted, 0, "the user", errno);
        return;
    }
    const char *name = find_user(self, (uid_t)status.uid);
    if (name[0] != '\0') {
        put(self, run, PROCESS_OWNER, "process.owner", hf_slice_text(name));
    } else {
        process_failed(run, is_muted, 0, "the user's name", ENODATA);
    }
}

static void put_cgroup(struct process_scraper *self, struct host_run *run, uint64_t pid)
{
    struct hf_slice text;
    if (!self->config->attributes[PROCESS_CGROUP].enabled &&
        !self->config->attributes[PROCESS_LINUX_CGROUP].enabled) {
        return;
    }
    if (!host_read_proc(run->host, &text, "%" PRIu64 "/cgroup", pid)) {
        process_failed(run, self->config->mute_cgroup || self->config->mute_all, 0,
                       "the control groups", errno);
        return;
    }
    text.size -= text.size != 0 && text.data[text.size - 1] == '\n';
    put(self, run, PROCESS_CGROUP, "process.cgroup", text);
    put(self, run, PROCESS_LINUX_CGROUP, "process.linux.cgroup", text);
}

void process_put_resource(struct process_scraper *self, struct host_run *run, uint64_t pid,
                          const struct process_stat *stat, const char *name)
{
    const struct process_config *config = self->config;
    char path[PATH_MAX] = "";
    hf_build_resource(run->builder, hf_slice_text(SCHEMA_URL));
    if (config->attributes[PROCESS_PID].enabled) {
        hf_build_attribute_int(run->builder, hf_slice_text("process.pid"), (int64_t)pid);
    }
    if (config->attributes[PROCESS_PARENT_PID].enabled) {
        hf_build_attribute_int(run->builder, hf_slice_text("process.parent_pid"),
                               (int64_t)stat->parent_pid);
    }
    put(self, run, PROCESS_NAME, "process.executable.name", hf_slice_text(name));
    if (config->attributes[PROCESS_PATH].enabled &&
        !process_read_executable(run->host, pid, path, sizeof(path))) {
        process_failed(run, config->mute_exe || config->mute_all, 1, "the executable", errno);
    }
    put(self, run, PROCESS_PATH, "process.executable.path", hf_slice_text(path));
    put_cgroup(self, run, pid);
    put_command(self, run, pid);
    put_owner(self, run, pid);
    hf_build_scope(run->builder, hf_slice_text(HOST_SCOPE_NAME "processscraper"),
                   hf_slice_text(HF_VERSION));
}
