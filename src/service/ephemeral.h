/*
 * ephemeral: a data directory that does not outlive the container: on an overlay, on tmpfs, in an
 * emptyDir or an anonymous volume of containerd, or as HOLDFAST_EPHEMERAL=1 says. What is queued
 * there is delivered before the process ends, if that takes less time than a Pod's grace allows.
 * The main thread.
 */
#pragma once

#include <stdbool.h>

#include "storage/storage.h"
#include "util/log/log.h"
#include "util/metrics/metrics.h"

/* HOLDFAST_EPHEMERAL: 1 yes, 0 no; otherwise as the directory's file system and mount are. */
bool hf_ephemeral_is(const char *directory);
/* By the text of /proc/self/mountinfo: is the mount that holds the directory (absolute, without
 * links) an emptyDir of a kubelet, or an anonymous volume of containerd? */
bool hf_ephemeral_by_mounts(const char *mountinfo, const char *directory);
/* Logs what follows from it, and sets the gauge holdfast_data_directory_ephemeral. */
void hf_ephemeral_tell(struct hf_log *log, struct hf_metrics *metrics, const char *directory,
                       bool is_ephemeral);
/* After the signal that asks for the stop: refuses intake, and returns when nothing is queued that
 * an exporter may still deliver, after 25 s, or at the next SIGTERM or SIGINT. The two are blocked.
 */
void hf_ephemeral_drain(struct hf_storage *store, struct hf_log *log);
