/*
 * probe: struct hf_probe of holdfast/probe.h, as the caller of a component's `probe` fills it in.
 * The main thread.
 */
#pragma once

#include <stdint.h>

#include <holdfast/probe.h>

struct hf_auth;

#define HF_PROBE_TEXT_MAX 512

struct hf_probe {
    /* A line of the result; the texts are borrowed for the call. */
    void (*say)(void *user, const char *step, const char *target, enum hf_probe_result result,
                const char *text);
    /* False, with `reterr` (HF_ERROR_MAX): the endpoint cannot be listened on. NULL: it is not to
     * be tried, because a running process has it. */
    bool (*listen)(void *user, const char *endpoint, char *reterr);
    /* The authenticator of that id, opened and started. False, with `reterr` (HF_ERROR_MAX). NULL:
     * there are none. */
    bool (*auth)(void *user, const char *id, const struct hf_auth **ret_auth, void **ret_self,
                 char *reterr);
    void *user;
    uint64_t timeout_ns; /* of each step that waits for another machine */
    bool wants_export;   /* set by hf_probe_export() */
    bool has_failed;     /* set by a line that says HF_PROBE_FAILED */
};
