/*
 * sync_directory: a file or directory that was made or renamed survives a power cut only when the
 * directory it is in is synced too. Any thread; no state.
 */
#pragma once

#include <holdfast/status.h>

/* HF_IO with errno: it cannot be opened, or the disk failed or is full. A file system that cannot
 * sync directories keeps names durable itself: HF_OK. */
HF_MUST_USE enum hf_status hf_sync_directory(const char *path);
/* The same for the directory that `path` is in. */
HF_MUST_USE enum hf_status hf_sync_parent(const char *path);
