/*
 * file_backups: files that rotation moved aside. "traces.json" becomes
 * "traces-2026-01-31T12-00-00.000.json". No state.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <holdfast/status.h>

struct hf_file_backups {
    const char *path; /* of the file in use */
    bool localtime;
    uint32_t max_backups, max_days; /* 0: no limit */
    time_t now;
};

/* Renames the file; never over another one. False with errno. A file that is not there is fine. */
HF_MUST_USE bool hf_file_backups_move(const struct hf_file_backups *backups);

/* Removes backups that are too old or too many, oldest first. What cannot be removed stays. */
void hf_file_backups_trim(const struct hf_file_backups *backups);
