/*
 * cpu_profile: where the threads of this process spend their CPU time: each thread has a timer of
 * its own CPU clock, whose signal (SIGPROF) is taken by that thread, which notes its stack.
 *
 * The handler only writes into a ring that was made before; who runs the profile moves the samples
 * from there into a table, by hf_cpu_profile_gather(), every tenth of a second or so. Threads that
 * block the signal are not seen. One profile in the process at a time; it belongs to one thread.
 */
#pragma once

#include "stacks.h"

#define HF_CPU_PROFILE_HZ 100u
#define HF_CPU_PROFILE_GATHER_NS UINT64_C(100000000)

struct hf_cpu_profile;

struct hf_profiled_thread {
    int32_t id;
    char name[16];
};

/* HF_BUSY: another one runs. HF_NOMEM, HF_IO. */
HF_MUST_USE enum hf_status hf_cpu_profile_start(struct hf_cpu_profile **ret_profile);
/* Moves what was sampled into the table, and looks for new threads. */
void hf_cpu_profile_gather(struct hf_cpu_profile *profile);
/* The last samples are gathered; what follows may be asked then. */
void hf_cpu_profile_stop(struct hf_cpu_profile *profile);
void hf_cpu_profile_free(struct hf_cpu_profile *profile);

const struct hf_stacks *hf_cpu_profile_stacks(const struct hf_cpu_profile *profile);
/* Of all threads that were seen; NULL: none of that id. */
const char *hf_cpu_profile_thread_name(const struct hf_cpu_profile *profile, int32_t thread_id);
void hf_cpu_profile_times(const struct hf_cpu_profile *profile, uint64_t *ret_start_unix_ns,
                          uint64_t *ret_duration_ns);
