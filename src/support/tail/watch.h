/*
 * watch: which folders and files have changed, as the kernel tells by inotify; only on local file
 * systems that are known to tell all of it. Owned by one thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <holdfast/status.h>

struct hf_tail_watch;

/* HF_IO: the kernel has no more to give; HF_NOMEM. */
HF_MUST_USE enum hf_status hf_tail_watch_open(struct hf_tail_watch **ret_watch);
void hf_tail_watch_close(struct hf_tail_watch *watch);

/* From now on changes of names in that folder, or of bytes in that file, are told. Asked again for
 * the same: nothing new. False: not possible; it must be looked at. */
HF_MUST_USE bool hf_tail_watch_folder(struct hf_tail_watch *watch, const char *path);
HF_MUST_USE bool hf_tail_watch_file(struct hf_tail_watch *watch, const char *path, void *file);
/* The same of a file that is not read: its bytes are told as names are. */
HF_MUST_USE bool hf_tail_watch_unread(struct hf_tail_watch *watch, const char *path);
/* The file is not told any more. */
void hf_tail_watch_forget(struct hf_tail_watch *watch, const void *file);

/* What has changed since it was last asked: `changed` for each file. True: names did, or too much
 * happened: look at everything. */
HF_MUST_USE bool hf_tail_watch_read(struct hf_tail_watch *watch,
                                    void (*changed)(void *user, void *file), void *user);
