/*
 * sync_parent: a file that was made or renamed survives a power cut only when its directory is
 * synced too. Any thread; no state.
 */
#pragma once

#include <holdfast/status.h>

/* Syncs the directory that `path` is in. HF_IO with errno. */
HF_MUST_USE enum hf_status hf_sync_parent(const char *path);
